# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Format output for people: aligned columns, sizes and local times."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence

from ..common.text import (
    count_seconds,
    describe_outcome,
    escape_controls,
    format_count,
    format_duration,
    format_places,
    format_size,
    parse_time,
)
from ..runs.progress import describe_progress
from ..runs.records import FAILED, UNFINISHED
from .terminal import CYAN, GREEN, RED, YELLOW, Column, Terminal, draw_table, shorten

COLORS = {
    "failed": RED,
    "aborted": YELLOW,
    "skipped": YELLOW,
    "success": GREEN,
    "waiting": CYAN,
    "running": CYAN,
}
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def format_local_time(text: Optional[str]) -> str:
    """Return an ISO 8601 time in this host's time zone, to the second, and "-" for none."""
    return parse_time(text).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if text else "-"


def format_short_time(text: Optional[str]) -> str:
    """Return an ISO 8601 time in this host's time zone, to the minute, for a column of a table. "-" for none."""
    return parse_time(text).astimezone().strftime("%Y-%m-%d %H:%M") if text else "-"


def _draw(terminal: Terminal, *columns: Column) -> str:
    return "\n".join(draw_table(columns, terminal))


def format_tasks(statuses: Sequence[Dict[str, Any]], terminal: Terminal) -> str:
    """Return the output of ``cloudsync list``: one line for each task."""
    return _draw(
        terminal,
        Column("TASK", [status["task"] for status in statuses], 12),
        Column("DIRECTION", [format_direction(status) for status in statuses]),
        Column("PATH", [status["path"] for status in statuses], 12, keeps_end=True),
        Column("REMOTE", [_format_remote(status) for status in statuses], 14, keeps_end=True),
        Column("DESCRIPTION", [status["description"] for status in statuses], 20, rank=1),
    )


def format_direction(status: Dict[str, Any]) -> str:
    """Return the direction with the mode: "push (sync)"."""
    return f"{status['direction']} ({status['mode']})" if status["mode"] else "-"


def format_statuses(statuses: Sequence[Dict[str, Any]], terminal: Terminal) -> str:
    """Return the output of ``cloudsync status``: one line for each task, and its message below a problem.

    Problems are first, then the active runs.
    """
    shown = sorted(statuses, key=_rank)
    nexts = [format_short_time(each["next"]) if each["enabled"] else "disabled" for each in shown]
    columns = [
        Column("TASK", [each["task"] for each in shown], 12),
        Column("DIRECTION", [format_direction(each) for each in shown], rank=2),
        Column("STATE", [format_state(each) for each in shown], 30, colors=[_color(each) for each in shown]),
        Column("LAST RUN", [format_short_time(each["run"]["started"] if each["run"] else None) for each in shown]),
        Column("NEXT RUN", nexts),
    ]
    if any(each["drill"] for each in shown):
        columns.append(Column("PROVEN", [_format_proven(each["drill"]) for each in shown], rank=1))
    lines = draw_table(columns, terminal)
    found = lines[:1]
    for line, each in zip(lines[1:], shown):
        found.append(line)
        message = _find_problem(each)
        if message:
            found.append("  " + shorten(escape_controls(message), terminal.width - 2))
    return "\n".join(found)


def _rank(status: Dict[str, Any]) -> int:
    if _find_problem(status):
        return 0
    return 1 if status["state"] in UNFINISHED else 2


def _find_problem(status: Dict[str, Any]) -> str:
    """Return the first sentence about the problem of a task, empty if it has none."""
    drill = status["drill"] or {}
    if status["state"] in FAILED:
        return SENTENCE_END.split(status["message"], 1)[0]
    if status["overdue_since"]:
        return f"No run has started since {format_local_time(status['overdue_since'])}."
    if status["stalled_since"]:
        return f"The run has shown no progress since {format_local_time(status['stalled_since'])}."
    if drill.get("state") in FAILED:
        return SENTENCE_END.split(f"Drill: {format_drill(drill)}: {drill['message']}", 1)[0]
    return (
        f"No drill has started since {format_local_time(drill['overdue_since'])}." if drill.get("overdue_since") else ""
    )


def _color(status: Dict[str, Any]) -> str:
    if status["overdue_since"] or status["stalled_since"]:
        return RED
    return COLORS.get(status["state"], "")


def _format_proven(drill: Optional[Dict[str, Any]]) -> str:
    """Return the day on which a restore was last proven."""
    if drill is None:
        return "-"
    return format_short_time(drill["last_proven"])[:10] if drill["last_proven"] else "never"


def format_drill(drill: Optional[Dict[str, Any]]) -> str:
    """Return when a restore was last proven, and how the last drill has failed: "2027-01-31 02:30:00 CET, failed"."""
    if drill is None:
        return "-"
    is_fine = drill["state"] in ("success", "pending")
    word = "" if is_fine else describe_outcome(drill["state"], drill["reason"])
    time = format_local_time(drill["last_proven"]) if drill["last_proven"] else "never"
    return ", ".join(filter(None, (time, word, "overdue" if drill["overdue_since"] else "")))


def format_state(status: Dict[str, Any]) -> str:
    """Return the state with its reason or progress: "failed (auth)", "running 42%", "success, overdue"."""
    word = describe_outcome(status["state"], status["reason"])
    progress = status["progress"]
    if progress and progress["total_bytes"]:
        word += f" {100 * progress['bytes'] // progress['total_bytes']}%"
    return word + (", overdue" if status["overdue_since"] else "") + (", stalled" if status["stalled_since"] else "")


def format_status_details(status: Dict[str, Any], terminal: Terminal) -> str:
    """Return the output of ``cloudsync status TASK``: one line for each fact. A terminal gets long ones in lines."""
    drill = status["drill"] or {}
    run = status["run"] or {}
    places = format_places(status["direction"], status["path"], _format_remote(status))
    moved = f"{format_count(run.get('transfers', 0), 'file')}, {format_size(run.get('bytes', 0))}"
    facts = [
        ("task", status["task"]),
        ("direction", f"{format_direction(status)}  {places}"),
        ("state", format_state(status)),
        ("message", status["message"]),
        ("schedule", status["schedule_text"] if status["enabled"] else "disabled"),
        ("next run", format_local_time(status["next"])),
        ("last run", format_local_time(run.get("started"))),
        ("transfer", describe_progress(status["progress"]) if status["progress"] else moved),
        ("log", run.get("log", "")),
        ("proven", f"last proven restore: {format_drill(drill)}" if drill else ""),
        ("drill", drill.get("message", "")),
        ("next drill", format_local_time(drill["next"]) if drill.get("next") else ""),
    ]
    lines = [f"{name:<10} {escape_controls(text)}" for name, text in facts if text]
    if terminal.is_tty:
        # A table does not need it.
        from textwrap import wrap

        lines = [part for line in lines for part in wrap(line, terminal.width, subsequent_indent=" " * 11) or [line]]
    return "\n".join(lines)


def _format_remote(status: Dict[str, Any]) -> str:
    return f"{status['credential']}:{status['remote_path']}"


def format_history(records: Sequence[Dict[str, Any]], terminal: Terminal) -> str:
    """Return the output of ``cloudsync history TASK``: one line for each run, newest first."""
    states = [describe_outcome(each["state"], each["reason"]) for each in records]
    return _draw(
        terminal,
        Column("RUN", [each["id"] for each in records]),
        Column("STARTED", [format_short_time(each["started"]) for each in records], rank=4),
        Column("TOOK", [format_time_taken(each) for each in records], rank=1),
        Column("STATE", states, colors=[COLORS.get(each["state"], "") for each in records]),
        Column("FILES", [str(each["transfers"]) for each in records]),
        Column("SIZE", [format_size(each["bytes"]) for each in records]),
        Column("DELETED", [str(each["deletes"]) for each in records], rank=2),
        Column("ERRORS", [str(each["errors"]) for each in records], rank=3),
    )


def format_time_taken(run: Dict[str, Any]) -> str:
    """Return how long a run took, "-" if it is active."""
    if not run["ended"]:
        return "-"
    return format_duration(count_seconds(run["started"], run["ended"]))


def format_end(run: Dict[str, Any]) -> str:
    """Return the last line of ``cloudsync run``."""
    outcome = describe_outcome(run["state"], run["reason"])
    return f"cloudsync: {run['task']}: {outcome}: {escape_controls(run['message'])}"


def format_adoption(task: str, found: Dict[str, Any]) -> str:
    """Return the output of ``cloudsync adopt``."""
    former = found["former"]
    if not found["changed"]:
        return f"{task} already owns its destination"
    if not former.get("since"):
        return f"{task} owns its destination now"
    since = format_local_time(former["since"])
    return (
        f"{task} owns its destination now. Before, it was task {former['task']} of host {former['host']} since {since}."
    )


def format_plan(dry_run: Dict[str, Any]) -> str:
    """Return the output of ``cloudsync run TASK --dry-run``: every file, the totals, and an error that ends the run."""
    plan = dry_run["plan"]
    lines: List[str] = []
    for action in ("copy", "overwrite", "delete"):
        lines += [
            f"{action:<9} {escape_controls(entry['path'])}  ({format_size(entry['size'])})" for entry in plan[action]
        ]
    totals = plan["totals"]
    lines.append(
        "plan: "
        + ", ".join(
            f"{action} {format_count(totals[action]['files'], 'file')} ({format_size(totals[action]['bytes'])})"
            for action in ("copy", "overwrite", "delete")
        )
    )
    lines += ["note: " + escape_controls(note) for note in plan["notes"]]
    if dry_run["reason"]:
        lines.append(f"refused ({dry_run['reason']}): {escape_controls(dry_run['message'])}")
    return "\n".join(lines)


def format_listing(entries: Sequence[Dict[str, Any]], undecryptable: Sequence[str], terminal: Terminal) -> str:
    """Return the output of ``cloudsync ls``: one line for each file and folder, then the names of strange files."""
    times = [None if entry["is_dir"] else entry["modified"][:19] + entry["modified"][-1:] for entry in entries]
    lines = draw_table(
        [
            Column("SIZE", ["-" if entry["is_dir"] else format_size(entry["size"]) for entry in entries]),
            Column("MODIFIED", list(map(format_local_time, times))),
            Column("PATH", [entry["path"] + ("/" if entry["is_dir"] else "") for entry in entries]),
        ],
        terminal,
    )
    if undecryptable:
        lines.append(
            f"{format_count(len(undecryptable), 'name')} cannot be decrypted, so this task did not write them:"
        )
        lines += [escape_controls(name) for name in undecryptable]
    return "\n".join(lines)


def format_versions(versions: Sequence[Dict[str, Any]], terminal: Terminal) -> str:
    """Return the output of ``cloudsync versions``: one line for each version, the newest first."""
    return _draw(
        terminal,
        Column("SIZE", [format_size(version["size"]) for version in versions]),
        Column("MODIFIED", [version["modified"] for version in versions]),
        Column("SOURCE", [version["source"] for version in versions]),
        Column("UNTIL", [version["until"] or "-" for version in versions], rank=1),
        Column("RESTORE WITH --at", [version["at"] or "-" for version in versions]),
    )


def format_thaw(asked: Sequence[Any], new: Sequence[Any], is_dry_run: bool) -> str:
    """Return the output of ``cloudsync thaw``: how many files and bytes the provider is asked for."""
    verb = "would ask" if is_dry_run else "asking"
    size = format_size(sum(each.size for each in new))
    lines = [f"{verb} the provider to restore {format_count(len(new), 'archived file')} ({size})"]
    if asked:
        lines.append(f"the provider restores {format_count(len(asked), 'file')} already")
    return "\n".join(lines)
