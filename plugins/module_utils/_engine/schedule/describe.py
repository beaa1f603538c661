# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Describe a schedule in English."""

from __future__ import annotations

from typing import Sequence

from ..common.text import format_count, join_words
from .cron import HOUR, MINUTE, MONTH, Field, Values, group_values
from .schedule import MINUTES_A_DAY, Schedule, format_clock

_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
]  # fmt: skip
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MOST_TIMES = 6


def describe(schedule: Schedule) -> str:
    """Return one line, such as "At 02:30 on Monday through Friday, Europe/Berlin, spread over 10 minutes"."""
    cron = schedule.cron
    parts = [_describe_times(cron.hours, cron.minutes) + _describe_dates(schedule)]
    parts.append(schedule.timezone or "in the host's own time zone")
    if schedule.begin is not None or schedule.end is not None:
        end = MINUTES_A_DAY if schedule.end is None else schedule.end
        parts.append(f"between {format_clock(schedule.begin or 0)} and {format_clock(end)}")
    if schedule.spread:
        parts.append(f"spread over {_format_length(schedule.spread)}")
    if schedule.catch_up:
        parts.append("a missed run starts at boot")
    return ", ".join(parts)


def _describe_times(hours: Values, minutes: Values) -> str:
    every_hour = hours == HOUR.full
    if not every_hour and len(hours) * len(minutes) <= _MOST_TIMES:
        return "At " + join_words([format_clock(hour * 60 + minute) for hour in hours for minute in minutes])
    hour_step = _find_even_step(HOUR, hours)
    if minutes == (0,) and hour_step > 1:
        return f"Every {hour_step} hours from 00:00"
    every = _describe_every(minutes)
    if every and every_hour:
        return every
    if every and len(hours) == hours[-1] - hours[0] + 1:
        first, last = (format_clock(hours[at] * 60 + minutes[at]) for at in (0, -1))
        return f"{every} from {first} through {last}"
    return f"{_list_numbers('At minute', minutes)} of {'every hour' if every_hour else _list_numbers('hour', hours)}"


def _describe_every(minutes: Values) -> str:
    """Return words such as "Every 15 minutes", or "" if the minutes do not divide the hour evenly."""
    step = 60 if minutes == (0,) else _find_even_step(MINUTE, minutes)
    return {0: "", 1: "Every minute", 60: "Every hour"}.get(step, f"Every {step} minutes")


def _find_even_step(field: Field, values: Values) -> int:
    """Return the step of values that divide the whole field evenly: 15 for the minutes 0, 15, 30, 45. Else 0."""
    size = len(field.full)
    step = size // len(values)
    return step if len(values) > 1 and values == field.full[::step] and size % step == 0 else 0


def _describe_dates(schedule: Schedule) -> str:
    cron = schedule.cron
    months = "" if cron.months == MONTH.full else _list_names(_MONTHS, [month - 1 for month in cron.months])
    if cron.weekday_given:
        weekdays = " on " + _list_names(_WEEKDAYS, sorted((value - 1) % 7 for value in cron.weekdays))
        days = f"{_list_numbers(' on day', cron.days)} of the month or" if cron.day_given else ""
        return days + weekdays + (", in " + months if months else "")
    if cron.day_given:
        return f"{_list_numbers(' on day', cron.days)} of {months or 'the month'}"
    every_day = "" if cron.hours == HOUR.full else " every day"
    return every_day + (" in " + months if months else "")


def _list_numbers(word: str, values: Sequence[int]) -> str:
    """Return numbers after their word: "at minute 5", "on days 1, 15 and 20 through 25"."""
    parts = []
    for first, last, step in group_values(values, 4):
        if first == last:
            parts.append(str(first))
        else:
            parts.append(f"{first} through {last}{'' if step == 1 else f' in steps of {step}'}")
    return f"{word}{'s' if len(values) > 1 else ''} {join_words(parts)}"


def _list_names(names: Sequence[str], values: Sequence[int]) -> str:
    return join_words(
        [
            names[first] if first == last else f"{names[first]} through {names[last]}"
            for first, last, _step in group_values(values, len(values) + 1)
        ]
    )


def _format_length(seconds: int) -> str:
    parts = []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        amount, seconds = divmod(seconds, size)
        if amount:
            parts.append(format_count(amount, unit))
    return join_words(parts)
