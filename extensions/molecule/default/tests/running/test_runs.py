# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs: by a timer, by hand, encrypted, killed."""

from __future__ import annotations

import pytest
from fleet import Host, Run, ansible, now, variable, wait_until


def test_a_timer_fires_by_itself_and_the_objects_are_at_the_store(host: Host, store: Host, first_run: Run) -> None:
    assert (first_run.state, first_run.reason, first_run.exit_code) == ("success", "", 0), first_run.content
    assert store.tree(f"/srv/s3/{host}/minutely") == host.tree("/srv/data")


def test_the_journal_and_the_log_have_the_run(host: Host, first_run: Run) -> None:
    journal = host.run("journalctl", "--no-pager", "--output=cat", "--unit=cloudsync@minutely.service").stdout
    assert first_run.id in journal
    assert "success" in host.run("cat", first_run.log).stdout


def test_a_source_that_is_empty_is_refused_and_the_copy_stays(host: Host, store: Host) -> None:
    name = "emptied"
    host.run("mkdir", "-p", "/srv/emptied")
    host.shell("cp /etc/os-release /srv/emptied/")
    host.declare("minutely", name=name, path="/srv/emptied", remote_path=f"{host}/emptied", schedule=None)
    host.run("cloudsync", "run", name)
    host.run("rm", "/srv/emptied/os-release")
    assert host.run("cloudsync", "run", name, check=False).returncode == 3
    assert host.runs(name)[-1].reason == "empty_source"
    assert list(store.tree(f"/srv/s3/{host}/emptied")) == ["./os-release"]


def test_what_is_pushed_encrypted_comes_back_equal(host: Host, store: Host) -> None:
    host.run("cloudsync", "run", "vault")
    source = host.tree("/srv/data")
    stored = store.tree(f"/srv/sftp/{host}")
    assert len(stored) >= len(source)  # and the canary
    assert not set(source.values()) & set(stored.values())
    assert not set(source) & set(stored)
    host.run("cloudsync", "run", "unvault")
    assert host.tree("/srv/restored") == source


@pytest.mark.usefixtures("first_run")
def test_a_one_time_run_is_a_service_like_any_other_and_keeps_no_task(host: Host) -> None:
    options = {"reverse_of": "minutely", "path": "/srv/once", "limits": {"nice": 7}}
    answer = ansible(host.name, "skyhaul.cloudsync.run", options)
    assert (answer["run"]["task"], answer["run"]["state"]) == ("onetime", "success"), answer
    assert host.tree("/srv/once") == host.tree("/srv/data")
    assert host.unit("onetime", "Nice") == "7"
    assert "ExecStart" in host.run("systemctl", "cat", "cloudsync@onetime.service").stdout
    assert "onetime" not in host.run("cloudsync", "list").stdout
    assert host.run("find", "/etc", "-name", "*onetime*").stdout == ""


def test_a_unit_is_started_once_when_a_task_begins_to_fail(host: Host) -> None:
    text = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo %i >> /srv/alarms'\n"
    host.run("tee", "/etc/systemd/system/alarm@.service", stdin=text)
    host.run("systemctl", "daemon-reload")
    failing = {"guards": {"marker": "absent"}, "notify": ["unit:alarm@.service"], "schedule": None}
    host.declare("minutely", name="alarmed", remote_path=f"{host}/alarmed", **failing)
    for count in (1, 2):
        host.run("systemctl", "start", "cloudsync@alarmed.service", check=False)
        assert [run.reason for run in host.runs("alarmed")] == ["marker_missing"] * count
    wait_until(lambda: host.run("cat", "/srv/alarms", check=False).stdout == "alarmed\n", "one alarm", 20)


def test_a_secret_is_in_no_command_line_and_a_killed_runner_leaves_a_record_but_no_secret_and_no_lock(
    host: Host,
) -> None:
    begun = now()
    host.run("systemctl", "start", "--no-block", "cloudsync@victim.service")
    wait_until(lambda: [run for run in host.runs("victim") if run.state == "running"], "victim runs", 30)
    seen = host.run(
        *("sh", "-c", "grep -lsaF -f - /proc/[0-9]*/cmdline /proc/[0-9]*/environ"),
        stdin=variable(host.name, "store_s3_secret"),
        check=False,
    )
    assert seen.stdout == ""
    host.run("kill", "-KILL", host.unit("victim", "MainPID"))
    wait_until(lambda: not host.is_active("victim"), "systemd has noticed", 20)

    live = host.run("grep", "-rlsF", variable(host.name, "store_s3_secret"), "/run/cloudsync", check=False).stdout
    assert "victim" not in live
    (run,) = host.runs_since("victim", begun)
    assert (run.state, run.reason) == ("aborted", "interrupted"), run.content
    assert run.message and run.ended

    host.run("systemctl", "start", "--no-block", "cloudsync@victim.service")
    wait_until(lambda: host.runs("victim")[-1].state == "running" or None, "victim runs again", 30)
    host.run("cloudsync", "stop", "victim")
    wait_until(lambda: host.runs("victim")[-1].reason == "stopped" or None, "victim is stopped", 20)
