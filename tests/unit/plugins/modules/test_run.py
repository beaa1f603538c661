# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest


@pytest.fixture
def task(host, documents):
    """Provide a stored task without encryption."""
    declared = dict(documents, encryption=None, notify=None, guards={}, mode="copy")
    host.ok("task", declared)
    return declared


def test_a_dry_run_returns_the_plan_and_is_not_a_change(host, task):
    host.rclone.answers("lsjson", '[{"Path": "a", "Size": 3}]')
    host.rclone.replays("copy", "dry_run_sync")
    before = host.files()
    result = host.ok("run", {"task": "documents", "dry_run": True})
    assert not result["changed"]
    assert result["plan"]["overwrite"] == [{"path": "a", "size": 6}]
    assert result["plan"]["totals"]["overwrite"] == {"files": 1, "bytes": 6}
    assert result["plan"]["delete"] == []
    assert result["diff"] == {"before": {}, "after": result["plan"]}
    assert host.files() == before


def test_in_check_mode_the_plan_is_the_diff_of_a_change(host, task):
    host.rclone.answers("lsjson", "[]")
    host.rclone.replays("copy", "dry_run_sync")
    before = host.files()
    result = host.ok("run", {"task": "documents"}, check=True)
    assert result["changed"]
    assert {"path": "a", "size": 6} in result["plan"]["copy"]
    assert result["diff"]["after"] == result["plan"]
    assert host.files() == before


def test_a_guard_fails_check_mode_and_warns_in_a_dry_run(host, task, source):
    host.ok("task", dict(task, mode="sync", guards={"max_delete": "0"}))
    host.rclone.answers("lsf", "a\n")
    host.rclone.answers("lsjson", '[{"Path": "gone", "Size": 3}]')
    host.rclone.replays("sync", "dry_run_sync")
    runs = [host.run("run", {"task": "documents"}, check=True), host.ok("run", {"task": "documents", "dry_run": True})]
    assert [result["reason"] for result in runs] == ["max_delete", "max_delete"]
    assert runs[0]["failed"]
    assert runs[0]["msg"].startswith("A run of task documents would end as max_delete: The run would delete ")
    assert runs[1]["warnings"] == [runs[0]["msg"]]
    assert runs[1]["plan"]["delete"]


def test_check_mode_without_the_task_returns_an_empty_plan(bare_host):
    result = bare_host.ok("run", {"task": "documents"}, check=True)
    assert result["changed"]
    assert result["warnings"] == ["Task documents does not exist on this host yet."]
    assert result["plan"]["copy"] == []


def test_a_run_that_a_guard_refuses_fails_with_its_record(host, task, source):
    host.ok("task", dict(task, path=source + "/nowhere"))
    result = host.run("run", {"task": "documents"})
    assert result["failed"]
    assert result["changed"]
    run = result["run"]
    assert (run["state"], run["reason"], run["task"], run["trigger"]) == ("failed", "not_found", "documents", "manual")
    assert result["reason"] == "not_found"
    assert result["msg"] == f"Run {run['id']} of task documents ended as failed (not_found): {run['message']}"
    assert run["message"] == (
        f"Source {source}/nowhere does not exist. Create it, or correct the task's path. Nothing was changed."
    )
    assert run["exit_code"] is None
    with open(run["log"], encoding="utf-8") as log:
        assert run["message"] in log.read()


def test_a_finished_run_is_a_change(host, task):
    host.rclone.answers("lsf", "a\n")
    host.rclone.replays("copy", "sync")
    result = host.ok("run", {"task": "documents"})
    assert result["changed"]
    assert result["run"]["state"] == "success"
    assert result["run"]["exit_code"] == 0
    assert "plan" not in result


def test_a22_a_mount_point_that_is_not_mounted_refuses(host, task, source):
    host.ok("task", dict(task, guards={"mounted": source}))
    result = host.run("run", {"task": "documents"})
    assert result["reason"] == "not_mounted"
    assert f"{source} is not mounted." in result["msg"]


def test_stopping_an_inactive_task_is_not_a_change(host, task):
    result = host.ok("run", {"task": "documents", "state": "stopped"})
    assert not result["changed"]
    assert result["run"] == {}
    assert not host.ok("run", {"task": "documents", "state": "stopped"}, check=True)["changed"]


def test_check_mode_without_the_task_stops_nothing(bare_host):
    result = bare_host.ok("run", {"task": "documents", "state": "stopped"}, check=True)
    assert not result["changed"]
    assert result["warnings"] == ["Task documents does not exist on this host yet."]


def test_state_started_needs_the_installed_command(host, task):
    assert host.refused("run", {"task": "documents", "state": "started"}) == (
        f"{host.root}/usr/local/bin/cloudsync does not exist, so a run would end with this module. Apply the role "
        "skyhaul.cloudsync.runner, or use state=finished."
    )


@pytest.mark.parametrize("options", [{}, {"state": "stopped"}, {"state": "started"}, {"dry_run": True}])
def test_a_task_that_does_not_exist_is_refused(host, task, options):
    assert host.refused("run", dict(options, task="document")) == (
        "Task document does not exist on this host. Existing tasks: documents."
    )


@pytest.mark.parametrize("more", [{"state": "started"}, {"dry_run": True}, {"adopt": True}, {"path": "/srv/x"}])
def test_with_an_id_the_module_only_waits(host, task, more):
    result = host.run("run", {"task": "documents", "id": "20270131T023000Z-4f09aa", **more})
    assert result["msg"].startswith("With id, set only the options task and timeout.")
