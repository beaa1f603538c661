# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: when the tasks of a host start next, for people."""

from __future__ import annotations

DOCUMENTATION = r"""
name: task_previews
author:
  - skyhaul contributors (@skyhaul)
short_description: Tell when the tasks of a host start next
version_added: 1.0.0
description:
  - Tells for each task that M(skyhaul.cloudsync.task_info) returned its cron expression, what that means in English,
    and its coming starts, in its time zone and in UTC.
  - The starts are those of the host, which includes its share of the schedule's C(spread) where systemd runs. The
    lookup P(skyhaul.cloudsync.schedule_preview#lookup) tells those of a schedule that no host has yet.
options:
  _input:
    description:
      - The RV(skyhaul.cloudsync.task_info#module:tasks) of a host.
    type: list
    elements: dict
    required: true
seealso:
  - module: skyhaul.cloudsync.task_info
  - plugin: skyhaul.cloudsync.schedule_preview
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Look up when the tasks start next
  skyhaul.cloudsync.task_info:
    next: 5
  register: found

- name: Show it
  ansible.builtin.debug:
    msg: "{{ found.tasks | skyhaul.cloudsync.task_previews }}"
"""

RETURN = r"""
_value:
  description: For each task its name, and the lines that tell when it starts next.
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
    """See DOCUMENTATION; AnsibleFilterError carries the sentence that says what is wrong."""
    try:
        return {task["name"]: _lines(task) for task in tasks}
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError("task_previews takes the tasks that task_info returned.") from error
    except CloudsyncError as error:
        raise AnsibleFilterError(error.message) from error


def _lines(task: Mapping[str, Any]) -> List[str]:
    if not task["schedule"]:
        return ["It has no schedule, and runs only when it is started by hand."]
    lines = previews.format_text(
        {**previews.preview(schedules.parse(task["schedule"]), 1), "runs": task["next"]}
    ).splitlines()
    return lines if task["enabled"] else [*lines, "It is disabled, and does not start by itself."]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """By name."""
        return {"task_previews": task_previews}
