# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: the local path is mounted, exists, is a directory and has its marker. It needs no session."""

from __future__ import annotations

import os

from ..common.errors import Refused
from ..config.tasks import Task
from ..remote.pinned_folder import PinnedFolder


def check_local(task: Task) -> None:
    """Refuse a local path that is not mounted, does not exist, is not a directory or has no marker."""
    if task.guards.mounted and not os.path.ismount(task.guards.mounted):
        raise Refused(
            "not_mounted",
            f"Mount point {task.guards.mounted} is not mounted. Mount it (mount {task.guards.mounted}), then run the "
            "task again.",
        )
    if os.path.lexists(task.path) and not os.path.isdir(task.path):
        kind = "a link to a directory that does not exist" if not os.path.exists(task.path) else "not a directory"
        raise Refused("not_found", f"Path {task.path} is {kind}. Set path to a directory.")
    if task.is_push and not os.path.isdir(task.path):
        raise Refused("not_found", f"Source {task.path} does not exist. Create it, or correct the task's path.")
    marker = os.path.join(task.path, task.guards.marker)
    if task.is_push and task.guards.marker and not os.path.isfile(marker):
        raise build_marker_error(marker)


def check_unchanged(task: Task, local: PinnedFolder) -> None:
    """Refuse an attempt if the path no longer leads to the directory that the run began with."""
    if local.is_current():
        return
    kind, reason = ("Source", "source_changed") if task.is_push else ("Destination", "not_mounted")
    raise Refused(
        reason,
        f"{kind} {task.path} was unmounted or replaced during the run. Check the mount, then run the task again.",
    )


def build_marker_error(marker: str) -> Refused:
    """Return the refusal of a source without the file ``marker``."""
    return Refused(
        "marker_missing",
        f"Marker file {marker} does not exist. Check that the source is mounted and that its path is correct.",
    )
