# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Listening to one rclone command: its statistics, what it did to which file, and what went wrong."""

from __future__ import annotations

from typing import List, Optional

from ..common.errors import CloudsyncError
from ..common.processes import Ended
from ..rclone.error_text import redact
from ..rclone.log_lines import Item, Message, Stats, parse_line, parse_problems, remember
from ..rclone.outcome import Finished, Outcome, classify, needs_probe
from ..remote.arguments import QUICK
from ..remote.session import Answer, Session

PROBE_SECONDS = 120


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
            return f"{parsed.action} {parsed.path} ({parsed.size} bytes)"
        remember(self.problems, parsed)
        where = f"{parsed.object}: " if parsed.object else ""
        return redact(f"{parsed.level}: {where}{parsed.text}")

    def outcome(self, ended: Ended, session: Session) -> Outcome:
        """What the command's end means."""
        return _classified(
            session,
            Finished(
                exit_code=ended.exit_code,
                stopped=ended.stopped,
                timed_out=ended.timed_out,
                stats=self.stats,
                errors=tuple(self.problems),
                version=session.rclone.version,
                remote_path=session.remote_path,
            ),
        )

    def raise_unless_success(self, ended: Ended, session: Session) -> None:
        """For a step of a run that must succeed before the next one."""
        outcome = self.outcome(ended, session)
        if outcome.state != "success":
            raise CloudsyncError(outcome.reason, outcome.message)


def listing_error(answer: Answer, session: Session) -> CloudsyncError:
    """The error that a failed short command means."""
    outcome = _classified(session, _finished(answer, session))
    return CloudsyncError(outcome.reason or "other", outcome.message)


def _finished(answer: Answer, session: Session) -> Finished:
    return Finished(exit_code=answer.exit_code, errors=parse_problems(answer.stderr), version=session.rclone.version)


def _classified(session: Session, finished: Finished) -> Outcome:
    """Where rclone hid the cause, listing the bucket tells it."""
    if not needs_probe(finished):
        return classify(finished)
    probe = session.query(["lsf", *QUICK, "--", session.root], timeout=PROBE_SECONDS)
    return classify(finished, _finished(probe, session))
