# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Build the rows of the report: hosts, and tasks of hosts."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ...module_utils._engine.common.text import parse_time
from ...module_utils._engine.runs.records import FAILED, UNFINISHED

# The problems that the state, the reason and the message of a task show.
SHOWN_BY_STATE = (*FAILED, "damaged", "overdue")
SHOWN_OTHERS = 5


@dataclass(frozen=True)
class HostRow:
    """A host. ``message`` says why it did not answer, ``tasks`` is the number of its tasks.

    ``problems`` are sentences about problems of the whole host.
    """

    host: str
    state: str
    message: str
    tasks: int
    problems: List[str] = field(default_factory=list)


@dataclass(frozen=True)
class TaskRow:
    """A task of a host. Times are ISO 8601 or None, ``duration`` is in seconds, ``percent`` is of an active run.

    ``last_proven`` is the end of the last successful drill, ``drill_state`` that of the last drill, empty if there are
    no drills. ``account`` is the same for each host that uses it. ``shard`` has the keys index and count, or is None.
    ``log_end`` has the last lines of the log of a failure. ``shared_with`` names tasks of other hosts with the same
    destination, as HOST/TASK.
    """

    host: str
    task: str
    description: str
    level: str
    enabled: bool
    state: str
    reason: str
    message: str
    direction: str
    mode: str
    schedule: str
    started: Optional[str]
    ended: Optional[str]
    duration: Optional[int]
    percent: Optional[int]
    bytes: int
    transfers: int
    deletes: int
    errors: int
    next: Optional[str]
    overdue_since: Optional[str]
    log: str
    last_proven: Optional[str]
    drill_state: str
    credential: str
    account: str
    path: str
    remote_path: str
    shard: Optional[Mapping[str, int]]
    last_success: Optional[str]
    failing_since: Optional[str]
    log_end: Sequence[str]
    shared_with: Sequence[str] = field(default_factory=list)


def parse_moment(text: Optional[str]) -> Optional[datetime.datetime]:
    """Parse an ISO 8601 time, and return an aware one; None for an empty text."""
    if not text:
        return None
    parsed = parse_time(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)


def build_task(
    host: str, task: Mapping[str, Any], now: datetime.datetime, problems: Sequence[Tuple[str, str, str]]
) -> TaskRow:
    """Return the row of a task of ``task_info``. Each of the ``problems`` of the host is a name, a task, a message."""
    status = task["status"]
    own = [(name, message) for name, of, message in problems if of == task["name"]]
    further = [f"{name}: {message}" for name, message in own if name not in SHOWN_BY_STATE]
    drill = status.get("drill") or {}  # a host with an older version of the collection has none
    of_drill = [f"drill {name}: {message}" for name, of, message in problems if drill and of == drill["task"]]
    return TaskRow(
        host=str(host),
        task=str(task["name"]),
        description=str(task["description"] or ""),
        level="problem" if own or of_drill else _find_level(status),
        enabled=bool(status["enabled"]),
        state=str(status["state"]),
        reason=str(status["reason"]),
        message="\n".join(filter(None, (str(status["message"]), *further, *of_drill))),
        direction=str(status["direction"]),
        mode=str(status["mode"]),
        schedule=str(status["schedule_text"]),
        next=_format_iso(parse_moment(status["next"])),
        overdue_since=_format_iso(parse_moment(status["overdue_since"])),
        last_proven=_format_iso(parse_moment(drill.get("last_proven"))),
        drill_state=str(drill.get("state") or ""),
        credential=str(status.get("credential") or ""),
        path=str(status.get("path") or ""),
        remote_path=str(status.get("remote_path") or ""),
        shard=task.get("shard"),
        **_describe_run(status, now),
        **_describe_past(task),
    )


def _describe_run(status: Mapping[str, Any], now: datetime.datetime) -> Dict[str, Any]:
    run = status["run"] or {}
    started, ended = parse_moment(run.get("started")), parse_moment(run.get("ended"))
    moved = {**run, **(status["progress"] or {})}
    return {
        "started": _format_iso(started),
        "ended": _format_iso(ended),
        "duration": max(0, int(((ended or now) - started).total_seconds())) if started else None,
        "percent": _calculate_percent(status["progress"]),
        **{key: int(moved.get(key) or 0) for key in ("bytes", "transfers", "deletes", "errors")},
        "log": str(run.get("log") or ""),
    }


def _describe_past(task: Mapping[str, Any]) -> Dict[str, Any]:
    """Return what the key ``report`` of a task tells. Without it, the last run tells about a success."""
    facts = task.get("report") or {}
    run, state = task["status"]["run"] or {}, task["status"]["state"]
    success = facts.get("last_success") or (run.get("ended") if state == "success" else None)
    return {
        "account": str(facts.get("account") or ""),
        "last_success": _format_iso(parse_moment(success)),
        "failing_since": _format_iso(parse_moment(facts.get("failing_since"))),
        "log_end": [str(line) for line in facts.get("log") or ()],
    }


def _find_level(status: Mapping[str, Any]) -> str:
    """Return the level, as in ``cloudsync check``: a failed or overdue task is a problem, unless it is disabled."""
    if status["state"] in UNFINISHED:
        return "running"
    if not status["enabled"]:
        return "disabled"
    if status["overdue_since"] or status["state"] in FAILED:
        return "problem"
    return "fine" if status["state"] == "success" else "pending"


def _calculate_percent(progress: Optional[Mapping[str, Any]]) -> Optional[int]:
    if not progress or not progress.get("total_bytes"):
        return None
    return min(100, 100 * int(progress["bytes"]) // int(progress["total_bytes"]))


def _format_iso(time: Optional[datetime.datetime]) -> Optional[str]:
    return time.isoformat() if time else None


def mark_shared(rows: Sequence[TaskRow]) -> List[TaskRow]:
    """Return the rows with ``shared_with``: pushes of other hosts to the same destination. Shards share theirs."""
    places: Dict[Tuple[str, str], List[TaskRow]] = defaultdict(list)
    for row in rows:
        if row.account and row.direction == "push":
            places[row.account, row.remote_path.strip("/")].append(row)
    return [
        replace(row, shared_with=others) if others else row
        for row in rows
        for others in [_list_others(row, places.get((row.account, row.remote_path.strip("/")), ()))]
    ]


def _list_others(row: TaskRow, rows: Sequence[TaskRow]) -> List[str]:
    if row.direction != "push":
        return []
    found = (other for other in rows if other.host != row.host and not _are_shards(row, other))
    return [f"{other.host}/{other.task}" for other, _number in zip(found, range(SHOWN_OTHERS))]


def _are_shards(row: TaskRow, other: TaskRow) -> bool:
    """Return whether both tasks are different parts of one."""
    if not row.shard or not other.shard or row.task != other.task:
        return False
    return row.shard["count"] == other.shard["count"] and row.shard["index"] != other.shard["index"]
