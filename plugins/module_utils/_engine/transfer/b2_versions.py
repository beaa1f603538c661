# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Count and remove the older versions at Backblaze B2, which keeps overwritten files and only hides deleted ones."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Callable, List, Mapping, Sequence

from ..common.errors import CloudsyncError
from ..common.text import format_count, list_some
from ..config.tasks import SYNC, Task
from ..rclone.providers.derived_options import CLEANUP, HARD_DELETE
from ..rclone.providers.option_values import TRUE
from ..remote.arguments import OWNER
from ..remote.open import build_place
from ..remote.session import Session
from .plan import Plan
from .remote_files import raise_unless_found
from .result import build_listing_error

# rclone inserts this before the extension of a name, for a version that is not the newest, or of a hidden file.
VERSION = re.compile(r"-v\d{4}-\d\d-\d\d-\d{6}-\d{3}(?=(?:\.[^./]*)?\Z)")
WITH_ID = ("--format", "pi")


def cleans_up(task: Task) -> bool:
    """Whether the task removes old versions."""
    return task.is_push and task.provider_options.get(CLEANUP) in TRUE


def clear_versions(session: Session, task: Task, say: Callable[[str], None]) -> str:
    """Remove, after a push, all versions below remote_path that a listing does not show.

    Returns a sentence if it removed nothing. rclone mistakes an unfinished upload for a file's newest version, and
    would remove the finished version.
    """
    if not cleans_up(task):
        return ""
    begun = _list_begun_uploads(session, build_place(task.remote_path))
    if begun:
        return (
            f"Old versions were not removed, because uploads of these files are unfinished: {list_some(begun)}. Add a "
            "lifecycle rule to the bucket that cancels such uploads."
        )
    answer = session.query(["cleanup", "--", build_place(task.remote_path)])
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)
    say(f"removed the overwritten and deleted versions of files at {task.remote_path}")
    return ""


def _list_begun_uploads(session: Session, place: str) -> List[str]:
    """Return the files whose newest version is not the one that a listing shows."""
    current = set(_list_names(session, place, *WITH_ID))
    versions = _list_names(session, place, "--b2-versions", *WITH_ID)
    newest = [line for line in versions if not VERSION.search(line.rpartition(";")[0])]
    return sorted(line.rpartition(";")[0] for line in newest if line not in current)


def describe_versions(
    session: Session, task: Task, plan: Plan, destination: str, attributes: Mapping[str, Any]
) -> List[str]:
    """Return the notes of a plan about a push to B2. ``attributes`` are the credential's."""
    hard = {**attributes, **task.provider_options}.get(HARD_DELETE) in TRUE and task.mode == SYNC
    try:
        older = _count_older_versions(session, destination)
    except CloudsyncError as error:
        if error.reason == "stopped":
            raise
        return [f"Cannot count the older versions that B2 keeps. {error.message}"]
    notes = [_describe_revealed(plan, older)] if hard else []
    made = len(plan.overwrite) + (0 if hard else len(plan.delete))
    notes.append(_describe_kept(task, sum(older.values()), made, _find_days_kept(session, task)))
    return [note for note in notes if note]


def _count_older_versions(session: Session, destination: str) -> Mapping[str, int]:
    """Return how many versions that a listing does not show each file has, hidden files included."""
    stored = Counter(VERSION.sub("", name) for name in _list_names(session, destination, "--b2-versions"))
    stored.subtract(_list_names(session, destination))
    return {name: count for name, count in stored.items() if count > 0}


def _list_names(session: Session, place: str, *arguments: str) -> List[str]:
    answer = session.query(["lsf", "--recursive", "--files-only", *arguments, "--", place])
    raise_unless_found(answer, session)
    return [name for name in answer.stdout.split("\n") if name and not _is_mark(name)]


def _is_mark(name: str) -> bool:
    return VERSION.sub("", name).rpartition("/")[2] == OWNER


def _find_days_kept(session: Session, task: Task) -> int:
    """Return after how many days a rule of the bucket removes older versions; 0 without a rule, or if unknown."""
    answer = session.query(["backend", "lifecycle", "--", session.root])
    if answer.exit_code != 0:
        return 0
    path = task.remote_path.strip("/").partition("/")[2] + "/"
    rules: Sequence[Mapping[str, Any]] = json.loads(answer.stdout or "[]") or []
    days = [rule.get("daysFromHidingToDeleting") for rule in rules if path.startswith(rule.get("fileNamePrefix") or "")]
    return min((int(number) for number in days if number), default=0)


def _describe_kept(task: Task, there: int, made: int, days: int) -> str:
    if not there + made:
        return ""
    if cleans_up(task):
        end = "provider_options.cleanup removes them after a successful run"
    elif days:
        end = f"A rule of the bucket removes each of them {days} days after it was overwritten or hidden"
    else:
        end = "They take space until hidden_days of the module bucket, or provider_options.cleanup, removes them"
    return (
        "B2 keeps files that a run overwrites and hides files that it deletes. After the run, "
        f"{format_count(there + made, 'older version')} would remain at {task.remote_path!r}: {there} existing and "
        f"{made} new. {end}."
    )


def _describe_revealed(plan: Plan, older: Mapping[str, int]) -> str:
    names = [entry.path for entry in plan.delete if older.get(entry.path)]
    if not names:
        return ""
    return (
        "hard_delete removes only the newest version. These files would come back with an older content: "
        f"{list_some(names)}. Set provider_options.cleanup instead."
    )
