# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: a run deletes no more files than ``guards.max_delete`` allows, first in the plan, then in rclone.

Without that option, a sync may delete half of the destination, or ten files. It may delete nothing if the task has not
written the destination before, as far as this host knows, or if the source is on another volume than at the last
success.
"""

from __future__ import annotations

from typing import Optional, Tuple

from ..common.errors import Refused
from ..common.text import format_count, list_some
from ..config.tasks import Task
from ..hashes.hashes import count_missing
from ..rclone.error_text import PARTIAL
from ..transfer.plan import Plan
from ..transfer.source_names import Names, find_links, has_link_to_known
from .last_success import LastSuccess

FEW = 10
CHECK = "Check the plan with 'cloudsync run {name} --dry-run'. If it is correct, {change}."
ONCE = "set guards.max_delete for one run, for example to 100%"


def find_safe_limit(
    task: Task, last: Optional[LastSuccess], now: LastSuccess, names: Names, source: str
) -> Optional[int]:
    """Return the number of deletions to allow a push without a plan. Return None if a plan is needed.

    The destination has the ``names`` of the last success. Those that are not in ``source`` any more are deleted. Up to
    ten files that something else wrote to the destination are deleted, too.
    """
    if last is None or not last.is_synced or last.names is None or last.selection != now.selection:
        return None
    gone = count_missing(last.names.files, names.files)
    allowed = _allow_half(len(last.names.files))
    if gone > allowed or (gone and last.volume != now.volume):
        return None
    if gone and not task.follow_symlinks and has_link_to_known(source, last.names):
        return None
    return min(gone + FEW, allowed)


def _allow_half(present: int) -> int:
    return max(FEW, present // 2)


def check_links(task: Task, plan: Plan, source: str) -> None:
    """Refuse to delete what a symbolic link stands for in ``source``, because rclone leaves links out."""
    links = find_links(source, (entry.path for entry in plan.delete))
    if links:
        raise Refused(
            "source_changed",
            f"{format_count(len(links), 'path')} in source {task.path} changed to a symbolic link: {list_some(links)}. "
            "A sync leaves out links and would delete these files at the destination. Set follow_symlinks to transfer "
            "them, or exclude the paths to keep the files at the destination.",
        )


def check_deletions(task: Task, plan: Plan, last: Optional[LastSuccess], now: LastSuccess, deleted: int = 0) -> int:
    """Refuse a plan that deletes too much. Then nothing at all is deleted.

    ``deleted`` is what earlier attempts of this run deleted. Return how many more files may be deleted. Unfinished
    files, which a killed rclone left, do not count.
    """
    present, unfinished = plan.present + deleted, sum(1 for entry in plan.delete if PARTIAL.search(entry.path))
    count = len(plan.delete) + deleted - unfinished
    allowed, reason, rule, change = _find_rule(task, present, count, last, now)
    if count > allowed:
        advice = CHECK.format(name=task.name, change=change)
        raise Refused(
            reason, f"The run would delete {count} of the {present} files at the destination. {rule} {advice}"
        )
    return max(allowed - deleted, 0) + unfinished


def compute_rclone_limit(task: Task, limit: int, overwrites: int) -> int:
    """Return the value of rclone's ``--max-delete``, for what changes after the guard.

    With keep_deleted, rclone counts a file that it moves into the folder up to twice, and one that it overwrites once.
    The reason is that it copies and deletes the file if the provider cannot move it (rclone 1.60 and 1.75).
    ``overwrites`` is the highest possible number of overwritten files.
    """
    return limit if task.keep_deleted is None else 2 * limit + overwrites


def _find_rule(
    task: Task, present: int, count: int, last: Optional[LastSuccess], now: LastSuccess
) -> Tuple[int, str, str, str]:
    """Return the allowed number of deletions, and if ``count`` is more: the reason, the rule and what to change."""
    limit = task.guards.max_delete
    if limit:
        allowed = int(limit[:-1]) * present // 100 if limit.endswith("%") else int(limit)
        return allowed, "max_delete", f"guards.max_delete is {limit}.", "raise guards.max_delete"
    if last is None or not last.is_synced:
        rule = (
            "This host has no record of a successful sync of the task with this source and destination. The first sync "
            "may not delete anything."
        )
        return 0, "max_delete", rule, ONCE + ". To keep these files, use mode copy"
    allowed = _allow_half(present)
    if count > allowed or last.volume == now.volume:
        rule = f"Without guards.max_delete, a sync may delete half of them, or {FEW} files."
        return allowed, "max_delete", rule, ONCE
    rule = f"Source {task.path} is on another volume than at the last successful run ({now.volume}, was {last.volume})."
    return 0, "source_changed", rule, ONCE
