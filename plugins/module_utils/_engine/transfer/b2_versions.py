# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Backblaze B2 keeps what a run overwrites and only hides what it deletes: how much stays, and clearing it away."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Callable, List, Mapping, Sequence

from ..common.errors import CloudsyncError, usage_error
from ..common.text import list_some
from ..config.tasks import SYNC, Task
from ..rclone.outcome import NOT_FOUND_EXITS
from ..rclone.providers.derived_options import CLEANUP
from ..rclone.providers.option_values import TRUE
from ..remote.open import build_place
from ..remote.session import Session
from .plan import Plan
from .result import listing_error

B2 = "b2"
HARD_DELETE = "hard_delete"
# What rclone puts before a name's extension, for a version that is not the newest, or of a hidden file.
VERSION = re.compile(r"-v\d{4}-\d\d-\d\d-\d{6}-\d{3}(?=(?:\.[^./]*)?\Z)")
WITH_ID = ("--format", "pi")
HARD_DELETE_DOUBT = (
    "hard_delete removes only the newest version of a file, so that one which was overwritten before can come back "
    "with its old content. Set provider_options.cleanup instead."
)


def cleans_up(task: Task) -> bool:
    """Whether the task clears old versions away."""
    return task.is_push and task.provider_options.get(CLEANUP) in TRUE


def check_cleanup(task: Task, provider: str) -> None:
    """Whether the task may ask for that at ``provider`` (an rclone type); CloudsyncError when not."""
    value = task.provider_options.get(CLEANUP, "")
    if not value:
        return
    if provider != B2:
        raise usage_error(f"provider_options has cleanup, which only B2 has; this credential is for {provider}.")
    if value in TRUE and "/" not in task.remote_path.strip("/") and not task.guards.allow_root:
        raise usage_error(
            f"provider_options.cleanup with the remote_path {task.remote_path!r} would remove the older versions of "
            "everything in the bucket. Name a folder below it, or set guards.allow_root."
        )


def doubts(task: Task, provider: str) -> List[str]:
    """What to say of a task for ``provider`` (an rclone type) when it is declared."""
    asked = provider == B2 and task.is_push and task.provider_options.get(HARD_DELETE) in TRUE
    return [HARD_DELETE_DOUBT] if asked else []


def clear_versions(session: Session, task: Task, say: Callable[[str], None]) -> str:
    """After a push: remove all versions below remote_path but the ones that a listing shows.

    A sentence when that was put off. rclone takes an upload that has only begun for a file's newest version, and would
    remove the finished one below it.
    """
    if not cleans_up(task):
        return ""
    begun = _begun_uploads(session, build_place(task.remote_path))
    if begun:
        return (
            "Old versions were not removed, because uploads of these files have begun and not ended: "
            f"{list_some(begun)}. Let a lifecycle rule of the bucket cancel such uploads."
        )
    answer = session.query(["cleanup", "--", build_place(task.remote_path)], timeout=3600)
    if answer.exit_code != 0:
        raise listing_error(answer, session)
    say(f"removed the versions of files at {task.remote_path} that were overwritten or deleted")
    return ""


def _begun_uploads(session: Session, place: str) -> List[str]:
    """The files whose newest version is not the one that a listing shows."""
    current = set(_names(session, place, *WITH_ID))
    versions = _names(session, place, "--b2-versions", *WITH_ID)
    newest = [line for line in versions if not VERSION.search(line.rpartition(";")[0])]
    return sorted(line.rpartition(";")[0] for line in newest if line not in current)


def version_notes(
    session: Session, task: Task, plan: Plan, destination: str, attributes: Mapping[str, Any]
) -> List[str]:
    """What a plan should say of a push to B2. ``attributes`` are the credential's."""
    hard = {**attributes, **task.provider_options}.get(HARD_DELETE) in TRUE and task.mode == SYNC
    try:
        older = _older_versions(session, destination)
    except CloudsyncError as error:
        if error.reason == "stopped":
            raise
        return [f"How many older versions B2 keeps could not be found out: {error.message}"]
    notes = [_revealed(plan, older)] if hard else []
    made = len(plan.overwrite) + (0 if hard else len(plan.delete))
    notes.append(_staying(task, sum(older.values()), made, _days_kept(session, task)))
    return [note for note in notes if note]


def _older_versions(session: Session, destination: str) -> Mapping[str, int]:
    """How many versions of each file are stored that a listing does not show; names of files that are hidden, too."""
    stored = Counter(VERSION.sub("", name) for name in _names(session, destination, "--b2-versions"))
    stored.subtract(_names(session, destination))
    return {name: count for name, count in stored.items() if count > 0}


def _names(session: Session, place: str, *arguments: str) -> List[str]:
    answer = session.query(["lsf", "--recursive", "--files-only", *arguments, "--", place])
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise listing_error(answer, session)
    return [name for name in answer.stdout.split("\n") if name]


def _days_kept(session: Session, task: Task) -> int:
    """After how many days a rule of the bucket removes what was overwritten or hidden; 0 without one, or in doubt."""
    answer = session.query(["backend", "lifecycle", "--", session.root])
    if answer.exit_code != 0:
        return 0
    path = task.remote_path.strip("/").partition("/")[2] + "/"
    rules: Sequence[Mapping[str, Any]] = json.loads(answer.stdout or "[]") or []
    days = [rule.get("daysFromHidingToDeleting") for rule in rules if path.startswith(rule.get("fileNamePrefix") or "")]
    return min((int(number) for number in days if number), default=0)


def _staying(task: Task, there: int, made: int, days: int) -> str:
    if not there + made:
        return ""
    if cleans_up(task):
        end = "provider_options.cleanup removes them when the run has succeeded"
    elif days:
        end = f"a rule of the bucket removes each {days} days after it was overwritten or hidden"
    else:
        end = "they take space until a lifecycle rule of the bucket, or provider_options.cleanup, removes them"
    return (
        f"B2 keeps what a run overwrites and hides what it deletes: {there + made} older versions of files would stay "
        f"at {task.remote_path!r}, {there} of which are there now and {made} of which the run makes; {end}."
    )


def _revealed(plan: Plan, older: Mapping[str, int]) -> str:
    names = [entry.path for entry in plan.delete if older.get(entry.path)]
    if not names:
        return ""
    return (
        f"hard_delete removes only the newest version: {list_some(names)} would come back with an older content. Set "
        "provider_options.cleanup instead."
    )
