# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Remove the unfinished files that killed runs of a task left at its destination. No filter of a task selects them."""

from __future__ import annotations

from typing import Callable, Sequence

from ..common.errors import CloudsyncError
from ..common.text import format_count
from ..config.tasks import Task
from ..rclone.log_lines import DELETE, Item, parse_line
from ..remote.arguments import COPY_LINKS, LOG_FILES, Endpoints, build_unfinished_pattern
from ..remote.session import Session
from .remote_files import raise_unless_found


def remove_unfinished(
    session: Session, task: Task, ends: Endpoints, runs: Sequence[str], say: Callable[[str], None]
) -> None:
    """Remove the unfinished files of ``runs``, which are run IDs. A file that remains does not fail the run."""
    # A bucket contains complete objects only.
    if not runs or not session.rclone.has_partial_suffix or (task.is_push and session.has_no_folders):
        return
    try:
        count = _remove(session, task, ends.destination, runs)
    except CloudsyncError as error:
        if error.reason == "stopped":
            raise
        say(f"warning: the unfinished files of earlier runs could not be removed: {error.message}")
        return
    if count:
        say(f"removed {format_count(count, 'unfinished file')} of earlier runs")


def _remove(session: Session, task: Task, place: str, runs: Sequence[str]) -> int:
    """Return how many files were removed."""
    patterns = [word for run in runs for word in ("--include", build_unfinished_pattern(run))]
    links = [COPY_LINKS] if task.follow_symlinks else []
    answer = session.query(["delete", *LOG_FILES, *patterns, *links, "--", place])
    raise_unless_found(answer, session)
    lines = map(parse_line, answer.stderr.splitlines())
    return sum(isinstance(line, Item) and line.action == DELETE for line in lines)
