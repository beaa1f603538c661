# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import flock as locks
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
# A runner that starts its rclone, prints the pid of rclone, and is then killed.
RUNNER = """
import fcntl, os, subprocess, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, pass_fds=[descriptor])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "locks" / "tasks" / "nightly")


def test_a_lock_excludes_until_it_is_released(path):
    lock = locks.try_lock(path)

    assert locks.try_lock(path) is None
    assert locks.is_held(path)
    lock.release()
    lock.release()
    assert not locks.is_held(path)
    with locks.try_lock(path):
        assert locks.try_lock(path) is None


def test_the_text_of_the_holder_is_readable_while_the_lock_is_held(path):
    with locks.wait_lock(path) as lock:
        lock.write("a longer text")
        lock.write("4711")
        assert locks.read_holder(path) == "4711"

    assert locks.read_holder(path) is None
    assert locks.read_holder(path + ".none") is None


def test_is_held_ignores_the_shared_lock_of_another_is_held(path):
    locks.wait_lock(path).release()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # as another is_held() does
        assert not locks.is_held(path)
    finally:
        os.close(descriptor)


def test_is_held_creates_no_file(path):
    assert not locks.is_held(path)
    assert not os.path.exists(os.path.dirname(path))


def test_a_waiter_gets_the_lock_when_it_is_free(path):
    lock = locks.wait_lock(path)
    got = []
    waiter = threading.Thread(target=lambda: got.append(locks.wait_lock(path)))
    waiter.start()
    time.sleep(0.05)
    assert got == []
    lock.release()
    waiter.join(10)

    assert len(got) == 1
    assert locks.try_lock(path) is None


def test_wait_lock_does_not_return_a_lock_on_a_removed_file(path):
    lock = locks.wait_lock(path)
    got = []
    waiter = threading.Thread(target=lambda: got.append(locks.wait_lock(path)))
    waiter.start()
    time.sleep(0.05)
    os.unlink(path)
    os.rmdir(os.path.dirname(path))
    lock.release()
    waiter.join(10)

    assert os.fstat(got[0].descriptor).st_ino == os.stat(path).st_ino
    assert locks.try_lock(path) is None


def test_a_child_inherits_a_lock_only_if_it_gets_the_descriptor(path):
    lock = locks.wait_lock(path)
    child = subprocess.Popen(SLEEPER, stdout=subprocess.PIPE, close_fds=False)
    try:
        child.stdout.readline()
        lock.release()
        assert not locks.is_held(path)
    finally:
        child.kill()
        child.communicate()


def test_the_lock_of_a_killed_runner_lasts_as_long_as_its_rclone(path):
    os.makedirs(os.path.dirname(path))
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, path], stdout=subprocess.PIPE)
    rclone = int(runner.stdout.readline())
    runner.kill()
    runner.wait()
    runner.stdout.close()
    try:
        assert locks.is_held(path)
        assert locks.try_lock(path) is None
    finally:
        os.kill(rclone, signal.SIGKILL)

    with locks.wait_lock(path):
        pass


@pytest.fixture
def pauses(monkeypatch):
    """The pauses of a queue, which are not slept."""
    made = []
    monkeypatch.setattr(locks.time, "sleep", made.append)
    return made


def test_a_free_lock_is_taken_without_an_announcement_or_a_pause(path, pauses):
    announced = []
    with locks.queue_for_lock(lambda: locks.try_lock(path), announced.append, lambda: True, "another run"):
        assert locks.is_held(path)
    assert announced == pauses == []


def test_a_queue_announces_each_holder_once_and_ends_with_the_lock(path, pauses):
    answers = iter(["first", "first", "second", "second", locks.wait_lock(path)])
    announced = []
    locks.queue_for_lock(lambda: next(answers), announced.append, lambda: False, "another run").release()
    assert announced == ["first", "second"]
    assert pauses == [locks.QUEUE_SECONDS] * 4


def test_a_stop_ends_the_queue(pauses):
    with pytest.raises(CloudsyncError, match=r"^The run was stopped while it waited for another run\.$") as caught:
        locks.queue_for_lock(lambda: "busy", lambda _text: None, lambda: len(pauses) == 3, "another run")
    assert caught.value.reason == "stopped"


def test_an_announcement_may_give_up(pauses):
    def refuse(text):
        raise CloudsyncError("locked", text)

    with pytest.raises(CloudsyncError, match="busy") as caught:
        locks.queue_for_lock(lambda: "busy", refuse, lambda: False, "another run")
    assert caught.value.reason == "locked" and pauses == []
