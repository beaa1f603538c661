# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A schedule: a cron expression with its time zone, window, spread and catch-up."""

from __future__ import annotations

import datetime
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from ..common.errors import usage_error
from ..common.validation import check_choice, parse_duration, refuse_unknown_keys
from . import cron as _cron
from . import timezones as zones
from .cron import Cron, Values

PRESETS = {name: _cron.MACROS["@" + name] for name in ("hourly", "daily", "weekly", "monthly")}
FIELD_WORDS = tuple(field.word for field in _cron.FIELDS)
KEYS = ("preset", "cron", *FIELD_WORDS, "timezone", "begin", "end", "spread", "catch_up")

MINUTES_A_DAY = 24 * 60
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\Z")


class Schedule(NamedTuple):
    """The start times of a task. Two schedules with the same meaning are equal.

    ``timezone`` None is the host's own zone. ``begin`` and ``end`` are minutes since midnight, None for no limit (a
    begin of 00:00 is no limit). ``spread`` is in seconds. With ``catch_up``, a missed run starts at boot.
    """

    cron: Cron
    timezone: Optional[str] = None
    begin: Optional[int] = None
    end: Optional[int] = None
    spread: int = 0
    catch_up: bool = False


def parse(schedule: Union[str, Mapping[str, Any]]) -> Schedule:
    """Return the Schedule for a cron expression, a macro, a preset name, or a dict of KEYS.

    A key with the value None is treated as omitted. Raise a usage error for an invalid value.
    """
    given = {"cron": schedule} if isinstance(schedule, str) else schedule
    if not isinstance(given, Mapping):
        raise usage_error(f"schedule is {schedule!r}. Use a cron expression, a preset or a dictionary.")
    given = {key: value for key, value in given.items() if value is not None}
    refuse_unknown_keys("schedule", given, KEYS)
    catch_up = given.get("catch_up", False)
    if not isinstance(catch_up, bool):
        raise usage_error(f"catch_up is {catch_up!r}. Use true or false.")
    parsed = Schedule(
        cron=_parse_cron(given),
        timezone=zones.check(_check_string("timezone", given["timezone"])) if "timezone" in given else None,
        begin=_parse_time_of_day("begin", given.get("begin")) or None,
        end=_parse_time_of_day("end", given.get("end")),
        spread=parse_duration("spread", given.get("spread", 0)),
        catch_up=catch_up,
    )
    _check_window(parsed)
    _check_change_of_clock(parsed)
    return parsed


def to_dict(schedule: Schedule) -> Dict[str, Any]:
    """Return the JSON form of a schedule, which ``parse`` reads: all keys, None for values that are not set."""
    return {
        "cron": schedule.cron.text,
        "timezone": schedule.timezone,
        "begin": None if schedule.begin is None else format_clock(schedule.begin),
        "end": None if schedule.end is None else format_clock(schedule.end),
        "spread": schedule.spread,
        "catch_up": schedule.catch_up,
    }


def format_clock(minutes: int) -> str:
    """Return minutes since midnight as HH:MM."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def list_start_minutes(schedule: Schedule) -> Values:
    """Return the sorted times of day of the cron expression that are in the window, in minutes since midnight."""
    starts = (hour * 60 + minute for hour in schedule.cron.hours for minute in schedule.cron.minutes)
    return tuple(start for start in starts if _is_in_window(schedule, start))


def split_time_boxes(schedule: Schedule) -> List[Tuple[Values, Values]]:
    """Return the smallest list of pairs (hours, minutes) whose products are ``list_start_minutes``."""
    by_hour: Dict[int, List[int]] = {}
    for start in list_start_minutes(schedule):
        by_hour.setdefault(start // 60, []).append(start % 60)
    boxes: Dict[Values, List[int]] = {}
    for hour, minutes in by_hour.items():
        boxes.setdefault(tuple(minutes), []).append(hour)
    # A window cuts at most two hours. If their minutes together are those of a whole hour, they cover the others, too.
    for whole in list(boxes):
        parts = [part for part in boxes if set(part) < set(whole)]
        if set(whole) == {minute for part in parts for minute in part}:
            covered = boxes.pop(whole)
            for part in parts:
                boxes[part] += covered
    return [(tuple(sorted(covered)), minutes) for minutes, covered in boxes.items()]


def find_shortest_gap(schedule: Schedule) -> int:
    """Return the shortest time between two starts by the wall clock, in seconds."""
    starts = list_start_minutes(schedule)
    within = [later - earlier for earlier, later in zip(starts, starts[1:])]
    least_days = MINUTES_A_DAY * 366
    earlier_date = None
    for date in _cron.iterate_dates(schedule.cron, datetime.date(2000, 1, 1)):
        if date.year == 2028 or least_days == 1:  # the calendar repeats after 28 years
            break
        if earlier_date is not None:
            least_days = min(least_days, (date - earlier_date).days)
        earlier_date = date
    return 60 * min([*within, least_days * MINUTES_A_DAY - starts[-1] + starts[0]])


def _parse_cron(given: Mapping[str, Any]) -> Cron:
    fields = {word: _check_field_text(word, given[word]) for word in FIELD_WORDS if word in given}
    forms = [word for word in ("preset", "cron") if word in given] + (["/".join(fields)] if fields else [])
    if len(forms) != 1:
        problem = f"has {' and '.join(forms)}, which exclude each other" if forms else "has no start time"
        raise usage_error(f"schedule {problem}. Use preset, or cron, or some of {', '.join(FIELD_WORDS)}.")
    if fields:
        return _cron.parse_fields(fields)
    text = _check_string(forms[0], given[forms[0]]).strip()
    if forms == ["preset"] or text.isalpha():
        check_choice("preset", text, PRESETS)
    return _cron.parse(PRESETS.get(text, text))


def _check_string(word: str, value: Any) -> str:
    if not isinstance(value, str):
        raise usage_error(f"{word} is {value!r}. Use a text in quotes.")
    return value


def _check_field_text(word: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise usage_error(f"{word} is {value!r}. Use a number, or a cron field in quotes.")
    return str(value)


def _parse_time_of_day(word: str, value: Any) -> Optional[int]:
    if value is None:
        return None
    match = _TIME.match(str(value))
    if match:
        return int(match.group(1)) * 60 + int(match.group(2))
    # YAML reads an unquoted 22:00 as the number 1320. Numbers are refused, because 800 could be meant as 08:00.
    raise usage_error(f'{word} is "{value}". Use a time from 00:00 to 23:59 in quotes, such as "22:00".')


def _is_in_window(schedule: Schedule, start: int) -> bool:
    """Return whether a start, in minutes since midnight, and all of its spread are in the window."""
    begin, end = schedule.begin or 0, schedule.end
    if end is None:
        return schedule.begin is None or (begin <= start and start * 60 + schedule.spread <= MINUTES_A_DAY * 60)
    return (start - begin) % MINUTES_A_DAY * 60 + schedule.spread <= (end - begin) % MINUTES_A_DAY * 60


def _check_window(schedule: Schedule) -> None:
    if schedule.end is not None and (schedule.begin or 0) == schedule.end:
        raise usage_error(
            f"begin and end are both {format_clock(schedule.end)}, so the window is empty. Omit both for the whole day."
        )
    if not list_start_minutes(schedule):
        begin, end = (
            format_clock(schedule.begin or 0),
            format_clock(MINUTES_A_DAY if schedule.end is None else schedule.end),
        )
        less = f" less a spread of {schedule.spread} seconds" if schedule.spread else ""
        raise usage_error(
            f'No start of "{schedule.cron.text}" is between begin {begin} and end {end}{less}. Extend the window, or '
            "change the times."
        )
    gap = find_shortest_gap(schedule) if schedule.spread else 1
    if schedule.spread >= gap:
        raise usage_error(
            f"spread is {schedule.spread} seconds. Use less than the shortest time between two starts, {gap} seconds."
        )


def _check_change_of_clock(schedule: Schedule) -> None:
    # The only zone in which skipped times begin within an hour. There, systemd's search can end in an "Infinite loop
    # in calendar calculation", and the timer has no next start, without any other message.
    if schedule.timezone == "Pacific/Chatham" and any(165 <= start < 180 for start in list_start_minutes(schedule)):
        raise usage_error(
            "timezone is Pacific/Chatham, where systemd can fail to compute a start from 02:45 to 02:59. Use other "
            'minutes, another hour, or the timezone "UTC".'
        )
