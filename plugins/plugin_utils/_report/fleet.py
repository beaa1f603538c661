# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A fleet at a glance: what its hosts answered, as rows and totals, the worst first. For the control node."""

from __future__ import annotations

import datetime
import re
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ...module_utils._engine.common.text import format_count, parse_time
from ...module_utils._engine.runs.records import UNFINISHED

SCHEMA = 1
# How urgently somebody has to look, most urgently first.
LEVELS = ("problem", "running", "pending", "fine", "disabled")
FAILED = ("failed", "aborted")
# Worst first: hosts of which nothing is known, then the others.
HOST_STATES = ("unreachable", "failed", "not_asked", "answered")

Answers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class HostRow:
    """A host; ``message`` says why it did not answer, ``tasks`` is how many it has."""

    host: str
    state: str
    message: str
    tasks: int


@dataclass(frozen=True)
class TaskRow:
    """A task of a host. Times are ISO 8601 or None, ``duration`` is in seconds, ``percent`` of a transfer under way."""

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


def fleet(answers: Answers, now: datetime.datetime) -> Dict[str, Any]:
    """The report as data: ``generated``, ``summary``, ``totals``, ``hosts`` and ``tasks``, the last two worst first.

    ``answers``: host to what ``task_info`` returned there, or to the failure in its place, or to nothing when the host
    was not asked. ``now`` is aware. What can't be understood makes the host a failed one; no host is left out.
    """
    hosts: List[HostRow] = []
    tasks: List[TaskRow] = []
    for host, answer in answers.items():
        host_row, task_rows = _host(host, answer, now)
        hosts.append(host_row)
        tasks += task_rows
    hosts.sort(key=lambda row: (HOST_STATES.index(row.state), _natural(row.host)))
    tasks.sort(key=_worst_first)
    totals = _totals(hosts, tasks)
    return {
        "schema": SCHEMA,
        "generated": now.astimezone(datetime.timezone.utc).replace(microsecond=0).isoformat(),
        "summary": summary(totals),
        "totals": totals,
        "hosts": [asdict(row) for row in hosts],
        "tasks": [asdict(row) for row in tasks],
    }


def summary(totals: Mapping[str, int]) -> str:
    """The totals in a sentence; what is zero is left out."""
    words = {"problem": "in trouble"}
    counts = [f"{totals[level]} {words.get(level, level)}" for level in LEVELS if totals[level]]
    text = f"{format_count(totals['tasks'], 'task')} on {format_count(totals['hosts'], 'host')}"
    if counts:
        text += ": " + ", ".join(counts)
    if totals["silent"]:
        text += f"; no answer from {format_count(totals['silent'], 'host')}"
    return text + "."


def moment(text: Optional[str]) -> Optional[datetime.datetime]:
    """An ISO 8601 time as an aware one; None for none."""
    if not text:
        return None
    parsed = parse_time(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)


def _host(host: str, answer: Mapping[str, Any], now: datetime.datetime) -> Tuple[HostRow, List[TaskRow]]:
    if not answer or answer.get("skipped"):
        return HostRow(host, "not_asked", "The play ended for this host before it was asked.", 0), []
    if answer.get("unreachable"):
        return HostRow(host, "unreachable", _failure(answer), 0), []
    if "tasks" not in answer:
        return HostRow(host, "failed", _failure(answer), 0), []
    try:
        rows = [_task(host, task, now) for task in answer["tasks"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = "What this host answered can't be understood ({0}): is another version of the collection there?"
        return HostRow(host, "failed", text.format(repr(error)), 0), []
    return HostRow(host, "answered", "", len(rows)), rows


def _failure(answer: Mapping[str, Any]) -> str:
    text = answer.get("msg") or answer.get("module_stderr") or "The host gave no reason."
    return str(text).strip()


def _task(host: str, task: Mapping[str, Any], now: datetime.datetime) -> TaskRow:
    status = task["status"]
    run = status["run"] or {}
    started, ended = moment(run.get("started")), moment(run.get("ended"))
    moved = {**run, **(status["progress"] or {})}
    return TaskRow(
        host=str(host),
        task=str(task["name"]),
        description=str(task["description"] or ""),
        level=_level(status),
        enabled=bool(status["enabled"]),
        state=str(status["state"]),
        reason=str(status["reason"]),
        message=str(status["message"]),
        direction=str(status["direction"]),
        mode=str(status["mode"]),
        schedule=str(status["schedule_text"]),
        started=_iso(started),
        ended=_iso(ended),
        duration=max(0, int(((ended or now) - started).total_seconds())) if started else None,
        percent=_percent(status["progress"]),
        bytes=int(moved.get("bytes") or 0),
        transfers=int(moved.get("transfers") or 0),
        deletes=int(moved.get("deletes") or 0),
        errors=int(moved.get("errors") or 0),
        next=_iso(moment(status["next"])),
        overdue_since=_iso(moment(status["overdue_since"])),
        log=str(run.get("log") or ""),
    )


def _level(status: Mapping[str, Any]) -> str:
    """As ``cloudsync check`` judges: what fails or is overdue is a problem, unless the task is disabled."""
    if status["state"] in UNFINISHED:
        return "running"
    if not status["enabled"]:
        return "disabled"
    if status["overdue_since"] or status["state"] in FAILED:
        return "problem"
    return "fine" if status["state"] == "success" else "pending"


def _percent(progress: Optional[Mapping[str, Any]]) -> Optional[int]:
    if not progress or not progress.get("total_bytes"):
        return None
    return min(100, 100 * int(progress["bytes"]) // int(progress["total_bytes"]))


def _iso(time: Optional[datetime.datetime]) -> Optional[str]:
    return time.isoformat() if time else None


def _worst_first(row: TaskRow) -> Tuple[Any, ...]:
    return LEVELS.index(row.level), row.state not in FAILED, _natural(row.host), _natural(row.task)


def _natural(name: str) -> List[Tuple[int, str]]:
    """web2 comes before web10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _totals(hosts: List[HostRow], tasks: List[TaskRow]) -> Dict[str, int]:
    """``silent`` hosts gave no answer. ``failed`` and ``overdue`` tell the ``problem`` tasks apart; one may be both."""
    problems = [row for row in tasks if row.level == "problem"]
    return {
        "hosts": len(hosts),
        "silent": sum(row.state != "answered" for row in hosts),
        "tasks": len(tasks),
        **{level: sum(row.level == level for row in tasks) for level in LEVELS},
        "failed": sum(row.state in FAILED for row in problems),
        "overdue": sum(row.overdue_since is not None for row in problems),
    }
