# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: refuse a remote path, or the removal of old versions in it, that the task's provider does not allow.

It needs no session.
"""

from __future__ import annotations

from typing import List

from ..common.errors import Refused, usage_error
from ..config.tasks import SYNC, Task
from ..rclone.binary import Rclone
from ..rclone.providers.derived_options import B2, CLEANUP, HARD_DELETE
from ..rclone.providers.option_values import TRUE
from ..rclone.providers.traits import is_bucket_based, is_read_only
from ..rclone.providers.truenas_names import get_rclone_name

# Folders of Google Photos that contain every photo several times. TrueNAS also refuses to pull them.
ALL_PHOTOS = ("", "media", "media/by-day")
HARD_DELETE_DOUBT = (
    "hard_delete removes only the newest version of a file. A file that was overwritten before can come back with its "
    "old content. Set provider_options.cleanup instead, or hidden_days with the module bucket."
)


def check_places(task: Task, provider: str) -> None:
    """Refuse a direction or a remote path that is not allowed for ``provider``, an rclone type."""
    if task.is_push and is_read_only(provider):
        raise Refused(
            "usage",
            f"Provider {provider} is read-only. A task can pull from it but cannot push to it. Set direction to pull, "
            "or use another credential.",
        )
    if not task.is_push and get_rclone_name(provider) == "google photos" and task.remote_path.strip("/") in ALL_PHOTOS:
        raise Refused(
            "usage",
            f"remote_path {task.remote_path!r} contains every photo several times, once in each view. Set remote_path "
            "to one view, such as media/by-month or album/NAME.",
        )
    if task.mode != SYNC or task.guards.allow_root:
        return
    depth = len([part for part in task.remote_path.split("/") if part])
    if depth < (2 if is_bucket_based(provider) else 1):
        place = "a bucket" if is_bucket_based(provider) else "the remote"
        raise Refused(
            "usage",
            f"remote_path {task.remote_path!r} is the root of {place}. A sync would delete everything else at the "
            "destination. Set remote_path to a folder below it, or set guards.allow_root.",
        )


def describe_unsafe_pull(rclone: Rclone) -> str:
    """Return the warning about a pull with an rclone that is older than 1.75.0."""
    return (
        f"A pull with rclone {rclone.version_text} is not safe. A malicious file name at the provider can make it "
        "write outside the destination (CVE-2026-71313). Upgrade to rclone 1.75.0 or newer."
    )


def check_cleanup(task: Task, provider: str) -> None:
    """Refuse the option cleanup where it is invalid or too broad. ``provider`` is a name of rclone or of TrueNAS."""
    value, name = task.provider_options.get(CLEANUP, ""), get_rclone_name(provider)
    if not value:
        return
    if name != B2:
        raise usage_error(f"provider_options.cleanup is only valid for the provider b2, and not for {name}. Remove it.")
    if value in TRUE and "/" not in task.remote_path.strip("/") and not task.guards.allow_root:
        raise usage_error(
            f"provider_options.cleanup with the remote_path {task.remote_path!r} would remove the older versions of "
            "all files in the bucket. Set remote_path to a folder below it, or set guards.allow_root."
        )


def warn_of_hard_delete(task: Task, provider: str) -> List[str]:
    """Return the warnings about a task for ``provider`` (an rclone type) when it is declared."""
    asked = provider == B2 and task.is_push and task.provider_options.get(HARD_DELETE) in TRUE
    return [HARD_DELETE_DOUBT] if asked else []
