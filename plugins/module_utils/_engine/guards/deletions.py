# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: a run deletes no more files than ``guards.max_delete`` allows. The plan is counted."""

from __future__ import annotations

from ..common.errors import Refused
from ..config.tasks import Task
from ..transfer.plan import Plan


def check_deletions(task: Task, plan: Plan) -> None:
    """Refuse a plan that deletes more than ``guards.max_delete``. Then nothing at all is deleted."""
    limit = task.guards.max_delete
    if not limit:
        return
    count = len(plan.delete)
    allowed = int(limit[:-1]) * plan.present / 100 if limit.endswith("%") else int(limit)
    if count > allowed:
        raise Refused(
            "max_delete",
            f"The run would delete {count} of the {plan.present} files at the destination. guards.max_delete is "
            f"{limit}. Nothing was changed. Check the plan with 'cloudsync run {task.name} --dry-run'. If it is "
            "correct, raise guards.max_delete.",
        )
