# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Build a report of a fleet from the answers of its hosts: rows and totals, problems first."""

from __future__ import annotations

import datetime
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ...module_utils._engine.common.layout import DRILL
from ...module_utils._engine.common.text import format_count, parse_time
from ...module_utils._engine.runs.records import UNFINISHED

SCHEMA = 1
# The most urgent first.
LEVELS = ("problem", "running", "pending", "fine", "disabled")
FAILED = ("failed", "aborted")
# The problems that the state, the reason and the message of a task show.
SHOWN_BY_STATE = (*FAILED, "damaged", "overdue")
# Hosts without an answer first, then the others.
HOST_STATES = ("unreachable", "failed", "not_asked", "answered")

Answers = Mapping[str, Mapping[str, Any]]


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
    no drills.
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


def build_report(answers: Answers, now: datetime.datetime) -> Dict[str, Any]:
    """Return the report as data: ``generated``, ``summary``, ``totals``, ``hosts`` and ``tasks``, problems first.

    ``answers`` maps each host to the result of ``task_info``, or to its failure, or to an empty result if the host was
    not asked. ``now`` is aware. A host with an invalid answer counts as failed. No host is omitted.
    """
    hosts: List[HostRow] = []
    tasks: List[TaskRow] = []
    for host, answer in answers.items():
        host_row, task_rows = _build_host(host, answer, now)
        hosts.append(host_row)
        tasks += task_rows
    hosts.sort(key=lambda row: (HOST_STATES.index(row.state), _split_natural(row.host)))
    tasks.sort(key=_rank)
    totals = _count_totals(hosts, tasks)
    return {
        "schema": SCHEMA,
        "generated": now.astimezone(datetime.timezone.utc).replace(microsecond=0).isoformat(),
        "summary": summarize(totals, sum(bool(row.problems) for row in hosts)),
        "totals": totals,
        "hosts": [asdict(row) for row in hosts],
        "tasks": [asdict(row) for row in tasks],
    }


def summarize(totals: Mapping[str, int], unhealthy: int = 0) -> str:
    """Return the totals in some sentences, without zeros. ``unhealthy`` hosts have a problem of the whole host."""
    words = {"problem": "with problems"}
    counts = [f"{totals[level]} {words.get(level, level)}" for level in LEVELS if totals[level]]
    text = f"{format_count(totals['tasks'], 'task')} on {format_count(totals['hosts'], 'host')}"
    if counts:
        text += ": " + ", ".join(counts)
    if unhealthy:
        text += f". {format_count(unhealthy, 'host')} with a problem of the whole host"
    if totals["silent"]:
        text += f". No answer from {format_count(totals['silent'], 'host')}"
    return text + "."


def parse_moment(text: Optional[str]) -> Optional[datetime.datetime]:
    """Parse an ISO 8601 time, and return an aware one; None for an empty text."""
    if not text:
        return None
    parsed = parse_time(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)


def _build_host(host: str, answer: Mapping[str, Any], now: datetime.datetime) -> Tuple[HostRow, List[TaskRow]]:
    if not answer or answer.get("skipped"):
        return HostRow(host, "not_asked", "The play ended for this host before its tasks were read.", 0), []
    if answer.get("unreachable"):
        return HostRow(host, "unreachable", _find_failure(answer), 0), []
    if "tasks" not in answer:
        return HostRow(host, "failed", _find_failure(answer), 0), []
    try:
        problems = [(str(p["name"]), str(p["task"]), str(p["message"])) for p in answer.get("problems") or ()]
        rows = [_build_task(host, task, now, problems) for task in answer["tasks"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = f"The answer of this host is invalid. Check its version of the collection. The error was: {error!r}."
        return HostRow(host, "failed", text, 0), []
    names = {name for row in rows for name in (row.task, *([DRILL + row.task] if row.drill_state else []))}
    shared = [f"{task or name}: {message}" for name, task, message in problems if task not in names]
    return HostRow(host, "answered", "", len(rows), shared), rows


def _find_failure(answer: Mapping[str, Any]) -> str:
    text = answer.get("msg") or answer.get("module_stderr") or "The host gave no reason."
    return str(text).strip()


def _build_task(
    host: str, task: Mapping[str, Any], now: datetime.datetime, problems: Sequence[Tuple[str, str, str]]
) -> TaskRow:
    status = task["status"]
    own = [(name, message) for name, of, message in problems if of == task["name"]]
    further = [f"{name}: {message}" for name, message in own if name not in SHOWN_BY_STATE]
    drill = status.get("drill") or {}  # a host with an older version of the collection has none
    of_drill = [f"drill {name}: {message}" for name, of, message in problems if drill and of == drill["task"]]
    run = status["run"] or {}
    started, ended = parse_moment(run.get("started")), parse_moment(run.get("ended"))
    moved = {**run, **(status["progress"] or {})}
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
        started=_format_iso(started),
        ended=_format_iso(ended),
        duration=max(0, int(((ended or now) - started).total_seconds())) if started else None,
        percent=_calculate_percent(status["progress"]),
        bytes=int(moved.get("bytes") or 0),
        transfers=int(moved.get("transfers") or 0),
        deletes=int(moved.get("deletes") or 0),
        errors=int(moved.get("errors") or 0),
        next=_format_iso(parse_moment(status["next"])),
        overdue_since=_format_iso(parse_moment(status["overdue_since"])),
        log=str(run.get("log") or ""),
        last_proven=_format_iso(parse_moment(drill.get("last_proven"))),
        drill_state=str(drill.get("state") or ""),
    )


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


def _rank(row: TaskRow) -> Tuple[Any, ...]:
    return LEVELS.index(row.level), row.state not in FAILED, _split_natural(row.host), _split_natural(row.task)


def _split_natural(name: str) -> List[Tuple[int, str]]:
    """Return a sort key with which web2 comes before web10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _count_totals(hosts: List[HostRow], tasks: List[TaskRow]) -> Dict[str, int]:
    """Count hosts and tasks. ``silent`` hosts did not answer. A ``problem`` task can be ``failed`` and ``overdue``."""
    problems = [row for row in tasks if row.level == "problem"]
    return {
        "hosts": len(hosts),
        "silent": sum(row.state != "answered" for row in hosts),
        "tasks": len(tasks),
        **{level: sum(row.level == level for row in tasks) for level in LEVELS},
        "failed": sum(row.state in FAILED for row in problems),
        "overdue": sum(row.overdue_since is not None for row in problems),
    }
