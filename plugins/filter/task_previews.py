# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: show when the tasks of a host start next."""

from __future__ import annotations

DOCUMENTATION = r"""
name: task_previews
author:
  - skyhaul contributors (@skyhaul)
short_description: Show when the tasks of a host start next
version_added: 1.0.0
description:
  - Returns, for each task from M(skyhaul.cloudsync.task_info), its cron expression, a description in English, and its
    next starts, in its time zone and in UTC.
  - The starts are those of the host. Where systemd runs, they include the delay from the schedule's C(spread). Use the
    lookup P(skyhaul.cloudsync.schedule_preview#lookup) for a schedule that no host has yet.
options:
  _input:
    description:
      - The tasks of a host, from RV(skyhaul.cloudsync.task_info#module:tasks).
    type: list
    elements: dict
    required: true
seealso:
  - module: skyhaul.cloudsync.task_info
  - plugin: skyhaul.cloudsync.schedule_preview
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read the next starts of the tasks
  skyhaul.cloudsync.task_info:
    next: 5
  register: found

- name: Show them
  ansible.builtin.debug:
    msg: "{{ found.tasks | skyhaul.cloudsync.task_previews }}"
"""

RETURN = r"""
_value:
  description: The name of each task, and the lines that show when it starts next.
  type: dict
  sample:
    documents:
      - 30 2 * * *  At 02:30 every day, Europe/Berlin
      - OnCalendar=*-*-* 02:30:00 Europe/Berlin
      - Mon 2027-02-01 02:30 +0100  (2027-02-01 01:30 UTC)
"""

from typing import Any, Callable, Dict, List, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils._engine.common.errors import CloudsyncError
from ..module_utils._engine.schedule import preview as previews
from ..module_utils._engine.schedule import schedule as schedules


def task_previews(tasks: Any) -> Dict[str, List[str]]:
    """Return the lines of each task, as in RETURN. Raises AnsibleFilterError with the message of an error."""
    try:
        return {task["name"]: _describe_task(task) for task in tasks}
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError("The input of task_previews must be the tasks from task_info.") from error
    except CloudsyncError as error:
        raise AnsibleFilterError(error.message) from error


def _describe_task(task: Mapping[str, Any]) -> List[str]:
    if not task["schedule"]:
        return ["It has no schedule. Start it manually."]
    lines = previews.format_text(
        {**previews.preview(schedules.parse(task["schedule"]), 1), "runs": task["next"]}
    ).splitlines()
    return lines if task["enabled"] else [*lines, "It is disabled. Start it manually, or enable it."]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {"task_previews": task_previews}
