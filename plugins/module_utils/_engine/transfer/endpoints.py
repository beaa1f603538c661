# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Build rclone's arguments for the source and the destination of a task."""

from __future__ import annotations

from ..config.tasks import Task
from ..remote.arguments import Endpoints
from ..remote.open import build_task_place
from .keep_deleted import get_kept_folder


def build_endpoints(task: Task, local: str, run_id: str) -> Endpoints:
    """Return the source and the destination of a run.

    ``local`` leads to the task's path, or to its snapshot. ``run_id`` names the folder for deleted files.
    """
    keep = get_kept_folder(task, run_id)
    if not task.is_push and task.kept_inside:
        keep = local + keep[len(task.path) :]
    if task.is_push:
        return Endpoints(local, build_task_place(task), keep)
    return Endpoints(build_task_place(task), local, keep)
