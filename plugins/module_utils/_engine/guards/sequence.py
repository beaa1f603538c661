# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The order of the guards, for a run, a dry run, a one-time run and a declaration.

A new guard is one line in one of the three tuples. DECLARED guards (declared.py) look at the task and its provider
only. They also refuse a declaration. LOCAL guards look at this host. WITH_SESSION guards ask the provider through
rclone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, List, Optional, Sequence, Tuple

from ..changes.find import ChangeFinder
from ..config.tasks import COPY, MOVE, SYNC, Task
from ..remote.arguments import COPY_LINKS, Endpoints
from ..remote.open import build_place, build_task_place
from ..remote.places import locate_task
from ..remote.session import Session
from ..transfer.plan import Plan, make_plan
from ..transfer.source_names import Hear, Listing, Names, list_names
from .crypt_password import check_crypt, check_plain, find_first, plant_canary
from .declared import check_declared
from .deletions import check_deletions, check_links, compute_rclone_limit, find_safe_limit
from .last_success import LastSuccess
from .local import check_local, check_unchanged
from .owner import check_owner, find_foreign, leave_mark, leaves_mark, reads_mark
from .same_place import check_same_place
from .same_storage import check_storage, may_share_storage
from .source import check_answer, check_source


@dataclass
class Attempt:
    """A transfer that the guards have to allow, and their findings.

    ``now`` describes the source and the destination, and ``last`` those of the task's last success, if they are the
    same. ``is_retry`` is True if an earlier attempt, or the run before, failed or was killed. It may have moved all
    files, so that an empty source of a move is not an error. ``deleted`` is what earlier attempts of the run deleted.

    ``needs_canary`` is True if the task encrypts and its destination has no canary yet. ``needs_mark`` is True if the
    destination has no owner mark of this host yet, and ``adopts`` if the run may replace that of another host.
    ``warning`` is a sentence about the destination that does not refuse the run. ``finder`` finds the files to compare,
    None if these are all. ``listing`` has the names of a local source, and ``listeners`` hear them. ``is_new`` is True
    for the first sync to an empty destination.
    ``max_delete`` is the number of deletions that rclone may make, None for no limit. In a dry run, no guard writes.
    """

    session: Session
    task: Task
    ends: Endpoints
    now: LastSuccess
    last: Optional[LastSuccess] = None
    is_retry: bool = False
    is_dry_run: bool = False
    deleted: int = 0
    needs_canary: bool = False
    adopts: bool = False
    needs_mark: bool = False
    warning: str = ""
    finder: Optional[ChangeFinder] = None
    listeners: Sequence[Hear] = ()
    listing: Optional[Listing] = None
    is_new: bool = False
    plan: Optional[Plan] = None
    max_delete: Optional[int] = None

    def get_plan(self) -> Plan:
        """Return the plan. It is made once, because it lists both sides completely."""
        if self.plan is None:
            self.plan = self._make_plan()
        return self.plan

    def _make_plan(self) -> Plan:
        changed = None if self.is_dry_run else self.find_changes()
        if self.finder is None or changed is None:
            return make_plan(self.session, self.task, self.ends, for_guard=not self.is_dry_run)
        plan = make_plan(self.narrow(), self.task, self.ends, for_guard=True) if changed else Plan()
        return replace(plan, present=self.finder.count_copies())

    @property
    def needs_names(self) -> bool:
        """Whether the names in the source can replace a plan."""
        return self.task.is_push and self.task.mode == SYNC and not self.task.guards.max_delete

    def get_listing(self) -> Listing:
        """Return the names in the local source. They are listed once."""
        if self.listing is None:
            finder = [self.finder.hear_source] if self.finder is not None else []
            self.listing = list_names(self.session, self.ends.source, [*finder, *self.listeners], bool(finder))
        return self.listing

    def find_changes(self) -> Optional[List[str]]:
        """Return the names of the files that rclone has to compare, None for all of them."""
        if self.finder is None or not self.get_listing().is_complete:
            return None
        return self.finder.find(self.session, self.ends.destination)

    def narrow(self) -> Session:
        """Return a session that selects only the files that rclone has to compare."""
        changed = self.find_changes()
        if changed is None:
            return self.session
        # The filters have selected these names already.
        return self.session.select(changed, *(word for word in self.session.selection if word == COPY_LINKS))

    @property
    def names(self) -> Optional[Names]:
        """The names in the source, None if they are unknown or not complete."""
        return self.listing.names if self.listing is not None and self.listing.is_complete else None


def _check_pinned(attempt: Attempt) -> None:
    if attempt.session.local is not None:
        check_unchanged(attempt.task, attempt.session.local)


def _check_places(attempt: Attempt) -> None:
    if attempt.session.credential is not None:
        check_same_place(attempt.task, locate_task(attempt.task, attempt.session.credential))


def _check_crypt(attempt: Attempt) -> None:
    task = attempt.task
    attempt.needs_canary = check_crypt(attempt.session, task, build_task_place(task), build_place(task.remote_path))


def _check_destination(attempt: Attempt) -> None:
    """Check the owner of the destination of a push, or only that its provider answers."""
    session, task, last = attempt.session, attempt.task, attempt.last
    if task.mode == COPY and reads_mark(session, task):
        attempt.warning = find_foreign(session, task)
        return
    if not leaves_mark(session, task):
        if task.is_push:
            check_answer(session, task)
        return
    found = check_owner(session, task, attempt.adopts)
    attempt.needs_mark = found.needs_mark
    if found.is_own and (last is None or not last.is_synced):
        # This host lost the record of its success, or has taken the destination over.
        attempt.last = replace(attempt.now, names=None)


def _check_source(attempt: Attempt) -> None:
    has_files = attempt.needs_names and bool(attempt.get_listing().names.files)
    is_moved = attempt.task.mode == MOVE and attempt.is_retry
    check_source(attempt.session, attempt.task, attempt.ends, not has_files and not is_moved)


def _check_plain(attempt: Attempt) -> None:
    if attempt.task.encryption is None and attempt.last is None:
        check_plain(attempt.session, attempt.task)


def _check_deletions(attempt: Attempt) -> None:
    task = attempt.task
    if task.mode == SYNC and not task.guards.max_delete:
        attempt.max_delete = _find_limit_without_plan(attempt)
    if attempt.max_delete is None and (task.mode == SYNC or task.guards.max_delete):
        attempt.max_delete = _check_plan(attempt)


def _find_limit_without_plan(attempt: Attempt) -> Optional[int]:
    """Return the value of rclone's ``--max-delete`` if no plan is needed, because it would list the destination."""
    session, task, ends, last = attempt.session, attempt.task, attempt.ends, attempt.last
    if task.is_push:
        names, is_complete = attempt.get_listing()
        if not is_complete:
            # rclone cannot read the source completely either, and then deletes nothing.
            return compute_rclone_limit(task, 0, len(names.files))
        limit = find_safe_limit(task, last, attempt.now, names, ends.source)
        if limit is not None:
            return compute_rclone_limit(task, max(limit - attempt.deleted, 0), len(names.files))
    knows_destination = last is not None and last.is_synced
    if knows_destination or find_first(session, ends.destination, *session.selection):
        return None
    attempt.is_new = True
    return 0


def _check_plan(attempt: Attempt) -> Optional[int]:
    task, plan = attempt.task, attempt.get_plan()
    if task.is_push:
        check_links(task, plan, attempt.ends.source)
    limit = check_deletions(task, plan, attempt.last, attempt.now, attempt.deleted)
    return compute_rclone_limit(task, limit, len(plan.copy) + len(plan.overwrite)) if task.mode == SYNC else None


def _check_storage(attempt: Attempt) -> None:
    credential = attempt.session.credential
    if credential is not None and not attempt.is_dry_run and may_share_storage(attempt.task, credential):
        check_storage(attempt.session, attempt.task)


LOCAL: Tuple[Callable[[Task], None], ...] = (check_local,)
WITH_SESSION: Tuple[Callable[[Attempt], None], ...] = (
    _check_pinned,
    _check_places,
    _check_crypt,
    _check_destination,
    _check_source,
    _check_plain,
    _check_deletions,
    _check_storage,  # the last one, because it writes
)


def check_before_session(task: Task, provider: str) -> None:
    """Refuse a run of ``task`` as far as this is possible without a session."""
    check_declared(task, provider)
    for check in LOCAL:
        check(task)


def check_with_session(attempt: Attempt) -> None:
    """Refuse one attempt of a run. Raise an error if a guard cannot be evaluated.

    Call it before every attempt. It repeats the LOCAL guards, because the host may have changed.
    """
    for check in LOCAL:
        check(attempt.task)
    for check_attempt in WITH_SESSION:
        check_attempt(attempt)


def leave_marks(attempt: Attempt) -> None:
    """Write what the destination of a push still lacks, the canary and the owner mark. Call it before the transfer."""
    session, task = attempt.session, attempt.task
    if attempt.needs_canary and task.is_push:
        plant_canary(session, build_task_place(task))
    if attempt.needs_mark:
        leave_mark(session, task)
