#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: task
author:
  - skyhaul contributors (@skyhaul)
short_description: Declare a transfer between a host and a storage provider
version_added: 1.0.0
description:
  - Stores a named task on the host, in C(/etc/cloudsync/tasks/NAME.json), and installs its systemd timer.
  - A task pushes a folder to a provider, or pulls a folder from a provider. It runs on a schedule or when you start it.
  - The options define the complete task. Options that you omit are reset to their defaults.
  - Crypt passwords and notify targets are encrypted with the host's seed. They never appear in a return value, diff or
    log of this module.
  - Guards run before a push or a pull changes anything. If a guard cannot be evaluated, the run is refused.
  - Changing a task never starts a run, and never skips the next scheduled run.
  - If systemd is not running, for example in an image build, the timer is installed and enabled. It starts at boot.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
  - skyhaul.cloudsync._task
  - skyhaul.cloudsync._transfer
  - skyhaul.cloudsync._encryption
options:
  state:
    description:
      - State of the task. V(present) stores the task and installs its timer.
      - V(absent) removes the task and its timer, and stops an active run. Its records and logs are kept.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: skyhaul.cloudsync.task_info
  - module: skyhaul.cloudsync.run
  - module: skyhaul.cloudsync.host_config
    description: Declares all credentials and tasks of a host in one call.
  - plugin: skyhaul.cloudsync.schedule_preview
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Push a folder with encryption every night
  skyhaul.cloudsync.task:
    name: documents
    credential: offsite
    direction: push
    mode: sync
    path: /srv/documents
    remote_path: example-backups/web1/documents
    exclude:
      - "*.tmp"
      - /cache/**
    schedule:
      cron: 30 2 * * *
      timezone: Europe/Berlin
      spread: 30m
      catch_up: true
    encryption:
      password: "{{ vault_crypt_password }}"
      salt: "{{ vault_crypt_salt }}"
    guards:
      mounted: /srv
      max_delete: 10%
    notify:
      - mailto:ops@example.com

- name: Declare a task that restores the folder to another place when you start it
  skyhaul.cloudsync.task:
    name: documents-restore
    reverse_of: documents
    path: /srv/restored/documents

- name: Pull reports every 15 minutes on working days
  skyhaul.cloudsync.task:
    name: reports
    credential: storagebox
    direction: pull
    path: /srv/reports
    remote_path: outbox
    schedule:
      minute: "*/15"
      weekday: mon-fri
      begin: "07:00"
      end: "19:00"
    bandwidth:
      - time: "08:00"
        limit: 2M
      - time: "18:00"
        limit: "off"

- name: Dump a database, push the dump, and keep replaced files for 30 days
  skyhaul.cloudsync.task:
    name: database
    credential: offsite
    direction: push
    mode: sync
    path: /var/backups/database
    remote_path: example-backups/web1/database
    keep_deleted:
      path: example-backups/web1/database-kept
      days: 30
    hooks:
      before: pg_dumpall --file /var/backups/database/all.sql
      timeout: 30m
    schedule:
      preset: daily

- name: Remove a task and its timer
  skyhaul.cloudsync.task:
    name: reports
    state: absent
"""

RETURN = r"""
task:
  description:
    - All current options of the task, without its secrets. Empty with O(state=absent).
    - Durations are in seconds. C(schedule) always has the key C(cron), for every form of schedule.
  returned: success
  type: dict
  contains:
    encryption:
      description: Encryption options. C(secrets) lists the names of the passwords that are set.
      type: dict
      sample:
        filenames: standard
        directory_names: true
        secrets:
          - password
    notify:
      description: Targets of notifications. Web addresses show only the host.
      type: list
      elements: str
      sample:
        - mailto:ops@example.com
        - https://hooks.example.com
  sample:
    name: documents
    credential: offsite
    direction: push
    mode: sync
    path: /srv/documents
    remote_path: example-backups/web1/documents
    enabled: true
reason:
  description: Reason of the failure, such as V(usage) or V(undecryptable).
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import build_task_spec
from ..module_utils._engine.config.declaration import Wanted
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.apply import converge
from ..module_utils._module import add_diff, run_module, select_parameters


def apply_task(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Store or remove the task and its units."""
    name = module.params["name"]
    present = module.params["state"] == "present"
    wanted = Wanted(tasks=[select_parameters(module, build_task_spec())]) if present else Wanted(absent_tasks=[name])
    outcome = converge(host, wanted, module.check_mode)
    result = {"changed": outcome.changed, "task": outcome.tasks.get(name, {}), "warnings": outcome.warnings}
    return add_diff(module, result, outcome.before["tasks"].get(name, {}), outcome.after["tasks"].get(name, {}))


def main() -> None:
    run_module(
        dict(build_task_spec(), state={"type": "str", "choices": ["present", "absent"], "default": "present"}),
        apply_task,
    )


if __name__ == "__main__":
    main()
