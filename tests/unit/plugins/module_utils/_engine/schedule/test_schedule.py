# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import schedule


def refusal(written):
    with pytest.raises(CloudsyncError) as caught:
        schedule.parse(written)
    assert caught.value.reason == "usage"
    return caught.value.message


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("hourly", "0 * * * *"),
        ("daily", "0 0 * * *"),
        ("weekly", "0 0 * * 0"),
        ("monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        (" 30 2 * * * ", "30 2 * * *"),
        ({"preset": "weekly"}, "0 0 * * 0"),
        ({"cron": "30 2 * * *"}, "30 2 * * *"),
        ({"cron": "@daily"}, "0 0 * * *"),
        ({"minute": 30, "hour": 2}, "30 2 * * *"),
        ({"minute": "*/15", "hour": "8-18", "weekday": "mon-fri"}, "*/15 8-18 * * 1-5"),
        ({"hour": 2}, "0 2 * * *"),
        ({"hour": 0, "day": 1, "month": "jan"}, "0 0 1 1 *"),
        ({"preset": "daily", "cron": None, "minute": None, "timezone": None, "begin": None}, "0 0 * * *"),
    ],
)
def test_every_form_of_a_schedule_is_parsed_to_a_cron_expression(written, text):
    assert schedule.parse(written).cron.text == text


def test_all_keys_of_a_schedule_are_parsed():
    written = {
        "cron": "*/10 * * * *",
        "timezone": "Europe/Berlin",
        "begin": "22:00",
        "end": "6:30",
        "spread": "9m",
        "catch_up": True,
    }
    parsed = schedule.parse(written)
    assert (parsed.timezone, parsed.begin, parsed.end) == ("Europe/Berlin", 1320, 390)
    assert (parsed.spread, parsed.catch_up) == (540, True)
    assert schedule.to_dict(parsed) == {**written, "end": "06:30", "spread": 540}


@pytest.mark.parametrize(
    "written",
    ["daily", {"hour": 3, "timezone": "UTC", "end": "12:00"}, {"cron": "0 9 1 * mon", "begin": "08:00", "spread": 5}],
)
def test_the_stored_form_is_parsed_to_the_same_schedule(written):
    parsed = schedule.parse(written)
    stored = json.loads(json.dumps(schedule.to_dict(parsed)))
    assert schedule.parse(stored) == parsed
    assert schedule.to_dict(schedule.parse(stored)) == stored


def test_schedules_with_the_same_meaning_have_the_same_stored_form():
    forms = [
        {"cron": "0 0,12 * * sun", "spread": "1h30m", "begin": "00:00", "timezone": "Etc/UTC"},
        {"minute": 0, "hour": "*/12", "weekday": 7, "spread": 5400, "timezone": "UTC", "catch_up": False},
        {"minute": "0", "hour": "12,0", "day": "*", "month": "*", "weekday": "0", "spread": "90m", "timezone": "UTC"},
    ]
    assert len({json.dumps(schedule.to_dict(schedule.parse(form))) for form in forms}) == 1


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ({}, ["has no start time", "preset"]),
        ({"timezone": "UTC"}, ["has no start time"]),
        ({"preset": "daily", "cron": "0 0 * * *"}, ["preset and cron", "exclude each other"]),
        ({"cron": "0 0 * * *", "minute": 0, "hour": 1}, ["cron and minute/hour", "exclude each other"]),
        ({"preset": "dayly"}, ["dayly", "Did you mean 'daily'"]),
        ("wekly", ["wekly", "Did you mean 'weekly'"]),
        ({"preset": "daily", "timezne": "UTC"}, ["timezne", "Did you mean 'timezone'"]),
        ({"cron": "61 * * * *"}, ['minute is "61"']),
        ({"cron": 5}, ["cron is 5", "in quotes"]),
        ({"minute": True}, ["minute is True"]),
        ({"minute": [1, 2]}, ["minute is [1, 2]"]),
        ({"hour": "1, 2"}, ['hour is "1, 2"', "Remove the spaces"]),
        ({"preset": "daily", "timezone": "US/Eastern"}, ["US/Eastern", "America/New_York"]),
        ({"cron": "50 2 * * *", "timezone": "Pacific/Chatham"}, ["Pacific/Chatham", "02:45 to 02:59"]),
        ({"preset": "daily", "timezone": 1}, ["timezone is 1"]),
        ({"preset": "hourly", "begin": 1320}, ['begin is "1320"', "in quotes"]),
        ({"preset": "hourly", "end": "24:00"}, ['end is "24:00"', "23:59"]),
        ({"preset": "hourly", "begin": "08:00", "end": "08:00"}, ["both 08:00", "Omit both"]),
        ({"hour": 5, "begin": "06:00", "end": "04:00"}, ["0 5 * * *", "begin 06:00", "end 04:00", "Extend the window"]),
        ({"hour": 5, "begin": "04:00", "end": "05:10", "spread": 601}, ["less a spread of 601 seconds"]),
        ({"preset": "hourly", "spread": "1h"}, ["spread is 3600 seconds. Use less than", "two starts, 3600 seconds"]),
        ({"preset": "daily", "spread": "often"}, ["spread is 'often'"]),
        ({"preset": "daily", "catch_up": "yes"}, ["catch_up is 'yes'", "true or false"]),
        (7, ["schedule is 7"]),
        (None, ["schedule is None"]),
    ],
)
def test_an_invalid_schedule_is_refused_with_the_reason(written, parts):
    message = refusal(written)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("begin", "end", "spread", "hours"),
    [
        ("08:00", "11:00", 0, [8, 9, 10, 11]),
        ("08:00", "11:00", 1, [8, 9, 10]),
        ("08:00", "11:00", 3599, [8, 9, 10]),
        ("22:00", "02:00", 0, [0, 1, 2, 22, 23]),
        ("22:00", "02:00", 600, [0, 1, 22, 23]),
        ("22:00", None, 0, [22, 23]),
        ("22:00", None, 3600 - 1, [22, 23]),
        ("00:00", None, 600, list(range(24))),
        (None, "02:00", 0, [0, 1, 2]),
        (None, "02:00", 600, [0, 1]),
        (None, None, 600, list(range(24))),
    ],
)
def test_starts_and_their_spread_are_within_the_window(begin, end, spread, hours):
    parsed = schedule.parse({"preset": "hourly", "begin": begin, "end": end, "spread": spread})
    assert [start // 60 for start in schedule.list_start_minutes(parsed)] == hours


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("* * * * *", 1),
        ("*/7 * * * *", 4),
        ("0 1,4 * * *", 180),
        ("30 23,0 * * *", 60),
        ("0 0 * * *", 1440),
        ("0 0 * * mon,thu", 3 * 1440),
        ("0 22,2 * * 1", 20 * 60),
        ("0 22,2 * * 1,2", 4 * 60),
        ("0 0 1 * *", 28 * 1440),
        ("0 0 31 * *", 31 * 1440),
        ("0 0 29 2 *", 1461 * 1440),
        ("0 0 1 * sun", 1440),
        ({"cron": "*/15 * * * *", "begin": "06:00", "end": "07:00"}, 15),
    ],
)
def test_find_shortest_gap_returns_the_shortest_time_between_starts(written, minutes):
    assert schedule.find_shortest_gap(schedule.parse(written)) == minutes * 60
