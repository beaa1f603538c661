#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: host_config
author:
  - skyhaul contributors (@skyhaul)
short_description: Declare all credentials and tasks of a host in one call
version_added: 1.0.0
description:
  - Declares many credentials and tasks at once, as M(skyhaul.cloudsync.credential) and M(skyhaul.cloudsync.task) do
    for one.
  - Everything is checked before anything is written. If one credential or task is invalid, nothing is changed.
  - systemd reloads its units once, for any number of changed tasks.
  - You can list credentials and tasks in any order. The credential of a task always exists as long as the task.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
  - skyhaul.cloudsync._suboptions.host_config
options:
  credentials:
    description:
      - Credentials, each with the options of the module M(skyhaul.cloudsync.credential).
    type: list
    elements: dict
  tasks:
    description:
      - Tasks, each with the options of the module M(skyhaul.cloudsync.task).
      - A task can use a credential, or restore a task, that the same call declares.
    type: list
    elements: dict
  purge:
    description:
      - Whether to remove the credentials and tasks that are not in O(credentials) and O(tasks). Records and logs are
        kept.
      - The host keeps the removed credentials and tasks for 30 days, encrypted. The command C(cloudsync unpurge) brings
        them back. A warning shows it.
      - Both lists must be set, because a missing one is likely to be a mistake. An empty list removes all objects of
        its kind.
    type: bool
    default: false
  purge_all:
    description:
      - Whether O(purge) may remove everything, with O(credentials) and O(tasks) both empty.
    type: bool
    default: false
    version_added: 1.1.0
seealso:
  - module: skyhaul.cloudsync.credential
  - module: skyhaul.cloudsync.task
"""

EXAMPLES = r"""
- name: Declare all credentials and tasks of this host, and remove all others
  skyhaul.cloudsync.host_config:
    purge: true
    credentials:
      - name: offsite
        provider: b2
        attributes:
          account: 0012ab34cd56ef70000000001
        secrets:
          key: "{{ vault_b2_application_key }}"
    tasks:
      - name: documents
        credential: offsite
        direction: push
        mode: sync
        path: /srv/documents
        remote_path: "example-backups/{{ inventory_hostname }}/documents"
        schedule:
          preset: daily
          spread: 1h
        encryption:
          password: "{{ vault_crypt_password }}"
      - name: documents-restore
        reverse_of: documents
        path: /srv/restored/documents

- name: Declare the credentials and tasks in variables, as the role skyhaul.cloudsync.sync_tasks does
  skyhaul.cloudsync.host_config:
    credentials: "{{ cloudsync_credentials }}"
    tasks: "{{ cloudsync_tasks }}"
"""

RETURN = r"""
credentials:
  description: Declared credentials, each with the keys of RV(skyhaul.cloudsync.credential#module:credential).
  returned: success
  type: list
  elements: dict
  sample:
    - name: offsite
      provider: b2
      description: ""
      attributes:
        account: 0012ab34cd56ef70000000001
      secrets:
        - key
tasks:
  description: Declared tasks, each with the keys of RV(skyhaul.cloudsync.task#module:task).
  returned: success
  type: list
  elements: dict
  sample:
    - name: documents
      credential: offsite
      direction: push
reason:
  description: Reason of the failure, such as V(usage) or V(undecryptable).
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import build_credential_spec, build_task_spec
from ..module_utils._engine.config.declaration import Wanted
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.apply import converge
from ..module_utils._module import add_diff, run_module


def apply_host_config(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Apply all credentials and tasks in one call."""
    wanted = Wanted(
        credentials=module.params["credentials"] or [],
        tasks=module.params["tasks"] or [],
        purge=module.params["purge"],
        purge_all=module.params["purge_all"],
        undeclared=[name for name in ("credentials", "tasks") if module.params[name] is None],
    )
    outcome = converge(host, wanted, module.check_mode)
    result = {
        "changed": outcome.changed,
        "credentials": list(outcome.credentials.values()),
        "tasks": list(outcome.tasks.values()),
        "warnings": outcome.warnings,
    }
    return add_diff(module, result, outcome.before, outcome.after)


def main() -> None:
    run_module(
        {
            "credentials": {
                "type": "list",
                "elements": "dict",
                "options": build_credential_spec(),
                "no_log": False,
            },
            "tasks": {"type": "list", "elements": "dict", "options": build_task_spec()},
            "purge": {"type": "bool", "default": False},
            "purge_all": {"type": "bool", "default": False},
        },
        apply_host_config,
    )


if __name__ == "__main__":
    main()
