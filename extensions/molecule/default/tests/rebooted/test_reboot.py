# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host does after it was down. These checks take the host away, so they run after all others."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

import pytest
from fleet import MINUTE, PODMAN, UNFINISHED, Host, call, now, slot_before, wait_for_second, wait_until

HOSTS = (Host("bookworm"), Host("trixie"))


@dataclass(frozen=True)
class Absence:
    """When both hosts were down: ``slot`` passed in between."""

    down: datetime
    slot: datetime
    up: datetime


@pytest.fixture(scope="session")
def absence() -> Absence:
    """Both hosts were shut down during a run, missed a slot of two tasks, and are up again."""
    wait_for_second(0, 25)
    slot = slot_before(now()) + MINUTE
    cron = {"cron": f"{slot.minute} {slot.hour} {slot.day} {slot.month} *", "timezone": "UTC"}
    for host in HOSTS:
        host.run("systemctl", "start", "--no-block", "cloudsync@victim.service")
        host.declare("caught-up", schedule={**cron, "catch_up": True})
        host.declare("let-go", schedule=cron)
        wait_until(lambda host=host: host.runs("victim")[-1:], "victim runs", 15)
    down = now()
    call(PODMAN, "stop", "--time", "60", *(host.name for host in HOSTS))
    if now() >= slot:
        raise AssertionError(f"the hosts took too long to go down: until {now()}")
    time.sleep((slot - now()).total_seconds() + 2)
    up = now()
    call(PODMAN, "start", *(host.name for host in HOSTS))
    for host in HOSTS:
        wait_until(lambda host=host: has_booted(host), f"{host} has booted", 60)
    return Absence(down, slot, up)


def has_booted(host: Host) -> bool:
    return host.run("systemctl", "is-system-running", check=False).stdout.strip() == "running"


def test_a_missed_slot_is_made_up_for_when_the_task_catches_up(host: Host, absence: Absence) -> None:
    runs = wait_until(lambda: host.runs_since("caught-up", absence.slot), "caught-up runs", 30)
    assert runs[0].began >= absence.up.replace(microsecond=0)
    assert len(runs) == 1
    wait_until(lambda: host.runs("caught-up")[-1].state not in UNFINISHED, "caught-up has ended", 30)
    assert host.runs("caught-up")[-1].state == "success", host.runs("caught-up")[-1].content


def test_a_missed_slot_is_let_go_otherwise(host: Host, absence: Absence) -> None:
    wait_until(lambda: host.runs_since("caught-up", absence.slot), "caught-up runs", 30)
    assert host.runs_since("let-go", absence.slot) == []


def test_timers_go_on(host: Host, absence: Absence) -> None:
    slot = slot_before(now()) + MINUTE
    wait_until(lambda: host.runs_since("minutely", slot), "minutely runs", 70)


def test_a_run_that_the_shutdown_cut_off_says_so(host: Host, absence: Absence) -> None:
    run = host.runs("victim")[-1]
    assert run.began <= absence.down
    assert (run.state, run.reason) in [("aborted", "stopped"), ("aborted", "interrupted")], run.content


def test_nothing_failed_at_boot(host: Host, absence: Absence) -> None:
    assert host.run("systemctl", "--failed", "--no-legend").stdout == ""
