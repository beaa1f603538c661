# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are stopped, killed, or run into a wall: a record always, a secret in clear never."""

from __future__ import annotations

import os
import pathlib
import signal
import stat
import subprocess

import pytest
from harness import KEY, PASSWORD, SECRET, SLOW, alive, children, text_tree, wait_for, write_tree

HEARD = "the failure hook, notification, `cloudsync check`"
BIG = {"big.bin": b"x" * 20000000, "small.txt": "small"}


@pytest.fixture(name="slow")
def fixture_slow(machine, bucket, store):
    """The machine with the task ``slow``, which takes a minute, and a file for each hook that ran."""
    hooks = {
        kind: f"echo $CLOUDSYNC_STATE $CLOUDSYNC_REASON $CLOUDSYNC_RUN_ID > {machine.data}/{kind}"
        for kind in ("success", "failure", "always")
    }
    write_tree(machine.data / "slow", BIG)

    def declare(**options):
        task = {
            "name": "slow",
            "credential": "store",
            "direction": "push",
            "mode": "sync",
            "path": str(machine.data / "slow"),
            "remote_path": bucket.name + "/slow",
            "bandwidth": SLOW,
            "transfers": 1,
            "hooks": hooks,
            **options,
        }
        machine.declare([store], [task])

    declare()
    machine.declare_slow = declare
    return machine


def hook_output(machine, kind):
    path = machine.data / kind
    return path.read_text().split() if path.exists() else None


def test_a8_a_run_that_is_stopped(slow, bucket, reliability):
    run = slow.start("slow")
    slow.wait_for_bytes("slow")
    rclone = slow.rclone_of(run)[0]
    answer = slow.cloudsync("stop", "slow", "--json")
    assert answer.json == {"stopped": [slow.history("slow")[0]["id"]]}
    record = slow.ended(run, 143)
    assert (record["state"], record["reason"]) == ("aborted", "stopped")
    assert not alive(rclone)
    assert "big.bin" not in text_tree(bucket)
    assert hook_output(slow, "failure") == hook_output(slow, "always") == ["aborted", "stopped", record["id"]]
    assert not slow.live()
    assert slow.cloudsync("stop", "slow").out.strip() == "slow is not running"
    assert slow.cloudsync("check").code == 1
    reliability.add("A run is stopped during its transfer.", record, HEARD)


def test_a_signal_stops_a_run_and_a_pull_leaves_no_partial_file(slow, bucket):
    write_tree(bucket / "slow", BIG)
    back = slow.data / "back"
    slow.declare_slow(direction="pull", path=str(back))
    run = slow.start("slow")
    slow.wait_for_bytes("slow")
    run.send_signal(signal.SIGTERM)
    assert slow.ended(run, 143)["reason"] == "stopped"
    assert [name for name in text_tree(back) if name != "small.txt"] == []


def test_a_runner_that_is_killed(slow, reliability):
    run = slow.start("slow")
    slow.wait_for_bytes("slow")
    rclone = slow.rclone_of(run)[0]
    # A stopped process can't notice that nobody listens any more: only the kernel's own signal ends it.
    os.kill(rclone, signal.SIGSTOP)
    run.kill()
    run.wait()
    wait_for(lambda: not alive(rclone), "the end of rclone")
    status = slow.status("slow")
    assert (status["state"], status["reason"], status["progress"]) == ("aborted", "interrupted", None)
    assert slow.cloudsync("check").code == 1
    assert hook_output(slow, "failure") is None
    killed = status["run"]["id"]
    slow.declare_slow(bandwidth=[])
    record = slow.run("slow")
    assert hook_output(slow, "failure") == ["aborted", "interrupted", killed]
    assert hook_output(slow, "success") == ["success", record["id"]]
    assert hook_output(slow, "always") == ["success", record["id"]]
    assert not slow.live()
    assert [(past["state"], past["reason"]) for past in slow.history("slow")] == [
        ("success", ""),
        ("aborted", "interrupted"),
    ]
    assert slow.history("slow")[1]["ended"]
    assert slow.cloudsync("check").code == 0
    fault = "The runner is killed while rclone is suspended."
    reliability.add(fault, slow.history("slow")[1], HEARD)


def test_the_sweep_after_a_unit_ended_closes_what_was_killed(slow):
    """systemd runs it (ExecStopPost), and finds what the next start would find."""
    run = slow.start("slow")
    slow.wait_for_bytes("slow")
    run.kill()
    run.wait()
    assert wait_for(lambda: slow.cloudsync("sweep", "slow").code == 0 and not slow.live(), "an empty live folder")
    assert hook_output(slow, "always")[:2] == ["aborted", "interrupted"]
    assert hook_output(slow, "failure") == hook_output(slow, "always")
    (slow.data / "always").unlink()
    slow.cloudsync("sweep", "slow")
    assert hook_output(slow, "always") is None


def test_a_sweep_leaves_a_run_that_lives_alone(slow):
    run = slow.start("slow")
    slow.wait_for_bytes("slow")
    assert slow.cloudsync("sweep", "slow").code == 0
    assert slow.live()
    assert slow.status("slow")["state"] == "running"
    slow.cloudsync("stop", "slow")
    slow.ended(run, 143)


def test_a_runner_that_is_killed_during_its_hook(slow, reliability):
    slow.declare_slow(hooks={"before": f"touch {slow.data}/began; sleep 60", "always": f"touch {slow.data}/always"})
    run = slow.start("slow")
    wait_for((slow.data / "began").exists, "the hook")
    hook = next(pid for pid, words in children(run.pid).items() if "/dev/fd/" in " ".join(words))
    run.kill()
    run.wait()
    wait_for(lambda: not alive(hook), "the end of the hook")
    assert slow.status("slow")["reason"] == "interrupted"
    assert slow.cloudsync("sweep", "slow").code == 0
    assert (slow.data / "always").exists()
    reliability.add("The runner is killed during a hook.", slow.history("slow")[0], HEARD)


def test_an_rclone_that_is_killed_alone_is_a_failed_run_with_a_reason(slow):
    run = slow.start("slow")
    slow.wait_for_bytes("slow")
    os.kill(slow.rclone_of(run)[0], signal.SIGKILL)
    record = slow.ended(run, 1)
    assert (record["state"], record["reason"]) == ("failed", "interrupted")
    assert "signal 9" in record["message"]
    assert hook_output(slow, "failure") == ["failed", "interrupted", record["id"]]


def test_a_credential_that_can_not_be_read_is_heard_of(slow, reliability):
    credential = slow.root / "etc" / "cloudsync" / "credentials" / "store.json"
    whole = credential.read_text()
    credential.write_text(whole[: len(whole) // 2])
    record = slow.cloudsync("run", "slow", "--json").json
    assert record["state"] == "failed"
    assert hook_output(slow, "failure")[0] == hook_output(slow, "always")[0] == "failed"
    assert credential.read_text() == whole[: len(whole) // 2]
    reliability.add("The file of a credential is cut in half.", record, HEARD)


def test_a_run_that_takes_too_long(slow, reliability):
    slow.declare_slow(limits={"max_duration": 1})
    record = slow.run("slow", 1, "max_duration")
    assert record["state"] == "failed"
    assert "limits.max_duration" in record["message"]
    reliability.add("A run exceeds limits.max_duration.", record, HEARD)


def test_no_secret_in_clear_but_in_the_live_configuration_which_only_its_owner_reads(slow):
    slow.declare_slow(encryption={"password": PASSWORD}, notify=[f"http://127.0.0.1:9/{SECRET}"])
    run = slow.start("slow")
    slow.wait_for_bytes("slow")
    for pid in [run.pid, *children(run.pid)]:
        for source in ("cmdline", "environ"):
            text = pathlib.Path(f"/proc/{pid}/{source}").read_bytes()
            assert SECRET.encode() not in text
            assert b"RCLONE" not in text
    found = {path: content for path, content in slow.left_behind().items() if KEY.encode() in content}
    assert found
    for path in found:
        assert path.startswith(slow.layout.run_dir + "/live/"), path
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for folder in (slow.layout.run_dir, slow.layout.run_dir + "/live", *slow.live()):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert not [path for path, content in slow.left_behind().items() if PASSWORD.encode() in content]
    slow.cloudsync("stop", "slow")
    slow.ended(run, 143)
    assert not slow.live()


def test_modes_of_what_stays(slow):
    slow.declare_slow(bandwidth=[])
    slow.run("slow")
    for path in slow.left_behind():
        wanted = 0o640 if path.endswith(".log") else 0o644 if path.endswith((".timer", ".service")) else 0o600
        assert stat.S_IMODE(os.stat(path).st_mode) == wanted, path
    for folder in (slow.layout.config_dir, slow.layout.task_state_dir("slow"), slow.layout.run_dir):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_still_leaves_a_record(slow, reliability):
    slow.declare_slow(bandwidth=[])
    slow.run("slow")
    state = slow.layout.task_state_dir("slow")
    logs = slow.layout.task_log_dir("slow")
    for folder in (state, logs):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
        filling = pytest.raises(OSError, match="No space")
        with filling, open(os.path.join(folder, "filler"), "wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 1024)
    try:
        record = slow.run("slow")
        assert [past["id"] for past in slow.history("slow")] == [record["id"]]
        assert slow.status("slow")["state"] == "success"
        os.unlink(os.path.join(state, "filler"))
        second = slow.run("slow")
        assert [past["id"] for past in slow.history("slow")] == [second["id"], record["id"]]
        assert sorted(os.listdir(state + "/runs")) == [record["id"] + ".json", second["id"] + ".json"]
        reliability.add("The disks of the state and of the logs are full at the same time.", record, HEARD)
    finally:
        for folder in (state, logs):
            subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_pull_onto_a_full_disk_says_so(slow, bucket):
    write_tree(bucket / "slow", BIG)
    back = slow.data / "back"
    back.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(back)], check=True)
    try:
        slow.declare_slow(direction="pull", path=str(back), bandwidth=[], retries=0)
        record = slow.run("slow", 1, "disk_full")
        assert "Free some space" in record["message"]
    finally:
        subprocess.run(["umount", str(back)], check=True)
