#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: backup
author:
  - skyhaul contributors (@skyhaul)
short_description: Return the credentials, the tasks and the encrypted seed of a host as one text
version_added: 1.0.0
description:
  - Returns a backup that M(skyhaul.cloudsync.restore) restores on the same host or another one. The playbook
    C(skyhaul.cloudsync.backup) stores it on the control node.
  - The backup contains the credentials and tasks as they are stored on the host, with their secrets encrypted.
  - The backup contains the seed, which decrypts the secrets, only encrypted with O(passphrase).
  - The backup does not contain the records and logs of runs.
requirements:
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.host
attributes:
  check_mode:
    support: full
    details: The module never changes the host. The result is the same as without check mode.
  diff_mode:
    support: full
    details: The diff compares O(previous) with the new backup, without ciphertext.
options:
  passphrase:
    description:
      - Passphrase that protects the seed outside of the host, with 8 characters or more. Keep it in Ansible Vault,
        separate from the backup.
      - Without a passphrase, the seed is not backed up, and a warning is shown. The seed in O(previous) is kept.
    type: str
  previous:
    description:
      - Text of the last backup of this host.
      - If nothing has changed since then, the module returns the same text. The module cannot detect this without
        O(previous), because encrypting again gives a different ciphertext.
      - If the host has no credentials and no tasks, but the last backup has some, the module fails. The backup of a
        reinstalled host is therefore not replaced with an empty one.
    type: str
seealso:
  - module: skyhaul.cloudsync.restore
  - module: skyhaul.cloudsync.seed
"""

EXAMPLES = r"""
- name: Back up the host
  skyhaul.cloudsync.backup:
    passphrase: "{{ vault_seed_passphrase }}"
  register: backup

- name: Keep the backup on the control node
  ansible.builtin.copy:
    content: "{{ backup.content }}"
    dest: "backups/{{ inventory_hostname }}.json"
    mode: "0600"
  delegate_to: localhost
"""

RETURN = r"""
content:
  description: Backup, as JSON text.
  returned: success
  type: str
credentials:
  description: Names of the credentials in the backup.
  returned: success
  type: list
  elements: str
  sample:
    - offsite
tasks:
  description: Names of the tasks in the backup.
  returned: success
  type: list
  elements: str
  sample:
    - documents
has_seed:
  description: Whether the backup contains the seed.
  returned: success
  type: bool
  sample: true
changed:
  description: Whether the backup differs from O(previous). The host itself is never changed.
  returned: always
  type: bool
reason:
  description: Reason of the failure, such as V(undecryptable) or V(usage).
  returned: failure
  type: str
  sample: undecryptable
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.host import Host
from ..module_utils._engine.safekeeping.backup import take_backup
from ..module_utils._module import add_diff, run_module


def back_up_host(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Take a backup and compare it with the last one."""
    previous = module.params["previous"] or ""
    taken = take_backup(host.layout, module.params["passphrase"] or "", previous, module.check_mode)
    result = {
        "changed": taken.before != taken.after,
        "content": taken.text,
        "credentials": sorted(taken.after["credentials"]),
        "tasks": sorted(taken.after["tasks"]),
        "has_seed": bool(taken.after["seed"]),
        "warnings": taken.warnings,
    }
    return add_diff(module, result, taken.before, taken.after)


def main() -> None:
    run_module(
        {
            "passphrase": {"type": "str", "no_log": True},
            "previous": {"type": "str", "no_log": True},
        },
        back_up_host,
    )


if __name__ == "__main__":
    main()
