# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: the removal of old versions at Backblaze B2 is limited to a folder."""

from __future__ import annotations

from typing import List

from ..common.errors import usage_error
from ..config.tasks import Task
from ..rclone.providers.derived_options import B2, CLEANUP, HARD_DELETE
from ..rclone.providers.option_values import TRUE
from ..rclone.providers.truenas_names import get_rclone_name

HARD_DELETE_DOUBT = (
    "hard_delete removes only the newest version of a file. A file that was overwritten before can come back with its "
    "old content. Set provider_options.cleanup instead, or hidden_days with the module bucket."
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


def list_doubts(task: Task, provider: str) -> List[str]:
    """Return the warnings about a task for ``provider`` (an rclone type) when it is declared."""
    asked = provider == B2 and task.is_push and task.provider_options.get(HARD_DELETE) in TRUE
    return [HARD_DELETE_DOUBT] if asked else []
