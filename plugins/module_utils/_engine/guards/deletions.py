# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: a run deletes no more files than ``guards.max_delete`` allows, first in the plan, then in rclone."""

from __future__ import annotations

from typing import Optional

from ..common.errors import Refused
from ..config.tasks import SYNC, Task
from ..transfer.plan import Plan


def check_deletions(task: Task, plan: Plan) -> Optional[int]:
    """Refuse a plan that deletes more than ``guards.max_delete``. Then nothing at all is deleted.

    Return the value of rclone's ``--max-delete`` for a sync, in files, for what changes after the plan was made. With
    keep_deleted, rclone counts a file that it moves into the folder up to twice, and one that it overwrites once. The
    reason is that it copies and deletes the file if the provider cannot move it (rclone 1.60 and 1.75).
    """
    limit = task.guards.max_delete
    if not limit:
        return None
    count = len(plan.delete)
    allowed = int(limit[:-1]) * plan.present // 100 if limit.endswith("%") else int(limit)
    if count > allowed:
        raise Refused(
            "max_delete",
            f"The run would delete {count} of the {plan.present} files at the destination. guards.max_delete is "
            f"{limit}. Check the plan with 'cloudsync run {task.name} --dry-run'. If it is correct, raise "
            "guards.max_delete.",
        )
    if task.mode != SYNC:
        return None
    return allowed if task.keep_deleted is None else 2 * allowed + len(plan.overwrite)
