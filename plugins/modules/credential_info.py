#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: credential_info
author:
  - skyhaul contributors (@skyhaul)
short_description: List the credentials of a host
version_added: 1.0.0
description:
  - Lists the credentials on a host. Nothing is decrypted, and only the names of the secrets are shown.
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.info
  - skyhaul.cloudsync._attributes.host
options:
  name:
    description:
      - Name of the only credential to list. If it does not exist, the list is empty.
      - "Default: all credentials."
    type: str
seealso:
  - module: skyhaul.cloudsync.credential
  - module: skyhaul.cloudsync.remote_info
    description: Logs in with a credential and lists files.
"""

EXAMPLES = r"""
- name: List the credentials
  skyhaul.cloudsync.credential_info:
  register: found

- name: Show the provider of each credential
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.provider }}"
  loop: "{{ found.credentials }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
credentials:
  description: Credentials, sorted by name.
  returned: success
  type: list
  elements: dict
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
reason:
  description: Reason of the failure, such as V(usage).
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.config.credential_store import list_public_views
from ..module_utils._engine.host import Host
from ..module_utils._module import run_module


def list_credentials(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Return the public views of the credentials."""
    return {"changed": False, "credentials": list_public_views(host.layout, module.params["name"])}


def main() -> None:
    run_module({"name": {"type": "str"}}, list_credentials)


if __name__ == "__main__":
    main()
