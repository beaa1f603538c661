# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What an operator sees of a task: its state, its last run, its next ones, and whether one is overdue."""

from __future__ import annotations

import datetime
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..common.text import parse_time
from ..config.task_store import build_stored_task_view, list_onetimes, list_tasks, load_task, require_task
from ..host import Host
from ..runs import notices
from ..runs.progress import read_progress
from ..runs.records import UNFINISHED, Record, last_record, load_records
from ..schedule import schedule as schedules
from ..schedule.describe import describe
from ..schedule.next_runs import find_next_runs
from ..schedule.overdue import find_overdue_slot
from ..systemd.systemctl import next_elapses
from ..systemd.unit_files import locate_timer, name_timer


def all_statuses(layout: Layout) -> List[Dict[str, Any]]:
    """task_status() of every task, by name; then of the one-time runs under way."""
    elapses = next_elapses(layout)
    once = [_status(layout, name, elapses) for name in list_onetimes(layout) if name not in list_tasks(layout)]
    kept = [_status(layout, name, elapses) for name in list_tasks(layout)]
    return kept + [status for status in once if status["state"] in UNFINISHED]


def task_status(layout: Layout, name: str) -> Dict[str, Any]:
    """One task at a glance. ``next`` and ``overdue_since`` are ISO 8601 or None; ``run`` is the last record or None."""
    return _status(layout, name, next_elapses(layout))


def _status(layout: Layout, name: str, elapses: Mapping[str, int]) -> Dict[str, Any]:
    stored = require_task(layout, name)
    record = last_record(layout, name)
    state = record.state if record else "pending"
    following = next_runs(stored, 1, elapses)
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
        "overdue_since": _overdue(layout, stored, record),
    }


def next_runs(stored: Mapping[str, Any], count: int, elapses: Mapping[str, int]) -> List[str]:
    """The next ``count`` starts of a scheduled task. On a host with systemd the first is systemd's own answer, and
    its distance from the slot (the host's share of ``spread``) holds for the others, too."""
    if not stored["enabled"] or not stored["schedule"] or count < 1:
        return []
    schedule = schedules.parse(stored["schedule"])
    elapse = elapses.get(name_timer(stored["name"]))
    if elapse is None:
        return [slot.isoformat() for slot in find_next_runs(schedule, _now(), count)]
    # A slot that has passed may still wait for its share of the spread.
    first = datetime.datetime.fromtimestamp(elapse // 1000000, datetime.timezone.utc)
    slots = find_next_runs(schedule, first - datetime.timedelta(seconds=schedule.spread + 1), count)
    delay = max(first - slots[0], datetime.timedelta()) if slots else datetime.timedelta()
    return [(slot + delay).isoformat() for slot in slots]


def task_details(layout: Layout, name: str, runs: int, following: int) -> Dict[str, Any]:
    """For ``task_info``: the public view, the status, ``runs`` past records and ``following`` coming starts."""
    stored = require_task(layout, name)
    return {
        **build_stored_task_view(stored),
        "status": task_status(layout, name),
        "runs": [record.public() for record in load_records(layout, name, runs)] if runs else [],
        "next": next_runs(stored, following, next_elapses(layout)),
    }


def problems(layout: Layout) -> List[str]:
    """For monitoring: a line for each enabled task whose last run did not succeed, or whose next one is overdue."""
    found, lines = readable_statuses(layout)
    for status in found:
        if not status["enabled"]:
            continue
        if status["overdue_since"]:
            lines.append(f"{status['task']}: overdue: no run has begun since {status['overdue_since']}")
        if status["state"] in ("failed", "aborted"):
            lines.append(f"{status['task']}: {status['state']}: {status['reason']}: {status['message']}")
    return lines


def tell_overdue(host: Host) -> List[str]:
    """Have it told, once each, that a run of an enabled task is overdue; sentences about what could not be told."""
    found, problems = readable_statuses(host.layout)
    for status in found:
        if status["overdue_since"]:
            try:
                task = load_task(host.layout, host.seed, status["task"])
                problems += notices.overdue(host.layout, task, status["overdue_since"])
            except CloudsyncError as error:
                problems.append(f"{status['task']}: nobody could be told that it is overdue: {error}")
    return problems


def readable_statuses(layout: Layout) -> Tuple[List[Dict[str, Any]], List[str]]:
    """task_status() of every task that is kept and can be read; a line for each that can't."""
    elapses = next_elapses(layout)
    found, unreadable = [], []
    for name in list_tasks(layout):
        try:
            found.append(_status(layout, name, elapses))
        except CloudsyncError as error:
            unreadable.append(f"{name}: {error}")
    return found, unreadable


def _overdue(layout: Layout, stored: Dict[str, Any], record: Optional[Record]) -> Optional[str]:
    if not stored["enabled"] or not stored["schedule"] or (record and record.state in UNFINISHED):
        return None
    try:
        placed = os.stat(locate_timer(layout, stored["name"])).st_mtime
    except FileNotFoundError:
        placed = os.stat(layout.task(stored["name"])).st_mtime
    reference = datetime.datetime.fromtimestamp(placed, datetime.timezone.utc)
    if record is not None:
        reference = max(reference, parse_time(record.started))
    since = find_overdue_slot(stored["schedule"], reference, _now())
    return since.isoformat() if since else None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
