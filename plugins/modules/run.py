#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: run
author:
  - skyhaul contributors (@skyhaul)
short_description: Start, stop or plan a run of a task
version_added: 1.0.0
description:
  - Starts a run of a task now, whatever its schedule, and waits for its end. It can also only start it, stop it, or
    tell what it would do.
  - Where systemd runs, the run is started as C(cloudsync@TASK.service), with the same sandbox and limits as a
    scheduled one.
  - When the task is running already, no second run is started, and the module waits for the one that is under way.
  - With the options of a task it is a one-time run of a task that is not kept. O(reverse_of) and O(path) are enough
    to get the data of a task back into another folder. It copies, unless O(mode) says otherwise, and waits, unless
    O(on_overlap) says otherwise. Its options stay in C(/run/cloudsync) until the next boot.
  - In check mode, and with O(dry_run=true), the run is only planned. No hook is executed, nothing is transferred or
    deleted, and no record is left behind. The plan is the diff.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
  - skyhaul.cloudsync._transfer
attributes:
  check_mode:
    details: In check mode it is a dry run, which fails when a guard would refuse the run.
  diff_mode:
    details: The diff is the plan, in check mode and with O(dry_run=true).
options:
  task:
    description:
      - The name of the task.
      - For a one-time run, a name to watch, stop and find it by. The default is V(onetime). On a host, only one of a
        name is under way at a time.
    type: str
  state:
    description:
      - V(finished) starts a run and waits for its end. A run that does not succeed is a failure of the module. A run
        that was skipped, because the task or one of its paths was in use, is a warning.
      - V(started) starts a run and returns as soon as its record is there. This needs the command that the role
        P(skyhaul.cloudsync.runner#role) installs.
      - V(stopped) stops the run that is under way or waiting, and sees it end. It is no change when there is none.
    type: str
    choices: [started, finished, stopped]
    default: finished
  dry_run:
    description:
      - Only plan the run, as in check mode. This is never a change.
      - A guard that would refuse the run is a warning, as long as there is a plan to show.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds to wait for the end of a run. When they are over the module fails, and the run goes on.
    type: int
    default: 86400
seealso:
  - module: skyhaul.cloudsync.task
  - module: skyhaul.cloudsync.task_info
    description: Shows the state and the past runs of a task, and starts nothing.
"""

EXAMPLES = r"""
- name: Run a task now and wait for its end
  skyhaul.cloudsync.run:
    task: documents
    timeout: 3600
  register: result

- name: Show what came of it
  ansible.builtin.debug:
    msg: "{{ result.run.transfers }} files, {{ result.run.bytes }} bytes; the log is {{ result.run.log }}"

- name: Plan a run, and let nothing be deleted unseen
  skyhaul.cloudsync.run:
    task: documents
    dry_run: true
  register: planned
  failed_when: planned is failed or planned.plan.totals.delete.files > 0

- name: Get yesterday's data back into a folder beside it, once
  skyhaul.cloudsync.run:
    reverse_of: documents
    path: /srv/restored/documents

- name: Push a folder once, without a task
  skyhaul.cloudsync.run:
    task: before-the-upgrade
    credential: offsite
    direction: push
    path: /var/lib/app
    remote_path: example-backups/{{ inventory_hostname }}/before-the-upgrade

- name: Start a long run and go on
  skyhaul.cloudsync.run:
    task: archive
    state: started

- name: Stop it
  skyhaul.cloudsync.run:
    task: archive
    state: stopped
"""

RETURN = r"""
run:
  description: The record of the run. Empty when O(state=stopped) and the task has never run.
  returned: when a run was started, joined or stopped
  type: dict
  contains:
    id:
      description: The id of the run, which sorts by time.
      type: str
      sample: 20270131T023000Z-4f09aa
    task:
      description: The name of the task.
      type: str
      sample: documents
    trigger:
      description: What started it, V(manual) or V(timer).
      type: str
      sample: manual
    state:
      description:
        - V(waiting) is a run that waits for another one to end.
        - V(running) is one that is under way.
        - V(success) is one that did all that it had to do.
        - V(failed) is one that did not, or that a guard refused.
        - V(aborted) is one that was stopped, or was killed.
        - V(skipped) is one that did not begin, because the task or one of its paths was in use.
      type: str
      sample: success
    reason:
      description:
        - One word for what is wrong, empty after a success.
        - 'Refused by a guard before anything was touched: V(empty_source), V(not_mounted), V(marker_missing),
          V(max_delete), V(crypt_password), V(not_found), V(usage).'
        - 'Said by the provider: V(auth), V(network), V(not_found), V(quota), V(restricted_content),
          V(archived_object).'
        - 'Of the transfer: V(deletions_suppressed) (some files failed, so nothing was deleted), V(undecryptable),
          V(disk_full), V(max_duration).'
        - 'Of the run: V(locked), V(hook), V(stopped), V(interrupted) (it was killed, or the host went down), V(other).'
      type: str
      sample: ""
    message:
      description: What happened and what to do next, in sentences.
      type: str
      sample: 12 files transferred (3.4 MiB).
    started:
      description: When it began, as ISO 8601 in UTC.
      type: str
      sample: "2027-01-31T02:30:00Z"
    ended:
      description: When it ended, empty until then.
      type: str
      sample: "2027-01-31T02:30:09Z"
    bytes:
      description: How many bytes were transferred.
      type: int
      sample: 3565158
    transfers:
      description: How many files were transferred.
      type: int
      sample: 12
    deletes:
      description: How many files were deleted.
      type: int
      sample: 0
    errors:
      description: How many errors rclone counted.
      type: int
      sample: 0
    exit_code:
      description: The exit code of rclone, null when it did not come to that.
      type: int
      sample: 0
    log:
      description: The path of the log on the host.
      type: str
      sample: /var/log/cloudsync/documents/20270131T023000Z-4f09aa.log
plan:
  description:
    - What the run would do. It is empty when a guard refused before a plan could be made.
    - C(copy) lists the files that the destination does not have, C(overwrite) those that differ there (with the size
      that they will have) and C(delete) those that would be deleted there, each as dictionaries of C(path) and
      C(size) in bytes.
    - C(totals) has for each of the three the number of C(files) and their C(bytes); C(present) is how many files the
      destination holds now.
    - C(notes) are sentences with what the lists do not say, such as how many versions B2 keeps.
    - In Jinja, write C(plan['copy']), because every dictionary has a method of that name.
  returned: in check mode, and when O(dry_run=true)
  type: dict
  sample:
    copy:
      - path: letters/january.odt
        size: 10420
    overwrite: []
    delete: []
    totals:
      copy:
        files: 1
        bytes: 10420
      overwrite:
        files: 0
        bytes: 0
      delete:
        files: 0
        bytes: 0
    present: 11
    notes: []
reason:
  description:
    - The reason for which the run failed, or, with a plan, for which it would be refused. One of the words of
      RV(run.reason).
  returned: failure, and with a plan
  type: str
  sample: max_delete
message:
  description: The sentence that belongs to RV(reason).
  returned: with a plan
  type: str
  sample: ""
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import transfer_spec
from ..module_utils._engine.common.errors import usage_error
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations import one_time as onetime
from ..module_utils._engine.operations import start as starting
from ..module_utils._module import add_diff, run_module, select_parameters, show_public_targets


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Start, finish, stop, or only plan a run."""
    inline = {name: value for name, value in select_parameters(module, transfer_spec()).items() if value is not None}
    name, state = module.params["task"] or onetime.DEFAULT_NAME, module.params["state"]
    if state == "stopped":
        if inline:
            raise usage_error("A stop takes the name of the run in task, and no other option of a task.")
        return starting.stop_run(host, name, module.check_mode)
    show_public_targets(module, [module.params])
    if module.check_mode or module.params["dry_run"]:
        if inline:
            result = onetime.plan_once(host, name, inline, module.check_mode)
        else:
            result = starting.plan_run(host, name, module.check_mode)
        return add_diff(module, result, {}, result["plan"])
    wait, timeout = state == "finished", module.params["timeout"]
    if inline:
        return onetime.run_once(host, name, inline, wait, timeout)
    return starting.start_run(host, name, wait, timeout)


def main() -> None:
    run_module(
        dict(
            transfer_spec(),
            task={"type": "str"},
            state={"type": "str", "choices": ["started", "finished", "stopped"], "default": "finished"},
            dry_run={"type": "bool", "default": False},
            timeout={"type": "int", "default": 86400},
        ),
        answer,
        required_one_of=[("task", "path", "reverse_of")],
    )


if __name__ == "__main__":
    main()
