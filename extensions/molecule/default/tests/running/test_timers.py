# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Timers: they agree with the preview, and neither a stop nor an edit makes them fire or miss."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from fleet import MINUTE, UNFINISHED, Host, now, preview, slot_before, wait_for_second, wait_until

EVERY_MINUTE = {"cron": "* * * * *"}


def assert_quiet_until_next_slot(host: Host, task: str, begun: datetime) -> datetime:
    """No run began since ``begun``, and none does until the slot that is returned."""
    slot = slot_before(now()) + MINUTE
    time.sleep(max(0, (slot - now()).total_seconds() - 1))
    assert [run.content for run in host.runs_since(task, begun)] == []
    return slot


def assert_fires_at(host: Host, task: str, slot: datetime) -> None:
    """One run begins with the slot; a busy machine may need seconds to start it."""
    runs = wait_until(lambda: host.runs_since(task, slot), f"{task} runs at {slot:%H:%M}", 80)
    assert [run.trigger for run in runs] == ["timer"]
    assert runs[0].began - slot < timedelta(seconds=30)


def stop(host: Host, task: str) -> datetime:
    """Stop a run, with time before the next slot; the moment when it had ended."""
    wait_for_second(2, 35)
    host.run("cloudsync", "stop", task)
    last = host.runs(task)[-1]
    assert (last.state, last.reason) == ("aborted", "stopped"), last.content
    return now() + timedelta(seconds=1)


@pytest.mark.patient
def test_a_run_that_is_stopped_after_a_slot_passed_stays_stopped(host: Host) -> None:
    """systemd, left alone, starts a service again at once when its timer elapsed meanwhile."""

    def overrun() -> bool:
        last = host.runs("slow")[-1:]
        return bool(last) and last[0].state == "running" and last[0].began < slot_before(now()) - timedelta(seconds=5)

    wait_until(overrun, "slow runs on past a slot", 150)
    stopped = stop(host, "slow")
    assert_fires_at(host, "slow", assert_quiet_until_next_slot(host, "slow", stopped))
    host.declare("slow", schedule=None)
    host.run("cloudsync", "stop", "slow")


@pytest.mark.patient
def test_a_run_that_is_stopped_before_a_slot_passed_does_not_cost_the_next(host: Host) -> None:
    host.declare("paused", schedule=EVERY_MINUTE)
    wait_until(lambda: [run for run in host.runs("paused") if run.state == "running"], "paused runs", 90)
    stopped = stop(host, "paused")
    assert_fires_at(host, "paused", assert_quiet_until_next_slot(host, "paused", stopped))
    host.declare("paused")
    host.run("cloudsync", "stop", "paused")


@pytest.mark.patient
def test_an_edited_schedule_neither_fires_at_once_nor_misses_its_next_slot(host: Host) -> None:
    # Slots of the new schedule have passed since the timer was started: they are not owed.
    wait_for_second(2, 25)
    begun = now()
    assert host.declare("edited", schedule=EVERY_MINUTE)
    slot = assert_quiet_until_next_slot(host, "edited", begun)
    assert_fires_at(host, "edited", slot)

    # Again, within the minute whose slot was served already.
    wait_until(lambda: host.runs("edited")[-1].state not in UNFINISHED, "edited has ended", 30)
    wait_for_second(2, 25)
    begun = now()
    assert host.declare("edited", schedule={**EVERY_MINUTE, "timezone": "Europe/Berlin"})
    slot = assert_quiet_until_next_slot(host, "edited", begun)
    assert_fires_at(host, "edited", slot)
    host.declare("edited")


@pytest.mark.parametrize("task", ["nightly", "either-day", "windowed", "spread"])
def test_the_next_run_of_the_timer_is_that_of_the_preview(host: Host, task: str) -> None:
    schedule = host.task(task)["schedule"]
    (foreseen,) = preview([schedule], now())
    slot, (following, _last) = datetime.fromisoformat(foreseen["runs"][0]), host.timer(task)
    if "spread" in schedule:
        assert slot <= following < slot + timedelta(hours=2)
    else:
        assert following == slot


def test_the_command_previews_what_the_lookup_previews(host: Host) -> None:
    (foreseen,) = preview([host.task("nightly")["schedule"]], now())
    assert foreseen["runs"][0] in host.run("cloudsync", "preview", "nightly", "--count", "1", "--json").stdout


@pytest.mark.usefixtures("first_run")
def test_a_timer_fires_within_seconds_of_its_slot(host: Host) -> None:
    _next, last = host.timer("minutely")
    assert last - slot_before(last) < timedelta(seconds=5)
