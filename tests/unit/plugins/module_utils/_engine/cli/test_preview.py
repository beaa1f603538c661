# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.cli import show
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import preview as previews


def test_preview_accepts_a_task_an_expression_or_a_preset(layout, seed, make_task):
    save_task(layout, seed, make_task(schedule={"cron": "5 4 * * *"}))
    save_task(layout, seed, make_task(name="daily", schedule={"cron": "7 7 * * *"}))

    assert show.find_schedule(layout, "nightly").cron.text == "5 4 * * *"
    assert show.find_schedule(layout, "*/5 * * * *").cron.text == "*/5 * * * *"
    assert show.find_schedule(layout, "weekly").cron.text == "0 0 * * 0"
    assert show.find_schedule(layout, "daily").cron.text == "7 7 * * *"


def test_preview_refuses_a_task_without_a_schedule(layout, seed, make_task):
    save_task(layout, seed, make_task())

    with pytest.raises(CloudsyncError, match=r"Task nightly has no schedule\. It runs only when you start it"):
        show.find_schedule(layout, "nightly")


def test_preview_returns_what_the_lookup_returns(layout):
    schedule = show.find_schedule(layout, "0 4 * * mon")

    found = previews.preview(schedule, 3)

    assert sorted(found) == ["cron", "description", "oncalendar", "runs", "timezone"]
    assert found["oncalendar"] == ["Mon *-*-* 04:00:00"]
    moments = [datetime.datetime.fromisoformat(run) for run in found["runs"]]
    assert len(moments) == 3
    assert all(moment.weekday() == 0 and moment.hour == 4 and moment.utcoffset() is not None for moment in moments)


@pytest.mark.parametrize("count", [0, -1])
def test_preview_refuses_a_count_below_one(layout, count):
    with pytest.raises(CloudsyncError, match=rf"count is {count}\. Use 1 or more"):
        previews.preview(show.find_schedule(layout, "daily"), count)


def test_the_table_shows_each_run_in_its_zone_and_in_utc():
    found = {
        "cron": "0 4 * * *",
        "description": "Every day at 04:00",
        "timezone": "Asia/Tokyo",
        "oncalendar": ["*-*-* 04:00:00 Asia/Tokyo"],
        "runs": ["2026-11-23T04:00:00+09:00"],
    }

    assert previews.format_text(found).splitlines() == [
        "0 4 * * *  Every day at 04:00",
        "OnCalendar=*-*-* 04:00:00 Asia/Tokyo",
        "Mon 2026-11-23 04:00 +0900  (2026-11-22 19:00 UTC)",
    ]
