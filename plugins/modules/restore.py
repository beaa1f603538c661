#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: restore
author:
  - skyhaul contributors (@skyhaul)
short_description: Put a backup of credentials, tasks and seed back onto a host
version_added: 1.0.0
description:
  - Puts back what M(skyhaul.cloudsync.backup) returned, onto the same host or another one. First the seed, then the
    credentials, then the tasks, then their timers. The playbook C(skyhaul.cloudsync.restore) does that for a
    group of hosts.
  - Nothing is ever lost by it. The keys of the backup are added to a seed that the host has. What is on the host and
    not in the backup stays. A damaged file that is replaced is kept beside the new one, with the suffix
    C(.damaged-TIME).
  - What can't be read with the seed is put back all the same, and listed in RV(unreadable) and in a warning.
requirements:
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
attributes:
  diff_mode:
    details: The diff has the public options of the credentials and tasks, and no ciphertext.
options:
  content:
    description:
      - The text that RV(skyhaul.cloudsync.backup#module:content) was.
    type: str
    required: true
  passphrase:
    description:
      - The passphrase of the backup. A wrong one is refused, and nothing is changed.
      - Without it the seed of the host stays as it is. On the host of the backup that is enough.
    type: str
  existing:
    description:
      - What becomes of a credential or task that the host has, and that declares something else than the backup.
      - V(keep) leaves it as it is and lists it in RV(kept).
      - V(replace) puts that of the backup in its place, if that can be read. A refreshed token that still belongs to
        what is then declared stays that of the host.
    type: str
    choices: [keep, replace]
    default: keep
  bound:
    description:
      - What to bind the seed to, as O(skyhaul.cloudsync.seed#module:bound) tells. It has an effect only with
        O(passphrase).
    type: str
    choices: [none, host, tpm2, host+tpm2, auto]
seealso:
  - module: skyhaul.cloudsync.backup
  - module: skyhaul.cloudsync.seed
"""

EXAMPLES = r"""
- name: Restore a host that was installed anew
  skyhaul.cloudsync.restore:
    content: "{{ lookup('ansible.builtin.file', 'backups/' ~ inventory_hostname ~ '.json') }}"
    passphrase: "{{ vault_seed_passphrase }}"
"""

RETURN = r"""
seed:
  description: The key ring as it is now, without the keys; empty when the host has none.
  returned: success
  type: dict
  sample:
    primary: 5f1d0c9a
    key_ids:
      - 5f1d0c9a
    bound: none
restored:
  description: The names of what was put in place.
  returned: success
  type: dict
  contains: &names
    credentials:
      description: Credentials.
      type: list
      elements: str
    tasks:
      description: Tasks.
      type: list
      elements: str
  sample:
    credentials:
      - offsite
    tasks:
      - documents
kept:
  description: The names of what differs from the backup and stayed as it was.
  returned: success
  type: dict
  contains: *names
  sample: &none
    credentials: []
    tasks: []
unreadable:
  description: The names of what is on the host but can't be read with its seed.
  returned: success
  type: dict
  contains: *names
  sample: *none
reason:
  description: One word for what is wrong, such as V(undecryptable) or V(usage).
  returned: failure
  type: str
  sample: undecryptable
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.config.seed_binding import KINDS, UNBOUND
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.restore import KEEP, REPLACE, restore_backup
from ..module_utils._module import add_diff, run_module


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Put the backup back."""
    outcome = restore_backup(
        host.layout,
        module.params["content"],
        module.params["passphrase"] or "",
        module.params["existing"],
        module.params["bound"],
        module.check_mode,
    )
    result = {
        "changed": outcome.changed,
        "seed": outcome.seed,
        "restored": outcome.restored.to_dict(),
        "kept": outcome.kept.to_dict(),
        "unreadable": outcome.unreadable.to_dict(),
        "warnings": outcome.warnings,
    }
    return add_diff(module, result, outcome.before, outcome.after)


def main() -> None:
    run_module(
        {
            # Long, and of no use in a log of the host.
            "content": {"type": "str", "required": True, "no_log": True},
            "passphrase": {"type": "str", "no_log": True},
            "existing": {"type": "str", "choices": [KEEP, REPLACE], "default": KEEP},
            "bound": {"type": "str", "choices": [UNBOUND, *KINDS]},
        },
        answer,
    )


if __name__ == "__main__":
    main()
