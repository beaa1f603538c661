#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: task_info
author:
  - skyhaul contributors (@skyhaul)
short_description: Show the tasks of a host, with their state, past runs and next runs
version_added: 1.0.0
description:
  - Shows the tasks on a host, their state, their last runs, and their next starts.
  - No provider is contacted. Without O(name), the module also checks the host as C(cloudsync check) does.
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.info
  - skyhaul.cloudsync._attributes.host
options:
  name:
    description:
      - Name of the only task to show. If it does not exist, the module fails.
      - "Default: all tasks."
    type: str
  runs:
    description:
      - Number of past runs to show for each task.
    type: int
    default: 1
  next:
    description:
      - Number of next starts to show for each task.
    type: int
    default: 1
  report:
    description:
      - Whether to add RV(tasks[].report) to each task, as the role P(skyhaul.cloudsync.report#role) needs it.
    type: bool
    default: false
    version_added: 1.1.0
seealso:
  - module: skyhaul.cloudsync.task
  - module: skyhaul.cloudsync.run
"""

EXAMPLES = r"""
- name: Show the state of all tasks
  skyhaul.cloudsync.task_info:
  register: found

- name: Show the tasks whose last run was not successful
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.status.reason }}: {{ item.status.message }}"
  loop: "{{ found.tasks | selectattr('status.state', 'in', ['failed', 'aborted']) }}"
  loop_control:
    label: "{{ item.name }}"

- name: Show the last ten runs and the next three starts of one task
  skyhaul.cloudsync.task_info:
    name: documents
    runs: 10
    next: 3
"""

RETURN = r"""
tasks:
  description:
    - Tasks, sorted by name. Each has the keys of RV(skyhaul.cloudsync.task#module:task) and the following keys.
  returned: success
  type: list
  elements: dict
  contains:
    status:
      description: State of the task.
      type: dict
      contains:
        state:
          description:
            - State of the last run that was not skipped, as in RV(skyhaul.cloudsync.run#module:run.state).
            - V(pending) if the task has never run.
          type: str
          sample: success
        reason:
          description: Reason of that run, as in RV(skyhaul.cloudsync.run#module:run.reason).
          type: str
          sample: ""
        message:
          description: Sentence that explains what happened, and what to do next.
          type: str
          sample: 12 files transferred (3.4 MiB).
        run:
          description: Record of that run, with the keys of RV(skyhaul.cloudsync.run#module:run), or null.
          type: dict
        progress:
          description: Progress of an active transfer, in bytes and files, or null.
          type: dict
        schedule_text:
          description: Schedule in English. Empty without a schedule.
          type: str
          sample: At 02:30 every day, Europe/Berlin
        next:
          description: Time of the next start, as ISO 8601, or null.
          type: str
          sample: "2027-02-01T02:41:12+01:00"
        overdue_since:
          description: Time at which an overdue run should have started, as ISO 8601, or null.
          type: str
        overdue_slots:
          description:
            - Number of starts that are missing, at most 100. If no run is active, only the first one counts.
          type: int
          sample: 0
        stalled_since:
          description: Time of the last progress of an active run without progress for six hours, as ISO 8601, or null.
          type: str
        drill:
          description:
            - State of the drills of the task, or null if it declares none and none has run.
            - C(last_proven) is the end of the last successful drill, as ISO 8601, or null.
            - The keys C(state), C(reason), C(message), C(run), C(next), C(overdue_since) and C(schedule_text) have the
              same meaning as those of a task. C(task) is the name of the drill.
          type: dict
    runs:
      description: Last runs, newest first, each with the keys of RV(skyhaul.cloudsync.run#module:run).
      type: list
      elements: dict
    next:
      description:
        - Times of the next starts, as ISO 8601. If systemd is running, they are systemd's own times, with the spread.
      type: list
      elements: str
      sample:
        - "2027-02-01T02:41:12+01:00"
    report:
      description: Facts for the report of a fleet. Only with O(report).
      type: dict
      contains:
        account:
          description:
            - Name of the account of the credential, such as its provider and server, without secrets.
            - Empty if other hosts cannot use the same account.
          type: str
          sample: s3 amazonaws.com
        last_success:
          description: End of the last successful run, as ISO 8601, or null. The last 300 runs are searched.
          type: str
        failing_since:
          description: Start of the first failed run after the last success, as ISO 8601, or null.
          type: str
        runs:
          description:
            - The last 30 runs, newest first. Each is a list of the state, the reason, the start as ISO 8601, the
              duration in seconds, and the transferred bytes.
          type: list
          elements: list
        starts:
          description: Starts of the next 24 hours, as ISO 8601, at most 100.
          type: list
          elements: str
        log:
          description: Last lines of the log if the last run failed, at most 12.
          type: list
          elements: str
problems:
  description:
    - Problems of the host, as C(cloudsync check) lists them. Empty with O(name).
    - A task or a record that cannot be read is a problem, too. If a task cannot be read, the module fails. Its result
      still contains all tasks and problems. The unreadable task has only the keys C(name), C(description), C(status),
      C(runs) and C(next).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Kind of the problem, as a short word.
      type: str
      sample: overdue
    task:
      description: Name of the task. Empty for a problem of the whole host.
      type: str
      sample: documents
    message:
      description: Sentence that explains the problem.
      type: str
      sample: no run has started since 2027-02-01T02:30:00+01:00
reason:
  description: Reason of the failure, such as V(usage).
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.common.validation import parse_count
from ..module_utils._engine.config.stored_tasks import explain_missing_task
from ..module_utils._engine.health.problems import list_problems
from ..module_utils._engine.health.report import add_to_tasks
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.status import find_details, is_readable, list_details
from ..module_utils._module import run_module


def show_tasks(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Return the public views of the tasks, with their state, past runs and next starts, and the host's problems."""
    runs, following = (parse_count(option, module.params[option]) for option in ("runs", "next"))
    name = module.params["name"]
    missing = explain_missing_task(host.layout, name) if name and module.check_mode else None
    if missing:
        return {"changed": False, "tasks": [], "problems": [], "warnings": [missing]}
    tasks = [find_details(host.layout, name, runs, following)] if name else list_details(host.layout, runs, following)
    if module.params["report"]:
        add_to_tasks(host.layout, tasks)
    if name:
        return {"changed": False, "tasks": tasks, "problems": []}
    result: Dict[str, Any] = {
        "changed": False,
        "tasks": tasks,
        "problems": [problem.to_dict() for problem in list_problems(host)],
    }
    unreadable = [task["status"]["message"] for task in result["tasks"] if not is_readable(task["status"])]
    if unreadable:
        result.update(failed=True, msg=" ".join(unreadable), reason="damaged")
    return result


def main() -> None:
    options: Dict[str, Any] = {
        "name": {"type": "str"},
        "runs": {"type": "int", "default": 1},
        "next": {"type": "int", "default": 1},
        "report": {"type": "bool", "default": False},
    }
    run_module(options, show_tasks)


if __name__ == "__main__":
    main()
