# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""keep_deleted: name the folder for files that a run deletes or overwrites."""

from __future__ import annotations

import os

from ..config.tasks import Task
from ..remote.live_config import CRYPT
from ..remote.open import build_place


def get_kept_place(task: Task) -> str:
    """Return the folder that contains one folder for each run, as rclone's argument; empty without keep_deleted.

    Several tasks and hosts can share keep_deleted.path, but this folder in it is that of the task on this host. Each
    purges its own files only.
    """
    parent = get_kept_parent(task)
    return f"{parent}/{name_kept_folder(task.name)}" if parent else ""


def name_kept_folder(task: str) -> str:
    """Return the name of the folder of a task on this host."""
    return f"{task}@{os.uname().nodename}"


def get_kept_parent(task: Task) -> str:
    """Return keep_deleted.path as rclone's argument; empty without keep_deleted."""
    if task.keep_deleted is None:
        return ""
    place = task.keep_deleted.path
    if task.is_push:
        place = build_place(place) if task.encryption is None else f"{CRYPT}:{task.kept_inside}"
    return place.rstrip("/")


def get_kept_folder(task: Task, run_id: str) -> str:
    """Return the folder for the files that this run deletes, as rclone's argument; empty without keep_deleted."""
    place = get_kept_place(task)
    return f"{place}/{run_id}" if place else ""
