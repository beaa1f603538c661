# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import stall_watch
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.stall_watch import StallWatch

PID = 4711


def stats(**numbers):
    return json.dumps({"level": "notice", "msg": "", "stats": {"elapsedTime": 1.5, **numbers}})


@pytest.fixture(name="time")
def fixture_time(monkeypatch):
    """A clock, and the number of bytes that the process has read."""

    class Time:
        now, bytes_read = 1000.0, 0

    monkeypatch.setattr(stall_watch.time, "monotonic", lambda: Time.now)
    monkeypatch.setattr(stall_watch, "_count_bytes_read", lambda _pid: Time.bytes_read)
    return Time


def test_a_command_without_progress_has_stalled(time):
    watch = StallWatch(60)
    watch.see_error_line(stats(bytes=5))
    time.now += 59
    watch.see_error_line(stats(bytes=5, elapsedTime=60.5, errors=9, eta=3, speed=0.1))
    watch.see_error_line('{"level": "error", "msg": "attempt failed", "object": "x"}')
    assert not watch.check(PID)
    time.now += 2
    assert watch.check(PID)
    assert watch.is_stalled


@pytest.mark.parametrize("name", ["bytes", "checks", "transfers", "deletes", "renames", "listed", "totalChecks"])
def test_a_change_of_the_statistics_is_progress(time, name):
    watch = StallWatch(60)
    for number in range(3):
        time.now += 59
        watch.see_error_line(stats(**{name: number}))
        assert not watch.check(PID)


def test_output_and_a_mebibyte_that_rclone_reads_are_progress(time):
    watch = StallWatch(60)
    time.now += 59
    watch.see_output()
    time.now += 59
    time.bytes_read = 2**20
    assert not watch.check(PID)
    time.now += 59
    assert not watch.check(PID)
    time.bytes_read += 2**20 - 1
    time.now += 2
    assert watch.check(PID)


def test_zero_is_no_limit(time):
    watch = StallWatch(0)
    time.now += 10**6
    assert not watch.check(PID)
