# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.fleet import build_report

NOW = datetime.datetime(2027, 1, 31, 12, 0, tzinfo=datetime.timezone.utc)


def task(name="docs", state="success", **more):
    """One of ``task_info``'s; ``more`` goes into its status."""
    run = {
        "started": "2027-01-31T02:30:00Z",
        "ended": "2027-01-31T02:31:30Z",
        "bytes": 2048,
        "transfers": 2,
        "deletes": 1,
        "errors": 0,
        "log": "/var/log/cloudsync/docs/x.log",
    }
    status = {
        "task": name,
        "enabled": True,
        "state": state,
        "reason": "",
        "message": "",
        "direction": "push",
        "mode": "sync",
        "schedule_text": "At 02:30 every day, Europe/Berlin",
        "run": None if state == "pending" else run,
        "progress": None,
        "next": "2027-02-01T02:30:00+01:00",
        "overdue_since": None,
        "stalled_since": None,
        **more,
    }
    return {"name": name, "description": "Documents", "status": status}


def rows(*tasks, host="web"):
    return build_report({host: {"tasks": list(tasks)}}, NOW)["tasks"]


def test_a_row_tells_what_the_last_run_moved_and_how_long_it_took():
    (row,) = rows(task())
    assert (row["host"], row["task"], row["level"], row["state"]) == ("web", "docs", "fine", "success")
    assert (row["bytes"], row["transfers"], row["deletes"], row["duration"]) == (2048, 2, 1, 90)
    assert row["started"] == "2027-01-31T02:30:00+00:00"
    assert row["next"] == "2027-02-01T02:30:00+01:00"
    assert row["percent"] is None


def test_a_running_task_tells_how_far_it_is():
    progress = {"bytes": 500, "total_bytes": 2000, "transfers": 1, "deletes": 0, "errors": 0}
    running = task(state="running", progress=progress)
    running["status"]["run"].update(started="2027-01-31T11:59:00Z", ended="", bytes=0)
    (row,) = rows(running)
    assert (row["level"], row["percent"], row["bytes"], row["duration"]) == ("running", 25, 500, 60)
    assert row["ended"] is None


@pytest.mark.parametrize(
    "level, state, more",
    [
        ("problem", "failed", {}),
        ("problem", "aborted", {}),
        ("problem", "success", {"overdue_since": "2027-01-30T02:30:00+01:00"}),
        ("problem", "pending", {"overdue_since": "2027-01-30T02:30:00+01:00"}),
        ("running", "running", {}),
        ("running", "waiting", {}),
        ("running", "running", {"enabled": False}),
        ("pending", "pending", {}),
        ("pending", "skipped", {}),
        ("fine", "success", {}),
        ("disabled", "failed", {"enabled": False}),
        ("disabled", "success", {"enabled": False}),
    ],
)
def test_the_level_says_whether_somebody_has_to_look(level, state, more):
    assert rows(task(state=state, **more))[0]["level"] == level


def test_the_worst_come_first_and_then_hosts_and_tasks_by_name():
    overdue = {"overdue_since": "2027-01-30T02:30:00+01:00"}
    answers = {
        "web10": {"tasks": [task("b", "success"), task("a", "failed")]},
        "web2": {"tasks": [task("late", "success", **overdue), task("now", "running"), task("off", enabled=False)]},
        "web1": {"tasks": [task("new", "pending"), task("x10", "success"), task("x9", "success")]},
    }
    assert [(row["host"], row["task"]) for row in build_report(answers, NOW)["tasks"]] == [
        ("web10", "a"),
        ("web2", "late"),
        ("web2", "now"),
        ("web1", "new"),
        ("web1", "x9"),
        ("web1", "x10"),
        ("web10", "b"),
        ("web2", "off"),
    ]


def test_no_host_is_left_out():
    answers = {
        "fine": {"tasks": []},
        "gone": {"unreachable": True, "msg": "Connection refused"},
        "broken": {"failed": False, "msg": "No Python"},
        "lost": {},
        "passed-over": {"skipped": True},
        "mute": {"changed": False},
        "strange": {"tasks": [{"name": "docs", "status": {"state": "success"}}]},
        "stranger": {"tasks": ["docs"]},
    }
    report = build_report(answers, NOW)
    found = {row["host"]: (row["state"], row["message"]) for row in report["hosts"]}
    assert found["fine"] == ("answered", "")
    assert found["gone"] == ("unreachable", "Connection refused")
    assert found["broken"] == ("failed", "No Python")
    assert found["lost"][0] == found["passed-over"][0] == "not_asked"
    assert found["mute"] == ("failed", "The host gave no reason.")
    assert found["strange"][0] == found["stranger"][0] == "failed"
    assert "The answer of this host is invalid" in found["strange"][1]
    assert report["totals"]["silent"] == 7
    names = [row["host"] for row in report["hosts"]]
    assert len(names) == len(answers)
    assert (names[0], names[-1]) == ("gone", "fine")


def test_the_totals_tell_the_problems_apart():
    overdue = {"overdue_since": "2027-01-30T02:30:00+01:00"}
    both, late = task("both", "failed", **overdue), task("late", **overdue)
    report = build_report(
        {"web": {"tasks": [both, late, task("off", "failed", enabled=False), task()]}, "gone": {}}, NOW
    )
    assert report["totals"] == {
        "hosts": 2,
        "silent": 1,
        "tasks": 4,
        "problem": 2,
        "running": 0,
        "pending": 0,
        "fine": 1,
        "disabled": 1,
        "failed": 1,
        "overdue": 2,
    }
    assert report["summary"] == "4 tasks on 2 hosts: 2 with problems, 1 fine, 1 disabled. No answer from 1 host."


def test_a_fleet_without_tasks_has_a_summary():
    assert build_report({"web": {"tasks": []}}, NOW)["summary"] == "0 tasks on 1 host."
    assert build_report({}, NOW)["summary"] == "0 tasks on 0 hosts."


def test_the_report_is_plain_data():
    report = build_report({"web": {"tasks": [task()]}}, NOW)
    assert json.loads(json.dumps(report)) == report
    assert report["generated"] == "2027-01-31T12:00:00+00:00"


def test_a_problem_is_shown_at_its_task_or_at_its_host():
    problems = [
        {"name": "stalled", "task": "nightly", "message": "no progress"},
        {"name": "overdue", "task": "nightly", "message": "no run has started"},
        {"name": "task", "task": "gone", "message": "its file does not exist"},
        {"name": "rclone", "task": "", "message": "not installed"},
    ]
    report = build_report({"web": {"tasks": [task("nightly", "running"), task("other")], "problems": problems}}, NOW)
    (host,), (first, second) = report["hosts"], report["tasks"]
    assert (first["task"], first["level"], second["level"]) == ("nightly", "problem", "fine")
    assert first["message"].endswith("stalled: no progress") and "no run" not in first["message"]
    assert host["problems"] == ["gone: its file does not exist", "rclone: not installed"]
    assert "1 host with a problem of the whole host" in report["summary"]


def shared(host, name, direction="push", shard=None, account="s3 minio:9000", remote_path="bucket/docs"):
    found = task(name, direction=direction, remote_path=remote_path)
    return host, {"tasks": [{**found, "shard": shard, "report": {"account": account}}]}


@pytest.mark.parametrize(
    "first, second, is_marked",
    [
        ({}, {}, True),
        ({}, {"remote_path": "/bucket/docs/"}, True),
        ({}, {"remote_path": "bucket/other"}, False),
        ({}, {"account": "b2"}, False),
        ({"account": ""}, {"account": ""}, False),
        ({}, {"direction": "pull"}, False),
        ({"shard": {"index": 0, "count": 2}}, {"shard": {"index": 1, "count": 2}}, False),
        ({"shard": {"index": 0, "count": 2}}, {"shard": {"index": 0, "count": 2}}, True),
        ({"shard": {"index": 0, "count": 2}}, {"shard": {"index": 1, "count": 3}}, True),
        ({"shard": {"index": 0, "count": 2}}, {}, True),
    ],
)
def test_two_hosts_that_push_to_one_destination_are_marked(first, second, is_marked):
    answers = dict([shared("web1", "docs", **first), shared("web2", "docs", **second)])
    marks = {row["host"]: list(row["shared_with"]) for row in build_report(answers, NOW)["tasks"]}
    assert marks == ({"web1": ["web2/docs"], "web2": ["web1/docs"]} if is_marked else {"web1": [], "web2": []})


def test_the_last_success_and_the_first_failure_are_those_of_the_host():
    facts = {"last_success": "2027-01-20T02:31:00Z", "failing_since": "2027-01-21T02:30:00Z", "log": ["it failed"]}
    (row,) = rows({**task(state="failed"), "report": facts})
    assert (row["last_success"], row["failing_since"]) == ("2027-01-20T02:31:00+00:00", "2027-01-21T02:30:00+00:00")
    assert row["log_end"] == ["it failed"]
    (row,) = rows(task())
    assert row["last_success"] == "2027-01-31T02:31:30+00:00", "without the key report, the last run tells"
