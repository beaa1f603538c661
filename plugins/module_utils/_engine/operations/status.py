# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Show a task: its state, its last run, its next runs, and whether one is overdue."""

from __future__ import annotations

import datetime
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..common.text import parse_time
from ..config.stored_tasks import build_stored_task_view, list_onetimes, list_tasks, require_task
from ..remote.login_problems import list_live_problems
from ..runs.progress import read_progress
from ..runs.records import UNFINISHED, Record, find_last_record, load_records
from ..schedule import schedule as schedules
from ..schedule.describe import describe
from ..schedule.next_runs import find_next_runs
from ..schedule.overdue import find_overdue_slot
from ..systemd.systemctl import list_next_elapses
from ..systemd.unit_names import locate_timer, name_timer


def list_statuses(layout: Layout) -> List[Dict[str, Any]]:
    """Return the status of every task, by name, then of the active one-time runs."""
    elapses = list_next_elapses(layout)
    once = [_build_status(layout, name, elapses) for name in list_onetimes(layout) if name not in list_tasks(layout)]
    kept = [_build_status(layout, name, elapses) for name in list_tasks(layout)]
    return kept + [status for status in once if status["state"] in UNFINISHED]


def find_status(layout: Layout, name: str) -> Dict[str, Any]:
    """Return one task's status. ``next`` and ``overdue_since`` are ISO 8601 or None, ``run`` is a record or None."""
    return _build_status(layout, name, list_next_elapses(layout))


def _build_status(layout: Layout, name: str, elapses: Mapping[str, int]) -> Dict[str, Any]:
    stored = require_task(layout, name)
    record = find_last_record(layout, name)
    state = record.state if record else "pending"
    following = list_next_runs(stored, 1, elapses)
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
        "schedule_text": describe(schedules.parse(stored["schedule"])) if stored["schedule"] else "",
        "state": state,
        "reason": record.reason if record else "",
        "message": record.message if record else "",
        "run": record.public() if record else None,
        "progress": read_progress(layout, name) if state == "running" else None,
        "next": following[0] if following else None,
        "overdue_since": _find_overdue(layout, stored, record),
    }


def list_next_runs(stored: Mapping[str, Any], count: int, elapses: Mapping[str, int]) -> List[str]:
    """Return the next ``count`` starts of a scheduled task, as ISO 8601.

    On a host with systemd the first is systemd's own answer. Its distance from the slot (the host's share of
    ``spread``) holds for the others, too.
    """
    if not stored["enabled"] or not stored["schedule"] or count < 1:
        return []
    schedule = schedules.parse(stored["schedule"])
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
    stored = require_task(layout, name)
    return {
        **build_stored_task_view(stored),
        "status": find_status(layout, name),
        "runs": [record.public() for record in load_records(layout, name, runs)] if runs else [],
        "next": list_next_runs(stored, following, list_next_elapses(layout)),
    }


def list_problems(layout: Layout) -> List[str]:
    """Return a line for each enabled task that is overdue or whose last run failed, and for each login in danger."""
    found, lines = list_readable_statuses(layout)
    lines += list_live_problems(layout)
    for status in found:
        if not status["enabled"]:
            continue
        if status["overdue_since"]:
            lines.append(f"{status['task']}: overdue: no run has started since {status['overdue_since']}")
        if status["state"] in ("failed", "aborted"):
            lines.append(f"{status['task']}: {status['state']}: {status['reason']}: {status['message']}")
    return lines


def list_readable_statuses(layout: Layout) -> Tuple[List[Dict[str, Any]], List[str]]:
    """Return the status of every stored task that can be read, and a line for each one that cannot."""
    elapses = list_next_elapses(layout)
    found, unreadable = [], []
    for name in list_tasks(layout):
        try:
            found.append(_build_status(layout, name, elapses))
        except CloudsyncError as error:
            unreadable.append(f"{name}: {error}")
    return found, unreadable


def _find_overdue(layout: Layout, stored: Dict[str, Any], record: Optional[Record]) -> Optional[str]:
    if not stored["enabled"] or not stored["schedule"] or (record and record.state in UNFINISHED):
        return None
    try:
        placed = os.stat(locate_timer(layout, stored["name"])).st_mtime
    except FileNotFoundError:
        placed = os.stat(layout.task(stored["name"])).st_mtime
    reference = datetime.datetime.fromtimestamp(placed, datetime.timezone.utc)
    if record is not None:
        reference = max(reference, parse_time(record.started))
    since = find_overdue_slot(stored["schedule"], reference, _read_clock())
    return since.isoformat() if since else None


def _read_clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
