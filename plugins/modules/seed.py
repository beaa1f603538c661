#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: seed
author:
  - skyhaul contributors (@skyhaul)
short_description: Make, back up, rotate or restore the seed that encrypts the secrets of a host
version_added: 1.0.0
description:
  - The seed (Password Secret Seed) is the key ring of a host, the file C(/etc/cloudsync/seed). It encrypts the secrets
    of every credential, and the crypt passwords and notify targets of every task.
  - Without the seed none of these can be read again. Back it up, apart from the host's other files.
  - No state of this module ever takes away a key that a stored secret still needs.
requirements:
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
attributes:
  check_mode:
    details: The id of a key that would be made is not known in advance. Nothing is written on the host.
  diff_mode:
    details: The diff has the ids of the keys, never a key.
options:
  state:
    description:
      - V(present) makes a seed when the host has none. When credentials or tasks are there that a lost seed has
        encrypted, that is refused.
      - V(rotated) makes a new key, encrypts every stored secret with it, and then drops the former keys. It is a
        change each time. When the host has no seed, it makes one.
      - V(restored) adds the keys in O(wrapped) to the seed, or makes the seed from them when the host has none.
    type: str
    choices: [present, rotated, restored]
    default: present
  passphrase:
    description:
      - What protects the seed outside of the host, 8 characters or more. Keep it in Ansible Vault, apart from the
        backup.
      - Required when O(backup=true) or O(state=restored).
    type: str
  wrapped:
    description:
      - The text that RV(wrapped) was when the seed was backed up.
      - Required when O(state=restored).
    type: str
  bound:
    description:
      - Bind the file of the seed to this host, so that a copy of the disk, or of a backup of C(/etc), does not open
        it. C(systemd-creds) of systemd 250 or newer encrypts it.
      - V(host) binds it to the key in C(/var/lib/systemd/credential.secret), V(tpm2) to the TPM, V(host+tpm2) to
        both, V(auto) to the TPM where there is one and to the key of the host where C(/var) lasts.
      - V(none) takes the binding away.
      - When it is not given, the seed stays bound, or not, as it is. A new one is not bound.
      - Whoever loses the key loses the seed, so have a backup of it. The backup itself is not bound.
      - The key is that of the machine on which the module runs, also under E(CLOUDSYNC_ROOT). In an image build, bind
        the seed at the first boot instead.
    type: str
    choices: [none, host, tpm2, host+tpm2, auto]
  backup:
    description:
      - Return the seed, wrapped by O(passphrase), as RV(wrapped).
      - In check mode there is no backup.
    type: bool
    default: false
seealso:
  - module: skyhaul.cloudsync.credential
"""

EXAMPLES = r"""
- name: Make the seed of a new host
  skyhaul.cloudsync.seed:

- name: Back up the seed
  skyhaul.cloudsync.seed:
    backup: true
    passphrase: "{{ vault_seed_passphrase }}"
  register: seed

- name: Keep the backup on the control node
  ansible.builtin.copy:
    content: "{{ seed.wrapped }}"
    dest: "backups/{{ inventory_hostname }}.seed"
    mode: "0600"
  delegate_to: localhost

- name: Restore the seed of a host that was installed anew
  skyhaul.cloudsync.seed:
    state: restored
    wrapped: "{{ lookup('ansible.builtin.file', 'backups/' ~ inventory_hostname ~ '.seed') }}"
    passphrase: "{{ vault_seed_passphrase }}"

- name: Encrypt everything with a new key
  skyhaul.cloudsync.seed:
    state: rotated

- name: Bind the seed to the TPM, with a new key that was never on the disk in clear
  skyhaul.cloudsync.seed:
    state: rotated
    bound: tpm2
"""

RETURN = r"""
seed:
  description: The key ring as it is now, without the keys.
  returned: success
  type: dict
  contains:
    primary:
      description: The id of the key that encrypts.
      type: str
      sample: 5f1d0c9a
    key_ids:
      description: The ids of all keys.
      type: list
      elements: str
      sample:
        - 5f1d0c9a
    bound:
      description: What the file of the seed is bound to, V(none) when it is not.
      type: str
      sample: none
reencrypted:
  description: How many credentials and tasks were encrypted anew.
  returned: success
  type: dict
  contains:
    credentials:
      description: Credentials.
      type: int
    tasks:
      description: Tasks.
      type: int
  sample:
    credentials: 2
    tasks: 5
wrapped:
  description:
    - The seed, encrypted with a key that scrypt makes of O(passphrase), as one line of text.
    - It is another text each time.
  returned: when O(backup=true) and not in check mode
  type: str
  sample: cloudsync-seed-1:mS2bVqk5...
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
from ..module_utils._engine.operations import seed as seed_states
from ..module_utils._module import add_diff, run_module


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Make, rotate or restore the seed; wrap it for a backup when that was asked for."""
    outcome = seed_states.converge_seed(
        host.layout,
        module.params["state"],
        module.params["passphrase"] or "",
        module.params["wrapped"] or "",
        module.params["backup"],
        module.check_mode,
        module.params["bound"],
    )
    result = {"changed": outcome.changed, "seed": outcome.seed, "reencrypted": outcome.reencrypted}
    if outcome.wrapped:
        result["wrapped"] = outcome.wrapped
    return add_diff(module, result, outcome.before, outcome.after)


def main() -> None:
    run_module(
        {
            "state": {"type": "str", "choices": ["present", "rotated", "restored"], "default": "present"},
            "passphrase": {"type": "str", "no_log": True},
            "wrapped": {"type": "str", "no_log": False},
            "bound": {"type": "str", "choices": [UNBOUND, *KINDS]},
            "backup": {"type": "bool", "default": False},
        },
        answer,
        required_if=[("state", "restored", ["passphrase", "wrapped"]), ("backup", True, ["passphrase"])],
    )


if __name__ == "__main__":
    main()
