# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import schedule
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule.describe import describe


@pytest.mark.parametrize(
    ("expression", "english"),
    [
        ("* * * * *", "Every minute"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 * * * *", "Every hour"),
        ("30 * * * *", "At minute 30 of every hour"),
        ("*/7 * * * *", "At minutes 0 through 56 in steps of 7 of every hour"),
        ("0 */2 * * *", "Every 2 hours from 00:00 every day"),
        ("0 */5 * * *", "At 00:00, 05:00, 10:00, 15:00 and 20:00 every day"),
        ("15 */2 * * *", "At minute 15 of hours 0 through 22 in steps of 2 every day"),
        ("* 3 * * *", "Every minute from 03:00 through 03:59 every day"),
        ("0 8-18 * * *", "Every hour from 08:00 through 18:00 every day"),
        ("*/15 8-18 * * 1-5", "Every 15 minutes from 08:00 through 18:45 on Monday through Friday"),
        ("30 2,14 * * *", "At 02:30 and 14:30 every day"),
        ("0 * * * 1", "Every hour on Monday"),
        ("0 * * 6 *", "Every hour in June"),
        ("0 0 * * fri-sun", "At 00:00 on Friday through Sunday"),
        ("0 0 * * mon,wed,sun", "At 00:00 on Monday, Wednesday and Sunday"),
        ("0 0 29 2 *", "At 00:00 on day 29 of February"),
        ("0 0 1,15 * *", "At 00:00 on days 1 and 15 of the month"),
        ("0 0 1,15 * fri", "At 00:00 on days 1 and 15 of the month or on Friday"),
        ("0 9 1 1,7 mon", "At 09:00 on day 1 of the month or on Monday, in January and July"),
        ("0 0 */2 * 1", "At 00:00 on days 1 through 31 in steps of 2 of the month or on Monday"),
        ("0 9 * 1-3 *", "At 09:00 every day in January through March"),
    ],
)
def test_describe_returns_times_and_dates_in_english(expression, english):
    assert describe(schedule.parse({"cron": expression, "timezone": "UTC"})) == english + ", UTC"


@pytest.mark.parametrize(
    ("preset", "expression", "english"),
    [
        ("hourly", "0 * * * *", "Every hour"),
        ("daily", "0 0 * * *", "At 00:00 every day"),
        ("weekly", "0 0 * * sun", "At 00:00 on Sunday"),
        ("monthly", "0 0 1 * *", "At 00:00 on day 1 of the month"),
    ],
)
def test_a69_a_preset_is_described_like_its_expression(preset, expression, english):
    by_name, by_cron = (schedule.parse({key: value}) for key, value in (("preset", preset), ("cron", expression)))
    assert by_name == by_cron
    assert describe(by_name) == english + ", in the host's own time zone"


@pytest.mark.parametrize(
    "expression",
    ["0 0 * * mon,tue,wed,thu,fri,sat,sun", "0 0 * jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec *", "0 0 * * *"],
)
def test_a70_all_weekdays_or_all_months_mean_any(expression):
    parsed = schedule.parse({"cron": expression})
    assert parsed.cron.text == "0 0 * * *"
    assert describe(parsed).startswith("At 00:00 every day")


def test_a72_the_description_joins_days_and_weekdays_with_or():
    both = describe(schedule.parse({"cron": "0 0 13 * fri"}))
    assert "on day 13 of the month or on Friday" in both
    for one in ("0 0 13 * *", "0 0 * * fri"):
        assert " or " not in describe(schedule.parse({"cron": one}))


def test_the_description_contains_zone_window_spread_and_catch_up():
    written = {"cron": "*/5 * * * *", "begin": "22:00", "end": "06:00", "spread": 90, "catch_up": True}
    assert describe(schedule.parse(written)) == (
        "Every 5 minutes, in the host's own time zone, between 22:00 and 06:00, "
        "spread over 1 minute and 30 seconds, a missed run starts at boot"
    )


def test_a_window_without_an_end_lasts_until_midnight():
    assert describe(schedule.parse({"preset": "hourly", "begin": "20:00"})).endswith("between 20:00 and 24:00")
