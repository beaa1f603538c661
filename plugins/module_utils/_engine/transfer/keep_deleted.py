# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""keep_deleted: find the folder for files that a run deletes or overwrites, and remove old ones."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta, timezone
from typing import Callable, List

from ..config.tasks import Task
from ..rclone.outcome import NOT_FOUND_EXITS
from ..remote.live_config import CRYPT
from ..remote.open import build_place
from ..remote.session import Session
from .result import build_listing_error

RUN_FOLDER = re.compile(r"\A(\d{8}T\d{6}Z)-[0-9a-f]{6}\Z")


def get_kept_place(task: Task) -> str:
    """Return the folder that contains one folder for each run, as rclone's argument; empty without keep_deleted.

    Several tasks and hosts can share keep_deleted.path, but this folder in it is that of the task on this host. Each
    purges its own files only.
    """
    if task.keep_deleted is None:
        return ""
    place = task.keep_deleted.path
    if task.is_push:
        place = build_place(place) if task.encryption is None else f"{CRYPT}:{task.kept_inside}"
    return f"{place.rstrip('/')}/{task.name}@{os.uname().nodename}"


def get_kept_folder(task: Task, run_id: str) -> str:
    """Return the folder for the files that this run deletes, as rclone's argument; empty without keep_deleted."""
    place = get_kept_place(task)
    return f"{place}/{run_id}" if place else ""


def purge_kept(session: Session, task: Task, say: Callable[[str], None]) -> None:
    """Remove the folders of runs that are older than keep_deleted.days; 0 keeps them forever."""
    if task.keep_deleted is None or not task.keep_deleted.days:
        return
    answer = session.query(["lsf", "--dirs-only", "--dir-slash=false", "--", get_kept_place(task)])
    if answer.exit_code in NOT_FOUND_EXITS:
        return
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)
    oldest = datetime.now(timezone.utc) - timedelta(days=task.keep_deleted.days)
    for folder in list_expired(answer.stdout.split("\n"), oldest):
        removed = session.query(["purge", "--", f"{get_kept_place(task)}/{folder}"])
        if removed.exit_code != 0:
            raise build_listing_error(removed, session)
        say(f"removed the deleted files of the run {folder}, which were kept for {task.keep_deleted.days} days")


def list_expired(folders: List[str], oldest: datetime) -> List[str]:
    """Return the folders of runs that began before ``oldest``. Folders with other names are not the collection's."""
    found = [(folder, RUN_FOLDER.match(folder)) for folder in folders]
    limit = oldest.strftime("%Y%m%dT%H%M%SZ")
    return [folder for folder, match in found if match and match.group(1) < limit]
