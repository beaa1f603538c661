# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Make the plan: what a run would copy, overwrite and delete."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple

from ..config.tasks import SYNC, Task
from ..rclone.log_lines import COPY, DELETE, KEEP, MOVE, Item
from ..rclone.outcome import NOT_FOUND_EXITS
from ..remote.arguments import Endpoints, build_transfer_arguments
from ..remote.session import Answer, Session
from .result import Transfer, build_listing_error


@dataclass(frozen=True)
class Entry:
    """One file, its path relative to the task's root, its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class Plan:
    """``present``: how many files the destination contains now. ``notes``: sentences with further facts."""

    copy: Tuple[Entry, ...] = ()
    overwrite: Tuple[Entry, ...] = ()
    delete: Tuple[Entry, ...] = ()
    present: int = 0
    notes: Tuple[str, ...] = ()

    def to_dict(self) -> Dict[str, Any]:
        """Return the plan as the contract defines it: lists of {path, size} and their totals."""
        groups = (("copy", self.copy), ("overwrite", self.overwrite), ("delete", self.delete))
        content: Dict[str, Any] = {name: [{"path": e.path, "size": e.size} for e in group] for name, group in groups}
        content["totals"] = {name: {"files": len(group), "bytes": sum(e.size for e in group)} for name, group in groups}
        content["present"] = self.present
        content["notes"] = list(self.notes)
        return content


def build_plan(items: Sequence[Item], present: Mapping[str, int], mode: str) -> Plan:
    """Build the plan from the items of a dry run and the files at the destination (path to size)."""
    arriving = {item.path: item.size for item in items if item.action in (COPY, MOVE)}
    # A move deletes at its source. With keep_deleted, a file that a new one replaces is kept, too.
    leaving = {item.path for item in items if item.action in (DELETE, KEEP) and mode == SYNC} - set(arriving)
    return Plan(
        copy=_build_entries({path: size for path, size in arriving.items() if path not in present}),
        overwrite=_build_entries({path: size for path, size in arriving.items() if path in present}),
        delete=_build_entries({path: present.get(path, 0) for path in leaving}),
        present=len(present),
    )


def _build_entries(sizes: Mapping[str, int]) -> Tuple[Entry, ...]:
    return tuple(Entry(path, size) for path, size in sorted(sizes.items()))


def make_plan(session: Session, task: Task, ends: Endpoints) -> Plan:
    """Ask rclone for the plan. Nothing is changed."""
    present = list_files(session, ends.destination)
    dry_run = Transfer()
    ended = session.stream(build_transfer_arguments(task, ends, session.selection, dry_run=True), dry_run.read)
    dry_run.raise_unless_success(ended, session)
    plan = build_plan(dry_run.items, present, task.mode)
    left_out = dry_run.notices.describe()
    return replace(plan, notes=(left_out,)) if left_out else plan


def list_files(session: Session, place: str) -> Dict[str, int]:
    """Return the files at ``place`` that match the task's filters, path to size; none if the place does not exist."""
    found: Dict[str, int] = {}
    answer = query_listing(session, place, lambda entry: found.update({entry["Path"]: entry["Size"]}))
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise build_listing_error(answer, session)
    return found


def query_listing(session: Session, place: str, hear: Callable[[Mapping[str, Any]], object]) -> Answer:
    """Ask ``rclone lsjson`` for the files at ``place`` that match the task's filters. Pass each entry to ``hear``."""

    def read(line: str) -> None:
        # rclone writes one list with one entry in a line. The whole list would need several times the memory.
        for entry in json.loads(f"[{line.strip('[],')}]"):
            hear(entry)

    words = ("lsjson", "--recursive", "--files-only", "--no-mimetype", "--no-modtime")
    return session.query([*words, *session.selection, "--", place], on_output_line=read)
