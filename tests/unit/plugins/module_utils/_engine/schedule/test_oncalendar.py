# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import schedule
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule.oncalendar import to_oncalendar


def lines(written):
    return to_oncalendar(schedule.parse(written))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("* * * * *", ["*-*-* *:*:00"]),
        ("hourly", ["*-*-* *:00:00"]),
        ("daily", ["*-*-* 00:00:00"]),
        ("weekly", ["Sun *-*-* 00:00:00"]),
        ("monthly", ["*-*-01 00:00:00"]),
        ("*/5 * * * *", ["*-*-* *:00..55/5:00"]),
        ("30 2 * * mon-fri", ["Mon..Fri *-*-* 02:30:00"]),
        ("30 2 * * fri-sun", ["Fri..Sun *-*-* 02:30:00"]),
        ("30 2 * * sun,mon,tue", ["Mon,Tue,Sun *-*-* 02:30:00"]),
        ("0 8-18 1-15 */2 *", ["*-01..11/2-01..15 08..18:00:00"]),
        ("0 0 1,15 * fri", ["*-*-01,15 00:00:00", "Fri *-*-* 00:00:00"]),
        ("0 0 */2 * mon", ["*-*-01..31/2 00:00:00", "Mon *-*-* 00:00:00"]),
        ("0 0 1-31 * mon", ["*-*-* 00:00:00"]),
        ("0 0 31 2 mon", ["Mon *-02-* 00:00:00"]),
        ("0 0 31 2,3 *", ["*-02,03-31 00:00:00"]),
        ({"preset": "daily", "timezone": "Europe/Berlin"}, ["*-*-* 00:00:00 Europe/Berlin"]),
        ({"preset": "daily", "timezone": "Etc/UTC"}, ["*-*-* 00:00:00 UTC"]),
    ],
)
def test_a_schedule_needs_one_or_two_expressions(written, expected):
    assert lines(written) == expected


@pytest.mark.parametrize(
    ("begin", "end", "spread", "expected"),
    [
        ("08:00", "17:59", 0, ["*-*-* 08..17:00..45/15:00"]),
        ("08:30", "12:00", 0, ["*-*-* 08:30,45:00", "*-*-* 09..11:00..45/15:00", "*-*-* 12:00:00"]),
        ("22:30", "01:15", 0, ["*-*-* 00,01,23:00,15:00", "*-*-* 00,22,23:30,45:00"]),
        ("22:30", "01:15", 60, ["*-*-* 00,23:00..45/15:00", "*-*-* 01:00:00", "*-*-* 22:30,45:00"]),
        ("10:45", "10:15", 0, ["*-*-* 00..09,11..23:00..45/15:00", "*-*-* 10:00,15,45:00"]),
    ],
)
def test_a_window_needs_the_smallest_number_of_expressions(begin, end, spread, expected):
    found = lines({"cron": "*/15 * * * *", "begin": begin, "end": end, "spread": spread})
    assert sorted(found) == sorted(expected)


def test_time_boxes_are_exactly_the_starts_in_the_window():
    chance = random.Random(2)
    for _attempt in range(300):
        minutes, hours = (",".join(map(str, chance.sample(range(size), chance.randint(1, 9)))) for size in (60, 24))
        begin, end = chance.sample(range(1440), 2)
        spread = chance.choice([0, 0, 1, 59, 60, 1000])
        parsed = schedule.Schedule(
            schedule.parse({"minute": minutes, "hour": hours}).cron, begin=begin, end=end, spread=spread
        )
        boxes = schedule.split_time_boxes(parsed)
        covered = {hour * 60 + minute for hours, minutes in boxes for hour in hours for minute in minutes}
        length = (end - begin) % 1440 * 60
        expected = {
            hour * 60 + minute
            for hour in parsed.cron.hours
            for minute in parsed.cron.minutes
            if (hour * 60 + minute - begin) % 1440 * 60 + spread <= length
        }
        assert covered == expected == set(schedule.list_start_minutes(parsed))
        assert len(boxes) <= 3


def test_no_expression_exceeds_the_length_tested_with_systemd():
    odd = ",".join(str(minute) for minute in range(60) if minute % 7 in (0, 3))
    assert all(len(line) < 365 for line in lines(f"{odd} 1,4,5,9,11,20 1,4,5,9,11,20 1,4,6,7,12 1,3,6"))
