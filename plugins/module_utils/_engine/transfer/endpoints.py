# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""From where to where: a task's two sides as rclone's arguments."""

from __future__ import annotations

from ..config.tasks import Task
from ..remote.arguments import Endpoints
from ..remote.open import build_task_place
from .keep_deleted import kept_folder


def endpoints(task: Task, local: str, run_id: str) -> Endpoints:
    """``local``: the task's path, or its snapshot's; ``run_id`` names the folder for deleted files."""
    keep = kept_folder(task, run_id)
    if task.is_push:
        return Endpoints(local, build_task_place(task), keep)
    return Endpoints(build_task_place(task), local, keep)
