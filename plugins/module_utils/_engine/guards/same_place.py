# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: the source and the destination of a task are not the same folder, and none of them contains the other.

It compares places (places.py), and writes nothing. Therefore it also refuses declarations and dry runs. The guard
same_storage.py finds what it cannot see.
"""

from __future__ import annotations

from ..common.errors import Refused
from ..config.tasks import Task
from ..remote.places import TaskPlaces, any_overlap

REASON = "same_place"


def check_same_place(task: Task, places: TaskPlaces) -> None:
    """Refuse a task that writes into its own source, or whose source is a part of what it writes."""
    source = f"path {task.path}" if task.is_push else f"remote_path {task.remote_path!r}"
    if any_overlap(places.source, places.destination):
        written = f"remote_path {task.remote_path!r}" if task.is_push else f"path {task.path}"
    elif any_overlap(places.source, places.kept) and task.keep_deleted is not None:
        written = f"keep_deleted.path {task.keep_deleted.path!r}"
    else:
        return
    raise Refused(
        REASON,
        f"The source ({source}) and {written} are the same folder, or one contains the other. A run could delete its "
        "own source. Use two folders that do not contain each other.",
    )
