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
  - Starts a run of a task, at any time of its schedule, and waits until the run ends. The module can also start a run
    without waiting, stop a run, or only plan it.
  - If systemd is running, the run is started as C(cloudsync@TASK.service), with the same sandbox and limits as a
    scheduled run.
  - If a run of the task is already active, the module does not start a second run. It waits for the active run.
  - If you set any option of a task, the module performs a one-time run of a task that is not stored. Set O(reverse_of)
    and O(path) to restore the data of a task to another folder. Set O(include) to restore only a part of it.
  - A restore copies. It deletes nothing in O(path), keeps modification times, and compares the result.
  - The name C(drill-TASK) runs a drill of that task. A drill restores some files, compares them with their source, and
    removes them. See O(skyhaul.cloudsync.task#module:drill).
  - In a one-time run, the default of O(mode) is V(copy), and the default of O(on_overlap) is V(wait). The options are
    kept in C(/run/cloudsync) until the next boot.
  - In check mode, and with O(dry_run=true), the run is only planned. No hook is executed, no file is transferred or
    deleted, and no record is written. The plan is the diff.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
  - skyhaul.cloudsync._transfer
  - skyhaul.cloudsync._encryption
attributes:
  check_mode:
    details: The module performs a dry run. It fails if a guard would refuse the run.
  diff_mode:
    details: In check mode and with O(dry_run=true), the diff is the plan.
options:
  task:
    description:
      - Name of the task.
      - For a one-time run, a name that you can use to watch, stop and find the run. Two one-time runs with the same
        name cannot be active at the same time.
      - "Default for a one-time run: V(onetime)."
    type: str
  state:
    description:
      - State of the run. V(finished) starts a run and waits until it ends. If the run fails, the module fails. If the
        run is skipped because the task or one of its paths is in use, the module shows a warning.
      - V(started) starts a run and returns as soon as its record exists. It needs the command that the role
        P(skyhaul.cloudsync.runner#role) installs.
      - V(stopped) stops the active or waiting run and waits until it has ended. If none exists, nothing is
        changed.
    type: str
    choices: [started, finished, stopped]
    default: finished
  id:
    description:
      - ID of a run of O(task) that was started earlier, with O(state=started) for example. The module only waits for
        the end of this run.
    type: str
    version_added: 1.1.0
  dry_run:
    description:
      - Whether to only plan the run, as in check mode. The result is never a change.
      - If a guard would refuse the run, the module shows the plan and a warning.
    type: bool
    default: false
  timeout:
    description:
      - Number of seconds to wait until the run ends. After this time the module fails, but the run continues.
      - During a long run, the progress is shown every 30 seconds.
    type: int
    default: 86400
  adopt:
    description:
      - Whether to take over the destination before the run, if another host has left its owner mark there. Use it once,
        after this host has replaced the other one.
      - Only for a push with O(mode=sync) or O(mode=move), because only these leave a mark.
    type: bool
    default: false
    version_added: 1.1.0
  at:
    description:
      - Moment of the past to restore, with O(reverse_of). Use ISO 8601, or the ID of a run. A time without a zone is
        that of the host. The result is the state after the last run that began by then.
      - If the task has O(keep_deleted), the files that its runs kept there are used. Otherwise the versions that the
        provider keeps are used (S3 and B2).
      - If the state of that moment is not exactly known, the run is refused.
    type: str
  overwrite:
    description:
      - Whether a restore (O(reverse_of)) may replace files in O(path) that differ. If V(false), O(path) must be new or
        empty. If a restore was stopped or killed, the same restore can continue in its folder.
    type: bool
    default: false
seealso:
  - module: skyhaul.cloudsync.task
  - module: skyhaul.cloudsync.task_info
    description: Shows the state and the past runs of a task without starting a run.
"""

EXAMPLES = r"""
- name: Run a task and wait until it ends
  skyhaul.cloudsync.run:
    task: documents
    timeout: 3600
  register: result

- name: Show the result
  ansible.builtin.debug:
    msg: "{{ result.run.transfers }} files, {{ result.run.bytes }} bytes, log: {{ result.run.log }}"

- name: Plan a run, and fail if it would delete files
  skyhaul.cloudsync.run:
    task: documents
    dry_run: true
  register: planned
  failed_when: planned is failed or planned.plan.totals.delete.files > 0

- name: Restore the data of a task to another folder once
  skyhaul.cloudsync.run:
    reverse_of: documents
    path: /srv/restored/documents

- name: Prove that the data of a task can be restored
  skyhaul.cloudsync.run:
    task: drill-documents

- name: Push a folder once, without a task
  skyhaul.cloudsync.run:
    task: before-the-upgrade
    credential: offsite
    direction: push
    path: /var/lib/app
    remote_path: example-backups/{{ inventory_hostname }}/before-the-upgrade

- name: Start a long run without waiting
  skyhaul.cloudsync.run:
    task: archive
    state: started

  register: archived

- name: Wait for the end of that run
  skyhaul.cloudsync.run:
    task: archive
    id: "{{ archived.run.id }}"

- name: Stop the run
  skyhaul.cloudsync.run:
    task: archive
    state: stopped
"""

RETURN = r"""
run:
  description: Record of the run. Empty with O(state=stopped) if the task has never run.
  returned: when a run was started, awaited or stopped
  type: dict
  contains:
    id:
      description: ID of the run. Sorting the IDs sorts the runs by time.
      type: str
      sample: 20270131T023000Z-4f09aa
    task:
      description: Name of the task.
      type: str
      sample: documents
    kind:
      description: Kind of the run, V(run), V(restore) or V(drill).
      type: str
      sample: run
    trigger:
      description: Trigger of the run, V(manual) or V(timer).
      type: str
      sample: manual
    state:
      description:
        - State of the run. V(waiting) waits until another run ends.
        - V(running) is active.
        - V(success) ended without an error.
        - V(failed) ended with an error, or was refused by a guard.
        - V(aborted) was stopped or killed.
        - V(skipped) did not start, because the task or one of its paths was in use.
      type: str
      sample: success
    reason:
      description:
        - Reason of the failure, as one word. Empty after a success.
        - 'Guards, before an attempt changed anything: V(empty_source), V(not_mounted), V(marker_missing),
          V(max_delete), V(source_changed), V(same_place), V(foreign), V(crypt_password), V(not_found), V(usage).'
        - 'Provider: V(auth), V(network), V(not_found), V(quota), V(restricted_content), V(archived_object).'
        - 'Transfer: V(deletions_suppressed) (some files failed, so nothing was deleted), V(undecryptable),
          V(disk_full), V(max_duration).'
        - V(drill) means that a drill found damage at the destination. The message names the files.
        - 'Run: V(locked), V(hook), V(stopped), V(interrupted), V(stalled), V(damaged), V(other).'
        - V(interrupted) means that the run was killed, or that the host went down. V(stalled) means that the transfer
          made no progress. V(damaged) means that a file of the run, the task or the credential is damaged.
      type: str
      sample: ""
    message:
      description: Sentences that explain what happened, and what to do next.
      type: str
      sample: 12 files transferred (3.4 MiB).
    started:
      description: Start time, as ISO 8601 in UTC.
      type: str
      sample: "2027-01-31T02:30:00Z"
    ended:
      description: End time, as ISO 8601 in UTC. Empty until the run ends.
      type: str
      sample: "2027-01-31T02:30:09Z"
    bytes:
      description: Number of transferred bytes.
      type: int
      sample: 3565158
    transfers:
      description: Number of transferred files.
      type: int
      sample: 12
    deletes:
      description: Number of deleted files.
      type: int
      sample: 0
    errors:
      description: Number of errors that rclone reported.
      type: int
      sample: 0
    exit_code:
      description: Exit code of rclone, or null if rclone was not started.
      type: int
      sample: 0
    log:
      description: Path of the log on the host.
      type: str
      sample: /var/log/cloudsync/documents/20270131T023000Z-4f09aa.log
progress:
  description: Progress of a run that is still active after O(timeout).
  returned: when the run has not ended in time
  type: str
  sample: 42%, 1.2 GiB of 2.9 GiB, 12.3 MiB/s, 2 min 20 s left, 120 of 300 files
plan:
  description:
    - Plan of the run. Empty if a guard refused the run before a plan could be made.
    - C(copy) lists the files that are missing at the destination. C(overwrite) lists the files that differ there, with
      their new size. C(delete) lists the files that would be deleted there.
    - Each list contains dictionaries of C(path) and C(size) in bytes.
    - C(totals) contains the number of C(files) and C(bytes) of each list.
    - C(present) is the number of files at the destination before the run.
    - For a plan of more than 50,000 actions, each list contains at most 1000 files. C(file) is then the path of the
      complete plan on the host, with an action, a path and a size in each line. It is kept until the next plan of the
      task.
    - C(notes) contains sentences about facts that the lists do not show, such as the number of versions that B2 keeps.
    - In Jinja, write C(plan['copy']), because every dictionary has a method named C(copy).
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
    - Reason of the failure. With a plan, the reason for which the run would be refused. The values are those of
      RV(run.reason).
  returned: failure, and with a plan
  type: str
  sample: max_delete
message:
  description: Sentence that explains RV(reason).
  returned: with a plan
  type: str
  sample: ""
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import build_transfer_spec
from ..module_utils._engine.common.errors import usage_error
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations import one_time as onetime
from ..module_utils._engine.operations import start as starting
from ..module_utils._module import add_diff, run_module, select_parameters


def control_run(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Start, stop or only plan a run."""
    inline = {
        name: value for name, value in select_parameters(module, build_transfer_spec()).items() if value is not None
    }
    name, state = module.params["task"] or onetime.DEFAULT_NAME, module.params["state"]
    adopts = module.params["adopt"]
    at, overwrite = module.params["at"] or "", module.params["overwrite"]
    if (at or overwrite) and not inline.get("reverse_of"):
        raise usage_error("at and overwrite are for a restore. Set reverse_of to the task to restore, or remove them.")
    if module.params["id"]:
        if inline or adopts or state != "finished" or module.params["dry_run"]:
            raise usage_error("With id, set only the options task and timeout. Remove the others.")
        return starting.wait_run(host, name, module.params["id"], module.params["timeout"])
    if state == "stopped":
        if inline or adopts:
            raise usage_error("With state=stopped, set only the option task. Remove the other options of a task.")
        return starting.stop_run(host, name, module.check_mode)
    if module.check_mode or module.params["dry_run"]:
        if inline:
            result = onetime.plan_once(host, name, inline, module.check_mode, adopts, at, overwrite)
        else:
            result = starting.plan_run(host, name, module.check_mode, adopts)
        return add_diff(module, result, {}, result["plan"])
    wait, timeout = state == "finished", module.params["timeout"]
    if inline:
        task = onetime.build_onetime_task(host, name, inline, at, overwrite)
        return onetime.run_once(host, task, wait, timeout, adopts)
    return starting.start_run(host, name, wait, timeout, adopts)


def main() -> None:
    run_module(
        dict(
            build_transfer_spec(),
            task={"type": "str"},
            state={"type": "str", "choices": ["started", "finished", "stopped"], "default": "finished"},
            id={"type": "str"},
            dry_run={"type": "bool", "default": False},
            timeout={"type": "int", "default": 86400},
            adopt={"type": "bool", "default": False},
            at={"type": "str"},
            overwrite={"type": "bool", "default": False},
        ),
        control_run,
        required_one_of=[("task", "path", "reverse_of")],
    )


if __name__ == "__main__":
    main()
