# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Build the steps of a restore: one for the current files, and one for each run that kept some of the others."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import Iterable, List, NamedTuple, Set, Tuple

from ..common.text import format_count
from ..config.tasks import Task
from ..history.manifest import is_run_id
from ..history.moment import parse_moment
from ..history.read import build_rules, find_folder, read_archive, read_past
from ..remote.arguments import OWNER, Endpoints, build_filters, build_selection_arguments
from ..remote.session import Session
from ..transfer.plan import Plan, make_plan
from ..transfer.remote_files import raise_unless_found
from .target import build_missing_error, check_room

MOST_NAMES = 100_000


class Step(NamedTuple):
    """A transfer from one place. ``session`` selects its files."""

    session: Session
    ends: Endpoints


def list_steps(session: Session, task: Task, ends: Endpoints) -> Tuple[List[Step], str]:
    """Return the steps of a restore, and a sentence about what is restored, empty for the current state."""
    restore = task.restore
    if restore is None or not restore.at:
        return [Step(session, ends)], ""
    if not restore.kept:
        return [Step(session, ends)], f"Restored the versions that the provider has for {restore.at}."
    filters = build_filters(task)
    archive = read_archive(session, find_folder(session, restore.kept, task.reverse_of), filters)
    past = read_past(session, archive, parse_moment(restore.at))
    runs = sorted({run for run in past.origins.values() if run})
    steps = [
        Step(
            _select(session, task, build_rules(past, run, filters)),
            replace(ends, source=f"{archive.folder}/{run}") if run else ends,
        )
        for run in ("", *runs)
    ]
    state = f"the state after run {past.cutoff}" if is_run_id(past.cutoff) else f"the state at {restore.at}"
    return steps, f"Restored {state}, from the current files and those that {format_count(len(runs), 'run')} kept."


def _select(session: Session, task: Task, rules: List[str]) -> Session:
    return replace(session, selection=build_selection_arguments(task, session.live.add_filters(rules)))


def plan_steps(task: Task, steps: List[Step]) -> Plan:
    """Return the plan of all steps. Refuse a restore that gets nothing, or that does not fit."""
    plans = [make_plan(step.session, task, step.ends) for step in steps]
    plan = Plan(
        copy=tuple(entry for each in plans for entry in each.copy),
        overwrite=tuple(entry for each in plans for entry in each.overwrite),
        present=plans[0].present,
        notes=tuple(note for each in plans for note in each.notes),
    )
    if not plan.copy and not plan.overwrite and not any(_has_file(step) for step in steps):
        raise build_missing_error(task, _list_all_names(task, steps[0]))
    check_room(task, plan)
    return plan


def _has_file(step: Step) -> bool:
    words = ["lsf", "--recursive", "--files-only", *step.session.selection, "--", step.ends.source]
    return bool(step.session.query(words, first_line_only=True).stdout)


def _list_all_names(task: Task, step: Step) -> List[str]:
    """Return all files and folders that a restore without filters would get."""
    files, restore = _list_files(step.session, step.ends.source), task.restore
    if restore is not None and restore.at and restore.kept:
        archive = read_archive(step.session, find_folder(step.session, restore.kept, task.reverse_of), [])
        files = [*read_past(step.session, archive, parse_moment(restore.at)).list_paths(files)]
    return _add_folders(files)


def list_names(session: Session, place: str) -> List[str]:
    """Return all files and folders at ``place``, whatever the filters select, but no owner mark."""
    return _add_folders(_list_files(session, place))


def _list_files(session: Session, place: str) -> List[str]:
    files: List[str] = []

    def hear(path: str) -> None:
        if posixpath.basename(path) != OWNER and len(files) < MOST_NAMES:
            files.append(path)

    words = ["lsf", "--recursive", "--files-only", "--", place]
    raise_unless_found(session.query(words, on_output_line=hear), session)
    return files


def _add_folders(files: Iterable[str]) -> List[str]:
    """Return the names of files, and of the folders that they are in, up to the limit."""
    names: Set[str] = set()
    for path in files:
        while path and len(names) < MOST_NAMES:
            names.add(path)
            path = posixpath.dirname(path)
    return sorted(names)
