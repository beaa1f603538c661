# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import read_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import status
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records
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
    running = ran(layout, "running", "2026-11-22T05:00:00Z")
    alive = records.hold_run(layout, "nightly", running.id)
    assert status.find_status(layout, "nightly")["overdue_since"] is None
    records.drop_run(alive)


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


def test_list_problems_returns_a_line_for_each_problem_of_an_enabled_task(layout, declare):
    declare()
    assert status.list_problems(layout) == []
    ran(layout, "failed", reason="auth", message="Refused.")
    assert status.list_problems(layout) == ["nightly: failed: auth: Refused."]

    declare(NOW - datetime.timedelta(hours=5), schedule=HOURLY)
    ran(layout, "aborted", "2026-11-22T07:00:00Z", reason="stopped", message="Stopped.", number=2)
    assert status.list_problems(layout) == [
        "nightly: overdue: no run has started since 2026-11-22T08:00:00+00:00",
        "nightly: aborted: stopped: Stopped.",
    ]

    declare(schedule=HOURLY, enabled=False)
    assert status.list_problems(layout) == []


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
