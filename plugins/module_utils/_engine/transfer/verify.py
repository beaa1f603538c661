# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""verify_after: compare both sides after a transfer."""

from __future__ import annotations

from typing import Callable, List

from ..common.errors import CloudsyncError
from ..common.text import list_some
from ..config.tasks import Task
from ..remote.arguments import LOG_FILES, Endpoints
from ..remote.session import Session
from .result import Transfer


def verify_transfer(session: Session, task: Task, ends: Endpoints, say: Callable[[str], None]) -> None:
    """Raise CloudsyncError unless each file of the source is at the destination, equal by size or content."""
    if task.verify_after == "none":
        return
    output = Transfer(keep_items=False)

    def read(line: str) -> None:
        text = output.read(line)
        if text is not None:
            say(text)

    arguments = [
        *_build_command(task),
        "--one-way",
        *LOG_FILES,
        *session.selection,
        "--",
        ends.source,
        ends.destination,
    ]
    ended = session.stream(arguments, read)
    if ended.stopped:
        raise CloudsyncError("stopped", "The run was stopped during verify_after. The transfer itself was complete.")
    if ended.exit_code != 0:
        named = sorted({problem.object for problem in output.problems if problem.object})
        raise CloudsyncError(
            "other",
            f"The transfer succeeded, but verify_after ({task.verify_after}) found files that are missing or different "
            f"at the destination: {list_some(named) or 'see the log'}. Run the task again. If the problem persists, "
            "read the log.",
        )


def _build_command(task: Task) -> List[str]:
    if task.verify_after == "size":
        return ["check", "--size-only"]
    if task.encryption is None:
        return ["check"]
    # cryptcheck compares without a download, but the encrypted side must be its second argument.
    return ["cryptcheck"] if task.is_push else ["check", "--download"]
