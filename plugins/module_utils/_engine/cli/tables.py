# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Text for people: aligned columns, sizes, times."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from ..common.text import format_size, parse_time


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Aligned columns under their headings; no trailing blanks."""
    lines = [[str(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(len(line[index]) for line in lines) for index in range(len(headings))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def local_time(text: Optional[str]) -> str:
    """An ISO 8601 time in this host's zone, to the second; "-" for none."""
    if not text:
        return "-"
    moment = parse_time(text)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def status_table(statuses: Sequence[Dict[str, Any]]) -> str:
    """``cloudsync status``: a line a task."""
    rows = [
        (
            status["task"],
            f"{status['direction']} {status['mode']}",
            status_word(status),
            local_time(status["run"]["started"] if status["run"] else None),
            local_time(status["next"]) if status["enabled"] else "disabled",
        )
        for status in statuses
    ]
    return table(("TASK", "DOES", "STATE", "LAST RUN", "NEXT RUN"), rows)


def status_word(status: Dict[str, Any]) -> str:
    """The state with what matters about it: "failed (auth)", "running 42%", "success, overdue"."""
    word = str(status["state"])
    if status["reason"]:
        word += f" ({status['reason']})"
    progress = status["progress"]
    if progress and progress["total_bytes"]:
        word += f" {100 * progress['bytes'] // progress['total_bytes']}%"
    return word + (", overdue" if status["overdue_since"] else "")


def status_details(status: Dict[str, Any]) -> str:
    """``cloudsync status TASK``: a line a fact."""
    run = status["run"] or {}
    facts = [
        ("task", status["task"]),
        (
            "does",
            (
                f"{status['direction']} {status['mode']} {status['path']} <-> "
                f"{status['credential']}:{status['remote_path']}"
            ),
        ),
        ("state", status_word(status)),
        ("message", status["message"]),
        ("schedule", status["schedule_text"] if status["enabled"] else "disabled"),
        ("next run", local_time(status["next"])),
        ("last run", local_time(run.get("started"))),
        ("moved", f"{run.get('transfers', 0)} files, {format_size(run.get('bytes', 0))}"),
        ("log", run.get("log", "")),
    ]
    return "\n".join(f"{name:<9} {text}" for name, text in facts if text)


def history_table(records: Sequence[Dict[str, Any]]) -> str:
    """``cloudsync history TASK``: a line a run, newest first."""
    rows = [
        (
            record["id"],
            local_time(record["started"]),
            f"{record['state']} ({record['reason']})" if record["reason"] else record["state"],
            record["transfers"],
            format_size(record["bytes"]),
            record["deletes"],
            record["errors"],
        )
        for record in records
    ]
    return table(("RUN", "STARTED", "STATE", "FILES", "SIZE", "DELETED", "ERRORS"), rows)


def plan_text(forecast: Dict[str, Any]) -> str:
    """``cloudsync run TASK --dry-run``: every file, then the totals, then what would stop it."""
    plan = forecast["plan"]
    lines: List[str] = []
    for action in ("copy", "overwrite", "delete"):
        lines += [f"{action:<9} {entry['path']}  ({format_size(entry['size'])})" for entry in plan[action]]
    totals = plan["totals"]
    lines.append(
        "plan: "
        + ", ".join(
            f"{action} {totals[action]['files']} files ({format_size(totals[action]['bytes'])})"
            for action in ("copy", "overwrite", "delete")
        )
    )
    lines += ["note: " + note for note in plan["notes"]]
    if forecast["reason"]:
        lines.append(f"refused ({forecast['reason']}): {forecast['message']}")
    return "\n".join(lines)
