# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host does after it was down. These checks take the host away, so they run after all others."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from fleet import MINUTE, PODMAN, UNFINISHED, Host, call, now, slot_before, wait_for_second, wait_until

HOSTS: dict[str, tuple[datetime, datetime]] = {}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("bookworm", "trixie")])
def host(request: pytest.FixtureRequest) -> Host:
    """The checks of one host share a process, because they share one reboot."""
    return Host(request.param)


def state_of(host: Host) -> str:
    return host.run("systemctl", "is-system-running", check=False).stdout.strip()


@pytest.fixture()
def rebooted(host: Host) -> tuple[datetime, datetime]:
    """The host, down while a slot of two tasks passes, is up again: the slot, and the moment of the boot."""
    if host.name not in HOSTS:
        host.run("systemctl", "start", "--no-block", "cloudsync@victim.service")
        wait_for_second(0, 35)
        slot = slot_before(now()) + MINUTE
        cron = f"{slot.minute} {slot.hour} {slot.day} {slot.month} *"
        host.declare("caught-up", schedule={"cron": cron, "catch_up": True, "timezone": "UTC"})
        host.declare("let-go", schedule={"cron": cron, "timezone": "UTC"})
        call(PODMAN, "stop", "--time", "60", host.name)
        assert now() < slot, "the host took too long to go down"
        time.sleep((slot - now()).total_seconds() + 2)
        booted = now()
        call(PODMAN, "start", host.name)
        wait_until(lambda: state_of(host) == "running", "the host has booted", 60)
        HOSTS[host.name] = (slot, booted)
    return HOSTS[host.name]


def test_a_missed_slot_is_made_up_for_when_the_task_catches_up(host: Host, rebooted: tuple[datetime, datetime]) -> None:
    runs = wait_until(lambda: host.runs_since("caught-up", rebooted[0]), "caught-up runs", 30)
    assert runs[0].began >= rebooted[1].replace(microsecond=0)
    assert len(runs) == 1
    wait_until(lambda: host.runs("caught-up")[-1].state not in UNFINISHED, "caught-up has ended", 30)
    assert host.runs("caught-up")[-1].state == "success", host.runs("caught-up")[-1].content


def test_a_missed_slot_is_let_go_otherwise(host: Host, rebooted: tuple[datetime, datetime]) -> None:
    wait_until(lambda: host.runs_since("caught-up", rebooted[0]), "caught-up runs", 30)
    assert host.runs_since("let-go", rebooted[0]) == []


def test_timers_go_on(host: Host, rebooted: tuple[datetime, datetime]) -> None:
    slot = slot_before(now()) + MINUTE
    wait_until(lambda: host.runs_since("minutely", slot), "minutely runs", 70)


def test_a_run_that_the_shutdown_cut_off_says_so(host: Host, rebooted: tuple[datetime, datetime]) -> None:
    run = host.runs("victim")[-1]
    assert run.began < rebooted[0]
    assert (run.state, run.reason) in [("aborted", "stopped"), ("aborted", "interrupted")], run.content


def test_nothing_failed_at_boot(host: Host, rebooted: tuple[datetime, datetime]) -> None:
    assert host.run("systemctl", "--failed", "--no-legend").stdout == ""
