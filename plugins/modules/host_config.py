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
  - Does for many credentials and tasks at once what M(skyhaul.cloudsync.credential) and M(skyhaul.cloudsync.task) do
    for one. Their documentation tells about each option.
  - Everything is checked before anything is written. What is wrong with one of them leaves all as they are.
  - systemd is asked to reload once, however many tasks change.
  - The order does not matter between credentials and tasks. At no moment does a task lack its credential.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
options:
  credentials:
    description:
      - The credentials, each as M(skyhaul.cloudsync.credential) takes it.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The name of the credential.
        type: str
        required: true
      provider:
        description:
          - The type of storage, by rclone's name or TrueNAS's.
        type: str
      attributes:
        description:
          - The public options of the provider.
        type: dict
      secrets:
        description:
          - The options of the provider that are secrets, in clear.
        type: dict
      description:
        description:
          - A text for people.
        type: str
  tasks:
    description:
      - The tasks, each as M(skyhaul.cloudsync.task) takes it.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The name of the task.
        type: str
        required: true
      description:
        description:
          - A text for people.
        type: str
      credential:
        description:
          - The name of its credential, which this call declares or the host has.
        type: str
      direction:
        description:
          - From the host to the provider, or the other way.
        type: str
        choices: [push, pull]
      mode:
        description:
          - The default is V(copy).
        type: str
        choices: [sync, copy, move]
      path:
        description:
          - The folder on the host, an absolute path.
        type: str
      remote_path:
        description:
          - The folder at the provider.
        type: str
      provider_options:
        description:
          - Options of the provider for this task only.
        type: dict
      include:
        description:
          - Patterns of what is transferred.
        type: list
        elements: str
      exclude:
        description:
          - Patterns of what is left out.
        type: list
        elements: str
      schedule:
        description:
          - When it runs. Without it, only when it is started by hand.
        type: dict
        suboptions:
          preset:
            description:
              - A named schedule.
            type: str
            choices: [hourly, daily, weekly, monthly]
          cron:
            description:
              - A cron expression of five fields.
            type: str
          minute:
            description:
              - The minute, as a cron field.
            type: str
          hour:
            description:
              - The hour, as a cron field.
            type: str
          day:
            description:
              - The day of the month, as a cron field.
            type: str
          month:
            description:
              - The month, as a cron field.
            type: str
          weekday:
            description:
              - The weekday, as a cron field.
            type: str
          timezone:
            description:
              - The time zone. The default is the host's.
            type: str
          begin:
            description:
              - The earliest time of day to start, C(HH:MM) in quotes.
            type: str
          end:
            description:
              - The latest time of day to start, C(HH:MM) in quotes.
            type: str
          spread:
            description:
              - The most delay of a start, in seconds or as a length such as V(10m).
            type: str
          catch_up:
            description:
              - Whether a missed start is made up for at boot.
            type: bool
      enabled:
        description:
          - Whether the schedule is in force. The default is V(true).
        type: bool
      bandwidth:
        description:
          - A timetable of limits.
        type: list
        elements: dict
        suboptions:
          time:
            description:
              - From when on the limit holds, C(HH:MM) or C(Mon-HH:MM) in quotes.
            type: str
            required: true
          limit:
            description:
              - Bytes per second with a unit, or V(off).
            type: str
            required: true
      transfers:
        description:
          - How many files are transferred at the same time.
        type: int
      follow_symlinks:
        description:
          - Whether to transfer what a symbolic link points to.
        type: bool
      create_empty_dirs:
        description:
          - Whether folders without files are created, too.
        type: bool
      encryption:
        description:
          - Encrypt what is at the provider.
        type: dict
        suboptions:
          password:
            description:
              - The crypt password, in clear.
            type: str
            required: true
          salt:
            description:
              - A second password, which salts the first one.
            type: str
          filenames:
            description:
              - How names of files are encrypted. The default is V(standard).
            type: str
            choices: [standard, obfuscate, 'off']
          directory_names:
            description:
              - Whether names of folders are encrypted. The default is V(true).
            type: bool
      snapshot:
        description:
          - Push from a snapshot. The default is V(none).
        type: str
        choices: [none, auto, zfs, btrfs, lvm]
      guards:
        description:
          - What must hold before anything is touched.
        type: dict
        suboptions:
          empty_source:
            description:
              - Whether the source may be empty. The default is V(refuse).
            type: str
            choices: [refuse, allow]
          mounted:
            description:
              - A mount point that must be mounted.
            type: path
          marker:
            description:
              - A file that must exist in the source.
            type: str
          allow_root:
            description:
              - Whether a path may be a root.
            type: bool
          max_delete:
            description:
              - How many files may be deleted, as a count or a percentage.
            type: str
      keep_deleted:
        description:
          - Keep what is deleted or overwritten.
        type: dict
        suboptions:
          path:
            description:
              - Where it is kept, on the side of the destination.
            type: str
            required: true
          days:
            description:
              - For how many days. V(0), the default, is for ever.
            type: int
      hooks:
        description:
          - Commands before and after a run.
        type: dict
        suboptions:
          before:
            description:
              - Before anything else.
            type: str
          success:
            description:
              - After a success.
            type: str
          failure:
            description:
              - After anything else.
            type: str
          always:
            description:
              - After every run.
            type: str
          timeout:
            description:
              - How long each may take, in seconds or as a length such as V(10m).
            type: str
      on_overlap:
        description:
          - What to do while it is running already. The default is V(skip).
        type: str
        choices: [skip, wait]
      limits:
        description:
          - What a run may use of the host.
        type: dict
        suboptions:
          max_duration:
            description:
              - How long the transfer may take, in seconds or as a length such as V(6h).
            type: str
          nice:
            description:
              - The scheduling priority, from V(-20) to V(19).
            type: int
          io_weight:
            description:
              - The share of disk access, from V(1) to V(10000).
            type: int
          memory_max:
            description:
              - The most memory, such as V(512M).
            type: str
          cpu_quota:
            description:
              - The most processor time, such as V(50%).
            type: str
      retries:
        description:
          - How often the transfer is tried again. The default is V(2).
        type: int
      verify_after:
        description:
          - Compare both sides afterwards. The default is V(none).
        type: str
        choices: [none, size, checksum]
      notify:
        description:
          - Whom to tell of failures. Of web addresses only the host is ever shown.
        type: list
        elements: str
      rclone_args:
        description:
          - Further options for rclone.
        type: list
        elements: str
      user:
        description:
          - Whom rclone and the hooks run as. The default is V(root).
        type: str
      reverse_of:
        description:
          - The name of the task whose restore this is. Declare that one before.
        type: str
  purge:
    description:
      - Remove the credentials and tasks that are not in O(credentials) and O(tasks). Records and logs stay.
      - With an empty list, all of them are removed.
    type: bool
    default: false
seealso:
  - module: skyhaul.cloudsync.credential
  - module: skyhaul.cloudsync.task
"""

EXAMPLES = r"""
- name: Declare all that this host backs up, and remove the rest
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

- name: Declare them from variables, as the role skyhaul.cloudsync.sync_tasks does
  skyhaul.cloudsync.host_config:
    credentials: "{{ cloudsync_credentials }}"
    tasks: "{{ cloudsync_tasks }}"
"""

RETURN = r"""
credentials:
  description: The credentials that were declared, each as RV(skyhaul.cloudsync.credential#module:credential) has it.
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
  description: The tasks that were declared, each as RV(skyhaul.cloudsync.task#module:task) has it.
  returned: success
  type: list
  elements: dict
  sample:
    - name: documents
      credential: offsite
      direction: push
reason:
  description: One word for what is wrong, such as V(usage) or V(undecryptable).
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import credential_spec, task_spec
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.apply import Wanted, converge
from ..module_utils._module import add_diff, run_module, show_public_targets


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Converge the whole host in one call."""
    show_public_targets(module, module.params["tasks"])
    wanted = Wanted(
        credentials=module.params["credentials"], tasks=module.params["tasks"], purge=module.params["purge"]
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
                "default": [],
                "options": credential_spec(),
                "no_log": False,
            },
            "tasks": {"type": "list", "elements": "dict", "default": [], "options": task_spec()},
            "purge": {"type": "bool", "default": False},
        },
        answer,
    )


if __name__ == "__main__":
    main()
