# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Listening to one rclone command: its statistics, what it did to which file, and what went wrong."""

from __future__ import annotations

from typing import List, Optional

from .errors import CloudsyncError
from .rclone.binary import Rclone
from .rclone.logs import Item, Message, Stats, parse_line, parse_problems, remember
from .rclone.outcome import Finished, Outcome, classify
from .session import Answer, Ended


class Transfer:
    """Feed read() with rclone's lines; ask outcome() at the end. ``keep_items``: remember every file (for a plan)."""

    def __init__(self, keep_items: bool = True) -> None:
        self.stats: Optional[Stats] = None
        self.items: List[Item] = []
        self.problems: List[Message] = []
        self._keep_items = keep_items

    def read(self, line: str) -> Optional[str]:
        """Take in one line; what of it belongs in the log, None for a statistics line."""
        parsed = parse_line(line)
        if isinstance(parsed, Stats):
            self.stats = parsed
            return None
        if isinstance(parsed, Item):
            if self._keep_items:
                self.items.append(parsed)
            return "{0} {1} ({2} bytes)".format(parsed.action, parsed.path, parsed.size)
        remember(self.problems, parsed)
        where = "{0}: ".format(parsed.object) if parsed.object else ""
        return "{0}: {1}{2}".format(parsed.level, where, parsed.text)

    def outcome(self, ended: Ended, rclone: Rclone) -> Outcome:
        """What the command's end means."""
        return classify(
            Finished(
                exit_code=ended.exit_code,
                stopped=ended.stopped,
                timed_out=ended.timed_out,
                stats=self.stats,
                errors=tuple(self.problems),
                version=rclone.version,
            )
        )

    def raise_unless_success(self, ended: Ended, rclone: Rclone) -> None:
        """For a step of a run that must succeed before the next one."""
        outcome = self.outcome(ended, rclone)
        if outcome.state != "success":
            raise CloudsyncError(outcome.reason, outcome.message)


def listing_error(answer: Answer, rclone: Rclone) -> CloudsyncError:
    """The error that a failed short command means."""
    outcome = classify(
        Finished(exit_code=answer.exit_code, errors=parse_problems(answer.stderr), version=rclone.version)
    )
    return CloudsyncError(outcome.reason or "other", outcome.message)
