#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: credential
author:
  - skyhaul contributors (@skyhaul)
short_description: Declare how to log in to one account at a storage provider
version_added: 1.0.0
description:
  - Keeps a named credential on the host, as C(/etc/cloudsync/credentials/NAME.json). Tasks refer to it by this name.
  - Secrets are encrypted with the host's seed. They are in no return value, diff or log of this module.
  - What is given is the whole credential. Attributes and secrets that are left out are removed from it.
  - Every backend of the rclone that the host has is a provider. Its options are checked against what this rclone
    says about them, so that an unknown option, a missing one or a wrong value is refused before anything is written.
  - A token that rclone has refreshed since it was declared is kept beside the declared one, and used in its place.
    Declaring the same token again changes nothing. Declaring another one replaces both.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
options:
  name:
    description:
      - The name of the credential.
      - 1 to 63 letters, digits, C(.), C(_) and C(-), beginning with a letter or digit.
    type: str
    required: true
  provider:
    description:
      - The type of storage, by rclone's name, such as V(s3), V(b2), V(azureblob), V(drive), V(sftp) or V(webdav).
      - The names that TrueNAS uses, such as V(AZUREBLOB) or V(STORJ_IX), are taken for the same providers.
      - Required when O(state=present).
    type: str
  attributes:
    description:
      - The public options of the provider, by rclone's names.
      - A password, key or token is refused here, and belongs to O(secrets).
      - Booleans, numbers, lists and dictionaries are written as rclone's configuration spells them.
      - With O(provider=sftp), C(known_hosts) has the lines of a known_hosts file, and the server's host key is checked
        against them. Without it, C(known_hosts_file) counts, else C(/etc/ssh/ssh_known_hosts), else
        C(~/.ssh/known_hosts) of the user who runs the task. Without any of these a login is refused. The value V(none)
        logs in unchecked, with a warning. Since 1.1.0.
      - C(docs/providers.md) has an example for each provider.
    type: dict
  secrets:
    description:
      - The options of the provider that are secrets, in clear, by rclone's names. Keep them in Ansible Vault.
      - Options that rclone stores obscured are obscured by the collection. Do not use C(rclone obscure) on them.
      - Any option of the provider may be put here. Of those that are put here, only the names are ever shown.
    type: dict
  description:
    description:
      - A text for people.
    type: str
  verify:
    description:
      - Log in with the credential and list O(verify_path).
      - This is done after the credential was stored. When the login fails, the module fails with the reason, and
        the credential stays stored.
      - In check mode the credential as it is given is tried, without storing it.
    type: bool
    default: false
  verify_path:
    description:
      - What O(verify) lists. Give a bucket or folder when the account may not list more than that.
      - The default is the top, where the buckets are listed.
    type: str
  state:
    description:
      - V(present) stores the credential.
      - V(absent) removes it. While a task uses it, that is refused, and the tasks are named.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: skyhaul.cloudsync.credential_info
  - module: skyhaul.cloudsync.host_config
    description: Declares all credentials and tasks of a host in one call.
  - module: skyhaul.cloudsync.remote_info
  - module: skyhaul.cloudsync.seed
"""

EXAMPLES = r"""
- name: Declare an account at Backblaze B2, and log in with it
  skyhaul.cloudsync.credential:
    name: offsite
    provider: b2
    attributes:
      account: 0012ab34cd56ef70000000001
    secrets:
      key: "{{ vault_b2_application_key }}"
    verify: true
    verify_path: example-backups

- name: Declare an S3 server of one's own
  skyhaul.cloudsync.credential:
    name: minio
    provider: s3
    attributes:
      provider: Minio
      endpoint: https://s3.example.com
      region: us-east-1
      access_key_id: backup
    secrets:
      secret_access_key: "{{ vault_minio_secret_key }}"

- name: Declare an SFTP server that is logged in to with a key
  skyhaul.cloudsync.credential:
    name: storagebox
    provider: sftp
    description: Storage box in Falkenstein
    attributes:
      host: box.example.com
      port: 23
      user: u123456
      known_hosts: |
        [box.example.com]:23 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPUOe4QbdCbrYxgVOkKo83wZlK+mmA7aM4mor4cmbx1Q
    secrets:
      key_pem: "{{ vault_storagebox_key }}"
      key_file_pass: "{{ vault_storagebox_passphrase }}"

- name: Remove a credential that no task uses any more
  skyhaul.cloudsync.credential:
    name: minio
    state: absent
"""

RETURN = r"""
credential:
  description: The credential without its secrets. Empty when O(state=absent).
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: offsite
    provider:
      description: The provider, as it was given.
      type: str
      sample: b2
    description:
      description: The text for people.
      type: str
      sample: ""
    attributes:
      description: The public options, as rclone's configuration spells them.
      type: dict
      sample:
        account: 0012ab34cd56ef70000000001
    secrets:
      description: The names of the secrets that are set.
      type: list
      elements: str
      sample:
        - key
verified:
  description: Whether the login succeeded. In check mode it is missing when the host has no rclone to try it with.
  returned: when O(verify) is true and O(state=present)
  type: bool
  sample: true
reason:
  description: One word for what is wrong, such as V(auth), V(network), V(not_found), V(undecryptable) or V(usage).
  returned: failure
  type: str
  sample: auth
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import credential_spec
from ..module_utils._engine.config.credentials import parse_credential
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations import browse as browsing
from ..module_utils._engine.operations.apply import Outcome, Wanted, converge
from ..module_utils._module import add_diff, run_module, select_parameters


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Converge the one credential, then log in with it when that was asked for."""
    name, declared = module.params["name"], select_parameters(module, credential_spec())
    present = module.params["state"] == "present"
    wanted = Wanted(credentials=[declared]) if present else Wanted(absent_credentials=[name])
    outcome = converge(host, wanted, module.check_mode)
    result = {
        "changed": outcome.changed,
        "credential": outcome.credentials.get(name, {}),
        "warnings": outcome.warnings,
    }
    if present and module.params["verify"]:
        result.update(_verified(module, host, declared, outcome))
    before, after = outcome.before["credentials"].get(name, {}), outcome.after["credentials"].get(name, {})
    return add_diff(module, result, before, after)


def _verified(module: AnsibleModule, host: Host, declared: Dict[str, Any], outcome: Outcome) -> Dict[str, Any]:
    credential, stored = parse_credential(declared), not (module.check_mode and outcome.changed)
    obstacle = "" if stored else browsing.explain_untried_login(host, credential)
    if obstacle:
        return {"warnings": [*outcome.warnings, obstacle]}
    error = browsing.verify_declared(host, credential, stored, module.params["verify_path"] or "")
    if error is None:
        return {"verified": True}
    advice = " It is stored all the same." if outcome.changed and stored else ""
    msg = f"The credential {declared['name']} does not log in: {error.message}{advice}"
    return {"failed": True, "verified": False, "msg": msg, "reason": error.reason}


def main() -> None:
    run_module(
        dict(
            credential_spec(),
            verify={"type": "bool", "default": False},
            verify_path={"type": "str"},
            state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        ),
        answer,
        required_if=[("state", "present", ["provider"])],
    )


if __name__ == "__main__":
    main()
