# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import json
import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.commands import hooks as run_commands
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import (
    EXIT_FAILED,
    EXIT_REFUSED,
    EXIT_SKIPPED,
    EXIT_STOPPED,
    EXIT_SUCCESS,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.flock import wait_lock
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.stop_signal import StopFlag
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.locks.hold import locate_task_lock
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.finish import find_exit_code
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.run import Run
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.start_gate import locate_stop_marker


@pytest.fixture
def hooks(tmp_path):
    """Hooks that write their names and the state that they see."""
    names = ("before", "success", "failure", "always")
    said = tmp_path / "hooks"
    made = dict.fromkeys(names, f"echo $CLOUDSYNC_HOOK $CLOUDSYNC_STATE $CLOUDSYNC_REASON >> {said}")
    return made, lambda: said.read_text().splitlines() if said.exists() else []


@pytest.fixture
def perform(scripted_host):
    """Run the task, and check what every run leaves behind."""

    def call(stop=None):
        run = Run(scripted_host, "nightly", "manual", stop or StopFlag())
        record = run.perform()
        layout = scripted_host.layout
        assert records.load_records(layout, "nightly")[0] == record
        assert record.ended and not records.find_runner_pid(layout, "nightly", record.id)
        live = layout.run_dir + "/live"
        assert not os.path.isdir(live) or os.listdir(live) == []
        return run

    return call


def test_a_run_that_succeeds_has_its_counts_in_the_record(scripted, store_task, hooks, perform):
    store_task(hooks=hooks[0], mode="sync", guards={"max_delete": "3"})
    scripted.replay("sync", "sync")
    run = perform()
    record = run.record
    assert (record.state, record.reason, record.exit_code, find_exit_code(run.record)) == (
        "success",
        "",
        0,
        EXIT_SUCCESS,
    )
    assert record.transfers > 0 and record.bytes > 0
    assert hooks[1]() == ["before running", "success success", "always success"]


def test_a_run_whose_rclone_fails_is_failed_with_its_reason(scripted, store_task, hooks, perform):
    store_task(hooks=hooks[0])
    scripted.replay("copy", "s3_access_denied")
    run = perform()
    assert (run.record.state, find_exit_code(run.record)) == ("failed", EXIT_FAILED)
    assert run.record.reason and run.record.message
    assert hooks[1]() == ["before running", *(f"{kind} failed {run.record.reason}" for kind in ("failure", "always"))]


def test_a_refused_run_does_not_call_rclone(scripted, store_task, hooks, perform, tmp_path):
    store_task(hooks=hooks[0], path=str(tmp_path / "nowhere"))
    run = perform()
    assert (run.record.state, run.record.reason, find_exit_code(run.record)) == ("failed", "not_found", EXIT_REFUSED)
    assert scripted.commands() == []
    assert hooks[1]() == ["before running", "failure failed not_found", "always failed not_found"]


def test_a_before_hook_that_fails_ends_the_run(scripted, store_task, perform):
    store_task(hooks={"before": "echo no space; exit 7"})
    run = perform()
    assert (run.record.state, run.record.reason, find_exit_code(run.record)) == ("failed", "hook", EXIT_FAILED)
    assert "exit code 7" in run.record.message and "no space" in run.record.message
    assert scripted.commands() == []


@pytest.mark.parametrize(("kind", "state"), [("before", "failed"), ("always", "success")])
def test_a_hook_that_cannot_start_is_one_sentence_in_the_record(
    scripted, store_task, perform, monkeypatch, kind, state
):
    """/run is full when the hook starts, and not before."""
    store_task(hooks={kind: "true"}, mode="sync", guards={"max_delete": "3"})
    scripted.replay("sync", "sync")

    def fail(_text, directory, _account):
        raise OSError(errno.ENOSPC, "No space left on device", directory)

    monkeypatch.setattr(run_commands, "open_unnamed_script", fail)
    run = perform()
    assert (run.record.state, run.record.reason) == (state, "disk_full" if state == "failed" else "")
    assert "run/cloudsync: No space left on device. Free space there" in run.record.message
    assert "cloudsync failed" not in run.record.message


def test_a_stop_ends_the_transfer_and_leaves_the_stop_marker(scripted, store_task, hooks, perform, scripted_host):
    store_task(hooks=hooks[0])
    asked = scripted.folder / "asked"
    scripted.on("copy", f"trap 'exit 143' TERM; touch {asked}; while :; do sleep 0.05; done")

    class Stop(StopFlag):
        @property
        def requested(self):
            return asked.exists()

        @requested.setter
        def requested(self, value):
            pass

    stop = Stop()
    run = perform(stop)
    assert (run.record.state, run.record.reason, find_exit_code(run.record)) == ("aborted", "stopped", EXIT_STOPPED)
    assert hooks[1]() == ["before running", "failure aborted stopped", "always aborted stopped"]
    assert os.path.exists(locate_stop_marker(scripted_host.layout, "nightly"))


def test_a_run_fails_at_its_max_duration(scripted, store_task, perform):
    store_task(limits={"max_duration": 1})
    scripted.on("copy", "exec sleep 60")
    run = perform()
    assert (run.record.state, run.record.reason, find_exit_code(run.record)) == ("failed", "max_duration", EXIT_FAILED)


def test_a_second_run_of_an_active_task_is_skipped(scripted, store_task, hooks, perform, scripted_host):
    store_task(hooks=hooks[0])
    with wait_lock(locate_task_lock(scripted_host.layout, "nightly")):
        run = perform()
    assert (run.record.state, run.record.reason, find_exit_code(run.record)) == ("skipped", "locked", EXIT_SKIPPED)
    assert scripted.commands() == [] and hooks[1]() == []


def test_an_unexpected_error_still_leaves_a_record_and_runs_the_hooks(
    scripted, store_task, hooks, perform, monkeypatch
):
    store_task(hooks=hooks[0])

    def fail(*_all):
        raise RuntimeError("a defect")

    monkeypatch.setattr(Run, "_run_guarded", fail)
    run = perform()
    assert (run.record.state, run.record.reason, find_exit_code(run.record)) == ("failed", "other", EXIT_FAILED)
    assert "RuntimeError('a defect')" in run.record.message
    with open(run.record.log, encoding="utf-8") as log:
        assert "Traceback" in log.read()
    assert hooks[1]()[-1] == "always failed other"


def test_a_credential_that_is_missing_fails_the_run_with_its_hooks(store_task, hooks, perform, scripted_host):
    store_task(hooks=hooks[0], credential="gone")
    run = perform()
    assert (run.record.state, find_exit_code(run.record)) == ("failed", 2)
    assert hooks[1]() == ["failure failed usage", "always failed usage"]


def test_no_secret_is_in_an_argument_the_environment_the_log_or_the_record(scripted, store_task, perform):
    store_task()
    scripted.on("copy", f"env > {scripted.folder}/environment; grep -q an-s3-secret $config")
    run = perform()
    assert run.record.state == "success"
    shown = [json.dumps(run.record.public())]
    for path in (run.record.log, scripted.folder / "called", scripted.folder / "environment"):
        with open(path, encoding="utf-8") as stream:
            shown.append(stream.read())
    assert "an-s3-secret" not in "".join(shown)


@pytest.mark.parametrize(
    "state, reason, exit_code, wanted",
    [
        ("aborted", "interrupted", None, ("success", "")),
        ("failed", "network", 1, ("success", "")),
        ("failed", "empty_source", None, ("failed", "empty_source")),
        ("success", "", 0, ("failed", "empty_source")),
    ],
)
def test_a_move_may_find_an_empty_source_if_the_run_before_it_did_not_reach_its_end(
    scripted, store_task, perform, scripted_host, tmp_path, state, reason, exit_code, wanted
):
    """The run before it may have moved all files, and was killed before it could say so."""
    store_task(mode="move")
    before = records.Record("20261122T000001Z-abcdef", "nightly", state, "2026-11-22T00:00:00Z", reason=reason)
    records.save_record(scripted_host.layout, before._replace(exit_code=exit_code, ended=before.started))
    os.unlink(tmp_path / "data" / "a")
    scripted.replay("move", "sync")
    scripted.on("lsf", "true")

    record = perform().record

    assert (record.state, record.reason) == wanted
