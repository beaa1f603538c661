# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files, modes and units on a host after the roles."""

from __future__ import annotations

import json

import pytest
from fleet import Host, Run, variable, wait_until

SECRETS = (
    "store_s3_secret",
    "store_sftp_password",
    "store_crypt_password",
    "store_crypt_salt",
    "store_notify_secret",
)
MODES = {
    "/etc/cloudsync": "700",
    "/etc/cloudsync/seed": "600",
    "/etc/cloudsync/credentials/objects.json": "600",
    "/etc/cloudsync/tasks/minutely.json": "600",
    "/etc/systemd/system/cloudsync@.service": "644",
    "/etc/systemd/system/cloudsync@minutely.timer": "644",
    "/run/cloudsync": "700",
    "/usr/local/bin/cloudsync": "755",
    "/usr/local/lib/cloudsync": "755",
    "/var/lib/cloudsync/minutely": "700",
}


@pytest.mark.parametrize("path", MODES)
@pytest.mark.usefixtures("first_run")
def test_files_have_the_documented_modes(host: Host, path: str) -> None:
    assert host.run("stat", "-c", "%a %U", path).stdout.split() == [MODES[path], "root"]


@pytest.mark.usefixtures("first_run")
def test_logs_are_readable_only_by_their_group(host: Host) -> None:
    modes = set(host.shell("stat -c %a /var/log/cloudsync/*/*.log").split())
    assert modes == {"640"}


@pytest.mark.usefixtures("first_run")
@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_on_the_disk_or_in_the_journal_in_clear_text(host: Host, name: str) -> None:
    secret = variable(host.name, name)
    found = host.run("grep", "-rlsF", secret, "/etc", "/var", "/usr/local", "/root", "/home", "/tmp", check=False)
    assert found.stdout == ""
    # With all fields, of all boots, and not only the messages.
    count = 'journalctl --no-pager --output=export | grep --text --count --fixed-strings -e "$1"'
    counts = [
        int(host.run("sh", "-c", count, "sh", text, check=False).stdout) for text in ("cloudsync@minutely", secret)
    ]
    assert counts[0] > 0
    assert counts[1] == 0


def test_a_sandboxed_run_opens_a_seed_that_is_bound_to_the_host(host: Host, first_run: Run) -> None:
    seed = json.loads(host.run("cat", "/etc/cloudsync/seed").stdout)
    assert seed["bound"] == ("host" if host.name == "trixie" else "none")
    assert ("keys" in seed) != ("sealed" in seed)
    assert (first_run.trigger, first_run.state) == ("timer", "success"), first_run.content


def test_systemd_accepts_the_units(host: Host) -> None:
    units = "/etc/systemd/system/cloudsync@minutely.timer cloudsync@minutely.service"
    done = host.run("sh", "-c", f"systemd-analyze verify {units} 2>&1")
    assert done.stdout == ""


def test_the_timer_for_overdue_runs_is_active_and_its_service_succeeds(host: Host) -> None:
    assert host.run("systemctl", "is-enabled", "cloudsync-watch.timer").stdout.strip() == "enabled"
    assert host.run("systemctl", "is-active", "cloudsync-watch.timer").stdout.strip() == "active"
    host.run("systemctl", "start", "cloudsync-watch.service")
    assert host.run("systemctl", "show", "-P", "Result", "cloudsync-watch.service").stdout.strip() == "success"


def test_the_service_is_hardened(host: Host, record_property: pytest.RecordProperty) -> None:
    lines = host.run("systemd-analyze", "security", "--no-pager", "cloudsync@minutely.service").stdout.splitlines()
    exposure = lines[-1].split(": ")[1].split()[0]
    record_property("exposure by systemd-analyze security", exposure)
    assert float(exposure) < 6  # of 10; a service without any hardening has 9.6


def test_only_scheduled_tasks_have_an_enabled_timer(host: Host) -> None:
    rescheduled = ("slow", "paused")  # by other checks, at any time
    tasks = [task for task in variable(host.name, "cloudsync_tasks") if task["name"] not in rescheduled]
    shown = host.run("systemctl", "list-unit-files", "--state=enabled", "--no-legend", "cloudsync@*.timer").stdout
    enabled = {line.split()[0] for line in shown.splitlines()}
    wrong = [task for task in tasks if bool(task.get("schedule")) != (f"cloudsync@{task['name']}.timer" in enabled)]
    assert wrong == []


def test_a_removed_task_leaves_no_timer(host: Host) -> None:
    host.declare("nightly", name="short-lived", remote_path=f"{host}/short-lived")
    assert "short-lived" in host.shell("systemctl list-timers --all")
    host.declare("nightly", name="short-lived", state="absent")
    assert "short-lived" not in host.shell("systemctl list-timers --all; ls /etc/systemd/system /etc/cloudsync/tasks")


def test_a_run_and_the_watch_write_the_metrics(host: Host, first_run: Run) -> None:
    folder = "/var/lib/node_exporter"
    sample = f'cloudsync_task_last_run_transferred_bytes{{task="{first_run.task}"}} '
    wait_until(lambda: sample in host.shell(f"cat {folder}/cloudsync.prom || true"), "the unit wrote the metrics", 30)
    # Roles that install node_exporter often give the directory to its user.
    host.run("chown", "nobody", folder)
    host.run("rm", f"{folder}/cloudsync.prom")
    host.run("systemctl", "start", "cloudsync-watch.service")
    assert host.shell(f"stat -c '%a %U' {folder}/cloudsync.prom").split() == ["644", "root"]
    assert "textfile" not in host.run("cloudsync", "check", check=False).stdout
