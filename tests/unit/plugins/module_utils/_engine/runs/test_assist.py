# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in a sandbox and its helper, connected as systemd connects them."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.commands import helper
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.host import Host
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.notify import send as sending
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import assist, finish, notifications
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping.seed import converge_seed
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.snapshots import confined, snapshot


@pytest.fixture(name="declare")
def fixture_declare(layout, make_task):
    """Declare a task. In this process it is in a sandbox, and in another thread are its helpers."""
    converge_seed(layout, "present", "", "", False, False)
    os.makedirs(layout.run_dir, exist_ok=True)

    def call(**options):
        task = make_task(**options)
        save_task(layout, Host(layout).seed, task)
        return task

    return call


@pytest.fixture(autouse=True)
def _helpers(layout, monkeypatch, tmp_path):
    path = str(tmp_path / "helper")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def work():
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with connection:
                assist.serve(Host(layout), assist.Channel(connection.fileno(), connection.fileno()))

    monkeypatch.setattr(helper, "is_needed", lambda: threading.current_thread() is threading.main_thread())
    monkeypatch.setenv(helper.VARIABLE, path)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)
    assert not thread.is_alive()


def record(task, **more):
    return Record("20260101T000000Z-1", task.name, "running", "2026-01-01T00:00:00Z", **more)


def run_hook(layout, task, kind, stop=lambda: False):
    said = []
    finish.run_one_hook(layout, task, record(task), kind, said.append, stop)
    return said


def test_a_hook_of_the_stored_task_runs_with_its_facts_and_its_output_reaches_the_log(layout, declare):
    task = declare(hooks={"always": "echo $CLOUDSYNC_TASK $CLOUDSYNC_STATE"})

    assert run_hook(layout, task, "always") == ["[always] nightly running"]


def test_a_failing_hook_has_its_reason_and_its_last_lines(layout, declare):
    task = declare(hooks={"success": "echo broken; exit 3"})

    with pytest.raises(CloudsyncError, match="Its last lines: broken") as caught:
        run_hook(layout, task, "success")
    assert caught.value.reason == "hook"


def test_a_stop_ends_the_hook(layout, declare, tmp_path):
    started = tmp_path / "started"
    task = declare(hooks={"before": f"touch {started}; sleep 300"})

    with pytest.raises(CloudsyncError, match="stopped during its before hook"):
        run_hook(layout, task, "before", started.exists)


def test_the_end_of_the_run_ends_the_hook(declare, tmp_path, wait_until):
    started, ended = tmp_path / "started", tmp_path / "ended"
    task = declare(hooks={"before": f"trap 'touch {ended}' TERM; touch {started}; sleep 300 & wait"})
    with helper.Connection() as connection:
        connection.send({"do": "hook", "task": task.name, "kind": "before", "record": record(task)._asdict()})
        assert wait_until(started.exists)

    assert wait_until(ended.exists)


def test_a_mount_that_did_not_arrive_in_the_sandbox_is_refused(layout, declare, tmp_path, monkeypatch):
    task = declare(path=str(tmp_path), hooks={"before": "true"})
    run_hook(layout, task, "before")
    monkeypatch.setattr(assist.helper, "identify", lambda _path: [1, threading.get_ident()])

    with pytest.raises(CloudsyncError, match="make-rshared") as caught:
        run_hook(layout, task, "before")
    assert caught.value.reason == "not_mounted"


def test_a_mail_is_sent_by_the_helper(layout, declare, monkeypatch):
    sent = []
    monkeypatch.setattr(sending, "_run", lambda argv, content: sent.append((argv[0], content)) or "no mail today")
    task = declare(notify=["mailto:ops@example.net"])
    ended = record(task)._replace(state="failed", reason="auth", message="No login.")

    (problem,) = notifications.notify_end(layout, task, ended, [], ["last line"])

    assert "no mail today" in problem
    assert b"No login." in sent[0][1]


def test_a_snapshot_lasts_as_long_as_the_run_needs_it_and_its_error_replaces_that_of_the_run(
    layout, declare, tmp_path, monkeypatch
):
    events = []

    class Taken:
        def __enter__(self):
            events.append("taken")
            return str(tmp_path)

        def __exit__(self, kind, error, trace):
            events.append(error.reason if error else "removed")
            if error:
                raise CloudsyncError("disk_full", "The snapshot ran out of space.")

    monkeypatch.setattr(snapshot, "take_snapshot", lambda *_arguments: Taken())
    task = declare(snapshot="btrfs")

    with confined.take_snapshot(layout, task, "run", print) as path:
        assert (path, events) == (str(tmp_path), ["taken"])
    assert events == ["taken", "removed"]
    with pytest.raises(CloudsyncError, match="out of space"), confined.take_snapshot(layout, task, "run", print):
        raise CloudsyncError("network", "No network.")
    assert events[-1] == "network"


def test_a_helper_that_cannot_be_reached_is_a_sentence(layout, declare, monkeypatch, tmp_path):
    task = declare(hooks={"before": "true"}, notify=["mailto:ops@example.net"])
    monkeypatch.setenv(helper.VARIABLE, str(tmp_path / "missing"))

    with pytest.raises(CloudsyncError, match="Check the output of systemctl status"):
        run_hook(layout, task, "before")
    failed = record(task)._replace(state="failed", reason="auth")
    assert "cloudsync-helper.socket" in notifications.notify_end(layout, task, failed, [], [])[0]


def test_a_helper_does_nothing_else_than_what_the_task_contains(declare):
    declare()

    for request in ({"do": "shell", "task": "nightly"}, {}, {"do": "hook", "task": "other"}):
        with pytest.raises(CloudsyncError):
            helper.ask(request, print)
