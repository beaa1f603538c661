# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Guard: no other host writes to the destination of a push that deletes files, a sync or a move.

Such a push leaves an owner mark at its destination (transfer/owner_mark.py). It is refused if the mark there is that of
another host. Before it leaves its first mark, it also looks for marks in the folders above and below.

A copy leaves no mark and deletes nothing. It is warned of the mark of another host, because the next sync of that host
would delete the copied files.

The hosts of a sharded task share a source, so each of them writes where another one has left the mark.

Tasks of one host are compared when they are declared (destinations.py), so a mark of this host never refuses a run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Optional, Tuple

from ..common.errors import Refused, usage_error
from ..config.tasks import COPY, Task
from ..rclone.providers.traits import holds_only_media
from ..remote.arguments import OWNER
from ..remote.session import Session
from ..transfer.owner_mark import Mark, build_mark, read_mark, read_marks_around, remove_mark, write_mark

REASON = "foreign"
ALLOW = "allow"


class Finding(NamedTuple):
    """``needs_mark``: the task has to leave its mark. ``is_own``: it has left that mark in an earlier run."""

    needs_mark: bool = False
    is_own: bool = False


def leaves_mark(session: Session, task: Task) -> bool:
    """Return whether ``task`` marks its destination."""
    return task.mode != COPY and reads_mark(session, task)


def reads_mark(session: Session, task: Task) -> bool:
    """Return whether ``task`` looks for a mark at its destination. The list of all buckets cannot hold a file."""
    if not task.is_push or task.guards.owner == ALLOW:
        return False
    if session.has_no_folders and not task.remote_path.strip("/"):
        return False
    return session.credential is None or not holds_only_media(session.credential.provider)


def check_owner(session: Session, task: Task, adopts: bool = False) -> Finding:
    """Refuse a destination that another host has marked. ``adopts``: the task takes it over."""
    mark = read_mark(session, task)
    if adopts:
        return Finding(needs_mark=not _is_own(mark, task, session), is_own=bool(session.host.id))
    if mark is None:
        _check_around(session, task)
        return Finding(needs_mark=True)
    if _is_shared(mark, task, session):
        return Finding(is_own=_is_own(mark, task, session))
    if task.shard is not None and _is_own(mark, replace(task, shard=None), session):
        # The other hosts refuse to write their shards before they find a mark that says so.
        return Finding(needs_mark=True)
    if _is_of_host(mark, session):
        if task.shard is not None and mark.task == task.name:
            raise _build_shard_refusal(mark, task)
        return Finding(is_own=_is_own(mark, task, session))
    if _is_of_former_host(mark, session):
        return Finding(needs_mark=True)
    raise _build_refusal(mark, task, session, f"remote_path {task.remote_path!r}")


def find_foreign(session: Session, task: Task) -> str:
    """Return a warning for a copy to a destination that another host has marked, empty if there is none."""
    mark = read_mark(session, task, is_needed=False)
    if mark is None or mark.is_damaged or _is_of_host(mark, session) or _is_of_former_host(mark, session):
        return ""
    return (
        f"Task {mark.task} of host {mark.host_name} has written to remote_path {task.remote_path!r} since {mark.time}. "
        "Its next sync may delete the files that this task copies there. Use another remote_path, or set guards.owner "
        "to allow."
    )


def leave_mark(session: Session, task: Task) -> None:
    """Write the mark of ``task``. Refuse if another host has left one around it since check_owner()."""
    write_mark(session, task)
    try:
        _check_around(session, task)
    except Refused:
        own = read_mark(session, task)
        if own is not None and _is_own(own, task, session):
            remove_mark(session, task)
        raise


def take_over(session: Session, task: Task) -> Tuple[Optional[Mark], bool]:
    """Make ``task`` the owner of its destination. Return the mark that was there, and whether it was replaced."""
    if not leaves_mark(session, task):
        raise usage_error(
            f"Task {task.name} leaves no owner mark, so there is nothing to take over. Only a push with mode sync or "
            "move does, unless guards.owner is allow."
        )
    mark = read_mark(session, task)
    if mark is not None and _is_own(mark, task, session):
        return mark, False
    write_mark(session, task)
    return mark, True


def _check_around(session: Session, task: Task) -> None:
    for mark in read_marks_around(session, task):
        is_allowed = _is_of_host(mark, session) or _is_of_former_host(mark, session) or _is_shared(mark, task, session)
        if not is_allowed:
            place = f"a folder that contains remote_path {task.remote_path!r}, or is in it"
            raise _build_refusal(mark, task, session, place)


def _is_of_host(mark: Mark, session: Session) -> bool:
    return not mark.is_damaged and (mark.host, mark.host_name) == (session.host.id, session.host.name)


def _is_shared(mark: Mark, task: Task, session: Session) -> bool:
    """Return whether a host has left the mark for a shard of this task, with the same source."""
    if task.shard is None:
        return False
    own = build_mark(task, session)
    return (mark.task, mark.source) == (own.task, own.source)


def _is_of_former_host(mark: Mark, session: Session) -> bool:
    """Return whether this host replaces the one that left the mark: its backup was restored here, after the mark."""
    return any(
        (mark.host, mark.host_name) == former[:2] and mark.time < former.restored for former in session.host.former
    )


def _is_own(mark: Optional[Mark], task: Task, session: Session) -> bool:
    """Return whether the mark is that of ``task`` with the same source and mode. A host without an ID cannot tell."""
    return (
        bool(session.host.id)
        and mark is not None
        and mark._replace(time="") == build_mark(task, session)._replace(time="")
    )


def _build_shard_refusal(mark: Mark, task: Task) -> Refused:
    return Refused(
        REASON,
        f"{task.path} is not the folder that this host has pushed from since {mark.time}. The other hosts of the task "
        "still push from that folder. Check that the shared file system is mounted. If the folder was replaced, or "
        f"path or mode has changed, run 'cloudsync adopt {task.name}', or the module run with adopt=true.",
    )


def _build_refusal(mark: Mark, task: Task, session: Session, place: str) -> Refused:
    advice = f"run 'cloudsync adopt {task.name}', or the module run with adopt=true."
    if mark.is_damaged:
        return Refused(
            REASON,
            f"The owner mark {OWNER} in {place} is damaged, or a newer version wrote it. Make sure that no other host "
            f"writes there. Then {advice}",
        )
    same = (
        " That host has the machine ID of this one, which was renamed or is a copy."
        if mark.host == session.host.id
        else ""
    )
    if task.shard is not None and mark.task == task.name:
        same += (
            f" That task is not sharded, or its source is not the folder that this host has at {task.path}. All hosts "
            "of a sharded task must have the same file system there."
        )
    return Refused(
        REASON,
        f"Task {mark.task} of host {mark.host_name} has written to {place} since {mark.time}.{same} Two hosts that "
        "write to one folder delete each other's files. Use another remote_path. If this host replaces "
        f"{mark.host_name}, {advice}",
    )
