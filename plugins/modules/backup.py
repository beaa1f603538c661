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
short_description: Return the credentials, the tasks and the wrapped seed of a host as one text
version_added: 1.0.0
description:
  - Returns what M(skyhaul.cloudsync.restore) puts back onto the same host or another one. The playbook
    C(skyhaul.cloudsync.backup) keeps it on the control node.
  - The credentials and tasks are in it as they lie on the host, their secrets only as ciphertext. The seed, which
    decrypts them, is in it only wrapped by O(passphrase).
  - Records and logs of runs are not in it.
requirements:
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.host
attributes:
  check_mode:
    support: full
    details: The host is never changed. The result is the same.
  diff_mode:
    support: full
    details: The diff is that between O(previous) and the backup, without ciphertext.
options:
  passphrase:
    description:
      - What protects the seed outside of the host, 8 characters or more. Keep it in Ansible Vault, apart from the
        backup.
      - Without it the seed is not backed up, and a warning says so. The seed in O(previous) stays in the backup.
    type: str
  previous:
    description:
      - The text of the last backup of this host.
      - The backup is the same text when nothing has changed since. No ciphertext is ever the same twice, so this can't
        be told without it.
      - When the host has no credentials and no tasks, but the last backup has, the module fails, so that the backup
        of a host which was installed anew is not replaced by an empty one.
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
  description: The backup, a JSON text.
  returned: success
  type: str
credentials:
  description: The names of the credentials in it.
  returned: success
  type: list
  elements: str
  sample:
    - offsite
tasks:
  description: The names of the tasks in it.
  returned: success
  type: list
  elements: str
  sample:
    - documents
has_seed:
  description: Whether the seed is in it.
  returned: success
  type: bool
  sample: true
changed:
  description: Whether the backup differs from O(previous). The host itself is never changed.
  returned: always
  type: bool
reason:
  description: One word for what is wrong, such as V(undecryptable) or V(usage).
  returned: failure
  type: str
  sample: undecryptable
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.backup import take_backup
from ..module_utils._module import add_diff, run_module


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Take the backup; compare it with the last one."""
    previous = module.params["previous"] or ""
    # Not for a log, but when nothing has changed the backup is the same text, and must not be masked.
    module.no_log_values.discard(previous)
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
        answer,
    )


if __name__ == "__main__":
    main()
