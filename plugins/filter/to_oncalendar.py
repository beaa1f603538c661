# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: a schedule as systemd's OnCalendar expressions."""

from __future__ import annotations

DOCUMENTATION = r"""
name: to_oncalendar
author:
  - skyhaul contributors (@skyhaul)
short_description: Turn a schedule into OnCalendar expressions of systemd
version_added: 1.0.0
description:
  - Turns a cron expression, a preset or a schedule into the smallest number of C(OnCalendar) expressions with the same
    times.
  - That is one expression, or two if the schedule has days of the month and weekdays, because a date only needs to
    match one of them. A window can split an expression.
options:
  _input:
    description:
      - A cron expression of five fields, a macro such as V(@daily), a preset (V(hourly), V(daily), V(weekly),
        V(monthly)), or a dictionary like the O(skyhaul.cloudsync.task#module:schedule) option.
    type: raw
    required: true
seealso:
  - plugin: skyhaul.cloudsync.schedule_preview
    plugin_type: lookup
  - module: skyhaul.cloudsync.task
"""

EXAMPLES = r"""
- name: Show the expressions of a schedule
  ansible.builtin.debug:
    msg: "{{ '*/15 8-18 * * mon-fri' | skyhaul.cloudsync.to_oncalendar }}"
  # => ["Mon..Fri *-*-* 08..18:00..45/15:00"]

- name: Use the expressions in your own timer
  ansible.builtin.copy:
    dest: /etc/systemd/system/report.timer
    mode: "0644"
    content: |
      [Timer]
      {% for expression in {'cron': '0 4 1 * sun', 'timezone': 'Europe/Berlin'} | skyhaul.cloudsync.to_oncalendar %}
      OnCalendar={{ expression }}
      {% endfor %}
"""

RETURN = r"""
_value:
  description:
    - The expressions. Write each into a separate C(OnCalendar=) line. They contain the schedule's time zone, if it has
      one.
  type: list
  elements: str
"""

from typing import Any, Callable, Dict, List

from ansible.errors import AnsibleFilterError

from ..module_utils._engine.common.errors import CloudsyncError
from ..module_utils._engine.schedule import oncalendar
from ..module_utils._engine.schedule import schedule as schedules


def to_oncalendar(schedule: Any) -> List[str]:
    """Return the expressions for a schedule. Raises AnsibleFilterError with the message of an error."""
    try:
        return oncalendar.to_oncalendar(schedules.parse(schedule))
    except CloudsyncError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {"to_oncalendar": to_oncalendar}
