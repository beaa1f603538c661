# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule.overdue import find_overdue_slot
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule.schedule import parse

HOURLY = {"cron": "0 * * * *", "timezone": "Etc/UTC"}


def at(hour, minute=0, day=22):
    return datetime.datetime(2026, 11, day, hour, minute, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("reference", "now", "since"),
    [
        (at(8, 0), at(8, 30), None),
        (at(8, 0), at(9, 5), None),
        (at(8, 0), at(9, 10), None),
        (at(8, 0), at(9, 11), at(9)),
        (at(8, 0), at(15, 0), at(9)),
        (at(9, 0), at(9, 30), None),
        (at(9, 3), at(9, 30), None),
        (at(8, 59), at(9, 30), at(9)),
    ],
)
def test_a_run_is_overdue_ten_minutes_after_its_slot(reference, now, since):
    assert find_overdue_slot(parse(HOURLY), reference, now) == since


def test_a_run_is_not_overdue_before_its_spread_has_passed():
    spread = {**HOURLY, "spread": "30m"}

    assert find_overdue_slot(parse(spread), at(8, 30), at(9, 40)) is None
    assert find_overdue_slot(parse(spread), at(8, 30), at(9, 41)) == at(9)


def test_a_slot_is_computed_in_the_time_zone_of_the_schedule():
    daily = {"cron": "0 4 * * *", "timezone": "Asia/Tokyo"}  # 19:00 UTC

    assert find_overdue_slot(parse(daily), at(12), at(18, 59)) is None
    assert find_overdue_slot(parse(daily), at(12), at(19, 30)) == at(19)


def test_no_run_is_overdue_outside_of_the_window():
    nightly = {**HOURLY, "begin": "22:00", "end": "02:00"}

    assert find_overdue_slot(parse(nightly), at(2, 0), at(21, 0)) is None
    assert find_overdue_slot(parse(nightly), at(2, 0), at(22, 30)) == at(22)
