# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Format output for people: aligned columns, sizes and local times."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from ..common.text import escape_controls, format_count, format_size, parse_time


def align(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return aligned columns under their headings, without trailing blanks."""
    lines = [[escape_controls(str(cell)) for cell in row] for row in [headings, *rows]]
    widths = [max(len(line[index]) for line in lines) for index in range(len(headings))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def format_local_time(text: Optional[str]) -> str:
    """Return an ISO 8601 time in this host's time zone, to the second, and "-" for none."""
    if not text:
        return "-"
    moment = parse_time(text)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def format_tasks(statuses: Sequence[Dict[str, Any]]) -> str:
    """Return the output of ``cloudsync list``: one line for each task."""
    rows = [
        (
            status["task"],
            format_direction(status),
            status["path"],
            f"{status['credential']}:{status['remote_path']}",
            status["description"],
        )
        for status in statuses
    ]
    return align(("TASK", "DIRECTION", "PATH", "REMOTE", "DESCRIPTION"), rows)


def format_direction(status: Dict[str, Any]) -> str:
    """Return the direction with the mode: "push (sync)"."""
    return f"{status['direction']} ({status['mode']})" if status["mode"] else "-"


def format_statuses(statuses: Sequence[Dict[str, Any]]) -> str:
    """Return the output of ``cloudsync status``: one line for each task."""
    rows = [
        (
            status["task"],
            format_direction(status),
            format_state(status),
            format_local_time(status["run"]["started"] if status["run"] else None),
            format_local_time(status["next"]) if status["enabled"] else "disabled",
        )
        for status in statuses
    ]
    headings = ["TASK", "DIRECTION", "STATE", "LAST RUN", "NEXT RUN"]
    if not any(status["drill"] for status in statuses):
        return align(headings, rows)
    proven = [format_drill(status["drill"]) for status in statuses]
    return align([*headings, "LAST PROVEN RESTORE"], [(*row, cell) for row, cell in zip(rows, proven)])


def format_drill(drill: Optional[Dict[str, Any]]) -> str:
    """Return when a restore was last proven, and how the last drill has failed: "2027-01-31 02:30:00 CET, failed"."""
    if drill is None:
        return "-"
    word = "" if drill["state"] in ("success", "pending") else str(drill["state"])
    if word and drill["reason"]:
        word += f" ({drill['reason']})"
    time = format_local_time(drill["last_proven"]) if drill["last_proven"] else "never"
    return ", ".join(filter(None, (time, word, "overdue" if drill["overdue_since"] else "")))


def format_state(status: Dict[str, Any]) -> str:
    """Return the state with its reason or progress: "failed (auth)", "running 42%", "success, overdue"."""
    word = str(status["state"])
    if status["reason"]:
        word += f" ({status['reason']})"
    progress = status["progress"]
    if progress and progress["total_bytes"]:
        word += f" {100 * progress['bytes'] // progress['total_bytes']}%"
    return word + (", overdue" if status["overdue_since"] else "") + (", stalled" if status["stalled_since"] else "")


def format_status_details(status: Dict[str, Any]) -> str:
    """Return the output of ``cloudsync status TASK``: one line for each fact."""
    drill = status["drill"] or {}
    run = status["run"] or {}
    moved = status["progress"] or run
    facts = [
        ("task", status["task"]),
        ("direction", f"{format_direction(status)}  {_format_places(status)}"),
        ("state", format_state(status)),
        ("message", status["message"]),
        ("schedule", status["schedule_text"] if status["enabled"] else "disabled"),
        ("next run", format_local_time(status["next"])),
        ("last run", format_local_time(run.get("started"))),
        ("transfer", f"{format_count(moved.get('transfers', 0), 'file')}, {format_size(moved.get('bytes', 0))}"),
        ("log", run.get("log", "")),
        ("proven", f"last proven restore: {format_drill(drill)}" if drill else ""),
        ("drill", drill.get("message", "")),
        ("next drill", format_local_time(drill["next"]) if drill.get("next") else ""),
    ]
    return "\n".join(f"{name:<10} {escape_controls(text)}" for name, text in facts if text)


def _format_places(status: Dict[str, Any]) -> str:
    """Return the source and the destination with an arrow in the direction of the data."""
    remote = f"{status['credential']}:{status['remote_path']}"
    source, destination = (status["path"], remote) if status["direction"] == "push" else (remote, status["path"])
    return f"{source} -> {destination}"


def format_history(records: Sequence[Dict[str, Any]]) -> str:
    """Return the output of ``cloudsync history TASK``: one line for each run, newest first."""
    rows = [
        (
            record["id"],
            format_local_time(record["started"]),
            f"{record['state']} ({record['reason']})" if record["reason"] else record["state"],
            record["transfers"],
            format_size(record["bytes"]),
            record["deletes"],
            record["errors"],
        )
        for record in records
    ]
    return align(("RUN", "STARTED", "STATE", "FILES", "SIZE", "DELETED", "ERRORS"), rows)


def format_end(run: Dict[str, Any]) -> str:
    """Return the last line of ``cloudsync run``."""
    reason = f" ({run['reason']})" if run["reason"] else ""
    return f"cloudsync: {run['task']}: {run['state']}{reason}: {escape_controls(run['message'])}"


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


def format_listing(entries: Sequence[Dict[str, Any]], undecryptable: Sequence[str]) -> str:
    """Return the output of ``cloudsync ls``: one line for each file and folder, then the names of strange files."""
    rows = [
        (
            "-" if entry["is_dir"] else format_size(entry["size"]),
            format_local_time(None if entry["is_dir"] else entry["modified"][:19] + entry["modified"][-1:]),
            entry["path"] + ("/" if entry["is_dir"] else ""),
        )
        for entry in entries
    ]
    lines = [align(("SIZE", "MODIFIED", "PATH"), rows)]
    if undecryptable:
        lines.append(
            f"{format_count(len(undecryptable), 'name')} cannot be decrypted, so this task did not write them:"
        )
        lines += [escape_controls(name) for name in undecryptable]
    return "\n".join(lines)


def format_versions(versions: Sequence[Dict[str, Any]]) -> str:
    """Return the output of ``cloudsync versions``: one line for each version, the newest first."""
    rows = [
        (
            format_size(version["size"]),
            version["modified"],
            version["source"],
            version["until"] or "-",
            version["at"] or "-",
        )
        for version in versions
    ]
    return align(("SIZE", "MODIFIED", "SOURCE", "UNTIL", "RESTORE WITH --at"), rows)


def format_thaw(asked: Sequence[Any], new: Sequence[Any], is_dry_run: bool) -> str:
    """Return the output of ``cloudsync thaw``: how many files and bytes the provider is asked for."""
    verb = "would ask" if is_dry_run else "asking"
    size = format_size(sum(each.size for each in new))
    lines = [f"{verb} the provider to restore {format_count(len(new), 'archived file')} ({size})"]
    if asked:
        lines.append(f"the provider restores {format_count(len(asked), 'file')} already")
    return "\n".join(lines)
