# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import pathlib
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import files
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import log as logs
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.log import RunLog

RUN_ID = "20261122T040000Z-a1b2c3"


def test_each_line_of_a_log_is_one_line_whatever_a_file_name_contains(layout):
    log = RunLog(layout, "nightly", RUN_ID)
    log.say("copy a\n2026-11-22T04:00:00Z success\x1b[2J (1 bytes)\n")
    log.say("next")
    log.close()

    lines = pathlib.Path(log.path).read_text(encoding="utf-8").split("\n")
    assert [line.partition(" ")[2] for line in lines] == [
        r"copy a\n2026-11-22T04:00:00Z success\x1b[2J (1 bytes)",
        "next",
        "",
    ]
    assert log.last_lines == [r"copy a\n2026-11-22T04:00:00Z success\x1b[2J (1 bytes)", "next"]


@pytest.fixture
def short_logs(monkeypatch):
    for name, size in (("MOST_BYTES", 4000), ("HEAD_BYTES", 1000), ("TAIL_BYTES", 2000)):
        monkeypatch.setattr(logs, name, size)


def test_a_long_log_keeps_its_beginning_and_its_end_and_says_how_much_is_missing(layout, short_logs):
    log = RunLog(layout, "nightly", RUN_ID)
    for number in range(1000):
        log.say(f"line {number}")
        assert os.path.getsize(log.path) <= 4000
    log.close()

    lines = [line.partition(" ")[2] for line in pathlib.Path(log.path).read_text().splitlines()]
    (marker,) = [line for line in lines if "were omitted" in line]
    at = lines.index(marker)
    assert lines[:at] == [f"line {number}" for number in range(at)]
    after = len(lines) - at - 1
    assert lines[at + 1 :] == [f"line {number}" for number in range(1000 - after, 1000)]
    assert marker == f"{1000 - at - after} lines were omitted here. The log was too long."


def test_old_logs_go_by_count_age_and_size(layout, monkeypatch):
    files.make_directory(layout.task_log_dir("nightly"))
    paths = [pathlib.Path(layout.task_log_dir("nightly"), f"{number}.log") for number in range(6)]
    for path in paths:
        path.write_text("x" * 100)
    old = time.time() - (logs.KEPT_LOG_DAYS + 1) * 86400
    os.utime(paths[4], (old, old))
    monkeypatch.setattr(logs, "KEPT_LOGS", 5)
    logs.prune_logs(layout, "nightly")
    assert [path.name for path in paths if path.exists()] == ["1.log", "2.log", "3.log", "5.log"]

    monkeypatch.setattr(logs, "KEPT_LOG_BYTES", 250)
    logs.prune_logs(layout, "nightly")
    assert [path.name for path in paths if path.exists()] == ["3.log", "5.log"]
    paths[5].write_text("x" * 1000)
    logs.prune_logs(layout, "nightly")
    assert [path.name for path in paths if path.exists()] == ["5.log"]


def test_logs_that_another_run_removes_meanwhile_are_no_error(layout, monkeypatch):
    listed = [f"{number}.log" for number in range(3)]
    monkeypatch.setattr(logs, "list_names", lambda _directory, _suffix: [name[:-4] for name in listed])
    monkeypatch.setattr(logs, "KEPT_LOGS", 1)
    files.make_directory(layout.task_log_dir("nightly"))
    pathlib.Path(layout.task_log_dir("nightly"), "0.log").write_text("x")
    logs.prune_logs(layout, "nightly")
    assert files.list_names(layout.task_log_dir("nightly"), ".log") == []


@pytest.mark.parametrize("what", ["file", "dangling link"])
def test_a_log_that_cannot_be_opened_is_named_and_ends_nothing(layout, what):
    os.makedirs(os.path.dirname(layout.log_dir))
    if what == "file":
        pathlib.Path(layout.log_dir).write_text("not a directory")
    else:
        pathlib.Path(layout.log_dir).symlink_to("/nowhere/at/all")

    log = RunLog(layout, "nightly", RUN_ID)
    log.say("hello")
    log.close()

    found = {"file": "not a directory", "dangling link": "a link to a directory that does not exist"}[what]
    assert log.problem.startswith(f"The log {log.path} is incomplete: {layout.log_dir} is {found}.")
    assert log.last_lines == [log.problem, "hello"]
    logs.prune_logs(layout, "nightly")


def test_a_log_on_a_full_disk_goes_on_once_there_is_space(layout, monkeypatch):
    write, full = os.write, []

    def fails(descriptor, content):
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content)

    monkeypatch.setattr(logs.os, "write", fails)
    log = RunLog(layout, "nightly", RUN_ID)
    log.say("one")
    full.append(True)
    log.say("two")
    full.clear()
    log.say("three")
    log.close()

    assert [line.split()[1] for line in pathlib.Path(log.path).read_text().splitlines()] == ["one", "three"]
    assert log.problem == f"The log {log.path} is incomplete: No space left on device."
