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
  - Lists the credentials that a host has. Of their secrets only the names are shown, and nothing is decrypted.
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.info
  - skyhaul.cloudsync._attributes.host
options:
  name:
    description:
      - List only the credential of this name. When there is none, the list is empty.
      - The default is all credentials.
    type: str
seealso:
  - module: skyhaul.cloudsync.credential
  - module: skyhaul.cloudsync.remote_info
    description: Tells whether a credential logs in, and what is there.
"""

EXAMPLES = r"""
- name: List the credentials
  skyhaul.cloudsync.credential_info:
  register: found

- name: Show where each of them leads to
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.provider }}"
  loop: "{{ found.credentials }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
credentials:
  description: The credentials, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the credential.
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
reason:
  description: One word for what is wrong.
  returned: failure
  type: str
  sample: other
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.config.credential_store import list_public_views
from ..module_utils._engine.host import Host
from ..module_utils._module import run_module


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """The public views."""
    return {"changed": False, "credentials": list_public_views(host.layout, module.params["name"])}


def main() -> None:
    run_module({"name": {"type": "str"}}, answer)


if __name__ == "__main__":
    main()
