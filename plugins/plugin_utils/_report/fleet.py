# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Build a report of a fleet from the answers of its hosts: rows and totals, problems first."""

from __future__ import annotations

import datetime
import re
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from ...module_utils._engine.common.layout import DRILL
from ...module_utils._engine.common.text import format_count
from ...module_utils._engine.runs.records import FAILED
from .past import Outcomes, Past, pack_past
from .rows import HostRow, TaskRow, build_task, mark_shared

SCHEMA = 1
# The most urgent first.
LEVELS = ("problem", "running", "pending", "fine", "disabled")
# Hosts without an answer first, then the others.
HOST_STATES = ("unreachable", "failed", "not_asked", "answered")

Answer = Mapping[str, Any]


class Fleet(NamedTuple):
    """``past`` has the past of each task of ``tasks``, in the same order. ``outcomes`` are those of all runs."""

    generated: datetime.datetime
    hosts: Sequence[HostRow]
    tasks: Sequence[TaskRow]
    past: Sequence[Past]
    outcomes: Sequence[Tuple[str, str]]
    totals: Mapping[str, int]
    summary: str


def build_fleet(answers: Iterable[Tuple[str, Answer]], now: datetime.datetime) -> Fleet:
    """Return the rows of all hosts, problems first.

    ``answers`` are the hosts, each with the result of ``task_info``, or with its failure, or with an empty result if
    the host was not asked. ``now`` is aware. A host with an invalid answer counts as failed. No host is omitted.
    """
    outcomes = Outcomes()
    hosts: List[HostRow] = []
    found: List[Tuple[TaskRow, Past]] = []
    for host, answer in answers:
        host_row, task_rows = _build_host(host, answer, now, outcomes)
        hosts.append(host_row)
        found += task_rows
    hosts.sort(key=lambda row: (HOST_STATES.index(row.state), _split_natural(row.host)))
    found.sort(key=lambda pair: _rank(pair[0]))
    tasks = mark_shared([row for row, _past in found])
    totals = _count_totals(hosts, tasks)
    summary = summarize(totals, sum(bool(row.problems) for row in hosts))
    moment = now.astimezone(datetime.timezone.utc).replace(microsecond=0)
    return Fleet(moment, hosts, tasks, [past for _row, past in found], outcomes.list_all(), totals, summary)


def build_data(fleet: Fleet) -> Dict[str, Any]:
    """Return the report as data: ``generated``, ``summary``, ``totals``, ``hosts`` and ``tasks``, problems first."""
    return {
        "schema": SCHEMA,
        "generated": fleet.generated.isoformat(),
        "summary": fleet.summary,
        "totals": dict(fleet.totals),
        "hosts": [dict(vars(row)) for row in fleet.hosts],
        "tasks": [dict(vars(row)) for row in fleet.tasks],
    }


def build_report(answers: Mapping[str, Answer], now: datetime.datetime) -> Dict[str, Any]:
    """Return the data of the report of ``answers``, a dictionary of hosts."""
    return build_data(build_fleet(answers.items(), now))


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


def _build_host(
    host: str, answer: Answer, now: datetime.datetime, outcomes: Outcomes
) -> Tuple[HostRow, List[Tuple[TaskRow, Past]]]:
    if not answer or answer.get("skipped"):
        return HostRow(host, "not_asked", "The play ended for this host before its tasks were read.", 0), []
    if answer.get("unreachable"):
        return HostRow(host, "unreachable", _find_failure(answer), 0), []
    if "tasks" not in answer:
        return HostRow(host, "failed", _find_failure(answer), 0), []
    try:
        problems = [(str(p["name"]), str(p["task"]), str(p["message"])) for p in answer.get("problems") or ()]
        rows = [(build_task(host, task, now, problems), pack_past(task, now, outcomes)) for task in answer["tasks"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = f"The answer of this host is invalid. Check its version of the collection. The error was: {error!r}."
        return HostRow(host, "failed", text, 0), []
    names = {name for row, _past in rows for name in (row.task, *([DRILL + row.task] if row.drill_state else []))}
    shared = [f"{task or name}: {message}" for name, task, message in problems if task not in names]
    return HostRow(host, "answered", "", len(rows), shared), rows


def _find_failure(answer: Answer) -> str:
    text = answer.get("msg") or answer.get("module_stderr") or "The host gave no reason."
    return str(text).strip()


def _rank(row: TaskRow) -> Tuple[Any, ...]:
    return LEVELS.index(row.level), row.state not in FAILED, _split_natural(row.host), _split_natural(row.task)


def _split_natural(name: str) -> List[Tuple[int, str]]:
    """Return a sort key with which web2 comes before web10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _count_totals(hosts: Sequence[HostRow], tasks: Sequence[TaskRow]) -> Dict[str, int]:
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
