# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that a timer or a person starts, encrypted runs, and killed runs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fleet import Host, Run, ansible, now, variable, wait_until


def test_a_timer_starts_a_run_that_stores_the_files(host: Host, store: Host, first_run: Run) -> None:
    assert (first_run.state, first_run.reason, first_run.exit_code) == ("success", "", 0), first_run.content
    assert store.tree(f"/srv/s3/{host}/minutely") == host.tree("/srv/data")


def test_the_journal_and_the_log_have_the_run(host: Host, first_run: Run) -> None:
    journal = host.run("journalctl", "--no-pager", "--output=cat", "--unit=cloudsync@minutely.service").stdout
    assert first_run.id in journal
    assert "success" in host.run("cat", first_run.log).stdout


def test_an_empty_source_is_refused_and_the_destination_is_kept(host: Host, store: Host) -> None:
    name = "emptied"
    host.run("mkdir", "-p", "/srv/emptied")
    host.shell("cp /etc/os-release /srv/emptied/")
    host.declare("minutely", name=name, path="/srv/emptied", remote_path=f"{host}/emptied", schedule=None)
    host.run("cloudsync", "run", name)
    host.run("rm", "/srv/emptied/os-release")
    assert host.run("cloudsync", "run", name, check=False).returncode == 3
    assert host.runs(name)[-1].reason == "empty_source"
    assert list(store.tree(f"/srv/s3/{host}/emptied")) == ["./os-release"]


def test_a_start_whose_gate_fails_is_a_failed_unit_and_is_not_skipped(host: Host) -> None:
    unit = "cloudsync@missing.service"  # no such task, so that the gate cannot decide
    assert host.run("systemctl", "start", unit, check=False).returncode != 0
    assert host.unit("missing", "Result") == "exit-code"
    assert "Task missing does not exist" in host.run("journalctl", "--no-pager", f"--unit={unit}").stdout
    host.run("systemctl", "reset-failed", unit)


def test_an_encrypted_push_is_restored_without_a_difference(host: Host, store: Host) -> None:
    host.run("cloudsync", "run", "vault")
    source = host.tree("/srv/data")
    stored = store.tree(f"/srv/sftp/{host}")
    assert len(stored) >= len(source)  # the canary is one file more
    assert not set(source.values()) & set(stored.values())
    assert not set(source) & set(stored)
    host.run("cloudsync", "run", "unvault")
    assert host.tree("/srv/restored") == source


@pytest.mark.usefixtures("first_run")
def test_a_one_time_run_is_a_service_and_stores_no_task(host: Host) -> None:
    options = {"reverse_of": "minutely", "path": "/srv/once", "limits": {"nice": 7}}
    result = ansible(host.name, "skyhaul.cloudsync.run", options)
    assert (result["run"]["task"], result["run"]["state"]) == ("onetime", "success"), result
    assert host.tree("/srv/once") == host.tree("/srv/data")
    assert host.unit("onetime", "Nice") == "7"
    assert "ExecStart" in host.run("systemctl", "cat", "cloudsync@onetime.service").stdout
    assert "onetime" not in host.run("cloudsync", "list").stdout
    assert host.run("find", "/etc", "-name", "*onetime*").stdout == ""


def test_yesterday_and_a_single_file_come_back_from_the_shell(host: Host) -> None:
    kept = {"keep_deleted": {"path": f"{host}/kept"}}
    host.shell("mkdir -p /srv/past/deep && echo old >/srv/past/a && echo old >/srv/past/deep/b")
    host.declare("minutely", name="past", path="/srv/past", remote_path=f"{host}/past", schedule=None, **kept)
    host.run("systemctl", "start", "cloudsync@past.service")
    yesterday = host.tree("/srv/past")
    host.shell("echo changed >/srv/past/a && rm /srv/past/deep/b && echo new >/srv/past/c")
    host.run("systemctl", "start", "cloudsync@past.service")
    host.run("cloudsync", "restore", "past", "--to", "/srv/yesterday", "--at", host.runs("past")[0].id)
    assert host.tree("/srv/yesterday") == yesterday
    host.run("cloudsync", "restore", "past", "--to", "/srv/one-file", "--path", "c")
    assert list(host.tree("/srv/one-file")) == ["./c"]
    result = ansible(host.name, "skyhaul.cloudsync.run", {"reverse_of": "past", "path": "/srv/again"})
    assert result["run"]["state"] == "success", result
    assert host.tree("/srv/again") == host.tree("/srv/past")


def measure_exposure(host: Host, unit: str) -> float:
    shown = host.run("systemd-analyze", "security", "--no-pager", unit).stdout
    return float(re.findall(r"Overall exposure level for \S+: ([0-9.]+)", shown)[0])


def test_units_push_pull_and_move_in_their_sandbox(host: Host, store: Host) -> None:
    here: dict[str, Any] = {"schedule": None, "mode": "copy"}
    host.shell("mkdir -p /root/secret /srv/moved && cp /etc/os-release /root/secret/ && cp /etc/os-release /srv/moved/")
    place = f"{host}/sandbox"
    host.declare("minutely", name="pushed", path="/root/secret", remote_path=place, **here)
    host.declare("minutely", name="moved", path="/srv/moved", remote_path=f"{host}/moved", **{**here, "mode": "move"})
    pull = {**here, "direction": "pull", "keep_deleted": {"path": "/srv/kept/deep"}}
    host.declare("minutely", name="pulled", path="/home/new/deep", remote_path=place, **pull)
    for name in ("pushed", "moved", "pulled"):
        host.run("systemctl", "start", f"cloudsync@{name}.service")
        assert host.runs(name)[-1].state == "success"
        assert measure_exposure(host, f"cloudsync@{name}.service") <= 2.0
    assert list(store.tree(f"/srv/s3/{host}/moved")) == list(host.tree("/home/new/deep")) == ["./os-release"]
    assert host.tree("/srv/moved") == {}
    assert host.run("stat", "--format=%a", "/home/new/deep/os-release").stdout == "600\n"
    assert measure_exposure(host, "cloudsync-watch.service") <= 2.0


def test_hooks_and_mail_have_units_of_their_own(host: Host, store: Host) -> None:
    host.run("tee", "/usr/sbin/sendmail", stdin="#!/bin/sh\ncat >/srv/mail\n")
    host.run("chmod", "755", "/usr/sbin/sendmail")
    hooks = {
        "before": "mkdir -p /srv/hooked; mount -t tmpfs hooked /srv/hooked; cp /etc/os-release /srv/hooked/",
        "always": "umount /srv/hooked; echo $CLOUDSYNC_STATE >/srv/hook-state",
    }
    options = {"path": "/srv/hooked", "remote_path": f"{host}/hooked", "schedule": None, "mode": "copy", "hooks": hooks}
    options["notify"] = ["mailto:ops@example.net"]
    host.declare("minutely", name="hooked", **options)
    host.run("systemctl", "start", "cloudsync@hooked.service")
    assert list(store.tree(f"/srv/s3/{host}/hooked")) == ["./os-release"]
    assert host.run("cat", "/srv/hook-state").stdout == "success\n"

    host.declare("minutely", name="hooked", **options, guards={"marker": "absent"})
    host.run("systemctl", "start", "cloudsync@hooked.service", check=False)
    assert host.runs("hooked")[-1].reason == "marker_missing"
    assert "absent" in host.run("cat", "/srv/mail").stdout
    assert measure_exposure(host, "cloudsync@hooked.service") <= 2.0


def test_a_notify_unit_is_started_once_when_a_task_begins_to_fail(host: Host) -> None:
    text = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo %i >> /srv/alarms'\n"
    host.run("tee", "/etc/systemd/system/alarm@.service", stdin=text)
    host.run("systemctl", "daemon-reload")
    failing = {"guards": {"marker": "absent"}, "notify": ["unit:alarm@.service"], "schedule": None}
    host.declare("minutely", name="alarmed", remote_path=f"{host}/alarmed", **failing)
    for count in (1, 2):
        host.run("systemctl", "start", "cloudsync@alarmed.service", check=False)
        assert [run.reason for run in host.runs("alarmed")] == ["marker_missing"] * count
    wait_until(lambda: host.run("cat", "/srv/alarms", check=False).stdout == "alarmed\n", "one alarm", 20)


def test_a_run_shows_no_secret_and_leaves_a_record_when_it_is_killed(host: Host) -> None:
    begun = now()
    host.run("systemctl", "start", "--no-block", "cloudsync@victim.service")
    wait_until(lambda: [run for run in host.runs("victim") if run.state == "running"], "victim is running", 30)
    seen = host.run(
        *("sh", "-c", "grep -lsaF -f - /proc/[0-9]*/cmdline /proc/[0-9]*/environ"),
        stdin=variable(host.name, "store_s3_secret"),
        check=False,
    )
    assert seen.stdout == ""
    host.run("kill", "-KILL", host.unit("victim", "MainPID"))
    wait_until(lambda: not host.is_active("victim"), "the service of victim ends", 20)

    live = host.run("grep", "-rlsF", variable(host.name, "store_s3_secret"), "/run/cloudsync", check=False).stdout
    assert "victim" not in live
    (run,) = host.runs_since("victim", begun)
    assert (run.state, run.reason) == ("aborted", "interrupted"), run.content
    assert run.message and run.ended

    host.run("systemctl", "start", "--no-block", "cloudsync@victim.service")
    wait_until(lambda: host.runs("victim")[-1].state == "running" or None, "victim is running again", 30)
    host.run("cloudsync", "stop", "victim")
    wait_until(lambda: host.runs("victim")[-1].reason == "stopped" or None, "victim is stopped", 20)


def test_a_run_in_a_shell_runs_in_its_unit_and_ctrl_c_stops_it(host: Host) -> None:
    host.declare("victim", name="followed", remote_path=f"{host}/followed", schedule=None)
    interrupted = ("timeout", "--preserve-status", "--signal=INT", "8", "cloudsync", "run", "followed")
    for words, in_unit in (((), True), (("--here",), False)):
        done = host.run(*interrupted, *words, check=False)
        run = host.runs("followed")[-1]
        assert (done.returncode, run.reason) == (143, "stopped"), done
        assert f"run {run.id} started" in done.stdout
        journal = host.run("journalctl", "--no-pager", "--output=cat", "--unit=cloudsync@followed.service").stdout
        assert (run.id in journal) is in_unit
