# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import itertools
import os
import random
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import cron, schedule
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import next_runs as occurrences
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import timezones as zones

UTC = datetime.timezone.utc


def starts(written, zone, after, count=4):
    parsed = schedule.parse({**(written if isinstance(written, dict) else {"cron": written}), "timezone": zone})
    moment = datetime.datetime.fromisoformat(after)
    return [run.isoformat() for run in occurrences.find_next_runs(parsed, moment, count)]


@pytest.fixture(params=["zoneinfo", "C library"])
def _clocks(request, monkeypatch):
    """Run the test with both clocks that a host may use: zoneinfo, and the clock for Python 3.8."""
    if request.param == "zoneinfo":
        pytest.importorskip("zoneinfo")
    else:
        monkeypatch.setattr(zones, "ZoneInfo", None)


pytestmark = pytest.mark.usefixtures("_clocks")


def test_next_runs_are_later_than_the_given_moment():
    assert starts("0 * * * *", "UTC", "2027-06-01T10:00:00+00:00", 2) == [
        "2027-06-01T11:00:00+00:00",
        "2027-06-01T12:00:00+00:00",
    ]
    assert starts("0 * * * *", "UTC", "2027-06-01T09:59:59+00:00", 1) == ["2027-06-01T10:00:00+00:00"]
    assert starts("0 * * * *", "UTC", "2027-06-01T10:00:00+00:00", 0) == []


def test_a_skipped_time_starts_no_run():
    assert starts("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", 2) == [
        "2026-03-30T02:30:00+02:00",
        "2026-03-31T02:30:00+02:00",
    ]


def test_a_repeated_time_starts_one_run():
    assert starts("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:45:00+02:00", 4) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T03:00:00+01:00",
        "2026-10-25T03:30:00+01:00",
    ]


def test_a_search_that_begins_in_the_second_pass_stays_there():
    assert starts("*/30 * * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00", 2) == [
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]
    assert starts("*/30 * * * *", "America/New_York", "2026-11-01T01:30:00-05:00", 1) == ["2026-11-01T02:00:00-05:00"]


def test_a_search_from_winter_uses_the_second_pass_if_a_month_begins_with_a_repeated_hour():
    assert starts("*/40 * * nov *", "America/Havana", "2026-01-26T02:22:00-05:00", 2) == [
        "2026-11-01T00:00:00-05:00",
        "2026-11-01T00:40:00-05:00",
    ]
    assert starts("*/40 * * * *", "America/Havana", "2026-10-31T23:50:00-04:00", 2) == [
        "2026-11-01T00:00:00-04:00",
        "2026-11-01T00:40:00-04:00",
    ]


def test_a_clock_change_of_half_an_hour_is_handled():
    assert starts("*/15 * * * *", "Australia/Lord_Howe", "2026-10-04T01:45:00+10:30", 2) == [
        "2026-10-04T02:30:00+11:00",
        "2026-10-04T02:45:00+11:00",
    ]


def test_a_skipped_midnight_is_handled():
    assert starts("0 0,5 * * *", "America/Santiago", "2026-09-05T12:00:00-04:00", 2) == [
        "2026-09-06T05:00:00-03:00",
        "2026-09-07T00:00:00-03:00",
    ]


def test_in_chatham_the_rest_of_the_hour_is_omitted_as_in_systemd():
    assert starts("0,50 0,3,4 * * *", "Pacific/Chatham", "2026-09-27T00:20:00+12:45", 2) == [
        "2026-09-27T00:50:00+12:45",
        "2026-09-27T04:00:00+13:45",
    ]
    assert starts("50 0,3 * * *", "Pacific/Chatham", "2026-09-27T03:46:00+13:45", 1) == ["2026-09-27T03:50:00+13:45"]


def test_a_search_that_skips_into_a_gap_of_two_hours_continues_two_hours_later():
    # 01:00 to 03:00 are skipped. What systemd answers: 02:00 becomes 04:00, and 01:00 becomes 03:00.
    after = "2028-03-26T00:45:00+00:00"
    assert starts("30 2-5 * * *", "Antarctica/Troll", after, 1) == ["2028-03-26T04:30:00+02:00"]
    assert starts("30 2,3 * * *", "Antarctica/Troll", after, 1) == ["2028-03-27T02:30:00+02:00"]
    assert starts("30 0,2,3 * * *", "Antarctica/Troll", after, 1) == ["2028-03-26T03:30:00+02:00"]
    assert starts("30 1-3 * * *", "Antarctica/Troll", after, 1) == ["2028-03-26T03:30:00+02:00"]


def test_with_daylight_saving_time_in_winter_a_day_is_omitted_as_in_systemd():
    assert starts("30 1,5 * * *", "Europe/Dublin", "2027-03-27T12:00:00+00:00", 1) == ["2027-03-29T01:30:00+01:00"]
    assert starts("0 * * * *", "Europe/Dublin", "2027-03-28T00:00:00+00:00", 1) == ["2027-03-28T02:00:00+01:00"]
    assert starts("0 5 * * *", "Europe/Dublin", "2027-03-27T12:00:00+00:00", 1) == ["2027-03-28T05:00:00+01:00"]


def test_the_window_limits_the_slot_and_its_spread():
    written = {"cron": "*/30 * * * *", "begin": "23:00", "end": "00:30", "spread": "10m"}
    assert starts(written, "UTC", "2027-06-01T10:00:00+00:00") == [
        "2027-06-01T23:00:00+00:00",
        "2027-06-01T23:30:00+00:00",
        "2027-06-02T00:00:00+00:00",
        "2027-06-02T23:00:00+00:00",
    ]


def test_a_schedule_without_a_time_zone_uses_the_hosts_clock(monkeypatch):
    monkeypatch.setenv("TZ", ":" + os.path.join(zones._find_directory(), "Asia/Kolkata"))
    time.tzset()
    try:
        found = occurrences.find_next_runs(schedule.parse("daily"), datetime.datetime(2027, 6, 1, 12, tzinfo=UTC), 1)
        assert [run.isoformat() for run in found] == ["2027-06-02T00:00:00+05:30"]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_next_runs_end_with_the_last_year_of_systemd():
    assert starts("0 0 29 2 *", "UTC", "2192-03-01T00:00:00+00:00") == ["2196-02-29T00:00:00+00:00"]


def test_iterate_wall_times_yields_the_matching_minutes_in_order():
    chance = random.Random(3)
    for _attempt in range(20):
        minutes, hours = (",".join(map(str, chance.sample(range(size), 4))) for size in (60, 24))
        parsed = cron.parse(f"{minutes} {hours} {chance.randint(1, 28)} * {chance.randint(0, 6)}")
        after = datetime.datetime(2027, chance.randint(1, 12), 7, 13, 17)
        minute = after.replace(second=0) + datetime.timedelta(minutes=1)
        expected = []
        while len(expected) < 20:
            date_matches = minute.day in parsed.days or minute.isoweekday() % 7 in parsed.weekdays
            if date_matches and minute.minute in parsed.minutes and minute.hour in parsed.hours:
                expected.append(minute)
            minute += datetime.timedelta(minutes=1)
        assert list(itertools.islice(occurrences.iterate_wall_times(parsed, after), 20)) == expected


def test_a_leap_day_is_found_quickly():
    begun = time.process_time()
    assert starts("0 0 29 2 *", "Europe/Berlin", "2096-03-01T00:00:00+00:00", 1) == ["2104-02-29T00:00:00+01:00"]
    assert time.process_time() - begun < 0.5
