# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role removes the runner from a host with an active run, and brings it back. These checks run last."""

from __future__ import annotations

import os
import pathlib
from datetime import datetime

import pytest
from fleet import Host, call, now, wait_until

CONVERGE = pathlib.Path(__file__).parents[2] / "converge.yml"
UNITS = ("systemctl", "list-units", "--all", "--plain", "--no-legend", "cloudsync*")


def apply(host: Host, state: str) -> str:
    """Apply the roles to ``host``, and return what Ansible prints."""
    words = ("--inventory", os.environ["FLEET_INVENTORY"], "--limit", host.name, "-e", f"cloudsync_state={state}")
    return call("ansible-playbook", *words, str(CONVERGE)).stdout


@pytest.fixture(name="removed", scope="module", params=["bookworm", "trixie"])
def fixture_removed(request: pytest.FixtureRequest) -> tuple[Host, datetime]:
    """Return a host after the removal, and when the run of ``victim`` was started before."""
    host = Host(request.param)
    begun = now()
    host.run("systemctl", "start", "--no-block", "cloudsync@victim.service")
    wait_until(lambda: [run for run in host.runs_since("victim", begun) if run.state == "running"], "victim runs", 30)
    host.run("systemctl", "start", "cloudsync@unknown.service", check=False)
    assert "cloudsync@unknown" in host.run("systemctl", "--failed", "--no-legend").stdout
    apply(host, "absent")
    return host, begun


def test_the_active_run_is_stopped_with_a_record(removed: tuple[Host, datetime]) -> None:
    host, begun = removed
    runs = host.runs_since("victim", begun)
    assert [(run.state, run.reason) for run in runs] == [("aborted", "stopped")], [run.content for run in runs]


def test_systemd_knows_no_unit_of_cloudsync(removed: tuple[Host, datetime]) -> None:
    host, _begun = removed
    assert host.run(*UNITS).stdout == ""
    assert "cloudsync" not in host.run("systemctl", "--failed", "--no-legend").stdout
    assert "cloudsync" not in host.run("systemctl", "list-timers", "--all").stdout
    found = "find /etc/systemd /run/systemd/system /usr/local /run/cloudsync* /var/lib/systemd/timers"
    assert host.shell(f"{found} -name '*cloudsync*' 2>/dev/null || true") == ""


def test_the_configuration_is_kept_and_a_second_removal_changes_nothing(removed: tuple[Host, datetime]) -> None:
    host, _begun = removed
    host.run("test", "-s", "/etc/cloudsync/seed")
    assert "minutely.json" in host.shell("ls /etc/cloudsync/tasks")
    assert "changed=0" in apply(host, "absent")


def test_an_installation_starts_the_timers_again(removed: tuple[Host, datetime]) -> None:
    host, _begun = removed
    began = now()
    apply(host, "present")
    shown = host.run("systemctl", "is-enabled", "cloudsync@minutely.timer", "cloudsync-watch.timer").stdout
    assert shown.split() == ["enabled", "enabled"]

    def look() -> bool:
        runs = [run for run in host.runs_since("minutely", began) if run.trigger == "timer" and run.ended]
        return bool(runs) and runs[0].state == "success"

    wait_until(look, "minutely is run by its timer", 90)
    assert host.runs_since("caught-up", began) == []
