# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: what TrueNAS has, as variables of this collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_truenas
author:
  - skyhaul contributors (@skyhaul)
short_description: Turn TrueNAS's cloud credentials and cloud sync tasks into variables
version_added: 1.0.0
description:
  - Turns what TrueNAS's API returns for its cloud credentials and cloud sync tasks into the text of two files, one with
    C(cloudsync_credentials) and C(cloudsync_tasks), one with their secrets, encrypted by Ansible Vault.
  - Knows the API of TrueNAS 25.04 to 27, and that of 24.10.
  - Everything is checked as a host would check it. What can't be carried over is listed, and its values are kept in the
    encrypted file.
  - What it returns has no secret in clear.
  - The playbook C(skyhaul.cloudsync.import_truenas) writes the files.
requirements:
  - A vault password, given to Ansible as for any encrypted file.
  - The Python library C(cryptography) on the control node.
options:
  _input:
    description:
      - The JSON texts that C(midclt call cloudsync.credentials.query) and C(midclt call cloudsync.query) print, each
        under a name for messages, such as that of its file.
      - One of them can be left out. As tasks carry their credentials, the second has all that is used.
      - With what C(midclt call keychaincredential.query) prints, also the private keys of SFTP credentials are found.
      - A text can also be a dictionary of such lists.
    type: dict
    required: true
  timezone:
    description:
      - TrueNAS's time zone, such as V(Europe/Berlin), for the schedules. Without it they go by the zone of each host.
    type: str
    default: ""
  rclone:
    description:
      - The rclone of this machine with which the credentials are checked, by default the first that is found. Without
        any, what only rclone knows is not checked.
    type: path
    default: ""
seealso:
  - plugin: skyhaul.cloudsync.from_rclone_conf
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See what could be carried over
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
        - What was C(found), and lists of sentences about what is C(still needed), C(not carried over) and
          C(good to know). Empty lists are left out.
      type: dict
    files:
      description: The texts of the files, by name. That of C(vault_cloudsync.yml) is encrypted.
      type: dict
"""

from typing import Any, Callable, Dict, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._engine.common.errors import CloudsyncError
from ..plugin_utils._migration.result import build_answer, read_providers_if_any
from ..plugin_utils._migration.truenas import from_truenas as import_from


def from_truenas(texts: Any, timezone: str = "", rclone: str = "") -> Dict[str, Any]:
    """See DOCUMENTATION; AnsibleFilterError carries the sentence that says what is wrong."""
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
        """By name."""
        return {"from_truenas": from_truenas}
