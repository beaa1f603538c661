# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup: preview when a schedule starts a task."""

from __future__ import annotations

DOCUMENTATION = r"""
name: schedule_preview
author:
  - skyhaul contributors (@skyhaul)
short_description: Preview when a schedule starts a task
version_added: 1.0.0
description:
  - Returns, on the control node, a description of a schedule in English, its C(OnCalendar) expressions for systemd,
    and its next starts.
  - The times are those of systemd on the host, also when daylight saving time begins or ends. There is no start at a
    time that the clock skips, and one start at a time that the clock repeats.
  - With the schedule's C(spread), a run starts later by a delay that each host has.
  - The time zone database of the control node is used. A host with another version of the database can differ if
    a country has changed its rules.
requirements:
  - croniter >= 6.1.0 on the control node
options:
  _terms:
    description:
      - The schedules. Each is a cron expression of five fields, a macro such as V(@daily), a preset (V(hourly),
        V(daily), V(weekly), V(monthly)), or a dictionary like the O(skyhaul.cloudsync.task#module:schedule) option.
    type: list
    elements: raw
    required: true
  count:
    description:
      - Number of next starts to list for each schedule.
    type: int
    default: 5
  start:
    description:
      - Time in ISO 8601 after which starts are listed. Without an offset it is in the time zone of the schedule.
      - Defaults to the current time.
    type: str
  timezone:
    description:
      - Time zone of schedules that have none. Use a canonical name of the time zone database, such as V(Europe/Berlin).
      - Such a schedule uses the time zone of its host. Without this option, the preview uses the time zone of the
        control node.
    type: str
seealso:
  - plugin: skyhaul.cloudsync.to_oncalendar
    plugin_type: filter
  - module: skyhaul.cloudsync.task
"""

EXAMPLES = r"""
- name: Show when a backup will run
  ansible.builtin.debug:
    msg: "{{ lookup('skyhaul.cloudsync.schedule_preview', '30 2 * * mon-fri', timezone='Europe/Berlin') }}"

- name: Show the ten starts after a change to daylight saving time
  ansible.builtin.debug:
    msg: "{{ lookup('skyhaul.cloudsync.schedule_preview', schedule, count=10, start='2027-03-28T00:00:00').runs }}"
  vars:
    schedule:
      minute: "*/30"
      timezone: Europe/Berlin
      begin: "22:00"
      end: "06:00"

- name: Compare the next starts of several schedules
  ansible.builtin.debug:
    msg: "{{ item.description }}: {{ item.runs | first }}"
  loop: "{{ query('skyhaul.cloudsync.schedule_preview', 'hourly', 'daily', '0 3 1,15 * fri', count=1) }}"
"""

RETURN = r"""
_raw:
  description:
    - One dictionary for each schedule.
  type: list
  elements: dict
  contains:
    cron:
      description: The schedule's five cron fields in their shortest form, with numbers for names.
      type: str
      sample: 30 2 * * 1-5
    description:
      description: The schedule in English.
      type: str
      sample: At 02:30 on Monday through Friday, Europe/Berlin
    timezone:
      description: The time zone of the schedule, or null if it uses the time zone of its host.
      type: str
      sample: Europe/Berlin
    oncalendar:
      description: The expressions for systemd, as the filter P(skyhaul.cloudsync.to_oncalendar#filter) returns them.
      type: list
      elements: str
      sample: ["Mon..Fri *-*-* 02:30:00 Europe/Berlin"]
    runs:
      description: The next starts, in ISO 8601 with the offset from UTC.
      type: list
      elements: str
      sample: ["2027-03-26T02:30:00+01:00", "2027-03-29T02:30:00+02:00"]
"""

import datetime
import importlib.metadata
from typing import Any, Dict, Iterator, List, Optional

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._engine.common.errors import CloudsyncError, usage_error
from ..module_utils._engine.schedule import cron as _cron
from ..module_utils._engine.schedule import schedule as schedules
from ..module_utils._engine.schedule import timezones as zones
from ..module_utils._engine.schedule.describe import describe
from ..module_utils._engine.schedule.next_runs import find_next_runs
from ..module_utils._engine.schedule.oncalendar import to_oncalendar

try:
    from croniter import CroniterBadDateError, croniter
except ImportError:
    croniter = None  # type: ignore[assignment,misc]

OLDEST_CRONITER = (6, 1)


class LookupModule(LookupBase):
    """The lookup schedule_preview."""

    def run(self, terms: List[Any], variables: Optional[Dict[str, Any]] = None, **kwargs: Any) -> List[Dict[str, Any]]:
        """Return one dictionary for each term, as in RETURN. Raises AnsibleLookupError with the message of an error."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            _check_croniter()
            count = self.get_option("count")
            if count < 0:
                raise usage_error(f"count is {count}. Use 0 or more.")
            return [_preview(term, count, self.get_option("start"), self.get_option("timezone")) for term in terms]
        except CloudsyncError as error:
            raise AnsibleLookupError(error.message) from error


def _preview(term: Any, count: int, start: Optional[str], timezone: Optional[str]) -> Dict[str, Any]:
    schedule = schedules.parse(term)
    if timezone is not None and schedule.timezone is None:
        schedule = schedules.parse({**schedules.to_dict(schedule), "timezone": timezone})
    runs = find_next_runs(schedule, _parse_start(start, schedule), count, _iterate_wall_times)
    return {
        "cron": schedule.cron.text,
        "description": describe(schedule),
        "timezone": schedule.timezone,
        "oncalendar": to_oncalendar(schedule),
        "runs": [run.isoformat() for run in runs],
    }


def _parse_start(start: Optional[str], schedule: schedules.Schedule) -> datetime.datetime:
    zone = zones.load(schedule.timezone)
    if start is None:
        return datetime.datetime.now(zone)
    try:
        after = datetime.datetime.fromisoformat(start)
    except ValueError:
        raise usage_error(f'start is "{start}", which is not ISO 8601, such as 2027-03-28T00:00:00+01:00.') from None
    return after.replace(tzinfo=zone) if after.tzinfo is None else after


def _iterate_wall_times(cron: _cron.Cron, after: datetime.datetime) -> Iterator[datetime.datetime]:
    """Iterate over the wall times, as croniter calculates them.

    The expression lists every value, and an option says how the two day fields combine. croniter interprets ranges of
    one value, full lists, and steps together with a weekday differently.
    """
    days = cron.days if cron.day_given else _cron.DAY.full
    expression = " ".join(
        "*" if values == field.full else ",".join(map(str, values))
        for field, values in zip(_cron.FIELDS, (cron.minutes, cron.hours, days, cron.months, cron.weekdays))
    )
    times = croniter(expression, after, day_or=cron.day_given and cron.weekday_given)
    while True:
        try:
            wall = times.get_next(datetime.datetime)
        except CroniterBadDateError:
            return
        if wall.year > _cron.LAST_YEAR:
            return
        yield wall


def _check_croniter() -> None:
    needed = ".".join(map(str, OLDEST_CRONITER))
    if croniter is None:
        raise usage_error(f"The Python of the control node has no croniter. Install croniter {needed} or later there.")
    version = importlib.metadata.version("croniter")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_CRONITER:
        raise usage_error(
            f"croniter {version} on the control node calculates some dates incorrectly. Install {needed} or later."
        )
