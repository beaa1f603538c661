# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a host whose own directories are damaged, full or read-only: nothing is silent."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from harness import text_tree, wait_for, write_tree

FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
needs_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")


@pytest.fixture(name="site")
def fixture_site(machine, bucket, store):
    """The machine with the task documents, which pushes two files."""
    write_tree(machine.data / "documents", FILES)
    task = {"name": "documents", "credential": "store", "direction": "push", "path": str(machine.data / "documents")}
    machine.declare([store], [{**task, "remote_path": bucket.name + "/documents"}])
    return machine


@contextlib.contextmanager
def mounted(path, options):
    """Cover the directory ``path`` with a file system in memory."""
    pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "cloudsync-test", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def hears(site, *words):
    """Check that ``cloudsync check`` fails with a line that contains all ``words``, and that nothing is a traceback."""
    answer = site.cloudsync("check")
    assert answer.code == 1 and "Traceback" not in answer.err, answer
    assert any(all(word in line for word in words) for line in answer.out.splitlines()), answer
    assert "Traceback" not in site.cloudsync("status").err


def test_a_log_directory_that_is_a_link_to_nowhere(site, bucket, reliability):
    pathlib.Path(site.layout.log_dir).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(site.layout.log_dir).symlink_to("/nowhere/at/all")
    record = site.run("documents")
    assert text_tree(bucket / "documents") == FILES
    assert f"The log {record['log']} is incomplete: {site.layout.log_dir} is not a directory." in record["message"]
    assert [run["id"] for run in site.history("documents")] == [record["id"]]
    hears(site, "directory: ", site.layout.log_dir)
    reliability.add(
        "The log directory is a symbolic link to a directory that does not exist.", record, heard="message, check"
    )


@needs_mounts
def test_a_state_directory_that_is_read_only(site, bucket, reliability):
    with mounted(site.layout.state_dir, "ro"):
        record = site.run("documents")
        assert text_tree(bucket / "documents") == FILES
        assert [run["id"] for run in site.history("documents")] == [record["id"]]
        hears(site, "directory: ", site.layout.state_dir, "Read-only file system")
    reliability.add("The state directory is read-only. The record is kept in /run.", record, heard="check")


@needs_mounts
def test_a_log_on_a_full_disk(site, bucket, reliability):
    with mounted(site.layout.log_dir, "size=4k"):
        pathlib.Path(site.layout.log_dir, "full").write_bytes(b"x" * 4096)
        record = site.run("documents")
        assert text_tree(bucket / "documents") == FILES
        assert record["log"] in record["message"] and "No space left on device" in record["message"]
        hears(site, "directory: ", site.layout.log_dir, "No space left on device")
    reliability.add("The file system of the logs is full.", record, heard="message, check")


@needs_mounts
def test_a_full_run_directory_ends_a_run_in_one_sentence(site, bucket):
    shutil.rmtree(site.layout.run_dir, ignore_errors=True)
    with mounted(site.layout.run_dir, "size=4k"):
        pathlib.Path(site.layout.run_dir, "full").write_bytes(b"x" * 4096)
        answer = site.cloudsync("run", "documents")
        assert answer.code == 1 and "Traceback" not in answer.err, answer
        assert site.layout.run_dir in answer.err and "No space left on device" in answer.err
        assert text_tree(bucket / "documents") == {}
        hears(site, "directory: ", site.layout.run_dir, "No space left on device")


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
