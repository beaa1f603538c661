# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: turn the remotes of an rclone.conf into variables of this collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_rclone_conf
author:
  - skyhaul contributors (@skyhaul)
short_description: Turn the remotes of an rclone.conf into variables
version_added: 1.0.0
description:
  - Turns the remotes of rclone's configuration into the text of two files. One contains C(cloudsync_credentials), the
    other their secrets, encrypted with Ansible Vault.
  - Obscured passwords become plain text, which this collection expects. An encrypted configuration is decrypted.
  - A crypt remote becomes an entry of C(cloudsync_import_encryptions), with the options for tasks. Other remotes that
    are based on remotes (alias, union, chunker and others) are listed.
  - Everything is checked as a host would check it. Options that cannot be imported are listed, and their values are
    kept in the encrypted file.
  - The result contains no secret in clear.
  - The playbook C(skyhaul.cloudsync.import_rclone) writes the files.
requirements:
  - A vault password for Ansible, as for any encrypted file.
  - rclone and the Python library C(cryptography) on the control node.
options:
  _input:
    description:
      - Text of the configuration.
    type: str
    required: true
  password:
    description:
      - Password of an encrypted configuration.
    type: str
    default: ""
  rclone:
    description:
      - Path of the rclone of this machine. If it is empty, the first rclone on C(PATH) is used.
    type: path
    default: ""
seealso:
  - plugin: skyhaul.cloudsync.from_truenas
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what can be imported
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', 'rclone.conf') | skyhaul.cloudsync.from_rclone_conf).report }}"
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

from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError

from ..module_utils._engine.common.errors import CloudsyncError
from ..plugin_utils._migration.rclone_conf import from_rclone_conf as import_from
from ..plugin_utils._migration.rclone_file import read_sections
from ..plugin_utils._migration.result import build_answer, find_rclone, read_providers


def from_rclone_conf(text: Any, password: str = "", rclone: str = "") -> Dict[str, Any]:
    """Return the files and the report, as in RETURN. Raises AnsibleFilterError with the message of an error."""
    if not isinstance(text, str):
        raise AnsibleFilterError("The input of from_rclone_conf must be the text of an rclone.conf.")
    try:
        program = find_rclone(rclone)
        imported = import_from(read_sections(text, password, program.path), read_providers(program))
        return build_answer(imported, "Imported from an rclone.conf.")
    except CloudsyncError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {"from_rclone_conf": from_rclone_conf}
