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
short_description: Show the tasks of a host, their state, their past and their coming runs
version_added: 1.0.0
description:
  - Shows the tasks that a host has, how each of them is doing, what its last runs were, and when it starts next.
  - Nothing is decrypted, and no provider is asked.
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.info
  - skyhaul.cloudsync._attributes.host
options:
  name:
    description:
      - Show only the task of this name. When there is none, that is a failure.
      - The default is all tasks.
    type: str
  runs:
    description:
      - How many past runs to show for each task.
    type: int
    default: 1
  next:
    description:
      - How many coming starts to show for each task.
    type: int
    default: 1
seealso:
  - module: skyhaul.cloudsync.task
  - module: skyhaul.cloudsync.run
"""

EXAMPLES = r"""
- name: See how the tasks are doing
  skyhaul.cloudsync.task_info:
  register: found

- name: Name those whose last run did not succeed
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.status.reason }}: {{ item.status.message }}"
  loop: "{{ found.tasks | selectattr('status.state', 'in', ['failed', 'aborted']) }}"
  loop_control:
    label: "{{ item.name }}"

- name: Show the last ten runs of one task, and when it starts next
  skyhaul.cloudsync.task_info:
    name: documents
    runs: 10
    next: 3
"""

RETURN = r"""
tasks:
  description:
    - The tasks, sorted by name, each with all its options as RV(skyhaul.cloudsync.task#module:task) has them, and what
      is described here.
  returned: success
  type: list
  elements: dict
  contains:
    status:
      description: How the task is doing.
      type: dict
      contains:
        state:
          description:
            - The state of its last run that was not skipped, as in RV(skyhaul.cloudsync.run#module:run.state), or
              V(pending) when it has never run.
          type: str
          sample: success
        reason:
          description: The reason of that run, as in RV(skyhaul.cloudsync.run#module:run.reason).
          type: str
          sample: ""
        message:
          description: What happened, and what to do next.
          type: str
          sample: 12 files transferred (3.4 MiB).
        run:
          description: That run, as RV(skyhaul.cloudsync.run#module:run) has it, or null.
          type: dict
        progress:
          description: How far a running transfer is, in bytes and files, or null.
          type: dict
        schedule_text:
          description: The schedule in English, empty without one.
          type: str
          sample: At 02:30 every day, Europe/Berlin
        next:
          description: The next start, as ISO 8601, or null.
          type: str
          sample: "2027-02-01T02:41:12+01:00"
        overdue_since:
          description: Since when a scheduled run should have begun, as ISO 8601, or null.
          type: str
    runs:
      description: The newest runs, newest first, each as RV(skyhaul.cloudsync.run#module:run) has it.
      type: list
      elements: dict
    next:
      description:
        - The coming starts, as ISO 8601. Where systemd runs, they are its own, with the host's share of the spread.
      type: list
      elements: str
      sample:
        - "2027-02-01T02:41:12+01:00"
reason:
  description: One word for what is wrong.
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.config.stored_tasks import list_tasks
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.status import find_details
from ..module_utils._module import run_module


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """The public views, with state, past and coming runs."""
    names = [module.params["name"]] if module.params["name"] else list_tasks(host.layout)
    details = [find_details(host.layout, name, module.params["runs"], module.params["next"]) for name in names]
    return {"changed": False, "tasks": details}


def main() -> None:
    run_module(
        {"name": {"type": "str"}, "runs": {"type": "int", "default": 1}, "next": {"type": "int", "default": 1}},
        answer,
    )


if __name__ == "__main__":
    main()
