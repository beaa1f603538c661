# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import task_to_dict
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import start_gate as gate
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record, save_record
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.start_gate import (
    locate_stop_marker,
    mark_stopped,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import schedule

BY_TIMER = {"TRIGGER_UNIT": "cloudsync@nightly.timer"}


def stored(make_task, **options):
    return task_to_dict(make_task(**options))


def window(begin, end):
    return schedule.parse({"cron": "0 * * * *", "timezone": "Etc/UTC", "begin": begin, "end": end})


def at(hour, minute):
    return datetime.datetime(2026, 11, 22, hour, minute, tzinfo=datetime.timezone.utc)


def test_a_start_without_a_stop_goes_ahead(layout, make_task):
    task = stored(make_task, schedule={"preset": "hourly"})

    assert gate.may_start(layout, task, {})
    assert gate.may_start(layout, task, BY_TIMER)
    assert gate.may_start(layout, stored(make_task), BY_TIMER)


def test_the_start_that_systemd_repeats_after_a_stop_is_refused_once(layout, make_task):
    task = stored(make_task, schedule={"preset": "hourly"})
    mark_stopped(layout, "nightly")

    assert not gate.may_start(layout, task, BY_TIMER)
    assert gate.may_start(layout, task, BY_TIMER)


@pytest.mark.parametrize(("began", "owed"), [(3660, True), (1, False)])
def test_a_slot_just_after_a_stop_is_not_lost(layout, make_task, began, owed):
    """The last slot of the schedule was half an hour ago."""
    now = datetime.datetime.now(datetime.timezone.utc)
    minute = (now.minute + 30) % 60
    task = stored(make_task, schedule={"cron": f"{minute} * * * *", "timezone": "Etc/UTC"})
    started = (now - datetime.timedelta(seconds=began)).strftime("%Y-%m-%dT%H:%M:%SZ")
    save_record(layout, Record("20261122T000000Z-00000a", "nightly", "aborted", started, reason="stopped"))
    mark_stopped(layout, "nightly")

    assert gate.may_start(layout, task, BY_TIMER) is not owed


def test_a_start_by_hand_after_a_stop_goes_ahead_and_removes_the_marker(layout, make_task):
    task = stored(make_task, schedule={"preset": "hourly"})
    mark_stopped(layout, "nightly")

    assert gate.may_start(layout, task, {})
    assert not os.path.exists(locate_stop_marker(layout, "nightly"))


def test_a_slot_long_after_a_stop_goes_ahead(layout, make_task):
    task = stored(make_task, schedule={"preset": "hourly"})
    mark_stopped(layout, "nightly")
    os.utime(locate_stop_marker(layout, "nightly"), (1, 1))

    assert gate.may_start(layout, task, BY_TIMER)


@pytest.mark.parametrize(
    ("begin", "end", "moment", "inside"),
    [
        ("08:00", "17:00", at(7, 59), False),
        ("08:00", "17:00", at(8, 0), True),
        ("08:00", "17:00", at(17, 0), True),
        ("08:00", "17:00", at(17, 1), False),
        ("22:00", "02:00", at(21, 59), False),
        ("22:00", "02:00", at(23, 0), True),
        ("22:00", "02:00", at(2, 0), True),
        ("22:00", "02:00", at(2, 1), False),
        ("22:00", None, at(23, 59), True),
        ("22:00", None, at(21, 59), False),
        (None, "02:00", at(0, 0), True),
        (None, "02:00", at(2, 1), False),
        (None, None, at(12, 0), True),
    ],
)
def test_the_window_is_exact_to_the_minute(begin, end, moment, inside):
    assert gate.is_in_window(window(begin, end), moment) is inside


def test_the_window_is_in_the_time_zone_of_the_schedule():
    tokyo = schedule.parse({"cron": "0 * * * *", "timezone": "Asia/Tokyo", "begin": "08:00", "end": "09:00"})

    assert gate.is_in_window(tokyo, at(23, 30))
    assert not gate.is_in_window(tokyo, at(8, 30))


def test_only_a_start_by_the_timer_must_be_in_the_window(layout, make_task):
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = (now + datetime.timedelta(hours=hours) for hours in (2, 4))
    task = stored(
        make_task,
        schedule={
            "cron": "0 * * * *",
            "timezone": "Etc/UTC",
            "begin": begin.strftime("%H:%M"),
            "end": end.strftime("%H:%M"),
        },
    )

    assert not gate.may_start(layout, task, BY_TIMER)
    assert gate.may_start(layout, task, {})


def test_the_folder_of_a_pull_gets_the_owner_of_its_parent(layout, make_task, tmp_path):
    path = tmp_path / "restored"

    gate.make_places(layout, stored(make_task, direction="pull", path=str(path)))

    assert path.is_dir()
    assert path.stat().st_uid == tmp_path.stat().st_uid
    assert os.path.isdir(layout.run_dir)
    assert os.path.isdir(layout.log_dir)


@pytest.mark.parametrize("options", [{"direction": "push"}, {"direction": "pull", "guards": {"mounted": "/nowhere"}}])
def test_no_folder_is_made_for_a_push_or_without_its_mount(layout, make_task, tmp_path, options):
    gate.make_places(layout, stored(make_task, path=str(tmp_path / "data"), **options))

    assert not (tmp_path / "data").exists()


def test_missing_parents_and_the_folder_for_deleted_files_are_made_too(layout, make_task, tmp_path):
    target, kept = tmp_path / "a" / "b", tmp_path / "kept" / "here"
    gate.make_places(layout, stored(make_task, direction="pull", path=str(target), keep_deleted={"path": str(kept)}))

    assert target.is_dir()
    assert kept.is_dir()
