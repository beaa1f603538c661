# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command on the host, as an operator or a monitor calls it."""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib
import re
import subprocess

import pytest
from harness import SLOW, text_tree, wait_for, write_tree

FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}


@pytest.fixture(name="host")
def fixture_host(machine, bucket, store):
    """The machine with the scheduled task ``nightly``, the manual ``byhand`` and the disabled ``off``."""
    write_tree(machine.data / "documents", FILES)
    base = {
        "credential": "store",
        "direction": "push",
        "mode": "sync",
        "path": str(machine.data / "documents"),
    }
    nightly = {
        **base,
        "name": "nightly",
        "description": "The documents",
        "remote_path": bucket.name + "/nightly",
        "schedule": {"cron": "30 2 * * *", "timezone": "Europe/Berlin"},
    }
    byhand = {**base, "name": "byhand", "remote_path": bucket.name + "/byhand"}
    off = {**nightly, "name": "off", "enabled": False, "remote_path": bucket.name + "/off"}
    machine.declare([store], [nightly, byhand, off])
    machine.base = base
    return machine


def test_list(host):
    text = host.cloudsync("list").out
    assert [line.split()[0] for line in text.splitlines()] == ["TASK", "byhand", "nightly", "off"]
    listed = {task["task"]: task for task in host.cloudsync("list", "--json").json}
    assert listed["nightly"]["description"] == "The documents"
    assert listed["nightly"]["enabled"] is True
    assert listed["off"]["enabled"] is False


def test_a18_status_before_during_and_after_a_run(host, bucket):
    assert host.status("byhand")["state"] == "pending"
    assert host.status("byhand")["run"] is None
    assert host.status("byhand")["next"] is None
    following = datetime.datetime.fromisoformat(host.status("nightly")["next"])
    assert (following.hour, following.minute) == (2, 30)
    assert following > datetime.datetime.now(datetime.timezone.utc)
    record = host.run("nightly")
    status = host.status("nightly")
    assert (status["state"], status["reason"], status["run"]) == ("success", "", record)
    lines = host.cloudsync("status").out.splitlines()
    assert lines[0].split()[:3] == ["TASK", "DIRECTION", "STATE"]
    assert "success" in next(line for line in lines if line.startswith("nightly"))
    assert "disabled" in next(line for line in lines if line.startswith("off"))
    assert record["log"] in host.cloudsync("status", "nightly").out


def test_a_run_tells_a_person_how_it_began_and_ended(host):
    lines = host.cloudsync("run", "byhand").out.splitlines()
    assert lines[0].startswith("cloudsync: byhand: run 2")
    assert " started. Log: /" in lines[0]
    assert lines[-1].startswith("cloudsync: byhand: success: 2 files transferred (")


def test_a_run_says_what_started_it(host):
    assert host.run("nightly")["trigger"] == "manual"
    answer = host.cloudsync("run", "nightly", "--json", TRIGGER_UNIT="cloudsync@nightly.timer")
    assert answer.json["trigger"] == "timer"


def test_a_terminal_shows_the_progress_of_a_run_in_one_line(host, bucket):
    write_tree(host.data / "documents", {"big.bin": b"x" * 20000000})
    host.declare([], [{**host.base, "name": "slow", "bandwidth": SLOW, "remote_path": bucket.name + "/slow"}])
    controller, side = os.openpty()
    run = subprocess.Popen([host.layout.command, "run", "slow"], stdout=side, env=host.environment)
    os.close(side)
    seen = b""
    while b"%, " not in seen:
        seen += os.read(controller, 4096)
    assert host.cloudsync("stop", "slow").code == 0
    assert run.wait(timeout=60) == 143
    with contextlib.suppress(OSError):  # the end of a terminal
        while chunk := os.read(controller, 4096):
            seen += chunk
    os.close(controller)
    text = seen.decode()
    assert re.search(r"\r\x1b\[2K[0-9]+%, [0-9.]+ (B|KiB|MiB) of 19.1 MiB, [0-9.]+ (B|KiB)/s", text)
    assert "\r\x1b[2Kcloudsync: slow: aborted (stopped): " in text


def test_history_is_newest_first(host):
    first, second = host.run("byhand"), host.run("byhand")
    assert [record["id"] for record in host.history("byhand")] == [second["id"], first["id"]]
    text = host.cloudsync("history", "byhand").out.splitlines()
    assert [line.split()[0] for line in text[1:]] == [second["id"], first["id"]]


def test_logs(host):
    assert host.cloudsync("logs", "byhand").code == 1
    record = host.run("byhand")
    assert "a.txt" in host.cloudsync("logs", "byhand").out
    answer = host.cloudsync("logs", "byhand", "--json").json
    assert answer["id"] == record["id"]
    assert answer["lines"] == pathlib.Path(record["log"]).read_text().splitlines()


def test_a_log_begins_with_what_runs_and_ends_with_what_was_done(host):
    record = host.run("byhand")
    lines = [line.partition(" ")[2] for line in host.cloudsync("logs", "byhand").out.splitlines()]
    assert lines[0].startswith(f"run {record['id']} of task byhand: push (sync) {host.data}/documents -> store:")
    assert lines[1].startswith("started by a command on host ")
    assert ", time zone " in lines[1]
    (command,) = [line for line in lines if ": rclone " in line]
    assert re.match(r"rclone [0-9.]+: rclone ", command)
    assert " sync --log-level INFO " in command
    assert " " + str(host.data / "documents") + " " in command
    assert lines[-2].startswith("2 files transferred (9 B), 0 deleted, 0 errors, ")
    assert lines[-1].startswith("success: 2 files transferred")


def test_logs_of_a_certain_run_and_of_all_runs_since_a_time(host):
    first, second = host.run("byhand"), host.run("byhand")
    assert first["id"] in host.cloudsync("logs", "byhand", first["id"]).out
    assert host.cloudsync("logs", "byhand", second["id"][:-1], "--json").json["id"] == second["id"]
    both = host.cloudsync("logs", "byhand", "--since", "1h").out
    assert both.index(first["id"]) < both.index(second["id"])
    assert host.cloudsync("logs", "byhand", "--since", "2h", "--json").json["lines"] == both.splitlines()
    assert host.cloudsync("logs", "byhand", "--since", "2999-01-01").out == ""
    for words in (["20200101"], ["2"], ["--since", "yesterday"], [first["id"], "--since", "1h"]):
        answer = host.cloudsync("logs", "byhand", *words)
        assert (answer.code, answer.out) == (2, "")


def test_logs_are_followed_to_the_end_of_the_run(host, bucket):
    slow = {**host.base, "name": "byhand", "remote_path": bucket.name + "/byhand"}
    hold = f"touch {host.data}/began; until test -e {host.data}/go; do sleep 0.05; done; echo done"
    host.declare([], [{**slow, "hooks": {"always": hold}}])
    run = host.start("byhand")
    wait_for((host.data / "began").exists, "the hook")
    follower = subprocess.Popen(
        [host.layout.command, "logs", "byhand", "--follow"],
        stdout=subprocess.PIPE,
        env=host.environment,
        encoding="utf-8",
    )
    assert follower.stdout.readline()
    assert follower.poll() is None
    (host.data / "go").touch()
    record = host.ended(run, 0)
    rest, _nothing = follower.communicate(timeout=30)
    assert "[always] done" in rest
    assert record["message"] in rest.splitlines()[-1]


def test_preview_of_a_task_and_of_an_expression(host):
    found = host.cloudsync("preview", "nightly", "--count", "3", "--json").json
    assert (found["cron"], found["timezone"], len(found["runs"])) == ("30 2 * * *", "Europe/Berlin", 3)
    assert found["oncalendar"] == ["*-*-* 02:30:00 Europe/Berlin"]
    assert host.cloudsync("preview", "*/15 * * * *", "--count", "4", "--json").json["runs"]
    assert "30 2 * * *" in host.cloudsync("preview", "nightly").out
    wrong = host.cloudsync("preview", "61 * * * *")
    assert wrong.code == 2
    assert "minute" in wrong.err
    assert host.cloudsync("preview", "byhand").code == 2


def test_verify(host):
    assert host.cloudsync("verify", "store").out == "credential store can log in\n"
    assert host.cloudsync("verify", "store", "--json").json == {"credential": "store", "valid": True}
    missing = host.cloudsync("verify", "stor")
    assert missing.code == 2
    assert "store" in missing.err


def test_check(host):
    assert host.cloudsync("check").out == "ok\n"
    (host.data / "documents").rename(host.data / "elsewhere")
    host.run("nightly", 3, "not_found")
    answer = host.cloudsync("check")
    assert answer.code == 1
    assert answer.out.startswith("nightly: failed: not_found:")
    assert host.cloudsync("check", "--json").json["ok"] is False
    (host.data / "elsewhere").rename(host.data / "documents")
    host.run("nightly")
    assert host.cloudsync("check").code == 0


def test_check_tells_of_a_run_that_never_came(host):
    timer = pathlib.Path(host.layout.unit_dir, "cloudsync@nightly.timer")
    os.utime(timer, (1600000000, 1600000000))
    answer = host.cloudsync("check")
    assert answer.code == 1
    assert "overdue" in answer.out
    assert "overdue" in host.cloudsync("status").out
    host.run("nightly")
    assert host.cloudsync("check").code == 0


@pytest.mark.parametrize("verb", ["run", "status", "stop", "logs", "history", "gate", "sweep"])
def test_the_error_for_a_task_that_does_not_exist_names_it(host, verb):
    answer = host.cloudsync(verb, "nightli")
    assert answer.code == 2
    assert "nightli" in answer.err
    assert "nightly" in answer.err


@pytest.mark.parametrize("arguments", [["run"], ["run", "nightly", "--fast"]])
def test_wrong_usage(host, arguments):
    answer = host.cloudsync(*arguments)
    assert answer.code == 2
    assert "usage" in answer.err


def test_an_unknown_verb_is_answered_with_the_nearest_one(host):
    answer = host.cloudsync("stauts")
    assert answer.code == 2
    assert answer.err == (
        "cloudsync: cloudsync has no verb 'stauts'. Did you mean 'status'? cloudsync --help lists all verbs.\n"
    )


def test_the_verbs_of_the_units_are_in_no_help_and_no_error(host):
    for answer in (host.cloudsync("--help"), host.cloudsync("swep"), host.cloudsync("gat")):
        assert not {"gate", "sweep", "assist"} & set(re.findall(r"[a-z]+", answer.out + answer.err))


def test_without_a_verb_the_command_shows_the_status(host):
    assert host.cloudsync().out == host.cloudsync("status").out


def test_the_version(host):
    lines = host.cloudsync("--version").out.splitlines()
    galaxy = pathlib.Path(__file__).parents[2].joinpath("galaxy.yml").read_text()
    assert lines[0] == "cloudsync " + re.search(r"^version: (.*)$", galaxy, re.MULTILINE)[1]
    assert re.match(r"rclone [0-9.]+ \(/", lines[1])


def test_an_error_in_json(host):
    answer = host.cloudsync("run", "nightli", "--json")
    assert answer.code == 2
    assert answer.json["reason"] == "usage"


def test_a_dry_run_for_a_person(host, bucket):
    write_tree(bucket / "nightly", {"a.txt": "old", "stale.txt": "stale"})
    nightly = {**host.base, "name": "nightly", "remote_path": bucket.name + "/nightly"}
    host.declare([], [{**nightly, "guards": {"max_delete": 1}}])
    answer = host.cloudsync("run", "nightly", "--dry-run")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[:3] == ["copy      deep/b.txt  (4 B)", "overwrite a.txt  (5 B)", "delete    stale.txt  (5 B)"]
    assert lines[3] == "plan: copy 1 file (4 B), overwrite 1 file (5 B), delete 1 file (5 B)"
    assert text_tree(bucket / "nightly") == {"a.txt": "old", "stale.txt": "stale"}


@pytest.mark.parametrize("mode", ["sync", "copy", "move"])
def test_the_plan_of_each_mode(host, bucket, mode):
    write_tree(bucket / "planned", {"a.txt": "older", "stale.txt": "stale", "deep/same.txt": "same"})
    write_tree(host.data / "documents", {"deep/same.txt": "same", "a.txt": "alpha!"})
    planned = {**host.base, "name": "planned", "mode": mode, "remote_path": bucket.name + "/planned"}
    host.declare([], [{**planned, "guards": {"max_delete": 1}}])
    plan = host.plan("planned")
    assert plan["copy"] == [{"path": "deep/b.txt", "size": 4}]
    assert plan["overwrite"] == [{"path": "a.txt", "size": 6}]
    assert plan["delete"] == ([{"path": "stale.txt", "size": 5}] if mode == "sync" else [])
    assert plan["totals"]["copy"] == {"files": 1, "bytes": 4}
    assert plan["present"] == 3
    result = host.module("run", task="planned", dry_run=True)
    assert result["plan"] == plan
    assert result["changed"] is False
    in_check_mode = host.module("run", task="planned", _ansible_check_mode=True, _ansible_diff=True)
    assert in_check_mode["changed"] is True
    assert in_check_mode["diff"] == {"before": {}, "after": plan}
    assert host.history("planned") == []


def test_the_module_runs_waits_and_stops(host, bucket):
    write_tree(host.data / "documents", {"big.bin": b"x" * 20000000})
    host.declare([], [{**host.base, "name": "slow", "bandwidth": SLOW, "remote_path": bucket.name + "/slow"}])
    started = host.module("run", task="slow", state="started")
    assert started["run"]["state"] in ("waiting", "running")
    joined = host.module("run", task="slow", state="started")
    assert (joined["changed"], joined["run"]["id"]) == (False, started["run"]["id"])
    stopped = host.module("run", task="slow", state="stopped")
    assert stopped["changed"] is True
    assert (stopped["run"]["id"], stopped["run"]["reason"]) == (started["run"]["id"], "stopped")
    assert host.module("run", task="slow", state="stopped")["changed"] is False
    finished = host.module("run", task="byhand")
    assert (finished["changed"], finished["run"]["state"]) == (True, "success")
    failed = host.module("run", task="byhand", _ansible_check_mode=True)
    assert not failed.get("failed")


def gate(host, task, **environment):
    return host.cloudsync("gate", task, **environment).code == 0


TIMER = {"TRIGGER_UNIT": "cloudsync@nightly.timer"}


def test_the_gate_refuses_one_start_that_was_owed_to_a_stopped_run(host, bucket):
    assert gate(host, "nightly", **TIMER)
    write_tree(host.data / "documents", {"big.bin": b"x" * 20000000})
    host.declare(
        [],
        [
            {
                **host.base,
                "name": "nightly",
                "bandwidth": SLOW,
                "remote_path": bucket.name + "/nightly",
                "schedule": {"preset": "daily"},
            }
        ],
    )
    run = host.start("nightly")
    host.wait_for_bytes("nightly")
    host.cloudsync("stop", "nightly")
    record = host.ended(run, 143)
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1, minutes=1)
    path = pathlib.Path(host.layout.task_state_dir("nightly"), "runs", record["id"] + ".json")
    path.write_text(path.read_text().replace(record["started"], yesterday.strftime("%Y-%m-%dT%H:%M:%SZ")))
    assert not gate(host, "nightly", **TIMER)
    assert gate(host, "nightly", **TIMER)


def test_the_gate_lets_a_start_by_hand_pass_and_forgets_the_stop(host):
    marker = pathlib.Path(host.layout.run_dir, "stopped", "nightly")
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert gate(host, "nightly")
    assert gate(host, "nightly", **TIMER)


def test_the_gate_keeps_the_timer_within_the_window(host, bucket):
    now = datetime.datetime.now(datetime.timezone.utc)
    for begin, end, expected in ((-120, -60, False), (-60, 60, True)):
        begins, ends = (now + datetime.timedelta(minutes=begin), now + datetime.timedelta(minutes=end))
        schedule = {
            "cron": f"{begins.minute} * * * *",
            "timezone": "Etc/UTC",
            "begin": begins.strftime("%H:%M"),
            "end": ends.strftime("%H:%M"),
        }
        task = {**host.base, "name": "nightly", "remote_path": bucket.name + "/nightly", "schedule": schedule}
        host.declare([], [task])
        assert gate(host, "nightly", **TIMER) is expected
        assert gate(host, "nightly")


def test_the_gate_makes_the_folder_of_a_pull_but_not_of_a_push(host, bucket):
    here = host.data / "new"
    down = {**host.base, "name": "down", "direction": "pull", "path": str(here), "remote_path": bucket.name + "/x"}
    host.declare([], [down, {**down, "name": "up", "direction": "push", "path": str(host.data / "other")}])
    assert gate(host, "down")
    assert gate(host, "up")
    assert here.is_dir()
    assert not (host.data / "other").exists()
