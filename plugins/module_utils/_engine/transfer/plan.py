# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Make the plan: what a run would copy, overwrite and delete."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Mapping, Set, Tuple, Union

from ..common.errors import system_error
from ..config.tasks import SYNC, Task
from ..hashes.hashes import hash_path
from ..rclone.log_lines import COPY, DELETE, KEEP, MOVE, Item
from ..remote.arguments import Endpoints, build_transfer_arguments
from ..remote.session import Session
from .entries import SHOWN, Entries, Entry, Items, Sizes, StoredEntries, select_shown, total_bytes
from .remote_files import query_listing, raise_unless_found
from .result import Transfer

Present = Union[Sizes, Mapping[str, int]]


@dataclass(frozen=True)
class Plan:
    """``present``: how many files the destination contains now. ``notes``: sentences with further facts.

    ``file`` contains the entries if there are too many for the memory: one list of action, path and size in each line.
    """

    copy: Entries = ()
    overwrite: Entries = ()
    delete: Entries = ()
    present: int = 0
    notes: Tuple[str, ...] = ()
    file: str = ""

    def to_dict(self) -> Dict[str, Any]:
        """Return the plan as the contract defines it: lists of {path, size} and their totals."""
        groups = (("copy", self.copy), ("overwrite", self.overwrite), ("delete", self.delete))
        content: Dict[str, Any] = {
            name: [{"path": path, "size": size} for path, size in select_shown(group)] for name, group in groups
        }
        content["totals"] = {name: {"files": len(group), "bytes": total_bytes(group)} for name, group in groups}
        content["present"] = self.present
        content["notes"] = list(self.notes)
        return {**content, "file": self.file} if self.file else content


def build_plan(items: Iterable[Item], present: Present, mode: str) -> Plan:
    """Build the plan from the items of a dry run and the files at the destination (path to size)."""
    arriving = {item.path: item.size for item in items if item.action in (COPY, MOVE)}
    # A move deletes at its source. With keep_deleted, a file that a new one replaces is kept, too.
    leaving = {item.path for item in items if item.action in (DELETE, KEEP) and mode == SYNC} - set(arriving)
    return Plan(
        copy=_build_entries({path: size for path, size in arriving.items() if present.get(path) is None}),
        overwrite=_build_entries({path: size for path, size in arriving.items() if present.get(path) is not None}),
        delete=_build_entries({path: present.get(path) or 0 for path in leaving}),
        present=len(present),
    )


def _build_entries(sizes: Mapping[str, int]) -> Tuple[Entry, ...]:
    return tuple(Entry(path, size) for path, size in sorted(sizes.items()))


def store_plan(items: Iterable[Item], present: Present, mode: str, file: str) -> Plan:
    """Write the plan of very many items to ``file``, in place of an earlier one, as build_plan() builds it."""
    groups = {name: StoredEntries(file, name) for name in ("copy", "overwrite", "delete")}
    arriving = Sizes()
    leaving: Set[int] = set()
    for item in items:
        if item.action in (COPY, MOVE):
            arriving.add(item.path, item.size)
    temporary = file + ".new"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as stream:
        for item in items:
            name, size = "", item.size
            if item.action in (COPY, MOVE):
                name = "copy" if present.get(item.path) is None else "overwrite"
            elif item.action in (DELETE, KEEP) and mode == SYNC and arriving.get(item.path) is None:
                # rclone may announce a deletion twice.
                known = len(leaving)
                leaving.add(hash_path(item.path))
                name, size = "delete" if len(leaving) > known else "", present.get(item.path) or 0
            if name:
                groups[name].add(Entry(item.path, size))
                stream.write(json.dumps([name, item.path, size]) + "\n")
    os.replace(temporary, file)
    shown = (
        f"The plan has very many files. The lists contain at most {SHOWN} of each kind. The complete plan is in {file} "
        "until the next plan of the task."
    )
    return Plan(**groups, present=len(present), notes=(shown,), file=file)


def make_plan(session: Session, task: Task, ends: Endpoints, for_guard: bool = False) -> Plan:
    """Ask rclone for the plan. Nothing is changed.

    A plan ``for_guard`` lists the destination once more only if there are deletions. Otherwise ``present`` is the
    number of files that rclone has compared, and ``copy`` has the files to overwrite, too.
    """
    with closing(Items(session.plan_file)) as items:
        dry_run = Transfer(listeners=[items.append])
        try:
            ended = session.stream(build_transfer_arguments(task, ends, session.selection, dry_run=True), dry_run.read)
            dry_run.raise_unless_success(ended, session)
            is_needed = not for_guard or (task.mode == SYNC and any(item.action in (DELETE, KEEP) for item in items))
            present = list_sizes(session, ends.destination) if is_needed else Sizes()
            if items.are_many:
                plan = store_plan(items, present, task.mode, session.plan_file)
            else:
                plan = build_plan(items, present, task.mode)
            if not is_needed and dry_run.stats is not None:
                plan = replace(plan, present=dry_run.stats.checks)
        except OSError as error:
            raise system_error(error) from error
    left_out = dry_run.notices.describe()
    return replace(plan, notes=(*plan.notes, left_out)) if left_out else plan


def list_sizes(session: Session, place: str) -> Sizes:
    """Return the sizes of the files at ``place`` that match the task's filters; none if the place does not exist."""
    found = Sizes()
    answer = query_listing(session, place, lambda entry: found.add(entry["Path"], entry["Size"]))
    raise_unless_found(answer, session)
    return found
