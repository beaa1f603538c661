# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: turn TrueNAS's cloud credentials and cloud sync tasks into variables of this collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_truenas
author:
  - skyhaul contributors (@skyhaul)
short_description: Turn TrueNAS's cloud credentials and cloud sync tasks into variables
version_added: 1.0.0
description:
  - Turns the cloud credentials and cloud sync tasks of TrueNAS's API into the text of two files. One contains
    C(cloudsync_credentials) and C(cloudsync_tasks), the other their secrets, encrypted with Ansible Vault.
  - Supports the API of TrueNAS 24.10 to 27.
  - Translates TrueNAS's options and values into rclone's.
  - Everything is checked as a host would check it. Options that cannot be imported are listed, and their values are
    kept in the encrypted file.
  - The result contains no secret in clear.
  - The playbook C(skyhaul.cloudsync.import_truenas) writes the files.
requirements:
  - A vault password for Ansible, as for any encrypted file.
  - The Python library C(cryptography) on the control node.
options:
  _input:
    description:
      - Dictionary of names and JSON texts, the output of C(midclt call cloudsync.credentials.query) and C(midclt call
        cloudsync.query). The names, such as those of files, are used in messages.
      - You can omit one of the texts. Tasks contain their credentials, so the second has all credentials in use.
      - Add the output of C(midclt call keychaincredential.query) to import the private keys of SFTP credentials.
      - A text can also be a dictionary of such lists.
    type: dict
    required: true
  timezone:
    description:
      - Time zone of TrueNAS, such as V(Europe/Berlin), for the schedules. If it is empty, schedules use the time zone
        of each host.
    type: str
    default: ""
  rclone:
    description:
      - Path of the rclone of this machine, which checks the credentials. If it is empty, the first rclone on C(PATH) is
        used. Without rclone, some options are not checked.
    type: path
    default: ""
seealso:
  - plugin: skyhaul.cloudsync.from_rclone_conf
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what can be imported
  ansible.builtin.debug:
    msg: "{{ ({'tasks': lookup('ansible.builtin.file', 'tasks.json')} | skyhaul.cloudsync.from_truenas).report }}"
"""

RETURN = r"""
_value:
  description: The files, and a report.
  type: dict
  contains:
    report:
      description:
        - The numbers of objects (C(found)), and lists of sentences, C(still needed), C(not carried over) and
          C(good to know). Empty lists are omitted.
      type: dict
    files:
      description: The texts of the files, by name. The text of C(vault_cloudsync.yml) is encrypted.
      type: dict
"""

from typing import Any, Callable, Dict, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._engine.common.errors import CloudsyncError
from ..plugin_utils._migration.result import build_answer, read_providers_if_any
from ..plugin_utils._migration.truenas import from_truenas as import_from


def from_truenas(texts: Any, timezone: str = "", rclone: str = "") -> Dict[str, Any]:
    """Return the files and the report, as in RETURN. Raises AnsibleFilterError with the message of an error."""
    if not isinstance(texts, Mapping) or not all(isinstance(text, str) for text in texts.values()):
        raise AnsibleFilterError(
            "The input of from_truenas must be a dictionary of names and texts, the output of 'midclt call'."
        )
    try:
        return build_answer(import_from(texts, read_providers_if_any(rclone), timezone), "Imported from TrueNAS.")
    except CloudsyncError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {"from_truenas": from_truenas}
