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
  - Keeps a named task on the host, as C(/etc/cloudsync/tasks/NAME.json), and its systemd timer. A task pushes a folder
    to a provider, or pulls one from there, on a schedule or when it is started by hand.
  - What is given is the whole task. An option that is left out has its default.
  - Crypt passwords and notify targets are encrypted with the host's seed. They are in no return value, diff or log of
    this module.
  - Guards run before anything is touched, on push and pull alike. One that can't tell refuses the run.
  - Changing a task never starts a run by itself, and never loses the next one.
  - Where systemd does not run, such as in an image build, the timer is installed and enabled, and starts at boot.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
  - skyhaul.cloudsync._transfer
options:
  name:
    description:
      - The name of the task.
      - 1 to 63 letters, digits, C(.), C(_) and C(-), beginning with a letter or digit.
    type: str
    required: true
  description:
    description:
      - A text for people.
    type: str
  schedule:
    description:
      - When the task runs. Give one of O(schedule.preset) and O(schedule.cron), or some of O(schedule.minute),
        O(schedule.hour), O(schedule.day), O(schedule.month) and O(schedule.weekday).
      - Without it the task runs only when it is started by hand.
      - The lookup P(skyhaul.cloudsync.schedule_preview#lookup) shows what a schedule means.
    type: dict
    suboptions:
      preset:
        description:
          - V(hourly) is the full hour, V(daily) is midnight, V(weekly) is midnight on Sunday, and V(monthly) is
            midnight on the first.
        type: str
        choices: [hourly, daily, weekly, monthly]
      cron:
        description:
          - A cron expression of five fields, such as V(30 2 * * mon-fri), or a macro such as V(@daily).
          - When both a day of the month and a weekday are given, either of them is enough.
        type: str
      minute:
        description:
          - The minute, as a cron field.
          - When some of the fields are given, the minute is V(0) unless it is among them, and the others are V(*).
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
          - The month, as a cron field of numbers or three-letter names.
        type: str
      weekday:
        description:
          - The weekday, as a cron field of numbers (0 and 7 are Sunday) or three-letter names.
        type: str
      timezone:
        description:
          - The time zone, a canonical name of the time zone database such as V(Europe/Berlin) or V(Etc/UTC).
          - The default is the zone of the host.
        type: str
      begin:
        description:
          - The task starts not before this time of day, C(HH:MM) in quotes.
          - A window from O(schedule.begin) to an earlier O(schedule.end) lasts over midnight.
        type: str
      end:
        description:
          - The task starts not after this time of day, C(HH:MM) in quotes. A run that began goes on past it.
        type: str
      spread:
        description:
          - Delay each start by a random time up to this one, in seconds or as a length such as V(10m). The delay of a
            host stays the same, so the runs of a fleet are spread evenly.
          - It must be shorter than the shortest time between two starts.
          - The default is V(0).
        type: str
      catch_up:
        description:
          - Whether a start that was missed while the host was down is made up for at boot.
          - The default is V(false).
        type: bool
  enabled:
    description:
      - Whether the schedule is in force. A task that is not enabled can be started by hand.
      - The default is V(true).
    type: bool
  state:
    description:
      - V(present) stores the task and puts its timer into place.
      - V(absent) removes both, and stops a run that is under way. Its records and logs stay.
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
- name: Push a folder each night, encrypted
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

- name: Declare its restore into another folder, to be started by hand
  skyhaul.cloudsync.task:
    name: documents-restore
    reverse_of: documents
    path: /srv/restored/documents

- name: Pull reports every quarter of an hour on working days
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

- name: Dump a database, push the dump, and keep what it replaces for 30 days
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
    - All options of the task as they are in force, without its secrets. Empty when O(state=absent).
    - Durations are in seconds. C(schedule) has the key C(cron), whichever form was given.
  returned: success
  type: dict
  contains:
    encryption:
      description: The options of the encryption, and as C(secrets) the names of those passwords that are set.
      type: dict
      sample:
        filenames: standard
        directory_names: true
        secrets:
          - password
    notify:
      description: The targets, of web addresses only the host.
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
  description: One word for what is wrong, such as V(usage) or V(undecryptable).
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import task_spec
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.apply import Wanted, converge
from ..module_utils._module import add_diff, run_module, select_parameters, show_public_targets


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Converge the one task and its units."""
    name = module.params["name"]
    show_public_targets(module, [module.params])
    present = module.params["state"] == "present"
    wanted = Wanted(tasks=[select_parameters(module, task_spec())]) if present else Wanted(absent_tasks=[name])
    outcome = converge(host, wanted, module.check_mode)
    result = {"changed": outcome.changed, "task": outcome.tasks.get(name, {}), "warnings": outcome.warnings}
    return add_diff(module, result, outcome.before["tasks"].get(name, {}), outcome.after["tasks"].get(name, {}))


def main() -> None:
    run_module(dict(task_spec(), state={"type": "str", "choices": ["present", "absent"], "default": "present"}), answer)


if __name__ == "__main__":
    main()
