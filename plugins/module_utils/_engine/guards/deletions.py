# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: a run deletes no more than ``guards.max_delete`` allows, judged by the plan."""

from __future__ import annotations

from ..common.errors import Refused
from ..config.tasks import Task
from ..transfer.plan import Plan


def check_deletions(task: Task, plan: Plan) -> None:
    """guards.max_delete, on the plan: either everything may be deleted, or nothing is."""
    limit = task.guards.max_delete
    if not limit:
        return
    count = len(plan.delete)
    allowed = int(limit[:-1]) * plan.present / 100 if limit.endswith("%") else int(limit)
    if count > allowed:
        raise Refused(
            "max_delete",
            f"The run would delete {count} of the {plan.present} files at the destination, more than guards.max_delete "
            f"({limit}) allows. Nothing was changed. Look at the plan (cloudsync run {task.name} --dry-run); if it is "
            "right, raise the limit.",
        )
