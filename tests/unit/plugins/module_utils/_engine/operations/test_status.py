# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import os
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError, Damaged
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import read_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import status
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.log_lines import Stats
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records, start_gate
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.progress import (
    locate_progress,
    make_progress_writer,
    read_progress,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 11, 22, 10, 10, tzinfo=UTC)
HOURLY = {"cron": "0 * * * *", "timezone": "Etc/UTC"}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(status, "_read_clock", lambda: NOW)


@pytest.fixture
def declare(layout, seed, make_task):
    """Store a task that was declared at this time."""

    def call(moment=NOW, **options):
        task = make_task(**options)
        save_task(layout, seed, task)
        os.utime(layout.task(task.name), (moment.timestamp(), moment.timestamp()))
        return read_task(layout, task.name)

    return call


def ran(layout, state, started="2026-11-22T10:00:00Z", number=1, **fields):
    run_id = f"20261122T{number:06d}Z-abcdef"
    record = Record(run_id, "nightly", state, started, **fields)
    records.save_record(layout, record)
    return record


def ignore(_text):
    return None


def test_a_task_without_a_run_is_pending(layout, declare):
    declare(schedule=HOURLY)

    found = status.find_status(layout, "nightly")

    assert (found["state"], found["reason"], found["run"], found["progress"]) == ("pending", "", None, None)
    assert found["next"] == "2026-11-22T11:00:00+00:00"
    assert found["overdue_since"] is None
    assert found["schedule_text"]


def test_the_state_of_a_task_is_that_of_its_last_run(layout, declare):
    declare()
    ran(layout, "failed", reason="auth", message="Refused.")
    ran(layout, "skipped", reason="locked", number=2)

    found = status.find_status(layout, "nightly")

    assert (found["state"], found["reason"], found["message"]) == ("failed", "auth", "Refused.")
    assert (found["next"], found["schedule_text"]) == (None, "")
    assert "pid" not in found["run"]


def test_no_status_contains_a_secret(layout, declare):
    declare(encryption={"password": "s3cr3t"}, notify=["https://hooks.example.net/s3cr3t"])

    assert "s3cr3t" not in str(status.find_details(layout, "nightly", 5, 5))
    assert "cs1:" not in str(status.find_details(layout, "nightly", 5, 5))


def test_a_run_whose_runner_has_died_is_interrupted(layout, declare):
    declare()
    ran(layout, "running")

    assert status.find_status(layout, "nightly")["reason"] == "interrupted"


def test_a_task_without_a_run_for_its_slot_is_overdue(layout, declare):
    declare(NOW - datetime.timedelta(hours=3), schedule=HOURLY)
    assert status.find_status(layout, "nightly")["overdue_since"] == "2026-11-22T08:00:00+00:00"

    ran(layout, "success", "2026-11-22T09:00:00Z")
    assert status.find_status(layout, "nightly")["overdue_since"] is None
    ran(layout, "success", "2026-11-22T08:00:00Z", number=2)
    assert status.find_status(layout, "nightly")["overdue_since"] == "2026-11-22T09:00:00+00:00"


def test_a_disabled_or_active_task_is_not_overdue(layout, declare):
    declare(NOW - datetime.timedelta(hours=3), schedule=HOURLY, enabled=False)
    assert status.find_status(layout, "nightly")["overdue_since"] is None

    declare(NOW - datetime.timedelta(hours=3), schedule=HOURLY)
    running = ran(layout, "running", "2026-11-22T08:00:00Z")
    alive = records.hold_run(layout, "nightly", running.id)
    assert status.find_status(layout, "nightly")["overdue_since"] is None
    records.drop_run(alive)


@pytest.mark.parametrize(
    ("cron", "started", "since", "count"),
    [
        ("* * * * *", "2026-10-22T10:00:00Z", "2026-10-22T10:01:00+00:00", 100),
        ("* * * * *", "2026-11-22T09:20:00Z", None, 0),
        ("0 * * * *", "2026-11-22T06:30:00Z", "2026-11-22T07:00:00+00:00", 3),
        ("0 * * * *", "2026-11-22T07:30:00Z", None, 0),
        ("0 1 * * *", "2026-11-19T12:00:00Z", "2026-11-20T01:00:00+00:00", 3),
    ],
)
def test_an_active_run_is_overdue_after_three_slots_and_an_hour(layout, declare, cron, started, since, count):
    declare(schedule={**HOURLY, "cron": cron})
    running = ran(layout, "waiting", started)
    alive = records.hold_run(layout, "nightly", running.id)

    found = status.find_status(layout, "nightly")

    assert (found["overdue_since"], found["overdue_slots"]) == (since, count)
    records.drop_run(alive)


def publish(layout, stats, changed):
    make_progress_writer(layout, "nightly", "an-id", ignore, ignore)(stats)
    path = pathlib.Path(locate_progress(layout, "nightly"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "changed": changed}))


def test_an_active_run_without_progress_for_six_hours_is_stalled(layout, declare):
    declare()
    running = ran(layout, "running", "2026-11-22T04:09:00Z")
    alive = records.hold_run(layout, "nightly", running.id)
    assert status.find_status(layout, "nightly")["stalled_since"] == "2026-11-22T04:09:00+00:00"

    publish(layout, Stats(bytes=5), "2026-11-22T04:11:00Z")
    assert status.find_status(layout, "nightly")["stalled_since"] is None
    publish(layout, Stats(bytes=5), "2026-11-22T04:09:30Z")
    assert status.find_status(layout, "nightly")["stalled_since"] == "2026-11-22T04:09:30+00:00"
    records.drop_run(alive)


def test_the_time_of_the_last_progress_stays_while_the_counts_stay(layout):
    write = make_progress_writer(layout, "nightly", "an-id", ignore, ignore)
    write(Stats(bytes=5, speed=1.0))
    path = pathlib.Path(locate_progress(layout, "nightly"))
    before = read_progress(layout, "nightly")["changed"]
    write(Stats(bytes=5, speed=0.5, elapsed=9))
    assert (read_progress(layout, "nightly")["changed"], read_progress(layout, "nightly")["speed"]) == (before, 0.5)
    for content in (b"", b"{}", b"[]", b"\xff", path.read_bytes().replace(b"5", b'"x"', 1)):
        path.write_bytes(content)
        assert read_progress(layout, "nightly") is None


def test_the_status_of_all_tasks_shows_the_readable_ones_and_names_the_others(layout, declare):
    declare(schedule=HOURLY)
    declare(name="broken")
    pathlib.Path(layout.task("broken")).write_text("{")
    declare(name="gone")
    os.unlink(layout.task("gone"))
    os.symlink("nowhere", layout.task("gone"))
    declare(name="folder")
    os.unlink(layout.task("folder"))
    os.mkdir(layout.task("folder"))

    found = {each["task"]: each for each in status.list_statuses(layout)}

    assert {name: each["reason"] for name, each in found.items()} == {
        "broken": "damaged",
        "folder": "damaged",
        "gone": "damaged",
        "nightly": "",
    }
    assert all(layout.task(name) in found[name]["message"] for name in ("broken", "folder", "gone"))
    assert set(found["broken"]) == set(found["nightly"])
    assert [each["name"] for each in status.list_details(layout, 1, 1)] == sorted(found)


def elapse(hour, minute, second=0):
    moment = datetime.datetime(2026, 11, 22, hour, minute, second, tzinfo=UTC)
    return {"cloudsync@nightly.timer": int(moment.timestamp()) * 1000000}


def test_the_next_runs_are_computed_from_the_schedule(declare):
    stored = declare(schedule=HOURLY)

    assert status.list_next_runs(stored, 2, {}) == ["2026-11-22T11:00:00+00:00", "2026-11-22T12:00:00+00:00"]
    assert status.list_next_runs(stored, 0, {}) == []
    assert status.list_next_runs({**stored, "enabled": False}, 2, {}) == []
    assert status.list_next_runs({**stored, "schedule": None}, 2, {}) == []


def test_with_systemd_all_next_runs_have_the_delay_of_the_first(declare):
    stored = declare(schedule={**HOURLY, "spread": "30m"})

    assert status.list_next_runs(stored, 2, elapse(11, 7, 30)) == [
        "2026-11-22T11:07:30+00:00",
        "2026-11-22T12:07:30+00:00",
    ]


def test_a_passed_slot_is_listed_while_its_delay_has_not_passed(declare):
    stored = declare(schedule={"cron": "0 10,20 * * *", "timezone": "Etc/UTC", "spread": "30m"})

    assert status.list_next_runs(stored, 3, elapse(10, 25)) == [
        "2026-11-22T10:25:00+00:00",
        "2026-11-22T20:25:00+00:00",
        "2026-11-23T10:25:00+00:00",
    ]


def test_the_details_contain_past_and_next_runs(layout, declare):
    declare(schedule=HOURLY)
    for number in (1, 2, 3):
        ran(layout, "success", number=number)

    details = status.find_details(layout, "nightly", 2, 3)

    assert [run["id"][9:15] for run in details["runs"]] == ["000003", "000002"]
    assert len(details["next"]) == 3
    assert details["status"]["state"] == "success"
    assert status.find_details(layout, "nightly", 0, 0)["runs"] == []


def test_the_error_for_a_task_that_does_not_exist_names_it(layout):
    with pytest.raises(CloudsyncError, match=r"Task nightly does not exist on this host. Existing tasks: none"):
        status.find_status(layout, "nightly")
    assert status.list_statuses(layout) == []


def test_no_flipped_byte_of_a_task_ends_in_another_error_than_its_name(layout, declare, monkeypatch):
    declare(schedule={**HOURLY, "spread": "5m"}, notify=["mailto:ops@example.com"], encryption={"password": "x"})
    path = pathlib.Path(layout.task("nightly"))
    whole = path.read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1 << (position % 8)
        path.write_bytes(changed)
        (found,) = status.list_statuses(layout)
        assert found["reason"] in ("", "damaged")
        if found["reason"]:
            assert str(path) in found["message"]
            continue
        status.find_details(layout, "nightly", 1, 1)
        start_gate.may_start(layout, read_task(layout, "nightly"), {"TRIGGER_UNIT": "x"})


@pytest.mark.parametrize("option", ["guards", "notify", "schedule", "encryption", "enabled", "path"])
def test_a_task_with_a_part_of_the_wrong_form_is_damaged(layout, declare, option):
    declare(schedule=HOURLY)
    path = pathlib.Path(layout.task("nightly"))
    for wrong in (17, ["x"], {"x": 1}, "x"):
        path.write_text(json.dumps({**json.loads(path.read_text()), option: wrong}))
        if not (option == "path" and wrong == "x"):
            with pytest.raises(Damaged, match=str(path)):
                read_task(layout, "nightly")
