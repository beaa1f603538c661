# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks for a fleet, and its report: real ansible-playbook, hosts that are folders, a real S3 server."""

from __future__ import annotations

import json
import os
import re
import sys
import time

import pytest

EVIL = "<script>alert('x')</script>{{ 86423 * 97531 }}&amp;"
DAYS = 86400
LONG = b"x" * 30000000  # minutes at the speed that the tests allow


@pytest.fixture(name="controller")
def fixture_controller(tmp_path):
    from controller import Controller

    return Controller(tmp_path)


def push(name, path, bucket, **more):
    task = {"name": name, "credential": "store", "direction": "push", "mode": "copy", "path": str(path)}
    return {**task, "remote_path": f"{bucket.name}/{name}", **more}


def host_of(machine):
    return {"cloudsync_root": str(machine.root)}


def test_the_report_shows_every_task_and_host_the_worst_first(controller, new_machine, store, bucket):
    import harness

    web, media = new_machine(), new_machine()
    harness.write_tree(web.data, {"docs/a.txt": "a", "docs/b.txt": "b"})
    harness.write_tree(media.data, {"films/long.mkv": LONG})
    evil = push("evil", web.data / EVIL, bucket)
    late = push("late", web.data / "docs", bucket, schedule={"preset": "hourly", "timezone": "Etc/UTC"})
    web.declare([store], [push("docs", web.data / "docs", bucket), evil, late])
    media.declare([store], [push("films", media.data / "films", bucket, bandwidth=harness.SLOW)])
    web.run("docs")
    web.run("evil", 3, "not_found")
    long_ago = time.time() - 3 * DAYS
    os.utime(web.root / "etc/systemd/system/cloudsync@late.timer", (long_ago, long_ago))
    media.start("films")
    media.wait_for_bytes("films")
    controller.inventory(
        media2=host_of(media),
        web10=host_of(web),
        web9={"cloudsync_root": str(web.root / "no-tasks-here")},
        gone={"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
        broken={"ansible_python_interpreter": "/nonexistent/python"},
    )

    said = controller.play("report", cloudsync_report_dir=str(controller.folder / "out"))

    data = json.loads((controller.folder / "out" / "report.json").read_text())
    assert [(row["host"], row["task"], row["level"]) for row in data["tasks"]] == [
        ("web10", "evil", "problem"),
        ("web10", "late", "problem"),
        ("media2", "films", "running"),
        ("web10", "docs", "fine"),
    ]
    assert {row["host"]: row["state"] for row in data["hosts"]} == {
        "gone": "unreachable",
        "broken": "failed",
        "web9": "answered",
        "web10": "answered",
        "media2": "answered",
    }
    assert data["summary"] == "4 tasks on 5 hosts: 2 with problems, 1 running, 1 fine. No answer from 2 hosts."
    assert data["summary"] in said
    assert EVIL in data["tasks"][0]["message"]
    assert data["tasks"][1]["overdue_since"] and data["tasks"][1]["next"]
    assert 0 < data["tasks"][2]["bytes"] < len(LONG)
    assert (data["tasks"][3]["transfers"], data["tasks"][3]["bytes"]) == (2, 2)

    assert data["tasks"][0]["failing_since"] and data["tasks"][0]["last_success"] is None
    assert any(EVIL in line for line in data["tasks"][0]["log_end"])
    assert data["tasks"][3]["last_success"] == data["tasks"][3]["ended"]
    page = (controller.folder / "out" / "index.html").read_text()
    assert data["summary"] in page and EVIL not in page


def test_the_report_is_written_although_no_host_can_be_reached(controller):
    controller.inventory(gone={"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1})

    assert "0 tasks on 1 host" in controller.play("report", "--check")
    assert not (controller.folder / "cloudsync-report").exists(), "check mode writes nothing"
    controller.play("report")

    data = json.loads((controller.folder / "cloudsync-report" / "report.json").read_text())
    assert [(row["host"], row["state"]) for row in data["hosts"]] == [("gone", "unreachable")]
    assert data["hosts"][0]["message"]


@pytest.mark.parametrize("options", [{"strategy": "free"}, {"serial": 1}])
def test_a_host_that_answers_late_is_in_the_report(controller, new_machine, options):
    """With the strategy free, the first host passes the role before the last one can answer."""
    passed = controller.folder / "passed"
    slow = controller.folder / "python"
    wait = f"for _ in $(seq 50); do [ -e {passed} ] && break; sleep 0.1; done" if "strategy" in options else ":"
    slow.write_text(f'#!/bin/sh\n{wait}\nexec {sys.executable} "$@"\n')
    slow.chmod(0o755)
    controller.inventory(
        first=host_of(new_machine()),
        last={**host_of(new_machine()), "ansible_python_interpreter": str(slow)},
        gone={"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
    )
    early = controller.folder / "early.json"
    keep = f"cp cloudsync-report/report.json {early}; touch {passed}"
    look = {"ansible.builtin.shell": {"cmd": keep, "chdir": str(controller.folder)}}
    tell = {"ansible.builtin.debug": {"msg": "It says: {{ cloudsync_fleet.data.summary }}"}}
    play = {
        "hosts": "all",
        "gather_facts": False,
        "roles": ["skyhaul.cloudsync.report"],
        "post_tasks": [
            {**look, "when": "inventory_hostname == 'first'"},
            {**tell, "when": "inventory_hostname == 'last'"},
        ],
        **options,
    }
    (controller.folder / "play.yml").write_text(json.dumps([play]))

    said = controller.call("ansible-playbook", "play.yml")

    assert "It says: 0 tasks on 3 hosts. No answer from 1 host." in said
    data = json.loads((controller.folder / "cloudsync-report" / "report.json").read_text())
    assert {row["host"]: row["state"] for row in data["hosts"]} == {
        "first": "answered",
        "last": "answered",
        "gone": "unreachable",
    }
    assert early.exists() == ("strategy" not in options)


def test_a_run_fails_on_the_host_whose_run_failed_with_its_message(controller, new_machine, store, bucket):
    import harness

    good, bad = new_machine(), new_machine()
    harness.write_tree(good.data, {"docs/a.txt": "a"})
    for machine in (good, bad):
        machine.declare([store], [push("docs", machine.data / "docs", bucket)])
    controller.inventory(bad=host_of(bad), good=host_of(good))

    planned = controller.play("run", "--check", "--limit", "good", cloudsync_task="docs")
    assert "copy 1, overwrite 0, delete 0 files" in planned
    assert good.history("docs") == []

    said = controller.play("run", code=2, cloudsync_task="docs", cloudsync_at_once=1)
    assert "success: 1 file transferred" in said
    assert str(bad.data / "docs") in said and "(not_found)" in said
    assert [machine.status("docs")["state"] for machine in (good, bad)] == ["success", "failed"]
    assert harness.text_tree(bucket / "docs") == {"a.txt": "a"}


def test_a_run_is_stopped_and_stopping_again_changes_nothing(controller, new_machine, store, bucket):
    import harness

    machine = new_machine()
    harness.write_tree(machine.data, {"films/long.mkv": LONG})
    machine.declare([store], [push("films", machine.data / "films", bucket, bandwidth=harness.SLOW)])
    controller.inventory(media=host_of(machine))
    run = machine.start("films")
    machine.wait_for_bytes("films")

    said = controller.play("stop", cloudsync_task="films")
    record = machine.ended(run, 143)

    assert f"{record['id']} is aborted" in said
    assert "changed=1" in said
    assert "changed=0" in controller.play("stop", cloudsync_task="films")


@pytest.mark.parametrize("playbook", ["run", "stop"])
def test_no_task_is_guessed(controller, playbook):
    controller.inventory(web={})
    assert "Set the name of the task: -e cloudsync_task=NAME" in controller.play(playbook, code=2)


def test_the_preview_tells_the_expression_the_english_and_the_starts_in_zone_and_utc(
    controller, new_machine, store, bucket
):
    machine = new_machine()
    nightly = {"cron": "30 2 * * mon", "timezone": "Asia/Tokyo"}
    tasks = [
        push("by-hand", machine.data, bucket),
        push("nightly", machine.data, bucket, schedule=nightly),
        push("paused", machine.data, bucket, schedule={"preset": "daily"}, enabled=False),
    ]
    machine.declare([store], tasks)
    controller.inventory(web=host_of(machine))

    said = controller.play("preview", cloudsync_count=2)

    assert "30 2 * * 1  At 02:30 on Monday, Asia/Tokyo" in said or "30 2 * * mon  At 02:30 on Monday" in said
    starts = re.findall(r"Mon (\S+) 02:30 \+0900  \((\S+) 17:30 UTC\)", said)
    assert len(starts) == 2 and starts[0] != starts[1]
    assert "It has no schedule" in said
    assert "It is disabled" in said


def test_the_site_playbook_makes_this_machine_ready_and_changes_nothing_again(controller, rclone, store, bucket):
    import harness

    root = controller.folder / "root"
    harness.write_tree(root / "srv", {"docs/a.txt": "a"})
    wanted = {
        "cloudsync_hosts": "localhost",
        "cloudsync_root": str(root),
        "cloudsync_rclone_install": "none",
        "cloudsync_rclone_path": rclone,
        "cloudsync_credentials": [store],
        "cloudsync_tasks": [push("docs", root / "srv" / "docs", bucket)],
    }

    assert "changed=0" not in controller.play("site", **wanted)
    again = controller.play("site", "--check", "--diff", **wanted)
    assert "changed=0" in again, again
    controller.call(sys.executable, root / "usr/local/bin/cloudsync", "run", "docs", CLOUDSYNC_ROOT=str(root))
    assert harness.text_tree(bucket / "docs") == {"a.txt": "a"}
