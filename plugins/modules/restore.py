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
short_description: Restore credentials, tasks and the seed of a host from a backup
version_added: 1.0.0
description:
  - Restores a backup that M(skyhaul.cloudsync.backup) returned, on the same host or another one. The playbook
    C(skyhaul.cloudsync.restore) does this for a group of hosts.
  - The module restores the seed first, then the credentials, the tasks, and their timers.
  - Nothing on the host is lost. The keys of the backup are added to an existing seed. Credentials and tasks that are
    not in the backup are kept. A damaged file that is replaced is kept in the same folder, with the suffix
    C(.damaged-TIME).
  - The host becomes the owner of the destinations that the host of the backup has marked. The first sync of each task
    may not delete anything there. If the other host is still in use, its next sync is refused with the reason
    V(foreign).
  - Credentials and tasks that the seed cannot decrypt are restored too. They are listed in RV(unreadable) and in a
    warning.
requirements:
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
attributes:
  diff_mode:
    details: The diff contains the public options of the credentials and tasks, and no ciphertext.
options:
  content:
    description:
      - Text of the backup, as RV(skyhaul.cloudsync.backup#module:content) returned it.
    type: str
    required: true
  passphrase:
    description:
      - Passphrase of the backup. If it is wrong, the module fails, and nothing is changed.
      - Without a passphrase, the seed of the host is not changed. Omit it only on the host that the backup is from.
    type: str
  existing:
    description:
      - Action for a credential or task on the host that differs from the backup.
      - V(keep) does not change it and lists it in RV(kept).
      - V(replace) replaces it with the one in the backup, unless that one is unreadable. A refreshed token of the host
        is kept if it belongs to the restored credential.
    type: str
    choices: [keep, replace]
    default: keep
  bound:
    description:
      - Binding of the seed, as in O(skyhaul.cloudsync.seed#module:bound). It has an effect only with O(passphrase).
    type: str
    choices: [none, host, tpm2, host+tpm2, auto]
seealso:
  - module: skyhaul.cloudsync.backup
  - module: skyhaul.cloudsync.seed
"""

EXAMPLES = r"""
- name: Restore a reinstalled host
  skyhaul.cloudsync.restore:
    content: "{{ lookup('ansible.builtin.file', 'backups/' ~ inventory_hostname ~ '.json') }}"
    passphrase: "{{ vault_seed_passphrase }}"
"""

RETURN = r"""
seed:
  description: Current key ring, without the keys. Empty if the host has no seed.
  returned: success
  type: dict
  sample:
    primary: 5f1d0c9a
    key_ids:
      - 5f1d0c9a
    bound: none
restored:
  description: Names of the credentials and tasks that were restored.
  returned: success
  type: dict
  contains: &names
    credentials:
      description: Names of the credentials.
      type: list
      elements: str
    tasks:
      description: Names of the tasks.
      type: list
      elements: str
  sample:
    credentials:
      - offsite
    tasks:
      - documents
kept:
  description: Names of the credentials and tasks that differ from the backup and were not changed.
  returned: success
  type: dict
  contains: *names
  sample: &none
    credentials: []
    tasks: []
unreadable:
  description: Names of the credentials and tasks on the host that its seed cannot decrypt.
  returned: success
  type: dict
  contains: *names
  sample: *none
reason:
  description: Reason of the failure, such as V(undecryptable) or V(usage).
  returned: failure
  type: str
  sample: undecryptable
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.config.seed_binding import KINDS, UNBOUND
from ..module_utils._engine.host import Host
from ..module_utils._engine.safekeeping.restore import KEEP, REPLACE, restore_backup
from ..module_utils._module import add_diff, run_module


def restore_host(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Restore the backup."""
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
            # The text is too long for the host's log, and useless there.
            "content": {"type": "str", "required": True, "no_log": True},
            "passphrase": {"type": "str", "no_log": True},
            "existing": {"type": "str", "choices": [KEEP, REPLACE], "default": KEEP},
            "bound": {"type": "str", "choices": [UNBOUND, *KINDS]},
        },
        restore_host,
    )


if __name__ == "__main__":
    main()
