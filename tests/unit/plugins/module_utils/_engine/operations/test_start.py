# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import start
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record


def make_record(layout, state, number=1, **fields):
    made = Record(f"20261122T{number:06d}Z-abcdef", "nightly", state, "2026-11-22T00:00:00Z", **fields)
    records.save_record(layout, made)
    return made


@pytest.fixture
def active(layout):
    """A run that is active, in this process."""
    made = make_record(layout, "running", pid=os.getpid())
    lock = records.hold_run(layout, "nightly", made.id)
    yield made
    records.drop_run(lock)


@pytest.fixture
def command(layout):
    os.makedirs(os.path.dirname(layout.command))
    with open(layout.command, "w", encoding="utf-8") as stream:
        stream.write("#!/bin/sh\n")
    os.chmod(layout.command, 0o755)
    return layout.command


def test_a_run_without_the_command_is_performed_here(scripted_host, scripted, store_task):
    store_task()
    scripted.on("copy", "exit 0")
    result = start.start_run(scripted_host, "nightly", wait=True, timeout=60)
    assert (result["changed"], result["run"]["state"], result["warnings"]) == (True, "success", [])
    assert "failed" not in result


def test_a_run_that_fails_is_a_failed_result(scripted_host, scripted, store_task):
    store_task()
    scripted.on("copy", "echo broken >&2; exit 7")
    result = start.start_run(scripted_host, "nightly", wait=True, timeout=60)
    assert result["failed"] and result["reason"] == result["run"]["reason"]
    assert result["run"]["id"] in result["msg"] and result["run"]["message"] in result["msg"]


def test_without_the_command_a_run_can_not_be_left_alone(scripted_host, store_task):
    store_task()
    with pytest.raises(CloudsyncError) as caught:
        start.start_run(scripted_host, "nightly", wait=False, timeout=60)
    assert caught.value.reason == "usage"


def test_an_active_run_is_joined_and_is_no_change(scripted_host, store_task, active, monkeypatch):
    store_task()
    monkeypatch.setattr(start, "begin_run", lambda *_all: pytest.fail("a second run was started"))
    result = start.start_run(scripted_host, "nightly", wait=False, timeout=60)
    assert (result["changed"], result["run"]["id"]) == (False, active.id)


def test_a_run_that_does_not_end_in_time_goes_on(scripted_host, store_task, active):
    store_task()
    result = start.start_run(scripted_host, "nightly", wait=True, timeout=0)
    assert (result["failed"], result["run"]["id"], result["run"]["state"]) == (True, active.id, "running")
    assert "is still running. The run continues." in result["msg"]
    assert records.load_records(scripted_host.layout, "nightly")[0].state == "running"


def test_the_command_is_started_and_its_record_returned(scripted_host, store_task, command, monkeypatch, layout):
    store_task()
    make_record(layout, "success", 1)
    calls = []

    def begin(argv):
        calls.append(argv)
        make_record(layout, "skipped", 2, message="Skipped: busy.")

    monkeypatch.setattr(start, "start_detached", begin)
    result = start.start_run(scripted_host, "nightly", wait=False, timeout=60)
    assert calls == [[command, "run", "nightly"]]
    assert result["run"]["id"].startswith("20261122T000002Z")
    assert (result["changed"], result["warnings"]) == (False, ["Skipped: busy."])


def test_with_systemd_the_unit_is_started(scripted_host, store_task, monkeypatch, layout):
    store_task()
    calls = []
    monkeypatch.setattr(start, "is_running", lambda _layout: True)
    monkeypatch.setattr(start, "systemctl", lambda *words: calls.append(words) or make_record(layout, "success"))
    result = start.start_run(scripted_host, "nightly", wait=True, timeout=60)
    assert calls == [("start", "--no-block", "cloudsync@nightly.service")]
    assert result["run"]["state"] == "success"


def test_a_run_that_never_begins_is_an_error_that_names_the_unit(scripted_host, store_task, command, monkeypatch):
    store_task()
    monkeypatch.setattr(start, "start_detached", lambda _argv: None)
    monkeypatch.setattr(start, "APPEAR_SECONDS", 0.1)
    with pytest.raises(CloudsyncError, match=r"cloudsync@nightly\.service"):
        start.start_run(scripted_host, "nightly", wait=False, timeout=60)


def test_a_stop_in_check_mode_stops_nothing(scripted_host, store_task, active, monkeypatch):
    store_task()
    stopped = []
    monkeypatch.setattr(start, "stop_task", lambda _layout, task: stopped.append(task))
    assert start.stop_run(scripted_host, "nightly", check_mode=True)["changed"]
    assert stopped == []
    assert start.stop_run(scripted_host, "nightly", check_mode=False)["changed"]
    assert stopped == ["nightly"]


def test_a_stop_without_an_active_run_is_no_change(scripted_host, store_task, layout, monkeypatch):
    store_task()
    monkeypatch.setattr(start, "stop_task", lambda *_all: pytest.fail("there is nothing to stop"))
    assert start.stop_run(scripted_host, "nightly", check_mode=False) == {"changed": False, "run": {}}


def test_the_plan_of_a_refused_run_fails_in_check_mode_and_warns_in_a_dry_run(scripted_host, scripted, store_task):
    store_task(mode="sync", guards={"max_delete": "0"})
    scripted.on("lsjson", 'case "$*" in *--stat*) exit 3;; esac; echo []')
    scripted.replay("sync", "dry_run_sync")
    checked = start.plan_run(scripted_host, "nightly", check_mode=True)
    assert checked["failed"] and not checked["changed"] and checked["reason"] == "max_delete"
    dry = start.plan_run(scripted_host, "nightly", check_mode=False)
    assert dry["warnings"] == [checked["msg"]] and "failed" not in dry
    assert dry["plan"] == checked["plan"] and dry["plan"]["delete"]


def test_a_check_before_the_task_is_declared_has_an_empty_plan(scripted_host):
    result = start.plan_run(scripted_host, "nightly", check_mode=True)
    assert result["changed"] and len(result["warnings"]) == 1
    assert result["plan"]["copy"] == []


def test_a_run_that_was_started_earlier_is_awaited_by_its_id(scripted_host, store_task, layout):
    store_task()
    make_record(layout, "failed", 1, reason="auth", message="The login was refused.")
    record = make_record(layout, "success", 2)
    newer = make_record(layout, "success", 3)
    result = start.wait_run(scripted_host, "nightly", record.id, timeout=60)
    assert (result["changed"], result["run"]["id"]) == (False, record.id) != (False, newer.id)
    with pytest.raises(CloudsyncError, match="has no run 2000"):
        start.wait_run(scripted_host, "nightly", "2000", timeout=60)
