# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Show a task: its state, its last run, its next runs, and whether one is overdue."""

from __future__ import annotations

import contextlib
import datetime
import os
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional

from ..common.errors import CloudsyncError, system_error
from ..common.layout import Layout
from ..common.text import parse_time
from ..config.stored_tasks import (
    build_stored_drill,
    build_stored_task_view,
    can_be_drilled,
    list_onetimes,
    list_tasks,
    name_drill,
    read_task,
    require_task,
)
from ..runs.progress import read_progress
from ..runs.records import UNFINISHED, Record, find_last_record, load_records, read_newest_records
from ..schedule import schedule as schedules
from ..schedule.describe import describe
from ..schedule.next_runs import find_next_runs
from ..schedule.overdue import find_overdue_slot, list_swallowed_slots
from ..systemd.systemctl import list_next_elapses
from ..systemd.unit_names import locate_timer, name_timer

STALL = datetime.timedelta(hours=6)
# What the status of a task tells about its drill.
OF_DRILLS = ("task", "schedule_text", "state", "reason", "message", "run", "next", "overdue_since")


def list_statuses(layout: Layout) -> List[Dict[str, Any]]:
    """Return the status of every task, by name, then of the active one-time runs.

    A task that cannot be read is a failed one with the reason ``damaged``. Its message names the file.
    """
    elapses = list_next_elapses(layout)
    names = list_tasks(layout)
    once = [_show_status(layout, name, elapses) for name in _list_onetimes(layout) if name not in names]
    kept = [_show_status(layout, name, elapses) for name in names]
    return kept + [status for status in once if status["state"] in UNFINISHED]


def list_drill_statuses(layout: Layout, statuses: Iterable[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Return the status of the drill of each task in ``statuses`` that declares one."""
    names = [status["task"] for status in statuses if status["drill"] is not None]
    elapses, found = list_next_elapses(layout) if names else {}, []
    for name in names:
        with contextlib.suppress(CloudsyncError, OSError):
            stored = read_task(layout, name)
            if stored is not None and stored.get("drill"):
                found.append(_build_status(layout, build_stored_drill(layout, stored), elapses))
    return found


def find_last_proven(layout: Layout, task: str) -> Optional[str]:
    """Return when the last successful drill of ``task`` ended, as ISO 8601, None if no drill has succeeded."""
    name = name_drill(layout, task)
    success = find_ended(layout, name).success if name is not None else None
    return success.ended if success is not None else None


class Ended(NamedTuple):
    """The newest run of a task that has ended and was not skipped, and the newest success. None if there is none."""

    run: Optional[Record] = None
    success: Optional[Record] = None


def find_ended(layout: Layout, task: str) -> Ended:
    """Return the newest ended runs of ``task``."""
    newest: Optional[Record] = None
    for record in read_newest_records(layout, task):
        if record.ended and record.state != "skipped":
            newest = newest or record
            if record.state == "success":
                return Ended(newest, record)
    return Ended(newest)


def _list_onetimes(layout: Layout) -> List[str]:
    """Return the names of the one-time runs, none if their directory is blocked: ``cloudsync check`` names it."""
    with contextlib.suppress(CloudsyncError, OSError):
        return list_onetimes(layout)
    return []


def find_status(layout: Layout, name: str) -> Dict[str, Any]:
    """Return one task's status. ``next`` and ``overdue_since`` are ISO 8601 or None, ``run`` is a record or None."""
    return _build_status(layout, require_task(layout, name), list_next_elapses(layout))


def _show_status(layout: Layout, name: str, elapses: Mapping[str, int]) -> Dict[str, Any]:
    try:
        return _build_status(layout, require_task(layout, name), elapses)
    except CloudsyncError as error:
        return build_unreadable_status(layout, name, error.message)
    except OSError as error:
        return build_unreadable_status(layout, name, system_error(error).message)


def build_unreadable_status(layout: Layout, name: str, why: str) -> Dict[str, Any]:
    """Return the status of a task that cannot be read."""
    path = layout.task(name)
    texts = dict.fromkeys(
        ("description", "direction", "mode", "credential", "path", "remote_path", "schedule_text"), ""
    )
    return {
        **texts,
        "task": name,
        "enabled": True,
        "schedule": None,
        "state": "failed",
        "reason": "damaged",
        "message": why if path in why else f"Cannot read task {name} in {path}: {why}",
        "run": None,
        "progress": None,
        "next": None,
        "overdue_since": None,
        "overdue_slots": 0,
        "stalled_since": None,
        "drill": None,
    }


def is_readable(status: Mapping[str, Any]) -> bool:
    """Return whether ``status`` is that of a task whose file can be read. A damaged record has a run."""
    return status["reason"] != "damaged" or status["run"] is not None


def _build_status(layout: Layout, stored: Dict[str, Any], elapses: Mapping[str, int]) -> Dict[str, Any]:
    name = stored["name"]
    record = find_last_record(layout, name)
    state = record.state if record else "pending"
    schedule = _parse_schedule(stored)
    following = _list_next_runs(stored, schedule, 1, elapses)
    overdue = _find_overdue(layout, stored, schedule, record)
    progress = read_progress(layout, name) if state == "running" else None
    return {
        "task": name,
        "description": stored["description"],
        "direction": stored["direction"],
        "mode": stored["mode"],
        "credential": stored["credential"],
        "path": stored["path"],
        "remote_path": stored["remote_path"],
        "enabled": stored["enabled"],
        "schedule": stored["schedule"],
        "schedule_text": describe(schedule) if schedule else "",
        "state": state,
        "reason": record.reason if record else "",
        "message": record.message if record else "",
        "run": record.public() if record else None,
        "progress": progress,
        "next": following[0] if following else None,
        "overdue_since": overdue[0].isoformat() if overdue else None,
        "overdue_slots": len(overdue),
        "stalled_since": _find_stall(record, progress) if record else None,
        "drill": _show_drill(layout, stored, elapses),
    }


def _show_drill(layout: Layout, stored: Mapping[str, Any], elapses: Mapping[str, int]) -> Optional[Dict[str, Any]]:
    """Return the state of a task's drill. None if the task declares none, and none has run."""
    name = name_drill(layout, stored["name"]) if can_be_drilled(stored["direction"], stored["mode"]) else None
    if name is None or not (stored.get("drill") or os.path.isdir(layout.task_state_dir(name))):
        return None
    status = _build_status(layout, build_stored_drill(layout, stored), elapses)
    return {**{key: status[key] for key in OF_DRILLS}, "last_proven": find_last_proven(layout, stored["name"])}


def list_next_runs(stored: Mapping[str, Any], count: int, elapses: Mapping[str, int]) -> List[str]:
    """Return the next ``count`` starts of a scheduled task, as ISO 8601.

    On a host with systemd the first is systemd's own answer. Its distance from the slot (the host's share of
    ``spread``) holds for the others, too.
    """
    return _list_next_runs(stored, _parse_schedule(stored), count, elapses)


def _parse_schedule(stored: Mapping[str, Any]) -> Optional[schedules.Schedule]:
    return schedules.parse(stored["schedule"]) if stored["schedule"] else None


def _list_next_runs(
    stored: Mapping[str, Any], schedule: Optional[schedules.Schedule], count: int, elapses: Mapping[str, int]
) -> List[str]:
    if not stored["enabled"] or schedule is None or count < 1:
        return []
    elapse = elapses.get(name_timer(stored["name"]))
    if elapse is None:
        return [slot.isoformat() for slot in find_next_runs(schedule, _read_clock(), count)]
    # A slot that has passed may still wait for its share of the spread.
    first = datetime.datetime.fromtimestamp(elapse // 1000000, datetime.timezone.utc)
    slots = find_next_runs(schedule, first - datetime.timedelta(seconds=schedule.spread + 1), count)
    delay = max(first - slots[0], datetime.timedelta()) if slots else datetime.timedelta()
    return [(slot + delay).isoformat() for slot in slots]


def find_details(layout: Layout, name: str, runs: int, following: int) -> Dict[str, Any]:
    """Return the public view of a task with its status, ``runs`` past records and ``following`` coming starts."""
    return _build_details(layout, name, runs, following, list_next_elapses(layout))


def list_details(layout: Layout, runs: int, following: int) -> List[Dict[str, Any]]:
    """Return find_details() of every task. A task that cannot be read has only its name and its status."""
    elapses = list_next_elapses(layout)
    found: List[Dict[str, Any]] = []
    for name in list_tasks(layout):
        try:
            found.append(_build_details(layout, name, runs, following, elapses))
        except CloudsyncError as error:
            status = build_unreadable_status(layout, name, error.message)
            found.append({"name": name, "description": "", "status": status, "runs": [], "next": []})
    return found


def _build_details(layout: Layout, name: str, runs: int, following: int, elapses: Mapping[str, int]) -> Dict[str, Any]:
    stored = require_task(layout, name)
    return {
        **build_stored_task_view(stored),
        "status": _build_status(layout, stored, elapses),
        "runs": [record.public() for record in load_records(layout, name, runs)] if runs else [],
        "next": list_next_runs(stored, following, elapses),
    }


def _find_overdue(
    layout: Layout, stored: Mapping[str, Any], schedule: Optional[schedules.Schedule], record: Optional[Record]
) -> List[datetime.datetime]:
    """Return the slots that passed without a run, or during an active run that takes too long."""
    if not stored["enabled"] or schedule is None:
        return []
    if record and record.state in UNFINISHED:
        return list_swallowed_slots(schedule, parse_time(record.started), _read_clock())
    try:
        placed = os.stat(locate_timer(layout, stored["name"])).st_mtime
    except OSError:
        # A drill is declared with its task.
        declared = [layout.task(name) for name in (stored["name"], stored["reverse_of"]) if name]
        placed = max(os.stat(path).st_mtime for path in declared if os.path.exists(path))
    reference = datetime.datetime.fromtimestamp(placed, datetime.timezone.utc)
    if record is not None:
        reference = max(reference, parse_time(record.started))
    since = find_overdue_slot(schedule, reference, _read_clock())
    return [since] if since else []


def _find_stall(record: Record, progress: Optional[Mapping[str, Any]]) -> Optional[str]:
    """Return since when an active run shows no sign of life, as ISO 8601. None unless that was hours ago.

    Signs are its start, changed statistics, and new lines of its log.
    """
    if record.state != "running":
        return None
    signs = [parse_time(record.started).timestamp()]
    with contextlib.suppress(OSError):
        signs.append(os.stat(record.log).st_mtime)
    if progress:
        signs.append(parse_time(progress["changed"]).timestamp())
    last = datetime.datetime.fromtimestamp(int(max(signs)), datetime.timezone.utc)
    return last.isoformat() if _read_clock() - last > STALL else None


def _read_clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
