# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""verify_after: compare both sides after a transfer."""

from __future__ import annotations

import json
import re
from typing import Callable, List, NamedTuple

from ..common.errors import CloudsyncError
from ..common.text import format_count, list_some
from ..config.tasks import Task
from ..remote.arguments import LOG_FILES, Endpoints
from ..remote.session import Session
from .result import Transfer, build_listing_error

UNCHECKED = re.compile(r"(\d+) hashes could not be checked")


class Comparison(NamedTuple):
    """A command of rclone, and what it compares, for a sentence."""

    command: List[str]
    compared: str


SIZES = Comparison(["check", "--size-only"], "the sizes")
CHECKSUMS = Comparison(["check"], "the checksums")
# It compares without a download, but the encrypted side must be its second argument.
ENCRYPTED_CHECKSUMS = Comparison(["cryptcheck"], "the checksums")
CONTENT = Comparison(["check", "--download"], "the contents, read from both sides,")


def verify_transfer(session: Session, task: Task, ends: Endpoints, say: Callable[[str], None]) -> str:
    """Raise CloudsyncError unless each file of the source is at the destination, equal by size or content.

    Return a sentence that says what was compared.
    """
    if task.verify_after == "none":
        return ""
    comparison = _choose_comparison(session, task)
    output, by_size = Transfer(), [0]

    def read(line: str) -> None:
        text = output.read(line)
        if text is not None:
            say(text)
            found = UNCHECKED.search(text)
            by_size[0] = int(found.group(1)) if found else by_size[0]

    options = ["--one-way", *LOG_FILES, *session.selection]
    arguments = [*comparison.command, *options, "--", ends.source, ends.destination]
    ended = session.stream(arguments, read)
    if ended.stopped:
        raise CloudsyncError("stopped", "The run was stopped during verify_after. The transfer itself was complete.")
    if ended.stalled:
        output.raise_unless_success(ended, session)
    if ended.exit_code != 0:
        named = sorted({problem.object for problem in output.problems if problem.object})
        raise CloudsyncError(
            "other",
            f"The transfer succeeded, but verify_after ({task.verify_after}) found files that are missing or different "
            f"at the destination: {list_some(named) or 'see the log'}. Run the task again. If the problem persists, "
            "read the log.",
        )
    if output.notices.has_loss:
        raise CloudsyncError("other", f"Not everything was transferred. {output.notices.describe()}")
    return _describe(comparison, by_size[0])


def _describe(comparison: Comparison, by_size: int) -> str:
    if not by_size:
        return f"Verified: {comparison.compared} are equal."
    return (
        f"Verified: {comparison.compared} are equal where the provider has any. Only the size of "
        f"{format_count(by_size, 'file')} without a checksum could be compared."
    )


def _choose_comparison(session: Session, task: Task) -> Comparison:
    """Return the cheapest comparison that verify_after allows. A local folder has every kind of checksum."""
    if task.verify_after == "size":
        return SIZES
    if task.encryption is not None and not task.is_push:
        return CONTENT
    answer = session.query(["backend", "features", "--", session.place])
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)
    if not json.loads(answer.stdout).get("Hashes"):
        return CONTENT
    return CHECKSUMS if task.encryption is None else ENCRYPTED_CHECKSUMS
