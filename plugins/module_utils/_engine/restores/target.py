# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Check the target of a restore: it is new or empty, has room, and gets at least one file."""

from __future__ import annotations

import difflib
import json
import os
from contextlib import suppress
from typing import Any, Dict, List, Optional, Sequence

from ..common.errors import Refused
from ..common.files import make_directory, remove, write_json
from ..common.layout import Layout
from ..common.text import format_count, format_size, list_some
from ..config.tasks import Task
from ..transfer.plan import Plan

NEAREST = 3


def check_target(layout: Layout, task: Task) -> None:
    """Refuse a target that has files, unless they may be replaced, or a killed restore into it is continued."""
    if task.restore is None or task.restore.overwrite or not _list_first(task.path):
        return
    if _read_begun(layout, task.name) == _identify(task.path):
        return
    raise Refused(
        "usage",
        f"Target {task.path} is not empty. Use an empty or a new folder, or set overwrite to replace files that are "
        "different.",
    )


def _list_first(path: str) -> str:
    try:
        with os.scandir(path) as entries:
            return next((entry.name for entry in entries), "")
    except (FileNotFoundError, NotADirectoryError):  # check_local() refuses a file
        return ""


def note_begin(layout: Layout, task: Task) -> None:
    """Remember the target, which exists now, so that the same restore can be continued after a kill.

    If that is not possible, a killed restore needs an empty folder again.
    """
    with suppress(OSError):
        make_directory(layout.task_state_dir(task.name))
        write_json(_locate(layout, task.name), _identify(task.path) or {})


def note_end(layout: Layout, task: Task) -> None:
    """Forget the target of a successful restore. The folder is not empty then."""
    if task.restore is not None:
        with suppress(OSError):
            remove(_locate(layout, task.name))


def _identify(path: str) -> Optional[Dict[str, Any]]:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return {"path": path, "device": found.st_dev, "inode": found.st_ino}


def _read_begun(layout: Layout, task: str) -> Optional[Dict[str, Any]]:
    try:
        with open(_locate(layout, task), encoding="utf-8") as stream:
            found: Dict[str, Any] = json.load(stream)
            return found
    except (OSError, ValueError):
        return None  # the target must be empty then


def _locate(layout: Layout, task: str) -> str:
    return layout.task_state_dir(task) + "/restoring.json"


def check_room(task: Task, plan: Plan) -> None:
    """Refuse a restore that does not fit on the file system of the target."""
    needed = sum(entry.size for entry in (*plan.copy, *plan.overwrite))
    place = task.path
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    found = os.statvfs(place)
    free = found.f_bavail * found.f_frsize
    if needed > free:
        raise Refused(
            "disk_full",
            f"The restore needs {format_size(needed)}, but the file system of {task.path} has {format_size(free)}. "
            "Free space there, or use another target.",
        )


def build_missing_error(task: Task, names: Sequence[str]) -> Refused:
    """Return the refusal of a restore that would get nothing. ``names`` are all that exist at the provider."""
    wanted = list_some([pattern for pattern in task.include if not pattern.endswith("/**")] or list(task.include))
    if not task.include:
        return Refused("not_found", f"There is nothing to restore at remote_path {task.remote_path!r}.")
    near = describe_nearest([pattern.strip("/*") for pattern in task.include], names)
    count = format_count(len(names), "name") if names else "nothing"
    return Refused("not_found", f"Nothing at the provider matches {wanted}.{near} It has {count} for this task.")


def describe_nearest(wanted: Sequence[str], names: Sequence[str]) -> str:
    """Return a sentence, with a blank before it, that names what is most like the ``wanted`` paths, or nothing."""
    nearest: List[str] = []
    for path in wanted:
        nearest += difflib.get_close_matches(path, names, NEAREST, 0.4)
    return f" The nearest names are: {', '.join(dict.fromkeys(nearest))}." if nearest else ""
