# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: the local side is mounted, exists, is a directory and has its marker. Needs no session."""

from __future__ import annotations

import os

from ..common.errors import Refused
from ..config.tasks import Task


def check_local(task: Task) -> None:
    """The local side: mounted, there, a directory, with its marker."""
    if task.guards.mounted and not os.path.ismount(task.guards.mounted):
        raise Refused(
            "not_mounted",
            f"{task.guards.mounted} is not mounted. Mount it (mount {task.guards.mounted}), then run the task again.",
        )
    if os.path.lexists(task.path) and not os.path.isdir(task.path):
        raise Refused("not_found", f"{task.path} is not a directory: a task needs one.")
    if task.is_push and not os.path.isdir(task.path):
        raise Refused("not_found", f"The source {task.path} does not exist. Create it, or correct the path.")
    marker = os.path.join(task.path, task.guards.marker)
    if task.is_push and task.guards.marker and not os.path.isfile(marker):
        raise build_marker_error(marker)


def build_marker_error(marker: str) -> Refused:
    return Refused(
        "marker_missing",
        f"The marker {marker} is missing: the source is not what it should be, or not mounted.",
    )
