# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Timers: they agree with the preview, and neither a stop nor an edit makes them fire or miss."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from fleet import MINUTE, UNFINISHED, Host, now, preview, slot_before, wait_for_second, wait_until


def assert_quiet_until_next_slot(host: Host, task: str, begun: datetime) -> datetime:
    """No run began since ``begun``, and none does until the slot that is returned."""
    slot = slot_before(now()) + MINUTE
    time.sleep((slot - now()).total_seconds() - 1)
    assert [run.content for run in host.runs_since(task, begun)] == []
    return slot


def assert_fires_at(host: Host, task: str, slot: datetime) -> None:
    runs = wait_until(lambda: host.runs_since(task, slot), f"{task} runs at {slot:%H:%M}", 70)
    assert timedelta(0) <= runs[0].began - slot <= timedelta(seconds=3)
    assert len(runs) == 1


@pytest.mark.parametrize("task", ["nightly", "either-day", "windowed", "spread"])
def test_the_next_run_of_the_timer_is_that_of_the_preview(host: Host, task: str) -> None:
    schedule = host.task(task)["schedule"]
    (foreseen,) = preview([schedule], now())
    slot, listed = datetime.fromisoformat(foreseen["runs"][0]), host.next_elapse(task)
    if "spread" in schedule:
        assert slot <= listed < slot + timedelta(hours=2)
        assert host.next_elapse(task) == listed
    else:
        assert listed == slot


def test_the_command_previews_what_the_lookup_previews(host: Host) -> None:
    (foreseen,) = preview([host.task("nightly")["schedule"]], now())
    assert foreseen["runs"][0] in host.run("cloudsync", "preview", "nightly", "--count", "1", "--json").stdout


def test_a_stopped_run_stays_stopped_and_the_next_slot_runs(host: Host) -> None:
    """systemd starts a service again at once when its timer elapsed meanwhile; and no later slot may pay for it."""

    def overrun() -> bool:
        last = host.runs("slow")[-1:]
        return bool(last) and last[0].state == "running" and last[0].began < slot_before(now()) - timedelta(seconds=5)

    wait_until(overrun, "slow runs on past a slot", 150)
    wait_for_second(5, 40)
    host.run("cloudsync", "stop", "slow")
    stopped = now()
    last = host.runs("slow")[-1]
    assert (last.state, last.reason) == ("aborted", "stopped"), last.content
    assert_fires_at(host, "slow", assert_quiet_until_next_slot(host, "slow", stopped))

    # Within the minute that it began in: no slot has passed, nothing is left to consume.
    wait_until(lambda: host.runs("slow")[-1].state == "running", "slow runs", 20)
    host.run("cloudsync", "stop", "slow")
    stopped = now()
    assert_fires_at(host, "slow", assert_quiet_until_next_slot(host, "slow", stopped))
    host.declare("slow", schedule=None)
    host.run("cloudsync", "stop", "slow")


def test_an_edited_schedule_neither_fires_at_once_nor_misses_its_next_slot(host: Host) -> None:
    # Every minute, where the last slots of "every minute" have passed unused since the timer was started.
    wait_for_second(5, 40)
    begun = now()
    assert host.declare("edited", schedule={"cron": "* * * * *"})
    slot = assert_quiet_until_next_slot(host, "edited", begun)
    assert_fires_at(host, "edited", slot)

    # Again within the minute that was served already.
    wait_until(lambda: host.runs("edited")[-1].state not in UNFINISHED, "edited has ended", 30)
    wait_for_second(5, 40)
    begun = now()
    assert host.declare("edited", schedule={"cron": "* * * * *", "timezone": "Europe/Berlin"})
    slot = assert_quiet_until_next_slot(host, "edited", begun)
    assert_fires_at(host, "edited", slot)
    host.declare("edited")
