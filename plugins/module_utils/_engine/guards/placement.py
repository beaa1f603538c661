# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: where a task may work at all, given its provider. Needs no session."""

from __future__ import annotations

from ..common.errors import Refused
from ..config.tasks import SYNC, Task
from ..rclone.binary import Rclone
from ..rclone.providers.traits import is_bucket_based, is_read_only
from ..rclone.providers.truenas_names import rclone_name

# Folders of Google Photos that TrueNAS refuses to pull, too.
ALL_PHOTOS = ("", "media", "media/by-day")


def check_places(task: Task, provider: str) -> None:
    """Where a task may work at all, given its credential's provider (an rclone type)."""
    if task.is_push and is_read_only(provider):
        raise Refused("usage", f"The provider {provider} is read-only: a task can pull from it, not push.")
    if not task.is_push and rclone_name(provider) == "google photos" and task.remote_path.strip("/") in ALL_PHOTOS:
        raise Refused(
            "usage",
            f"remote_path {task.remote_path!r} holds every photo again under each way to look at them. Name one of "
            "them, such as media/by-month or album/NAME.",
        )
    if task.mode != SYNC or task.guards.allow_root:
        return
    depth = len([part for part in task.remote_path.split("/") if part])
    if depth < (2 if is_bucket_based(provider) else 1):
        raise Refused(
            "usage",
            "remote_path {0!r} is the {1}: a sync would delete everything else in it, or on this host. "
            "Name a folder below it, or set guards.allow_root.".format(
                task.remote_path, "root of a bucket" if is_bucket_based(provider) else "root of the remote"
            ),
        )


def describe_unsafe_pull(rclone: Rclone) -> str:
    """What to say of a pull with an old rclone."""
    return (
        f"It pulls with rclone {rclone.version_text}, in which a hostile file name can leave the destination "
        "(CVE-2026-71313). Upgrade to rclone 1.75.0 or newer."
    )
