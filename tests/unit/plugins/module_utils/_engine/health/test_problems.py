# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import errno
import os
import pathlib
import tempfile
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import usage_error
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health import host_parts, problems, units
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted, converge
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd.unit_names import (
    locate_drop_in,
    locate_enabled_link,
    locate_timer,
)

CREDENTIAL = {"name": "offsite", "provider": "b2", "attributes": {}, "secrets": {"account": "a", "key": "k"}}
TASK = {"credential": "offsite", "direction": "push", "path": "/srv/data", "remote_path": "bucket/data"}
NIGHTLY = {**TASK, "name": "nightly", "schedule": {"cron": "30 2 * * *"}}
BY_HAND = {**TASK, "name": "byhand", "remote_path": "bucket/byhand"}


@pytest.fixture
def declared(host):
    """A host with the scheduled task nightly and the task byhand."""
    converge(host, Wanted(credentials=[CREDENTIAL], tasks=[NIGHTLY, BY_HAND]), False)
    return host


@pytest.fixture
def lines(declared):
    return lambda: [problem.line for problem in problems.list_problems(type(declared)(declared.layout))]


def ran(layout, state, number=1, started="2026-11-22T10:00:00Z", **fields):
    run = Record(f"20261122T{number:06d}Z-abcdef", "byhand", state, started, **fields)
    records.save_record(layout, run)
    return run


def test_a_host_whose_tasks_work_has_no_problem(lines, layout):
    assert lines() == []
    ran(layout, "success")
    assert lines() == []


def test_a_failed_run_is_a_problem_until_the_task_is_disabled(lines, layout, declared):
    ran(layout, "failed", reason="auth", message="Refused.")
    assert lines() == ["byhand: failed: auth: Refused."]
    converge(declared, Wanted(tasks=[{**BY_HAND, "enabled": False}]), False)
    assert lines() == []


def test_an_overdue_task_is_a_problem(lines, layout):
    os.utime(locate_timer(layout, "nightly"), (1600000000, 1600000000))
    (line,) = lines()
    assert line.startswith("nightly: overdue: no run has started since 2020-09-1")


def test_an_active_run_that_hangs_is_overdue_and_stalled(lines, layout):
    started = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=30)
    run = Record(records.make_run_id(), "nightly", "running", started.strftime("%Y-%m-%dT%H:%M:%SZ"))
    records.save_record(layout, run)
    alive = records.hold_run(layout, "nightly", run.id)
    overdue, stalled = lines()
    assert overdue.startswith(f"nightly: overdue: run {run.id} has been running since {run.started}, and ")
    assert " slots passed since " in overdue
    assert stalled.startswith(f"nightly: stalled: run {run.id} is active, but it has made no progress since ")
    assert "cloudsync stop nightly" in stalled
    records.drop_run(alive)


def test_a_run_in_the_future_is_a_problem(lines, layout):
    ran(layout, "success", started="2126-11-22T10:00:00Z")
    (line,) = lines()
    assert line.startswith(
        "byhand: clock: run 20261122T000001Z-abcdef started at 2126-11-22T10:00:00Z, which is in the"
    )


def test_a_damaged_newest_record_is_a_problem_and_an_older_one_is_not(lines, layout):
    ran(layout, "success", 1)
    path = pathlib.Path(layout.task_state_dir("byhand"), "runs", ran(layout, "success", 2).id + ".json")
    path.write_text("{")
    (line,) = lines()
    assert line.startswith("byhand: damaged: ") and str(path) in line
    ran(layout, "success", 3)
    assert lines() == []


def delete(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_high_bits(path):
    path.write_bytes(bytes(byte ^ 0x80 for byte in path.read_bytes()))


def flip_first(path):
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


def put_directory(path):
    path.unlink()
    path.mkdir()


def put_dangling_link(path):
    path.unlink()
    path.symlink_to("/nowhere/at/all")


FILES = {
    "seed": lambda layout: layout.seed,
    "credential": lambda layout: layout.credential("offsite"),
    "task": lambda layout: layout.task("nightly"),
    "timer": lambda layout: locate_timer(layout, "nightly"),
    "drop-in": lambda layout: locate_drop_in(layout, "byhand"),
}


@pytest.mark.parametrize("which", FILES)
@pytest.mark.parametrize(
    "damage",
    [delete, empty, cut, flip_high_bits, flip_first, put_directory, put_dangling_link],
    ids=lambda f: f.__name__,
)
def test_every_damaged_file_is_named(lines, layout, which, damage):
    path = pathlib.Path(FILES[which](layout))
    damage(path)

    found = lines()

    assert any(str(path) in line for line in found), found
    assert not any("Internal error" in line for line in found), found


def test_a_timer_that_no_boot_starts_is_named(lines, layout):
    os.unlink(locate_enabled_link(layout, "nightly"))
    assert lines()[0].startswith(f"nightly: timer: {locate_enabled_link(layout, 'nightly')} does not exist")


def test_a_credential_that_is_damaged_names_the_tasks_that_fail(lines, layout):
    os.unlink(layout.credential("offsite"))
    (line,) = lines()
    assert line.startswith("credential: ") and line.endswith("Runs of tasks byhand and nightly fail.")


def test_an_rclone_that_is_gone_is_a_problem(lines, declared, monkeypatch):
    def gone(_host):
        raise usage_error("rclone is not installed on this host.")

    monkeypatch.setattr(type(declared), "rclone", property(gone))
    assert lines() == ["rclone: rclone is not installed on this host."]


@pytest.mark.parametrize("place", ["state_dir", "log_dir", "run_dir"])
def test_a_directory_where_a_run_cannot_write_is_a_problem(lines, layout, place, monkeypatch):
    path = pathlib.Path(getattr(layout, place))
    path.mkdir(parents=True, exist_ok=True)
    make = tempfile.TemporaryFile

    def fail(**options):
        if options["dir"] == str(path):
            raise OSError(errno.EROFS, "Read-only file system")
        return make(**options)

    monkeypatch.setattr(host_parts.tempfile, "TemporaryFile", fail)
    assert lines() == [f"directory: Cannot write in {path}: Read-only file system. {CHECK_DISK}"]


CHECK_DISK = "Check the file system and its free space."


def test_a_directory_that_is_a_link_to_nowhere_is_a_problem(lines, layout):
    os.makedirs(os.path.dirname(layout.log_dir))
    os.symlink("/nowhere/at/all", layout.log_dir)
    (line,) = lines()
    assert line.startswith(f"directory: {layout.log_dir} is a link to a directory that does not exist")


def test_a_full_directory_is_a_problem(tmp_path, monkeypatch):
    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_error):
            return None

        def write(self, _content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(host_parts.tempfile, "TemporaryFile", lambda **_options: Full())
    assert host_parts.find_write_problem(str(tmp_path)) == (
        f"Cannot write in {tmp_path}: No space left on device. {CHECK_DISK}"
    )


@pytest.fixture
def systemd(monkeypatch, declared, layout):
    """A simulated systemd. Change the properties of its units."""
    timer = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}
    service = {"LoadState": "loaded", "ActiveState": "inactive", "Result": "success"}
    found = {"cloudsync@nightly.timer": dict(timer), "cloudsync-watch.timer": dict(timer)}
    found.update({f"cloudsync@{name}.service": dict(service) for name in ("nightly", "byhand")})
    calls = []

    def show(names, properties):
        calls.append(list(names))
        return {name: found[name] for name in names if name in found}

    monkeypatch.setattr(units, "is_running", lambda _layout: True)
    monkeypatch.setattr(units, "show_units", show)
    for path, text in {
        f"{layout.unit_dir}/cloudsync@.service": units.render_service(layout),
        **units.render_common_units(layout),
    }.items():
        pathlib.Path(path).write_text(text)
    found["calls"] = calls
    return found


def test_systemd_is_asked_once_for_all_tasks(lines, systemd):
    assert lines() == []
    assert len(systemd["calls"]) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ActiveState": "inactive"}, "is inactive, so no run of the task starts. Start it with: systemctl start"),
        ({"LoadState": "masked"}, "is masked, so no run"),
        ({"LoadState": "not-found"}, "is not-found, so no run"),
        ({"UnitFileState": "disabled"}, "is disabled, so no run of the task starts after the next boot."),
    ],
)
def test_a_timer_that_does_not_work_is_a_problem(lines, systemd, change, said):
    systemd["cloudsync@nightly.timer"].update(change)
    (line,) = lines()
    assert line.startswith("nightly: timer: cloudsync@nightly.timer " + said)
    systemd["cloudsync-watch.timer"].update(ActiveState="failed")
    assert lines()[1].startswith("timer: cloudsync-watch.timer is failed, so no notification")


def test_a_failed_unit_without_a_record_is_a_problem(lines, systemd, layout):
    began = str(int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1000000))
    systemd["cloudsync@byhand.service"].update(
        ActiveState="failed", Result="exit-code", InactiveExitTimestampMonotonic=began
    )
    ran(layout, "success", started="2026-01-22T10:00:00Z")
    (line,) = lines()
    assert line.startswith("byhand: unit: cloudsync@byhand.service failed (exit-code), and the run left no record.")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    ran(layout, "failed", 2, started=now, reason="auth", message="Refused.")
    assert lines() == ["byhand: failed: auth: Refused."]


def test_a_template_or_watch_that_was_edited_is_a_problem(lines, systemd, layout):
    path = pathlib.Path(layout.unit_dir, "cloudsync@.service")
    path.write_text(path.read_text() + "ProtectSystem=no\n")
    (line,) = lines()
    assert line.startswith(f"unit: {path} is not what this version of cloudsync writes.")


def test_a_check_that_fails_is_a_problem_and_not_ok(lines, monkeypatch):
    monkeypatch.setattr(units, "render_units", lambda task, *_credential: task.no_such_option)
    (line,) = lines()
    assert line == "unit: This could not be checked. Internal error: AttributeError."
