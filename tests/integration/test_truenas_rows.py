# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of tests/truenas.md that only a real run can show."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import signal
import time
from urllib.parse import parse_qs, urlsplit

import fake_box
import pytest
import servers
from doorman import Doorman, guarding
from harness import SECRET, SLOW, alive, documents_task, s3_credential, text_tree, wait_for, write_tree
from test_runs_around import webhook

FILES = {"a.txt": "alpha", "deep/er/b.txt": "beta"}
TIMER = {"TRIGGER_UNIT": "cloudsync@documents.timer"}


@pytest.mark.parametrize("fast_list", [True, False])
def test_a49_fast_list_asks_for_the_whole_tree_at_once(machine, s3_server, bucket, fast_list):
    doorman = Doorman()
    write_tree(machine.data / "documents", FILES)
    with guarding(doorman, s3_server[0]) as port:
        options = {"provider_options": {"fast_list": fast_list}}
        machine.declare([s3_credential(port)], [documents_task(machine, bucket, **options)])
        machine.run("documents")
        doorman.seen.clear()
        machine.run("documents")
    queries = [parse_qs(urlsplit(request.path).query) for request in doorman.seen if request.command == "GET"]
    listings = [query for query in queries if "prefix" in query]
    deep = [query["prefix"][0] for query in listings if "deep/" in query.get("prefix", [""])[0]]
    assert listings
    # Otherwise each folder is a request.
    assert any("delimiter" not in query for query in listings) is fast_list
    assert bool(deep) is not fast_list
    assert text_tree(bucket / "documents") == FILES


def test_ftp_without_a_password_logs_in_and_stores_the_files(machine, tmp_path):
    write_tree(machine.data / "documents", FILES)
    with servers.ftps(tmp_path, "anonymous", "-", "-") as port:
        attributes = {"host": "127.0.0.1", "port": str(port), "user": "anonymous"}
        login = {"name": "there", "provider": "FTP", "attributes": attributes, "secrets": {"pass": ""}}
        # This server has an answer of its own for a missing folder, which rclone does not understand.
        (tmp_path / "served" / "d").mkdir()
        machine.declare([login], [documents_task(machine, tmp_path, credential="there", remote_path="d")])
        assert machine.cloudsync("verify", "there").code == 0
        assert machine.run("documents")["transfers"] == 2
    assert text_tree(tmp_path / "served" / "d") == FILES


def test_an_enabled_task_without_a_schedule_has_no_timer_and_starts_by_hand(machine, bucket, store):
    write_tree(machine.data / "documents", FILES)
    machine.declare([store], [documents_task(machine, bucket)])
    assert not list(pathlib.Path(machine.layout.unit_dir).glob("*documents.timer"))
    assert machine.status("documents")["next"] is None
    assert machine.module("task_info", name="documents", next=3)["tasks"][0]["next"] == []
    assert machine.run("documents")["transfers"] == 2
    assert machine.cloudsync("check").code == 0


def test_a5_a_dry_run_does_not_clear_an_active_alert(machine, bucket, store):
    write_tree(machine.data / "documents", FILES)
    with webhook() as (address, posted):
        broken = documents_task(machine, bucket, notify=[address], guards={"marker": "absent"})
        machine.declare([store], [broken])
        failed = machine.run("documents", 3, "marker_missing")
        machine.declare([], [{**broken, "guards": {}}])
        machine.plan("documents")
        assert [notice["event"] for notice in posted] == ["failed"]
        assert machine.status("documents")["run"]["id"] == failed["id"]
        assert machine.cloudsync("check").code == 1
        machine.run("documents")
    assert [notice["event"] for notice in posted] == ["failed", "recovered"]


@pytest.mark.parametrize("is_right", [True, False])
def test_a41_a_credential_is_verified_at_its_server_before_it_is_stored(machine, store, is_right):
    secrets = store["secrets"] if is_right else {**store["secrets"], "secret_access_key": SECRET + "-wrong"}
    checked = machine.module("credential", **{**store, "secrets": secrets}, verify=True, _ansible_check_mode=True)
    assert bool(checked.get("failed")) is not is_right, checked
    assert is_right or checked["reason"] == "auth"
    probe = {"provider": store["provider"], "attributes": store["attributes"], "secrets": secrets}
    assert bool(machine.module("remote_info", **probe).get("failed")) is not is_right
    assert machine.module("credential_info")["credentials"] == []


def test_a_run_goes_on_after_the_end_of_its_window(machine, bucket, store):
    now = datetime.datetime.now(datetime.timezone.utc)
    write_tree(machine.data / "documents", {"big.bin": b"x" * 1000000})

    def declare(begin, end):
        first, last = (now + datetime.timedelta(minutes=minutes) for minutes in (begin, end))
        window = {"begin": first.strftime("%H:%M"), "end": last.strftime("%H:%M")}
        schedule = {"cron": f"{first.minute} * * * *", "timezone": "Etc/UTC", **window}
        machine.declare([store], [documents_task(machine, bucket, bandwidth=SLOW, schedule=schedule)])

    declare(-60, 60)
    assert machine.cloudsync("gate", "documents", **TIMER).code == 0
    run = machine.start("documents", **TIMER)
    machine.wait_for_bytes("documents")
    declare(-120, -60)
    assert machine.cloudsync("gate", "documents", **TIMER).code != 0
    record = machine.ended(run, 0)
    assert (record["trigger"], record["transfers"]) == ("timer", 1)


def test_a_restore_has_the_filters_of_its_task(machine, bucket, store):
    write_tree(machine.data / "documents", FILES)
    write_tree(bucket / "documents", {"cache/x": "not ours"})
    task = documents_task(machine, bucket, mode="copy", exclude=["/cache/**"])
    machine.declare([store], [task])
    machine.run("documents")
    back = machine.data / "back"
    machine.declare([], [{"name": "back", "reverse_of": "documents", "path": str(back)}])
    assert machine.run("back")["transfers"] == 2
    assert text_tree(back) == FILES


def test_a8_a_run_whose_rclone_ignores_the_stop_is_killed(machine, bucket, store):
    write_tree(machine.data / "documents", {"big.bin": b"x" * 4000000})
    machine.declare([store], [documents_task(machine, bucket, bandwidth=SLOW)])
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    pid, _words = machine.rclone_of(run)
    # A stopped process handles no signal but SIGKILL.
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    assert machine.cloudsync("stop", "documents").code == 0
    assert machine.ended(run, 143)["reason"] == "stopped"
    assert not alive(pid)
    assert time.monotonic() - began < 20
    assert not machine.live()


def test_a_running_task_shows_how_far_it_is(machine, bucket, store):
    write_tree(machine.data / "documents", {"big.bin": b"x" * 1500000})
    machine.declare([store], [documents_task(machine, bucket, bandwidth=SLOW)])
    run = machine.start("documents")
    seen = [machine.wait_for_bytes("documents")["progress"]["bytes"]]
    wait_for(lambda: machine.status("documents")["progress"]["bytes"] > seen[0], "progress")
    progress = machine.status("documents")["progress"]
    assert seen[0] < progress["bytes"] <= progress["total_bytes"] == 1500000
    percent = f"running {progress['bytes'] * 100 // 1500000}"[:-1]
    assert percent in machine.cloudsync("status").out or "running" in machine.cloudsync("status").out
    record = machine.ended(run, 0)
    assert record["bytes"] == 1500000
    assert machine.status("documents")["progress"] is None


@pytest.mark.parametrize("is_slow", [True, False])
def test_the_slot_of_the_timetable_is_that_of_the_time_of_day(machine, bucket, store, is_slow):
    # With 256 KiB/s, it would take 23 seconds.
    size = 6000000
    write_tree(machine.data / "documents", {"big.bin": b"x" * size})
    limits = ("256K", "off") if is_slow else ("off", "256K")
    now = datetime.datetime.now()
    # The first slot is in force now. The second one begins in two hours, or at the end of the day.
    later = min(now + datetime.timedelta(hours=2), now.replace(hour=23, minute=59))
    slots = [{"time": "00:00", "limit": limits[0]}, {"time": later.strftime("%H:%M"), "limit": limits[1]}]
    machine.declare([store], [documents_task(machine, bucket, bandwidth=slots, mode="copy")])
    began = time.monotonic()
    run = machine.start("documents")
    if is_slow:
        machine.wait_for_bytes("documents")
        time.sleep(1)
        assert machine.status("documents")["progress"]["bytes"] < size / 2
        machine.cloudsync("stop", "documents")
    else:
        assert machine.ended(run, 0)["bytes"] == size
        assert time.monotonic() - began < 20


def test_box_takes_a_file_and_each_refresh_token_once(machine, authority, tmp_path):
    cloud = fake_box.Cloud()
    write_tree(machine.data / "documents", FILES)
    with fake_box.serving(cloud, authority) as arguments:
        options = {"credential": "box", "remote_path": "backup/documents", "rclone_args": arguments, "retries": 0}
        push = documents_task(machine, tmp_path, **options)
        pull = documents_task(
            machine, tmp_path, "pull", **{**options, "name": "back", "path": str(machine.data / "back")}
        )
        machine.declare([fake_box.credential(cloud)], [push, pull])
        assert machine.run("documents")["transfers"] == 2
        machine.declare([fake_box.credential(cloud)], [push, pull])
        machine.run("back")
    assert text_tree(machine.data / "back") == FILES
    assert {name: text for name, text in cloud.read().items() if "cloudsync" not in name} == {
        "backup/documents/" + name: text for name, text in FILES.items()
    }
    assert cloud.refreshes >= 2 and cloud.rejected == 0
    stored = json.loads(machine.stored("box").merge_secrets()["token"])
    assert stored["refresh_token"] == cloud.refresh_token
