# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Timers agree with the preview. A stop or a changed schedule neither starts a run nor skips one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fleet import MINUTE, UNFINISHED, Host, now, preview, slot_before, wait_for_second, wait_until

EVERY_MINUTE = {"cron": "* * * * *"}


def assert_next_run_is_at_the_next_slot(host: Host, task: str, begun: datetime) -> None:
    """Check that no run starts between ``begun`` and the next slot, and that one run starts then."""
    slot = slot_before(now()) + MINUTE
    wait_until(lambda: host.runs_since(task, slot), f"{task} starts at {slot:%H:%M}", 120)
    runs = host.runs_since(task, begun)
    assert [run.trigger for run in runs] == ["timer"], [run.content for run in runs]
    assert timedelta(0) <= runs[0].began - slot < timedelta(seconds=30)  # a busy machine may need seconds to start it


def stop(host: Host, task: str) -> datetime:
    """Stop a run well before the next slot, and return the time when it has ended."""
    wait_for_second(2, 35)
    host.run("cloudsync", "stop", task)
    last = host.runs(task)[-1]
    assert (last.state, last.reason) == ("aborted", "stopped"), last.content
    return now() + timedelta(seconds=1)


@pytest.mark.patient
def test_a_run_that_is_stopped_after_a_missed_slot_stays_stopped(host: Host) -> None:
    """systemd alone would start the service again, because its timer elapsed during the run."""

    def overrun() -> bool:
        last = host.runs("slow")[-1:]
        return bool(last) and last[0].state == "running" and last[0].began < slot_before(now()) - timedelta(seconds=5)

    host.declare("slow")
    wait_until(overrun, "the run of slow continues past a slot", 150)
    stopped = stop(host, "slow")
    assert_next_run_is_at_the_next_slot(host, "slow", stopped)
    host.declare("slow", schedule=None)
    host.run("cloudsync", "stop", "slow")


@pytest.mark.patient
def test_a_run_that_is_stopped_before_a_slot_does_not_skip_that_slot(host: Host) -> None:
    host.declare("paused", schedule=EVERY_MINUTE)
    wait_until(lambda: [run for run in host.runs("paused") if run.state == "running"], "paused is running", 90)
    stopped = stop(host, "paused")
    assert_next_run_is_at_the_next_slot(host, "paused", stopped)
    host.declare("paused")
    host.run("cloudsync", "stop", "paused")


@pytest.mark.patient
@pytest.mark.parametrize(("task", "catch_up"), [("edited", False), ("caught-up", True)])
def test_a_changed_schedule_neither_starts_a_run_nor_skips_the_next_slot(host: Host, task: str, catch_up: bool) -> None:
    # Slots of the new schedule that passed since the timer was started must not start a run.
    wait_for_second(2, 25)
    begun = now()
    assert host.declare(task, schedule={**EVERY_MINUTE, "catch_up": catch_up})
    assert_next_run_is_at_the_next_slot(host, task, begun)

    # Change it again, within the minute whose slot has already started a run.
    wait_until(lambda: host.runs(task)[-1].state not in UNFINISHED, f"the run of {task} ends", 30)
    wait_for_second(2, 25)
    begun = now()
    assert host.declare(task, schedule={**EVERY_MINUTE, "catch_up": catch_up, "timezone": "Europe/Berlin"})
    assert_next_run_is_at_the_next_slot(host, task, begun)
    host.declare(task)


def test_systemd_the_command_and_the_lookup_agree_on_the_next_run(host: Host) -> None:
    schedules = {task: host.task(task)["schedule"] for task in ("nightly", "either-day", "windowed")}
    foreseen = dict(zip(schedules, preview(list(schedules.values()), now())))
    slots = {task: datetime.fromisoformat(answer["runs"][0]) for task, answer in foreseen.items()}
    assert {task: host.timer(task)[0] for task in schedules} == slots
    said = {task: host.run("cloudsync", "preview", task, "--count", "1", "--json").stdout for task in schedules}
    assert {task: foreseen[task]["runs"][0] in said[task] for task in schedules} == dict.fromkeys(schedules, True), said


def test_a_run_starts_later_than_its_slot_by_less_than_the_spread(host: Host) -> None:
    slot = datetime.fromisoformat(preview([host.task("spread")["schedule"]], now())[0]["runs"][0])
    assert slot < host.timer("spread")[0] < slot + timedelta(hours=2)


def test_a_scheduled_run_is_known_as_such_although_systemd_is_reloaded_meanwhile(host: Host) -> None:
    host.declare("minutely", name="reloaded", path="/srv/data", remote_path=f"{host}/reloaded", schedule=EVERY_MINUTE)
    wait_for_second(50, 55)
    host.shell("end=$(($(date +%s) + 20)); while [ $(date +%s) -lt $end ]; do systemctl daemon-reload; done")
    wait_until(lambda: host.runs("reloaded"), "reloaded starts", 30)
    host.declare("minutely", name="reloaded", path="/srv/data", remote_path=f"{host}/reloaded", schedule=None)
    assert host.runs("reloaded")[0].trigger == "timer"


@pytest.mark.usefixtures("first_run")
def test_a_timer_fires_within_seconds_of_its_slot(host: Host) -> None:
    _next, last = host.timer("minutely")
    assert last - slot_before(last) < timedelta(seconds=5)
