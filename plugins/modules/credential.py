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
  - Stores a named credential on the host, in C(/etc/cloudsync/credentials/NAME.json). Tasks refer to it by this name.
  - Secrets are encrypted with the host's seed. They never appear in a return value, diff or log of this module.
  - The options define the complete credential. Attributes and secrets that you omit are removed from it.
  - Every backend of the rclone on the host is a provider. The options are checked against those of this rclone.
    An unknown, missing or invalid option is refused before anything is written.
  - A token that rclone refreshed is stored together with the token that you declared, and is used instead of it.
    If you declare the same token again, nothing changes. If you declare a different token, it replaces both.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
  - skyhaul.cloudsync._credential
options:
  verify:
    description:
      - Whether to log in with the credential and list O(verify_path).
      - The credential is stored before the login. If the login fails, the module fails, and the credential remains
        stored.
      - In check mode, the login uses the declared options, and the credential is not stored.
    type: bool
    default: false
  verify_path:
    description:
      - Path to list with O(verify). Set a bucket or folder if the account has no access to the other ones.
      - "Default: the top of the remote, where buckets are listed."
    type: str
  state:
    description:
      - State of the credential. V(present) stores it.
      - V(absent) removes it. If a task uses the credential, the removal is refused with the names of these tasks.
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
- name: Declare a Backblaze B2 account and log in
  skyhaul.cloudsync.credential:
    name: offsite
    provider: b2
    attributes:
      account: 0012ab34cd56ef70000000001
    secrets:
      key: "{{ vault_b2_application_key }}"
    verify: true
    verify_path: example-backups

- name: Declare your own S3 server
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

- name: Declare an SFTP server with a private key
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

- name: Remove a credential
  skyhaul.cloudsync.credential:
    name: minio
    state: absent
"""

RETURN = r"""
credential:
  description: Credential without its secrets. Empty with O(state=absent).
  returned: success
  type: dict
  contains:
    name:
      description: Name of the credential.
      type: str
      sample: offsite
    provider:
      description: Provider, as it was declared.
      type: str
      sample: b2
    description:
      description: Free text that describes the credential.
      type: str
      sample: ""
    attributes:
      description: Public options, in the format of rclone's configuration.
      type: dict
      sample:
        account: 0012ab34cd56ef70000000001
    secrets:
      description: Names of the secrets that are set.
      type: list
      elements: str
      sample:
        - key
verified:
  description: Whether the login succeeded. Missing in check mode if the login was not tried.
  returned: when O(verify) is true and O(state=present)
  type: bool
  sample: true
reason:
  description: Reason of the failure, such as V(auth), V(network), V(not_found), V(undecryptable) or V(usage).
  returned: failure
  type: str
  sample: auth
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import build_credential_spec
from ..module_utils._engine.config.credentials import parse_credential
from ..module_utils._engine.config.declaration import Outcome, Wanted
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations import browse as browsing
from ..module_utils._engine.operations.apply import converge
from ..module_utils._module import add_diff, run_module, select_parameters


def apply_credential(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Store or remove the credential, then log in if ``verify`` is set."""
    name, declared = module.params["name"], select_parameters(module, build_credential_spec())
    present = module.params["state"] == "present"
    wanted = Wanted(credentials=[declared]) if present else Wanted(absent_credentials=[name])
    outcome = converge(host, wanted, module.check_mode)
    result = {
        "changed": outcome.changed,
        "credential": outcome.credentials.get(name, {}),
        "warnings": outcome.warnings,
    }
    if present and module.params["verify"]:
        result.update(_verify_login(module, host, declared, outcome))
    before, after = outcome.before["credentials"].get(name, {}), outcome.after["credentials"].get(name, {})
    return add_diff(module, result, before, after)


def _verify_login(module: AnsibleModule, host: Host, declared: Dict[str, Any], outcome: Outcome) -> Dict[str, Any]:
    credential, stored = parse_credential(declared), not (module.check_mode and outcome.changed)
    obstacle = "" if stored else browsing.explain_untried_login(host, credential)
    if obstacle:
        return {"warnings": [*outcome.warnings, obstacle]}
    error = browsing.verify_declared(host, credential, stored, module.params["verify_path"] or "")
    if error is None:
        return {"verified": True}
    effect = " The credential was stored." if outcome.changed and stored else ""
    msg = f"The login with credential {declared['name']} failed.{effect} {error.message}"
    return {"failed": True, "verified": False, "msg": msg, "reason": error.reason}


def main() -> None:
    run_module(
        dict(
            build_credential_spec(),
            verify={"type": "bool", "default": False},
            verify_path={"type": "str"},
            state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        ),
        apply_credential,
        required_if=[("state", "present", ["provider"])],
    )


if __name__ == "__main__":
    main()
