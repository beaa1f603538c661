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
  credential:
    description:
      - The name of the credential to log in with. The host must have it.
      - Required when O(state=present), unless O(reverse_of) gives it.
    type: str
  direction:
    description:
      - V(push) transfers from O(path) on the host to O(remote_path) at the provider, V(pull) the other way.
      - A provider that is read-only can only be pulled from.
      - Required when O(state=present), unless O(reverse_of) gives it.
    type: str
    choices: [push, pull]
  mode:
    description:
      - V(copy) copies new and changed files, and deletes nothing.
      - V(sync) makes the destination equal to the source. It deletes files that only the destination has.
      - V(move) copies, and then deletes at the source what was copied.
      - The default is V(copy).
    type: str
    choices: [sync, copy, move]
  path:
    description:
      - The folder on the host, an absolute path. V(/) is refused, unless O(guards.allow_root) is set.
      - The source of a push must be there when it runs. The folder of a pull is created when it is missing.
      - Required when O(state=present), unless O(reverse_of) gives it.
    type: str
  remote_path:
    description:
      - The folder at the provider. On providers with buckets, the first part names the bucket. On SFTP, a path without
        a leading slash begins at the user's home directory.
      - For O(mode=sync), the root of a bucket, or of a remote without buckets, is refused, unless
        O(guards.allow_root) is set.
      - The default is the top of the remote.
    type: str
  provider_options:
    description:
      - Options of the credential's provider that hold for this task only, by rclone's names, such as C(storage_class),
        C(server_side_encryption) or C(chunk_size). A secret is refused here.
      - C(fast_list) with the value V(true) lists with fewer requests and more memory.
    type: dict
  include:
    description:
      - Patterns of rclone. When there is one, only files that match one of them are transferred.
    type: list
    elements: str
  exclude:
    description:
      - Patterns of rclone, such as V(*.tmp) or V(/cache/**). Files that match one of them are left out, O(include) or
        not. A sync does not delete them at the destination either.
    type: list
    elements: str
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
  bandwidth:
    description:
      - A timetable of limits, by the clock of the host. Each limit holds until the next time. The times are in rising
        order.
      - The default is no limit.
    type: list
    elements: dict
    suboptions:
      time:
        description:
          - From when on the limit holds, V(HH:MM) each day, or V(Mon-HH:MM) on one day of the week. Put it in quotes.
        type: str
        required: true
      limit:
        description:
          - Bytes per second with a unit (V(512K), V(10M)), a pair of upload and download (V(1M:10M)), or V(off).
        type: str
        required: true
  transfers:
    description:
      - How many files are transferred at the same time.
      - The default is rclone's, which is 4.
    type: int
  follow_symlinks:
    description:
      - Whether to transfer what a symbolic link points to. Otherwise symbolic links are left out.
      - The default is V(false).
    type: bool
  create_empty_dirs:
    description:
      - Whether folders without files are created at the destination, too.
      - The default is V(false).
    type: bool
  encryption:
    description:
      - Encrypt what is at O(remote_path), so that the provider sees neither content nor names (rclone crypt).
      - Before each run the password is tried on what is there. A wrong one refuses the run.
    type: dict
    suboptions:
      password:
        description:
          - The crypt password, in clear. Keep it in Ansible Vault. Without it and the salt the data is lost.
        type: str
        required: true
      salt:
        description:
          - A second password, which salts the first one.
        type: str
      filenames:
        description:
          - V(standard) encrypts the names of files, V(obfuscate) makes them hard to read, V(off) leaves them as they
            are.
          - The default is V(standard).
        type: str
        choices: [standard, obfuscate, 'off']
      directory_names:
        description:
          - Whether the names of folders are encrypted, too.
          - The default is V(true).
        type: bool
  snapshot:
    description:
      - Push from a snapshot of the volume that holds O(path), so that files that change meanwhile are transferred as
        they were at one moment. It is removed after the run.
      - V(auto) uses whichever of ZFS, btrfs and LVM the volume is on. The run is refused when it is on none of them.
      - Not with O(direction=pull) or O(mode=move).
      - The default is V(none).
    type: str
    choices: [none, auto, zfs, btrfs, lvm]
  guards:
    description:
      - What must hold before anything is touched. A run that a guard refuses fails, with the guard as its reason.
      - That the source exists and is a directory is always checked.
    type: dict
    suboptions:
      empty_source:
        description:
          - Whether a V(sync) or V(move) may run when the source holds no file that the filters let through. On object
            stores a folder that does not exist looks empty.
          - The default is V(refuse).
        type: str
        choices: [refuse, allow]
      mounted:
        description:
          - A mount point that must be mounted, such as V(/mnt/data).
        type: path
      marker:
        description:
          - A file that must exist in the source, relative to it.
        type: str
      allow_root:
        description:
          - Whether the path may be V(/), and the remote path of a V(sync) the root of a bucket or remote.
          - The default is V(false).
        type: bool
      max_delete:
        description:
          - How many files a run may delete at the destination, as a count (V(100)) or as a percentage of the files
            that the destination holds now (V(10%)). It is checked on the plan, so either all is deleted or nothing.
          - The default is no limit.
        type: str
  keep_deleted:
    description:
      - Keep the files that a run deletes or overwrites at the destination.
    type: dict
    suboptions:
      path:
        description:
          - Where they are kept, on the side of the destination, in a folder for each run. For a push it begins with
            the bucket, as the remote path does, and with encryption it must be inside the remote path.
        type: str
        required: true
      days:
        description:
          - How many days they are kept. V(0) is for ever.
          - The default is V(0).
        type: int
  hooks:
    description:
      - Commands of your own, each the absolute path of a program, or shell text. They see the facts of the run as
        environment variables C(CLOUDSYNC_TASK), C(CLOUDSYNC_RUN_ID), C(CLOUDSYNC_STATE), C(CLOUDSYNC_REASON) and so
        on, and never a secret.
      - A task with hooks runs outside of the sandbox that systemd gives the others.
    type: dict
    suboptions:
      before:
        description:
          - Before anything else. When it fails, the run fails with the reason V(hook).
        type: str
      success:
        description:
          - After a run that did all that it had to do.
        type: str
      failure:
        description:
          - After a run that did not succeed, however it ended. After a kill it runs at the next start.
        type: str
      always:
        description:
          - After every run, last.
        type: str
      timeout:
        description:
          - How long each of them may take, in seconds or as a length such as V(10m).
          - The default is V(1h).
        type: str
  on_overlap:
    description:
      - What a run does while another run of the task is under way, or a run of another task uses one of its paths.
        V(skip) ends it as skipped, V(wait) waits.
      - The default is V(skip).
    type: str
    choices: [skip, wait]
  limits:
    description:
      - What a run may use of the host.
    type: dict
    suboptions:
      max_duration:
        description:
          - How long the transfer may take, in seconds or as a length such as V(6h). Then the run fails, and the next
            one goes on with the rest.
          - The default is no limit.
        type: str
      nice:
        description:
          - The scheduling priority, from V(-20) (first) to V(19) (last).
          - The default is V(0).
        type: int
      io_weight:
        description:
          - The share of disk access, from V(1) to V(10000), where other services have 100. V(0) leaves it unset.
          - The default is V(0).
        type: int
      memory_max:
        description:
          - The most memory, such as V(512M), or a percentage of the host's.
        type: str
      cpu_quota:
        description:
          - The most processor time, as a percentage of one processor, such as V(50%).
        type: str
  retries:
    description:
      - How often the transfer is tried again after an error.
      - The default is V(2).
    type: int
  verify_after:
    description:
      - Compare both sides after the transfer, by V(size) or by V(checksum). A difference fails the run.
      - The default is V(none).
    type: str
    choices: [none, size, checksum]
  notify:
    description:
      - Whom to tell when the task begins to fail, when it works again, and when a run is overdue.
      - 'Each is one of V(mailto:ops@example.com), V(https://HOST/PATH) (a webhook that gets JSON),
        V(ntfy+https://HOST/TOPIC), V(healthchecks+https://HOST/UUID) (pinged at every start and end) and
        V(unit:NAME.service) (a unit to start).'
      - An address can hold a secret. Of web addresses only the host is ever shown.
    type: list
    elements: str
  rclone_args:
    description:
      - Further options for rclone, each as V(--flag) or V(--flag=value). Those that an option of this module stands
        for, and those that would break a promise of the collection, are refused with the reason.
    type: list
    elements: str
  user:
    description:
      - The user on the host whom rclone and the hooks run as.
      - The default is V(root).
    type: str
  reverse_of:
    description:
      - The name of a task on this host whose restore this is. The options are those of that task, with the other
        direction, disabled, and without hooks, snapshot, O(keep_deleted), O(guards.mounted) and O(guards.marker). A
        V(move) becomes a V(copy).
      - What is given beside it wins.
    type: str
  state:
    description:
      - V(present) stores the task and puts its timer into place.
      - V(absent) removes both. Its records and logs stay.
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

from ..module_utils._arguments import task_spec
from ..module_utils._engine.converge import Wanted, converge
from ..module_utils._engine.host import Host
from ..module_utils._face import given, run_module, show_public_targets, with_diff


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Converge the one task and its units."""
    name = module.params["name"]
    show_public_targets(module, [module.params])
    present = module.params["state"] == "present"
    wanted = Wanted(tasks=[given(module, task_spec())]) if present else Wanted(absent_tasks=[name])
    outcome = converge(host, wanted, module.check_mode)
    result = {"changed": outcome.changed, "task": outcome.tasks.get(name, {}), "warnings": outcome.warnings}
    return with_diff(module, result, outcome.before["tasks"].get(name, {}), outcome.after["tasks"].get(name, {}))


def main() -> None:
    run_module(dict(task_spec(), state={"type": "str", "choices": ["present", "absent"], "default": "present"}), answer)


if __name__ == "__main__":
    main()
