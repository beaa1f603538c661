# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import itertools
import random

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import cron


def refusal(expression):
    with pytest.raises(CloudsyncError) as caught:
        cron.parse(expression)
    assert caught.value.reason == "usage"
    return caught.value.message


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("30 2 * * *", "30 2 * * *"),
        ("  */15\t8-18 * *  MON-Fri ", "*/15 8-18 * * 1-5"),
        ("0,30 0 1,15 JAN,jul sun", "*/30 0 1,15 */6 0"),
        ("0 0 * * fri-sun", "0 0 * * 0,5,6"),
        ("0 0 * * fri-0", "0 0 * * 0,5,6"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * 0-7", "0 0 * * *"),
        ("0 0 * * sun-sun", "0 0 * * 0"),
        ("5-5 23-23 * * *", "5 23 * * *"),
        ("10-59/20 * * * *", "10,30,50 * * * *"),
        ("3,2,1,9 * * * *", "1-3,9 * * * *"),
        ("1,3,5,7 * * * *", "1-7/2 * * * *"),
        ("*/60 */24 * * *", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@Monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("0 0 31 2 1", "0 0 * 2 1"),
        ("0 0 30,31 2,4 *", "0 0 30 2,4 *"),
        ("0 0 1-31 * 1", "0 0 * * *"),
        ("0 0 1 * 0-6", "0 0 * * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_the_normal_form_of_an_expression_has_the_same_meaning(expression, text):
    parsed = cron.parse(expression)
    assert parsed.text == text
    assert cron.parse(text) == parsed


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("5/10 * * * *", ['minute is "5/10"', '"5-59/10"']),
        ("0 22-2 * * *", ['hour is "22-2"', '"22-23,0-2"']),
        ("0 0 * * sat-mon", ['weekday is "sat-mon"', '"6-7,1"']),
        ("0 0 L * *", ['day is "L"', "L is not supported"]),
        ("0 0 LW * *", ['day is "LW"', "not supported"]),
        ("0 0 15W * *", ['day is "15W"', "W is not supported"]),
        ("0 0 * * 5L", ['weekday is "5L"', "L is not supported"]),
        ("0 0 * * 5#2", ['weekday is "5#2"', "# is not supported"]),
        ("0 0 ? * 1", ['day is "?"', "Use *"]),
        ("H 0 * * *", ['minute is "H"', "spread"]),
        ("H(0-29)/10 0 * * *", ["minute is", "H is not supported"]),
        ("R 0 * * *", ['minute is "R"', "spread"]),
        ("0~30 0 * * *", ['minute is "0~30"', "~ is not supported"]),
        ("60 * * * *", ['minute is "60"', "0 to 59"]),
        ("* 24 * * *", ['hour is "24"', "0 to 23"]),
        ("0 0 0 * *", ['day is "0"', "1 to 31"]),
        ("0 0 * 13 *", ['month is "13"', "1 to 12 or jan to dec"]),
        ("0 0 * * 8", ['weekday is "8"', "0 to 7 or sun to sat"]),
        ("*/0 * * * *", ['minute is "*/0"', "from 1 to 60"]),
        ("*/90 * * * *", ['minute is "*/90"', "from 1 to 60"]),
        ("*/x * * * *", ['minute is "*/x"', "step"]),
        ("1,,2 * * * *", ['minute is "1,,2"']),
        ("-5 * * * *", ['minute is "-5"']),
        ("1-2-3 * * * *", ['minute is "1-2-3"']),
        ("1;2 * * * *", ['minute is "1;2"']),
        ("*2 * * * *", ['minute is "*2"']),
        ("٣ * * * *", ["minute is"]),
        ("0 0 * * monday", ['weekday is "monday"', '"mon"']),
        ("0 0 * foo *", ['month is "foo"', "jan to dec"]),
        ("0 0 mon * *", ['day is "mon"']),
        ("0 0 * * * *", ["has 6 fields", "without seconds or a year"]),
        ("0 0 0 * * * 2027", ["has 7 fields"]),
        ("0 0 * *", ["has 4 fields"]),
        ("", ["has 0 fields"]),
        ("@reboot", ["@reboot", "catch_up"]),
        ("@dayly", ["@dayly", "Use @daily"]),
        ("0 0 31 2 *", ['day is "31"', "at most 29 days"]),
        ("0 0 31 4,jun *", ['day is "31"', '"4,jun"', "at most 30 days"]),
    ],
)
def test_an_invalid_expression_is_refused_with_the_field_the_value_and_a_remedy(expression, parts):
    message = refusal(expression)
    for part in parts:
        assert part in message
    assert message.endswith(".")


# Tested with TrueNAS's parser. The last list is accepted there, but never starts or has another meaning in cron.
TRUENAS_TAKES = ["00", "*/10", "1-59/2", "9-17", "5,10-20"]
TRUENAS_REFUSES = ["0/10", "60", "*/0", "H", "abc", "-1", "1.5"]
TRUENAS_TAKES_WRONGLY = ["L", "?", "R", "5-1", "*/70", "mon#2", "1 2"]


@pytest.mark.parametrize("minute", TRUENAS_TAKES)
def test_valid_minutes_of_truenas_are_accepted(minute):
    assert cron.parse(f"{minute} * * * *").text.split()[1:] == ["*"] * 4


@pytest.mark.parametrize("minute", [*TRUENAS_REFUSES, *TRUENAS_TAKES_WRONGLY])
def test_invalid_minutes_are_refused_also_those_that_truenas_accepts(minute):
    assert minute in refusal(f"{minute} * * * *")


def test_the_suggested_value_is_valid():
    for expression in (
        "0 0 * * sat-mon",
        "0 0 * * 3-2",
        "50-10 * * * *",
        "0 22-2 * * *",
        "0 0 * 11-1 *",
        "5/10 * * * *",
    ):
        fields = expression.split()
        word, advice = refusal(expression).split(" is ", 1)
        fields[[field.word for field in cron.FIELDS].index(word)] = advice.split('"')[-2]
        cron.parse(" ".join(fields))


def test_omitted_fields_mean_hourly_as_in_truenas():
    assert cron.parse_fields({}).text == "0 * * * *"
    assert cron.parse_fields({"hour": "2", "weekday": "sun"}).text == "0 2 * * 0"


def test_a_day_step_with_a_weekday_gives_a_warning():
    assert '"*/2"' in cron.list_warnings(cron.parse("0 0 */2 * 1"))[0]
    assert cron.list_warnings(cron.parse("0 0 */2 * *")) == []
    assert cron.list_warnings(cron.parse("0 0 1,15 * 1")) == []
    assert cron.list_warnings(cron.parse("0 0 * * 1")) == []


def matches(fields, date):
    """Return whether a date matches, by an independent implementation: either day field matches if both are set."""
    day, month, weekday = (expand(text, low, high) for text, low, high in zip(fields, (1, 1, 0), (31, 12, 6)))
    by_day, by_weekday = date.day in day, date.isoweekday() % 7 in weekday
    if fields[0] != "*" and fields[2] != "*":
        return date.month in month and (by_day or by_weekday)
    return date.month in month and by_day and by_weekday


def expand(text, low, high):
    if text.startswith("*"):
        return range(low, high + 1, int(text[2:] or 1))
    return [int(value) for value in text.split(",")]


def test_dates_are_the_same_as_those_of_an_independent_implementation():
    chance = random.Random(1)
    first = datetime.date(2027, 1, 20)
    days = [first + datetime.timedelta(days=day) for day in range(800)]
    for _attempt in range(150):
        fields = [
            chance.choice(["*", "*/2", "*/5", ",".join(map(str, chance.sample(range(low, high + 1), 3)))])
            for low, high in ((1, 28), (1, 12), (0, 6))
        ]
        found = cron.iterate_dates(cron.parse("0 0 " + " ".join(fields)), first)
        expected = [day for day in days if matches(fields, day)]
        assert list(itertools.islice(found, len(expected))) == expected, fields


def test_dates_end_with_the_last_year_of_systemd():
    assert [date.year for date in cron.iterate_dates(cron.parse("0 0 1 1 *"), datetime.date(2198, 1, 2))] == [2199]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [(1, 1, 1), (2, 2, 1)]),
        ([1, 2, 3], [(1, 3, 1)]),
        ([1, 3, 5], [(1, 1, 1), (3, 3, 1), (5, 5, 1)]),
        ([1, 3, 5, 7, 8], [(1, 7, 2), (8, 8, 1)]),
        ([5, 6, 8, 10, 12], [(5, 5, 1), (6, 12, 2)]),
        ([], []),
    ],
)
def test_group_values_forms_groups_where_they_are_shorter(values, expected):
    assert cron.group_values(values, 4) == expected
