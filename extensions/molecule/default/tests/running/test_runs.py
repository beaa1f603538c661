# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that a timer or a person starts, encrypted runs, and killed runs."""

from __future__ import annotations

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
