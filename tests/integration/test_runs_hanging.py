# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run without progress, and a log that is followed."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import time

import pytest
from harness import wait_for, write_tree

FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}


@pytest.fixture(name="site")
def fixture_site(machine, bucket, store):
    """The machine with the task documents, which pushes two files."""
    write_tree(machine.data / "documents", FILES)
    task = {"name": "documents", "credential": "store", "direction": "push", "path": str(machine.data / "documents")}
    machine.declare([store], [{**task, "remote_path": bucket.name + "/documents"}])
    return machine


def hears(site, *words):
    """Check that ``cloudsync check`` fails with a line that contains all ``words``, and that nothing is a traceback."""
    answer = site.cloudsync("check")
    assert answer.code == 1 and "Traceback" not in answer.err, answer
    assert any(all(word in line for word in words) for line in answer.out.splitlines()), answer
    assert "Traceback" not in site.cloudsync("status").err


def test_a_hanging_run_is_heard_of(site, reliability):
    """A run whose start, log and progress are a month old, as a suspended rclone leaves them."""
    write_tree(site.data / "documents", {"big.bin": b"x" * 20000000})
    stored = {"name": "documents", "credential": "store", "direction": "push", "path": str(site.data / "documents")}
    slow = {"bandwidth": [{"time": "00:00", "limit": "64K"}], "schedule": {"cron": "* * * * *"}}
    site.declare([], [{**stored, **slow, "remote_path": "hanging/documents"}])
    run = site.start("documents")
    status = site.wait_for_bytes("documents")
    pid, _words = site.rclone_of(run)
    os.kill(pid, signal.SIGSTOP)
    try:
        month_ago = time.time() - 30 * 86400
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(month_ago))
        time.sleep(1.5)  # the last statistics of rclone
        os.utime(status["run"]["log"], (month_ago, month_ago))
        record = pathlib.Path(site.layout.task_state_dir("documents"), "runs", status["run"]["id"] + ".json")
        record.write_text(record.read_text().replace(status["run"]["started"], started))
        progress = pathlib.Path(site.layout.run_dir, "progress", "documents.json")
        progress.write_text(progress.read_text().replace(site.status("documents")["progress"]["changed"], started))
        hears(site, "documents: overdue: run ", f"running since {started}", "more than 100 slots")
        hears(site, "documents: stalled: run ", "cloudsync stop documents")
        assert "overdue, stalled" in site.cloudsync("status").out
    finally:
        os.kill(pid, signal.SIGCONT)
    assert site.cloudsync("stop", "documents").code == 0
    ended = site.ended(run, 143)
    reliability.add(
        "rclone hangs for a month. The task has a slot each minute. Then it is stopped.",
        ended,
        heard="check, notification",
    )


def test_following_a_log_reads_only_what_is_new(site):
    hold = f"touch {site.data}/began; until test -e {site.data}/go; do sleep 0.05; done"
    stored = {"name": "documents", "credential": "store", "direction": "push", "path": str(site.data / "documents")}
    site.declare([], [{**stored, "remote_path": "followed/documents", "hooks": {"before": hold}}])
    run = site.start("documents")
    wait_for((site.data / "began").exists, "the hook")
    log = pathlib.Path(site.status("documents")["run"]["log"])
    with log.open("a") as stream:
        stream.write("".join(f"x line {number}\n" for number in range(100000)))
    follower = subprocess.Popen(
        [site.layout.command, "logs", "documents", "--follow"], stdout=subprocess.PIPE, env=site.environment
    )
    seen = b""
    while b"line 99999\n" not in seen:
        seen += os.read(follower.stdout.fileno(), 65536)

    def read_bytes():
        return int(pathlib.Path(f"/proc/{follower.pid}/io").read_text().split()[1])

    before = read_bytes()
    time.sleep(2)
    assert read_bytes() - before < 10000
    (site.data / "go").touch()
    site.ended(run, 0)
    rest, _nothing = follower.communicate(timeout=30)
    assert b" success: " in rest and (seen + rest).count(b"line 5\n") == 1
