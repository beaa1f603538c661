# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Parse five-field cron expressions strictly.

The parser is stricter than any cron daemon: it refuses text that two daemons read differently. An error names the
field, the value and what to use instead.
"""

from __future__ import annotations

import calendar
import datetime
import difflib
import re
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from ..common.errors import CloudsyncError, usage_error
from ..common.text import format_count

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
    "L": "Use the number of the day, such as 28",
    "W": "List the days, or use the weekdays mon-fri",
    "#": "List the days, or the weekdays",
    "?": "Use * for every value",
    "H": "Use a fixed value, and the option spread for a random delay",
    "R": "Use a fixed value, and the option spread for a random delay",
    "~": "Use a fixed value, and the option spread for a random delay",
}


class Field(NamedTuple):
    """One of the five fields: its word, the lowest and highest value, and the names of the values from ``low`` on."""

    word: str
    low: int
    high: int
    names: Sequence[str] = ()

    @property
    def full(self) -> Values:
        """All values of the field. A weekday is 0 (Sunday) to 6."""
        return tuple(range(self.low, self.high + 1))


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day", 1, 31)
MONTH = Field("month", 1, 12, MONTH_NAMES)
WEEKDAY = Field("weekday", 0, 6, WEEKDAY_NAMES)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)
# The days of each month, from 1, in a leap year.
LONGEST = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Cron(NamedTuple):
    """The start times of a cron expression, as sorted values. Two expressions with the same meaning are equal.

    ``weekdays`` are 0 (Sunday) to 6, and ``days`` do not exceed the longest of ``months``. ``day_given`` and
    ``weekday_given`` say whether the field restricts the dates. If both do, a date that matches either field matches.
    If the two fields together match every date, neither is given.
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
        """The five fields in normal form: numbers only, in order, as short as possible."""
        fields = (self.minutes, self.hours, self.days if self.day_given else DAY.full, self.months, self.weekdays)
        return " ".join(_format_field(field, values) for field, values in zip(FIELDS, fields))

    @property
    def day_rules(self) -> Tuple[Tuple[Values, Values], ...]:
        """One or two pairs (days, weekdays). A date matches if it matches both halves of one of the pairs."""
        if not (self.day_given and self.weekday_given):
            return ((self.days, self.weekdays),)
        return ((self.days, WEEKDAY.full), (DAY.full, self.weekdays))


def parse(expression: str) -> Cron:
    """Return the Cron for five fields or a macro such as ``@daily``. Raise a usage error for any other text."""
    words = expression.split()
    if len(words) == 1 and words[0].startswith("@"):
        words = _expand_macro(words[0]).split()
    if len(words) != 5:
        without = ", without seconds or a year" if len(words) > 5 else ""
        raise usage_error(
            f'cron is "{expression}", which has {format_count(len(words), "field")}. Use five fields (minute hour day '
            f"month weekday){without}."
        )
    return parse_fields(dict(zip((field.word for field in FIELDS), words)))


def parse_fields(texts: Dict[str, str]) -> Cron:
    """Return the Cron for one text per field. An omitted ``minute`` is 0, any other omitted field is ``*``."""
    minutes, hours, days, months, weekdays = (
        _parse_field(field, texts.get(field.word, "0" if field is MINUTE else "*")) for field in FIELDS
    )
    longest = max(LONGEST[month] for month in months)
    possible = tuple(day for day in days if day <= longest)
    either = texts.get("day", "*") != "*" and texts.get("weekday", "*") != "*"
    if not possible and not either:
        raise usage_error(
            f'day is "{texts["day"]}", but month "{texts["month"]}" has at most {longest} days. Use an existing date.'
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
    """Yield the dates that match, from ``first`` to the last year that systemd computes."""
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
    """Return a sentence for each part that is valid but easily misread."""
    days, weekdays = cron.text.split()[2], cron.text.split()[4]
    if not (days.startswith("*/") and cron.weekday_given):
        return []
    return [
        f'day is "{days}" and weekday is "{weekdays}". The task runs on dates that match either field. Some cron '
        "daemons run only on dates that match both if a field begins with *."
    ]


def group_values(values: Sequence[int], shortest: int) -> List[Tuple[int, int, int]]:
    """Return sorted values as groups (first, last, step).

    A group with step 1 has at least 3 values, a group with another step at least ``shortest``.
    """
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
            'cron is "@reboot", which is not supported. Use a schedule with catch_up: it starts a missed run at boot.'
        )
    if word.lower() not in MACROS:
        near = difflib.get_close_matches(word.lower(), MACROS, 1)
        macros = near[0] if near else f"one of {', '.join(MACROS)}"
        raise usage_error(f'cron is "{word}", which is not a macro. Use {macros}.')
    return MACROS[word.lower()]


def _parse_field(field: Field, text: str) -> Values:
    if text == "*":  # the usual one, and a host may have hundreds of schedules
        return field.full
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
            raise _build_error(field, text, _suggest_ranges(field, first, last))
    if not slash:
        return range(first, last + 1)
    if not _NUMBER.match(step_text) or not 1 <= int(step_text) <= len(field.full):
        raise _build_error(field, text, f"The step after / must be a number from 1 to {len(field.full)}")
    if span != "*" and not dash:
        raise _build_error(field, text, f'A step needs a range. Use "{first}-{field.high}/{step_text}"')
    return range(first, last + 1, int(step_text))


def _parse_value(field: Field, text: str, word: str) -> int:
    if _NUMBER.match(word):
        value = int(word)
        if not field.low <= value <= (7 if field is WEEKDAY else field.high):
            raise _build_error(field, text, f"{word} is out of range. Use {_format_allowed(field)}")
        return value
    lower = word.lower()
    if lower in field.names:
        return field.names.index(lower) + field.low
    if lower[:3] in field.names and lower.isalpha():
        raise _build_error(field, text, f'Names have three letters. Use "{lower[:3]}"')
    if any(letter.isspace() for letter in word):
        raise _build_error(field, text, "Remove the spaces")
    if _EXTENSION.match(word):
        sign = next(sign for sign in "#?~LWHR" if sign in word.upper())
        raise _build_error(field, text, f"{sign} is not supported. {_INSTEAD[sign]}")
    raise _build_error(field, text, f'Use {_format_allowed(field)} instead of "{word}"')


def _format_allowed(field: Field) -> str:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return f"{field.low} to {7 if field is WEEKDAY else field.high}{names}"


def _suggest_ranges(field: Field, first: int, last: int) -> str:
    low, high = (1, 7) if field is WEEKDAY else (field.low, field.high)
    parts = [f"{a}-{b}" if a < b else str(a) for a, b in ((first, high), (low, last)) if a <= b]
    return f'A range must be in ascending order. Use "{",".join(parts)}"'


def _build_error(field: Field, text: str, remedy: str) -> CloudsyncError:
    return usage_error(f'{field.word} is "{text}". {remedy}.')
