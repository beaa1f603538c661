# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime


def test_a_host_without_any_returns_an_empty_list(bare_host):
    assert bare_host.ok("task_info")["tasks"] == []


def test_a_task_without_a_run_is_pending(host, documents):
    public = host.ok("task", documents)["task"]
    (host.root / "etc/cloudsync/seed").unlink()
    result = host.ok("task_info")
    assert not result["changed"]
    found = result["tasks"][0]
    assert {key: found[key] for key in public} == public
    assert found["status"]["state"] == "pending"
    assert found["status"]["run"] is None
    assert found["runs"] == []


def test_the_next_starts_are_listed(host, documents):
    host.ok("task", documents)
    found = host.ok("task_info", {"name": "documents", "next": 3})["tasks"][0]
    starts = [datetime.datetime.fromisoformat(text) for text in found["next"]]
    assert len(starts) == 3
    assert starts == sorted(set(starts))
    assert {(start.hour, start.minute) for start in starts} == {(2, 30)}
    assert found["status"]["next"] == found["next"][0]
    assert found["status"]["schedule_text"] == (
        "At 02:30 on Monday through Friday, Europe/Berlin, a missed run starts at boot"
    )


def test_a_task_without_an_active_schedule_has_no_next_start(host, documents):
    host.ok("task", dict(documents, enabled=False))
    found = host.ok("task_info", {"next": 3})["tasks"][0]
    assert found["next"] == []
    assert found["status"]["next"] is None


def test_past_runs_are_listed_newest_first(host, documents, source):
    host.ok("task", dict(documents, path=source + "/nowhere"))
    ids = [host.run("run", {"task": "documents"})["run"]["id"] for _attempt in range(3)]
    found = host.ok("task_info", {"name": "documents", "runs": 2})["tasks"][0]
    assert sorted(ids, reverse=True)[:2] == [run["id"] for run in found["runs"]]
    assert found["status"]["state"] == "failed"
    assert found["status"]["reason"] == "not_found"
    assert host.ok("task_info", {"runs": 0})["tasks"][0]["runs"] == []


def test_an_unknown_task_is_refused_with_the_existing_names(host, documents):
    host.ok("task", documents)
    assert host.refused("task_info", {"name": "document"}) == (
        "Task document does not exist on this host. Existing tasks: documents."
    )


def test_check_mode_without_the_task_returns_an_empty_list(bare_host):
    result = bare_host.ok("task_info", {"name": "documents"}, check=True)
    assert result["tasks"] == []
    assert result["warnings"] == ["Task documents does not exist on this host yet."]
