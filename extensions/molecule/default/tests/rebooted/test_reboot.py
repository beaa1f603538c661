# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host catches up after it was down. These checks reboot the hosts, so they run after all others."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from fleet import MINUTE, PODMAN, UNFINISHED, Host, ansible, call, now, slot_before, wait_until

HOSTS = (Host("bookworm"), Host("trixie"))


@dataclass(frozen=True)
class Absence:
    """The time when both hosts were down, which includes ``slot``."""

    down: datetime
    slot: datetime
    up: datetime


@pytest.fixture(scope="session")
def absence() -> Absence:
    """Shut down both hosts during a run, wait until two tasks have missed a slot, and start the hosts again."""
    slot = slot_before(now() + timedelta(seconds=90))
    for_each(lambda host: prepare_absence(host, slot))
    down = now()
    call(PODMAN, "stop", "--time", "60", *(host.name for host in HOSTS))
    if now() >= slot:
        raise AssertionError(f"the hosts took too long to shut down: until {now()}")
    time.sleep((slot - now()).total_seconds() + 2)
    up = now()
    call(PODMAN, "start", *(host.name for host in HOSTS))
    for_each(lambda host: wait_until(lambda: has_booted(host), f"{host} boots", 60))
    return Absence(down, slot, up)


def for_each(do: Callable[[Host], object]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(do, HOSTS))


def prepare_absence(host: Host, slot: datetime) -> None:
    """Schedule two tasks for ``slot``, and start a run of a third task."""
    cron = {"cron": f"{slot.minute} {slot.hour} {slot.day} {slot.month} *", "timezone": "UTC"}
    tasks = [{**host.task("caught-up"), "schedule": {**cron, "catch_up": True}}]
    tasks += [{**host.task("let-go"), "schedule": cron}]
    ansible(host.name, "skyhaul.cloudsync.host_config", {"tasks": tasks})
    begun = now()
    host.run("systemctl", "start", "--no-block", "cloudsync@victim.service")
    wait_until(lambda: host.runs_since("victim", begun), "a run of victim starts", 20)


def has_booted(host: Host) -> bool:
    return host.run("systemctl", "is-system-running", check=False).stdout.strip() == "running"


def test_a_missed_start_is_caught_up_at_boot(host: Host, absence: Absence) -> None:
    runs = wait_until(lambda: host.runs_since("caught-up", absence.slot), "a run of caught-up starts", 30)
    assert runs[0].began >= absence.up.replace(microsecond=0)
    assert len(runs) == 1
    wait_until(lambda: host.runs("caught-up")[-1].state not in UNFINISHED, "the run of caught-up ends", 30)
    assert host.runs("caught-up")[-1].state == "success", host.runs("caught-up")[-1].content


def test_a_missed_start_is_not_caught_up_by_default(host: Host, absence: Absence) -> None:
    wait_until(lambda: host.runs_since("caught-up", absence.slot), "a run of caught-up starts", 30)
    assert host.runs_since("let-go", absence.slot) == []


def test_timers_continue_after_a_reboot(host: Host, absence: Absence) -> None:
    def look() -> bool:
        return absence.up < host.timer("minutely")[0] <= slot_before(now()) + MINUTE

    wait_until(look, "the next start of minutely is within a minute", 20)


def test_a_run_during_the_shutdown_is_recorded_as_aborted(host: Host, absence: Absence) -> None:
    run = host.runs("victim")[-1]
    assert run.began <= absence.down
    assert (run.state, run.reason) in [("aborted", "stopped"), ("aborted", "interrupted")], run.content


def test_no_unit_fails_at_boot(host: Host, absence: Absence) -> None:
    assert host.run("systemctl", "--failed", "--no-legend").stdout == ""
