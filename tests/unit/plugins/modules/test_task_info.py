# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json


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


def write_run(host, number, state, started):
    """Write the record of a run, with its log."""
    run_id = started.strftime("%Y%m%dT%H%M%SZ") + f"-{number:06x}"
    log = host.root / f"var/log/cloudsync/documents/{run_id}.log"
    record = {
        "schema": 1,
        "id": run_id,
        "task": "documents",
        "state": state,
        "reason": "auth" if state == "failed" else "",
        "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ended": (started + datetime.timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "bytes": number,
        "log": str(log),
    }
    for path, text in (
        (host.root / f"var/lib/cloudsync/documents/runs/{run_id}.json", json.dumps(record)),
        (log, "".join(f"line {line} {'x' * 1000}\n" for line in range(1000))),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_facts_for_the_report_have_limits(host, documents):
    host.ok("task", documents)
    first = datetime.datetime(2027, 1, 1, 2, 30)
    for number in range(50):
        state = "skipped" if number == 49 else "failed" if number > 9 else "success"
        write_run(host, number, state, first + datetime.timedelta(days=number))
    assert "report" not in host.ok("task_info")["tasks"][0]
    facts = host.ok("task_info", {"report": True})["tasks"][0]["report"]
    assert facts["last_success"] == "2027-01-10T02:31:30Z", "the last one of ten"
    assert facts["failing_since"] == "2027-01-11T02:30:00Z", "the first failure after it, and not the last run"
    assert len(facts["runs"]) == 30
    assert facts["runs"][:2] == [
        ["skipped", "", "2027-02-19T02:30:00Z", 90, 49],
        ["failed", "auth", "2027-02-18T02:30:00Z", 90, 48],
    ]
    assert len(facts["log"]) <= 12 and facts["log"][-1].startswith("line 999 ") and len(facts["log"][-1]) == 300
    assert facts["account"] == "s3 s3.example.com:443"


def test_the_facts_for_the_report_have_the_starts_of_a_day(host, documents):
    counts = {"hourly": {"preset": "hourly"}, "daily": {"preset": "daily"}, "often": {"cron": "*/5 * * * *"}}
    found = {}
    for name, schedule in counts.items():
        host.ok("task", dict(documents, schedule=schedule))
        found[name] = len(host.ok("task_info", {"report": True, "name": "documents"})["tasks"][0]["report"]["starts"])
    assert found == {"hourly": 24, "daily": 1, "often": 100}
    host.ok("task", dict(documents, schedule=None, enabled=False))
    assert host.ok("task_info", {"report": True})["tasks"][0]["report"]["starts"] == []
