# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""keep_deleted: remove the files that old runs replaced or deleted, and what is known about these runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Callable, List

from ..config.tasks import Task
from ..remote.session import Session
from ..transfer.keep_deleted import get_kept_place
from ..transfer.remote_files import raise_unless_found, read_files, write_file
from ..transfer.result import build_listing_error
from .manifest import BEGINNING, SUFFIX, is_run_id, parse_beginning


def purge_kept(session: Session, task: Task, say: Callable[[str], None]) -> None:
    """Remove what runs kept that are older than keep_deleted.days; 0 keeps it forever."""
    if task.keep_deleted is None or not task.keep_deleted.days:
        return
    place = get_kept_place(task)
    answer = session.query(["lsf", "--", place])
    raise_unless_found(answer, session)
    names = answer.stdout.split("\n")
    oldest = datetime.now(timezone.utc) - timedelta(days=task.keep_deleted.days)
    expired = list_expired(names, oldest)
    if expired and BEGINNING in names:
        # First, so that a killed run leaves no past that looks complete.
        beginning = parse_beginning(read_files(session, place, [BEGINNING]))
        newest = max(beginning.since, _get_run(expired[-1]))
        write_file(session, place, BEGINNING, beginning._replace(since=newest).render())
    for name in expired:
        removed = session.query(["purge" if name.endswith("/") else "deletefile", "--", f"{place}/{name.rstrip('/')}"])
        if removed.exit_code != 0:
            raise build_listing_error(removed, session)
        if name.endswith("/"):
            run, days = _get_run(name), task.keep_deleted.days
            say(f"removed the deleted files of the run {run}, which were kept for {days} days")


def _get_run(name: str) -> str:
    """Return the run of a folder or a manifest in the kept place. It is the ID of a run only for those."""
    return name.rstrip("/") if name.endswith("/") else name[: -len(SUFFIX)]


def list_expired(names: List[str], oldest: datetime) -> List[str]:
    """Return what belongs to runs that began before ``oldest``, oldest first. Other names are not the collection's."""
    limit = oldest.strftime("%Y%m%dT%H%M%SZ")
    ours = [name for name in names if is_run_id(_get_run(name)) and name.endswith(("/", SUFFIX))]
    return sorted(name for name in ours if name < limit)
