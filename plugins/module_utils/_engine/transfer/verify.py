# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""verify_after: compare both sides once more when a transfer is done."""

from __future__ import annotations

from typing import Callable, List

from ..common.errors import CloudsyncError
from ..config.tasks import Task
from ..remote.arguments import JSON_LOG, Endpoints, build_selection_arguments
from ..remote.session import Session
from .result import Transfer


def verify_transfer(session: Session, task: Task, ends: Endpoints, say: Callable[[str], None]) -> None:
    """Every file of the source must be at the destination, equal by size or content; else CloudsyncError."""
    if task.verify_after == "none":
        return
    listening = Transfer(keep_items=False)

    def listen(line: str) -> None:
        text = listening.read(line)
        if text is not None:
            say(text)

    arguments = [
        *_command(task),
        "--one-way",
        *JSON_LOG,
        *build_selection_arguments(task),
        "--",
        ends.source,
        ends.destination,
    ]
    ended = session.stream(arguments, listen)
    if ended.stopped:
        raise CloudsyncError("stopped", "The run was stopped while its result was verified.")
    if ended.exit_code != 0:
        named = sorted({problem.object for problem in listening.problems if problem.object})
        raise CloudsyncError(
            "other",
            f"The transfer ended well, but verify_after ({task.verify_after}) found files that are missing or differ "
            f"at the destination: {', '.join(named[:5]) or 'see the log'}. Run the task again; if it stays, look at "
            "the log.",
        )


def _command(task: Task) -> List[str]:
    if task.verify_after == "size":
        return ["check", "--size-only"]
    if task.encryption is None:
        return ["check"]
    # cryptcheck compares without downloading, but knows the encrypted side only as its second argument.
    return ["cryptcheck"] if task.is_push else ["check", "--download"]
