# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Decide whether a start by systemd may go ahead (the unit's ExecCondition)."""

from __future__ import annotations

import datetime
import os
import time
from typing import Any, Mapping, Optional

from ..commands.open_path import make_folders
from ..common.accounts import find_account
from ..common.files import atomic_write, make_directory, remove
from ..common.layout import Layout
from ..common.text import parse_time
from ..config.credential_store import read_credential
from ..config.tasks import list_writes
from ..schedule import schedule as schedules
from ..schedule import timezones as zones
from ..schedule.next_runs import find_next_runs
from .records import read_newest_records

OWED_START_SECONDS = 10
TRIGGER = "TRIGGER_UNIT"


def may_start(layout: Layout, stored: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Return whether this start of the stored task may go ahead.

    systemd starts a oneshot again at once if a slot passed during its run. After a stop, that start is refused. A start
    by the timer outside the schedule's window is also refused: it is late, or a missed run at boot. A start by hand
    always goes ahead.
    """
    stopped_ago = _take_marker(locate_stop_marker(layout, stored["name"]))
    if TRIGGER not in environ:
        return True
    if stopped_ago is not None and stopped_ago < OWED_START_SECONDS and _passed_a_slot(layout, stored, stopped_ago):
        return False
    return not stored["schedule"] or is_in_window(
        schedules.parse(stored["schedule"]), datetime.datetime.now().astimezone()
    )


def _passed_a_slot(layout: Layout, stored: Mapping[str, Any], stopped_ago: float) -> bool:
    """Return whether a slot passed during the stopped run. With a spread, a possible slot counts."""
    record = next(read_newest_records(layout, stored["name"]), None)
    if record is None or not stored["schedule"]:
        return True
    schedule = schedules.parse(stored["schedule"])
    began = parse_time(record.started)
    stopped_at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=stopped_ago)
    first = find_next_runs(schedule, began - datetime.timedelta(seconds=schedule.spread), 1)
    return bool(first) and first[0] <= stopped_at


def _take_marker(path: str) -> Optional[float]:
    """Remove the stop marker. Return how many seconds ago the run was stopped, or None if there is no marker."""
    try:
        age = time.time() - os.stat(path).st_mtime
    except FileNotFoundError:
        return None
    remove(path)
    return age


def is_in_window(schedule: schedules.Schedule, moment: datetime.datetime) -> bool:
    """Return whether ``moment`` (aware) is between ``begin`` and ``end``, to the minute."""
    if schedule.begin is None and schedule.end is None:
        return True
    local = moment.astimezone(zones.load(schedule.timezone))
    minute = local.hour * 60 + local.minute
    begin, end = schedule.begin or 0, schedules.MINUTES_A_DAY if schedule.end is None else schedule.end
    return begin <= minute <= end if begin <= end else minute >= begin or minute <= end


def make_places(layout: Layout, stored: Mapping[str, Any]) -> None:
    """Create the directories of a run. The sandbox makes only existing ones writable, and a boot empties /run."""
    for directory in (layout.run_dir, layout.state_dir):
        make_directory(directory)
    make_directory(layout.log_dir, 0o755)
    # The scratch folder of a drill is in it, and belongs to the user of the task.
    make_directory(layout.task_state_dir(stored["name"]))
    mounted = stored["guards"]["mounted"]
    if mounted and not os.path.ismount(mounted):
        return
    credential = read_credential(layout, stored["credential"]) or {"provider": "", "attributes": {}}
    writes = list_writes(stored, credential["provider"], credential["attributes"])
    make_folders(writes, find_account(stored["user"]).uid)


def locate_stop_marker(layout: Layout, task: str) -> str:
    return f"{layout.run_dir}/stopped/{task}"


def mark_stopped(layout: Layout, task: str) -> None:
    """Write the stop marker. A stopped run does this last."""
    make_directory(layout.run_dir)
    make_directory(layout.run_dir + "/stopped")
    atomic_write(locate_stop_marker(layout, task), b"")
