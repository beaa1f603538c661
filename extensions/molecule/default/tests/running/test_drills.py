# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restore drills run by their own timers, in the sandbox of their units, and leave nothing behind."""

from __future__ import annotations

from typing import Any

import pytest
from fleet import UNFINISHED, Host, Run, ansible, wait_until

EVERY_MINUTE = {"cron": "* * * * *"}
THROTTLE = [{"time": "00:00", "limit": "32K"}]


def declare(host: Host, name: str, **options: Any) -> None:
    """Declare a push of the folder /root/NAME, with drills."""
    place = {"path": f"/root/{name}", "remote_path": f"{host}/{name}", "schedule": None}
    host.declare("minutely", **{"name": name, "drill": {}, **place, **options})


def list_scratch(host: Host, name: str) -> str:
    return host.shell(f"ls -A /var/lib/cloudsync/drill-{name}/scratch 2>/dev/null || true")


def wait_for_drill(host: Host, name: str, trigger: str) -> Run:
    def look() -> Run | None:
        runs = [run for run in host.runs(f"drill-{name}") if run.trigger == trigger and run.state not in UNFINISHED]
        return runs[-1] if runs else None

    return wait_until(look, f"a drill of {name} ends", 150)


@pytest.mark.patient
def test_a_timer_drills_a_task_and_a_damaged_copy_is_a_problem(host: Host, store: Host) -> None:
    host.shell("mkdir -p /root/drilled/deep && echo one >/root/drilled/a && echo two >/root/drilled/deep/b")
    # Over SFTP, because the S3 server notices changes of its files after minutes only.
    remote = {"credential": "files", "remote_path": f"{host}-drilled"}
    declare(host, "drilled", drill={"schedule": EVERY_MINUTE}, **remote)
    host.run("systemctl", "start", "cloudsync@drilled.service")
    drill = wait_for_drill(host, "drilled", "timer")
    assert (drill.kind, drill.state, drill.transfers) == ("drill", "success", 2), drill.content
    assert "Equal to the source: 2." in drill.message
    assert list_scratch(host, "drilled") == ""
    assert host.timer("drill-drilled")[0]
    assert host.runs("drilled")[-1].kind == "run"

    declare(host, "drilled", **remote)
    assert "drill-drilled" not in host.run("systemctl", "list-timers", "--all").stdout
    wait_until(lambda: not host.is_active("drill-drilled"), "the last drill ends", 60)
    store.shell(f"rm /srv/sftp/{host}-drilled/deep/b && echo oen >/srv/sftp/{host}-drilled/a")
    host.run("systemctl", "start", "cloudsync@drill-drilled.service", check=False)
    drill = host.runs("drill-drilled")[-1]
    assert (drill.state, drill.reason) == ("failed", "drill"), drill.content
    assert "Missing: 1 file (deep/b)." in drill.message
    assert "drill-drilled: failed: drill:" in host.run("cloudsync", "check", check=False).stdout
    assert list_scratch(host, "drilled") == ""
    host.run("systemctl", "reset-failed", "cloudsync@drill-drilled.service")

    # Push what is missing, so that the next drill succeeds, and the module starts it.
    host.run("systemctl", "start", "cloudsync@drilled.service")
    host.shell("touch /root/drilled/a")
    host.run("systemctl", "start", "cloudsync@drilled.service")
    result = ansible(host.name, "skyhaul.cloudsync.run", {"task": "drill-drilled"})
    assert result["run"]["state"] == "success", result
    ansible(host.name, "skyhaul.cloudsync.task", {"name": "drilled", "state": "absent"})
    assert host.shell("ls /etc/systemd/system | grep drilled || true") == ""


def test_a_drill_that_is_killed_with_its_unit_leaves_no_file(host: Host) -> None:
    host.shell("mkdir -p /root/heavy && head -c 3000000 /dev/zero >/root/heavy/big && echo small >/root/heavy/small")
    declare(host, "heavy")
    host.run("systemctl", "start", "cloudsync@heavy.service")
    declare(host, "heavy", bandwidth=THROTTLE)
    host.run("systemctl", "start", "--no-block", "cloudsync@drill-heavy.service")
    wait_until(lambda: list_scratch(host, "heavy"), "the first restored file", 60)
    host.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "cloudsync@drill-heavy.service")
    wait_until(lambda: not host.is_active("drill-heavy"), "the unit ends", 60)
    assert list_scratch(host, "heavy") == ""
    assert host.runs("drill-heavy")[-1].reason == "interrupted"
    host.run("systemctl", "reset-failed", "cloudsync@drill-heavy.service")
    ansible(host.name, "skyhaul.cloudsync.task", {"name": "heavy", "state": "absent"})


def test_a_drill_of_another_user_and_in_another_folder_works_in_its_sandbox(host: Host) -> None:
    host.shell("mkdir -p /srv/theirs && echo one >/srv/theirs/a && chown -R nobody: /srv/theirs")
    declare(host, "theirs", path="/srv/theirs", user="nobody", drill={"scratch": "/srv/scratch"})
    for unit in ("cloudsync@theirs.service", "cloudsync@drill-theirs.service"):
        host.run("systemctl", "start", unit)
    drill = host.runs("drill-theirs")[-1]
    assert (drill.state, drill.transfers) == ("success", 1), drill.content
    assert host.shell("ls -A /srv/scratch") == ""
    ansible(host.name, "skyhaul.cloudsync.task", {"name": "theirs", "state": "absent"})
