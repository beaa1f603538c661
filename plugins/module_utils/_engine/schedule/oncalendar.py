# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Convert a schedule to systemd's OnCalendar expressions."""

from __future__ import annotations

from typing import List, Sequence

from .cron import DAY, HOUR, MINUTE, MONTH, WEEKDAY, Field, group_values
from .schedule import Schedule, split_time_boxes

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def to_oncalendar(schedule: Schedule) -> List[str]:
    """Return the smallest list of expressions that together are the schedule. systemd starts a common time once.

    One expression is a product of sets. A schedule with both a day and a weekday needs two, and each pair (hours,
    minutes) that remains in a window needs its own. Each contains the time zone, unless it is the host's own.
    """
    zone = "" if schedule.timezone is None else " " + schedule.timezone
    months = _format_numbers(MONTH, schedule.cron.months)
    return [
        f"{_format_weekdays(weekdays)}*-{months}-{_format_numbers(DAY, days)} "
        f"{_format_numbers(HOUR, hours)}:{_format_numbers(MINUTE, minutes)}:00{zone}"
        for days, weekdays in schedule.cron.day_rules
        for hours, minutes in split_time_boxes(schedule)
    ]


def _format_weekdays(values: Sequence[int]) -> str:
    if len(values) == len(WEEKDAY.full):
        return ""
    monday_first = sorted((value - 1) % 7 for value in values)
    return (
        ",".join(
            _WEEKDAYS[first] if first == last else f"{_WEEKDAYS[first]}..{_WEEKDAYS[last]}"
            for first, last, _step in group_values(monday_first, len(monday_first) + 1)
        )
        + " "
    )


def _format_numbers(field: Field, values: Sequence[int]) -> str:
    if len(values) == len(field.full):
        return "*"
    return ",".join(
        f"{first:02d}" if first == last else f"{first:02d}..{last:02d}{'' if step == 1 else f'/{step}'}"
        for first, last, step in group_values(values, 4)
    )
