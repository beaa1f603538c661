# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: an rclone.conf as variables of this collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: from_rclone_conf
author:
  - skyhaul contributors (@skyhaul)
short_description: Turn the remotes of an rclone.conf into variables
version_added: 1.0.0
description:
  - Turns the remotes of rclone's configuration into the text of two files, one with C(cloudsync_credentials), one with
    their secrets, encrypted by Ansible Vault.
  - Passwords that are obscured in the configuration are there in clear, as this collection takes them. A configuration
    that is encrypted as a whole is decrypted.
  - A crypt remote becomes an entry of C(cloudsync_import_encryptions), with what a task over it needs. Other remotes
    that stand on remotes (alias, union, chunker and the like) are listed.
  - Everything is checked as a host would check it. What can't be carried over is listed, and its values are kept in the
    encrypted file.
  - What it returns has no secret in clear.
  - The playbook C(skyhaul.cloudsync.import_rclone) writes the files.
requirements:
  - A vault password, given to Ansible as for any encrypted file.
  - rclone and the Python library C(cryptography) on the control node.
options:
  _input:
    description:
      - The text of the configuration.
    type: str
    required: true
  password:
    description:
      - The password of a configuration that is encrypted as a whole.
    type: str
    default: ""
  rclone:
    description:
      - The rclone of this machine, by default the first that is found.
    type: path
    default: ""
seealso:
  - plugin: skyhaul.cloudsync.from_truenas
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See what could be carried over
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
        - What was C(found), and lists of sentences about what is C(still needed), C(not carried over) and
          C(good to know). Empty lists are left out.
      type: dict
    files:
      description: The texts of the files, by name. That of C(vault_cloudsync.yml) is encrypted.
      type: dict
"""

from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError

from ..module_utils._engine.common.errors import CloudsyncError
from ..plugin_utils._migration.rclone_conf import from_rclone_conf as import_from
from ..plugin_utils._migration.rclone_file import read_sections
from ..plugin_utils._migration.result import build_answer, find_rclone, read_providers


def from_rclone_conf(text: Any, password: str = "", rclone: str = "") -> Dict[str, Any]:
    """See DOCUMENTATION; AnsibleFilterError carries the sentence that says what is wrong."""
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
        """By name."""
        return {"from_rclone_conf": from_rclone_conf}
