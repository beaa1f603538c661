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
short_description: Create, back up, rotate or restore the seed that encrypts the secrets of a host
version_added: 1.0.0
description:
  - The seed (Password Secret Seed) is the key ring of a host, in the file C(/etc/cloudsync/seed). It encrypts the
    secrets of every credential, and the crypt passwords and notify targets of every task.
  - Without the seed, these secrets are lost. Back up the seed, separate from the other files of the host.
  - This module never removes a key that a stored secret still needs.
requirements:
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
attributes:
  check_mode:
    details: The ID of a new key cannot be predicted. Nothing is written on the host.
  diff_mode:
    details: The diff contains the IDs of the keys, never a key.
options:
  state:
    description:
      - State of the seed. V(present) creates a seed if the host has none. If a lost seed has encrypted credentials or
        tasks on this host, this is refused.
      - V(rotated) creates a new key, encrypts every stored secret with it, and then removes the old keys. This is
        always a change. If the host has no seed, it creates one.
      - V(restored) adds the keys in O(wrapped) to the seed. If the host has no seed, it creates the seed from these
        keys.
    type: str
    choices: [present, rotated, restored]
    default: present
  passphrase:
    description:
      - Passphrase that protects the seed outside of the host, with 8 characters or more. Keep it in Ansible Vault,
        separate from the backup.
      - Required when O(backup=true) or O(state=restored).
    type: str
  wrapped:
    description:
      - Text of the backup, as RV(wrapped) returned it.
      - Required when O(state=restored).
    type: str
  bound:
    description:
      - Binding of the seed file to this host. A bound seed cannot be opened from a copy of the disk or of C(/etc). It
        is encrypted by C(systemd-creds) of systemd 250 or newer.
      - V(host) binds the seed to the key in C(/var/lib/systemd/credential.secret), V(tpm2) to the TPM, and V(host+tpm2)
        to both.
      - V(auto) binds the seed to the TPM if there is one, and to the host key if C(/var) is persistent.
      - V(none) removes the binding.
      - "Default: the current binding. A new seed is not bound."
      - If the key is lost, the seed is lost too. Keep a backup of the seed. The backup is not bound.
      - The key belongs to the machine that runs the module, even if E(CLOUDSYNC_ROOT) is set. In an image build, bind
        the seed at the first boot instead.
    type: str
    choices: [none, host, tpm2, host+tpm2, auto]
  backup:
    description:
      - Whether to return the seed as RV(wrapped), encrypted with O(passphrase).
      - In check mode, no backup is returned.
    type: bool
    default: false
seealso:
  - module: skyhaul.cloudsync.credential
"""

EXAMPLES = r"""
- name: Create the seed of a new host
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

- name: Restore the seed of a reinstalled host
  skyhaul.cloudsync.seed:
    state: restored
    wrapped: "{{ lookup('ansible.builtin.file', 'backups/' ~ inventory_hostname ~ '.seed') }}"
    passphrase: "{{ vault_seed_passphrase }}"

- name: Encrypt all secrets with a new key
  skyhaul.cloudsync.seed:
    state: rotated

- name: Bind the seed to the TPM, with a new key that was never stored unencrypted
  skyhaul.cloudsync.seed:
    state: rotated
    bound: tpm2
"""

RETURN = r"""
seed:
  description: Current key ring, without the keys.
  returned: success
  type: dict
  contains:
    primary:
      description: ID of the key that encrypts new secrets.
      type: str
      sample: 5f1d0c9a
    key_ids:
      description: IDs of all keys.
      type: list
      elements: str
      sample:
        - 5f1d0c9a
    bound:
      description: Binding of the seed file, or V(none) if it is not bound.
      type: str
      sample: none
reencrypted:
  description: Number of credentials and tasks that were encrypted again.
  returned: success
  type: dict
  contains:
    credentials:
      description: Number of credentials.
      type: int
    tasks:
      description: Number of tasks.
      type: int
  sample:
    credentials: 2
    tasks: 5
wrapped:
  description:
    - Seed as one line of text, encrypted with a key that scrypt derives from O(passphrase).
    - The text is different each time.
  returned: when O(backup=true) and not in check mode
  type: str
  sample: cloudsync-seed-1:mS2bVqk5...
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
from ..module_utils._engine.safekeeping import seed as seed_states
from ..module_utils._module import add_diff, run_module


def apply_seed(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Create, rotate or restore the seed, and return a backup if ``backup`` is set."""
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
        apply_seed,
        required_if=[("state", "restored", ["passphrase", "wrapped"]), ("backup", True, ["passphrase"])],
    )


if __name__ == "__main__":
    main()
