# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A strict parser of five-field cron expressions.

Stricter than any crond on purpose: what one implementation reads as "never" and another as "always" is refused, with a
sentence that names the field, the value and what to write instead.
"""

from __future__ import annotations

import calendar
import datetime
import difflib
import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from ..common.errors import CloudsyncError, usage_error

Values = Tuple[int, ...]

LAST_YEAR = 2199

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_NUMBER = re.compile(r"[0-9]{1,9}\Z")
_EXTENSION = re.compile(r"(?i)[0-9LWHR()-]*[LWHR][0-9LWHR()-]*\Z|.*[#?~]")
_INSTEAD = {
    "L": "write the day itself, such as 28",
    "W": "list the days, or the weekdays mon-fri",
    "#": "list the days, or the weekdays",
    "?": "write * for any",
    "H": "write a fixed value and spread the runs with spread",
    "R": "write a fixed value and spread the runs with spread",
    "~": "write a fixed value and spread the runs with spread",
}


class Field(NamedTuple):
    """One of the five fields: its word, the least and greatest value, and the names of values from ``low`` on."""

    word: str
    low: int
    high: int
    names: Sequence[str] = ()

    @property
    def full(self) -> Values:
        """Every value of the field; a weekday is 0 (Sunday) to 6."""
        return tuple(range(self.low, self.high + 1))


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day", 1, 31)
MONTH = Field("month", 1, 12, MONTH_NAMES)
WEEKDAY = Field("weekday", 0, 6, WEEKDAY_NAMES)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True)
class Cron:
    """When to start, as sorted values; two expressions with one meaning are equal.

    ``weekdays`` holds 0 (Sunday) to 6; ``days`` never exceeds the longest of ``months``. A day field is given when it
    restricts: with both given a date that matches either is meant, and a pair that matches every date is given by none.
    """

    minutes: Values
    hours: Values
    days: Values
    months: Values
    weekdays: Values
    day_given: bool
    weekday_given: bool

    @property
    def text(self) -> str:
        """The normalised five fields: numbers only, in order, as short as the values allow."""
        fields = (self.minutes, self.hours, self.days if self.day_given else DAY.full, self.months, self.weekdays)
        return " ".join(_format_field(field, values) for field, values in zip(FIELDS, fields))

    @property
    def day_rules(self) -> Tuple[Tuple[Values, Values], ...]:
        """The dates meant, as one or two pairs (days, weekdays): a date matches a pair by matching both its halves."""
        if not (self.day_given and self.weekday_given):
            return ((self.days, self.weekdays),)
        return ((self.days, WEEKDAY.full), (DAY.full, self.weekdays))


def parse(expression: str) -> Cron:
    """Read five fields or a macro such as ``@daily``; CloudsyncError ``usage`` says what is wrong with it."""
    words = expression.split()
    if len(words) == 1 and words[0].startswith("@"):
        words = _expand_macro(words[0]).split()
    if len(words) != 5:
        raise usage_error(
            'cron is "{0}", which has {1} fields: write five, minute hour day month weekday{2}.'.format(
                expression, len(words), ", without seconds or a year" if len(words) > 5 else ""
            )
        )
    return parse_fields(dict(zip((field.word for field in FIELDS), words)))


def parse_fields(texts: Dict[str, str]) -> Cron:
    """Read one text a field; an absent ``minute`` is 0 and any other absent field ``*``, as in TrueNAS."""
    minutes, hours, days, months, weekdays = (
        _parse_field(field, texts.get(field.word, "0" if field is MINUTE else "*")) for field in FIELDS
    )
    longest = max(calendar.monthrange(2000, month)[1] for month in months)
    possible = tuple(day for day in days if day <= longest)
    either = texts.get("day", "*") != "*" and texts.get("weekday", "*") != "*"
    if not possible and not either:
        raise usage_error(
            'day is "{0}", a date that never comes in month "{1}", which has at most {2} days.'.format(
                texts["day"], texts["month"], longest
            )
        )
    every_day = len(possible) in (0, longest)
    every_weekday = weekdays == WEEKDAY.full
    if either and possible and (every_day or every_weekday):
        every_day = every_weekday = True
    return Cron(
        minutes=minutes,
        hours=hours,
        days=DAY.full if every_day else possible,
        months=months,
        weekdays=WEEKDAY.full if every_weekday else weekdays,
        day_given=not every_day,
        weekday_given=not every_weekday,
    )


def iterate_dates(cron: Cron, first: datetime.date) -> Iterator[datetime.date]:
    """The dates that match, from ``first`` on, to the last year that systemd computes."""
    rules = [(frozenset(days), frozenset(weekdays)) for days, weekdays in cron.day_rules]
    for year in range(first.year, LAST_YEAR + 1):
        for month in cron.months:
            if (year, month) < (first.year, first.month):
                continue
            monday_based, length = calendar.monthrange(year, month)
            for day in range(first.day if (year, month) == (first.year, first.month) else 1, length + 1):
                weekday = (monday_based + day) % 7
                if any(day in days and weekday in weekdays for days, weekdays in rules):
                    yield datetime.date(year, month, day)


def list_warnings(cron: Cron) -> List[str]:
    """Sentences on what is allowed but easily misread."""
    days, weekdays = cron.text.split()[2], cron.text.split()[4]
    if not (days.startswith("*/") and cron.weekday_given):
        return []
    return [
        f'day is "{days}" and weekday is "{weekdays}": a date that matches either of them runs the task, although some '
        "cron daemons ask for both when a field begins with *."
    ]


def group_values(values: Sequence[int], shortest: int) -> List[Tuple[int, int, int]]:
    """Sorted values as (first, last, step); a row of step 1 has 3 values or more, any other at least ``shortest``."""
    found = []
    at = 0
    while at < len(values):
        first, last, step = values[at], values[at], 1
        if at + 1 < len(values):
            stride = values[at + 1] - first
            end = at + 1
            while end + 1 < len(values) and values[end + 1] - values[end] == stride:
                end += 1
            if end - at + 1 >= (3 if stride == 1 else shortest):
                last, step, at = values[end], stride, end
        found.append((first, last, step))
        at += 1
    return found


def _format_field(field: Field, values: Values) -> str:
    if values == field.full:
        return "*"
    step = values[1] - values[0] if len(values) > 1 else 0
    if step > 1 and values == field.full[::step] and (len(values) > 2 or len(field.full) % step == 0):
        return f"*/{step}"
    return ",".join(
        str(first) if first == last else f"{first}-{last}{'' if step == 1 else f'/{step}'}"
        for first, last, step in group_values(values, 4)
    )


def _expand_macro(word: str) -> str:
    if word.lower() == "@reboot":
        raise usage_error(
            'cron is "@reboot", which is no time: give a schedule, and catch_up to make up at boot for a missed run.'
        )
    if word.lower() not in MACROS:
        near = difflib.get_close_matches(word.lower(), MACROS, 1)
        raise usage_error(
            'cron is "{0}", which is no macro: write {1}.'.format(word, near[0] if near else " or ".join(MACROS))
        )
    return MACROS[word.lower()]


def _parse_field(field: Field, text: str) -> Values:
    found = {value for item in text.split(",") for value in _parse_item(field, text, item)}
    if field is WEEKDAY:
        found = {value % 7 for value in found}
    return tuple(sorted(found))


def _parse_item(field: Field, text: str, item: str) -> Sequence[int]:
    span, slash, step_text = item.partition("/")
    first_text, dash, last_text = span.partition("-")
    if span == "*":
        first, last = field.low, field.high
    else:
        first = _parse_value(field, text, first_text)
        last = _parse_value(field, text, last_text) if dash else first
        if field is WEEKDAY and last == 0 and dash and first:
            last = 7
        if last < first:
            raise _build_error(field, text, _suggest_forwards(field, first, last))
    if not slash:
        return range(first, last + 1)
    if not _NUMBER.match(step_text) or not 1 <= int(step_text) <= len(field.full):
        raise _build_error(field, text, f"the step after / must be a number from 1 to {len(field.full)}")
    if span != "*" and not dash:
        raise _build_error(field, text, f'a step needs a range before it: write "{first}-{field.high}/{step_text}"')
    return range(first, last + 1, int(step_text))


def _parse_value(field: Field, text: str, word: str) -> int:
    if _NUMBER.match(word):
        value = int(word)
        if not field.low <= value <= (7 if field is WEEKDAY else field.high):
            raise _build_error(field, text, f"{word} is out of range: {_format_allowed(field)}")
        return value
    lower = word.lower()
    if lower in field.names:
        return field.names.index(lower) + field.low
    if lower[:3] in field.names and lower.isalpha():
        raise _build_error(field, text, f'names have three letters: write "{lower[:3]}"')
    if any(letter.isspace() for letter in word):
        raise _build_error(field, text, "leave out the spaces")
    if _EXTENSION.match(word):
        sign = next(sign for sign in "#?~LWHR" if sign in word.upper())
        raise _build_error(field, text, f"{sign} is not supported: {_INSTEAD[sign]}")
    raise _build_error(field, text, f'write {_format_allowed(field)} in place of "{word}"')


def _format_allowed(field: Field) -> str:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return f"{field.low} to {7 if field is WEEKDAY else field.high}{names}"


def _suggest_forwards(field: Field, first: int, last: int) -> str:
    low, high = (1, 7) if field is WEEKDAY else (field.low, field.high)
    parts = [f"{a}-{b}" if a < b else str(a) for a, b in ((first, high), (low, last)) if a <= b]
    return 'a range goes forwards: write "{0}"'.format(",".join(parts))


def _build_error(field: Field, text: str, why: str) -> CloudsyncError:
    return usage_error(f'{field.word} is "{text}": {why}.')
