# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import stop
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(stop.__file__))))
# A runner that is active until it gets SIGTERM, or for ever.
RUNNER = """
import signal, sys, time
sys.path.insert(0, sys.argv[1])
from _engine.common.layout import Layout
from _engine.runs.records import hold_run
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[4] == "stubborn" else signal.SIG_DFL)
lock = hold_run(Layout(sys.argv[2]), "nightly", sys.argv[3])
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def start_runner(layout):
    """Start the process of an active run."""
    started = []

    def call(number=1, kind="normal", state="running"):
        run_id = f"20261122T{number:06d}Z-abcdef"
        records.save_record(layout, Record(run_id, "nightly", state, "2026-11-22T00:00:00Z"))
        argv = [sys.executable, "-c", RUNNER, PACKAGE, layout.root, run_id, kind]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"up\n"
        return run_id, process

    yield call
    for process in started:
        process.kill()
        process.communicate()


def test_nothing_active_is_nothing_to_stop(layout):
    records.save_record(layout, Record("20261122T000001Z-abcdef", "nightly", "success", "2026-11-22T00:00:00Z"))
    assert stop.stop_task(layout, "nightly") == []


def test_active_and_waiting_runs_get_sigterm_and_have_ended_afterwards(layout, start_runner):
    first, one = start_runner(1)
    second, other = start_runner(2, state="waiting")
    assert sorted(stop.stop_task(layout, "nightly")) == [first, second]
    assert (one.wait(10), other.wait(10)) == (-15, -15)


def test_a_runner_that_does_not_end_is_an_error_that_names_its_process(layout, start_runner, monkeypatch):
    run_id, process = start_runner(kind="stubborn")
    monkeypatch.setattr(stop, "STOP_SECONDS", 0.3)
    with pytest.raises(CloudsyncError) as caught:
        stop.stop_task(layout, "nightly")
    assert run_id in caught.value.message and f"kill -9 {process.pid}" in caught.value.message
    assert process.poll() is None


@pytest.mark.parametrize("state, stops", [("activating", True), ("inactive", False)])
def test_with_systemd_an_active_unit_is_stopped_through_its_manager(layout, start_runner, monkeypatch, state, stops):
    start_runner()
    calls = []
    monkeypatch.setattr(stop, "is_running", lambda _layout: True)
    monkeypatch.setattr(stop, "systemctl", lambda *words: calls.append(words) or state + "\n")
    stop.stop_task(layout, "nightly")
    assert calls[0] == ("show", "-P", "ActiveState", "cloudsync@nightly.service")
    assert (calls[1:] == [("stop", "cloudsync@nightly.service")]) is stops


def test_a_run_of_another_user_needs_root(layout, start_runner, monkeypatch):
    start_runner()

    def refuse(_pid, _number):
        raise PermissionError

    with monkeypatch.context() as patch, pytest.raises(CloudsyncError, match="root"):
        patch.setattr(stop.os, "kill", refuse)
        stop.stop_task(layout, "nightly")
