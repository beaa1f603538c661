# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read the output of one rclone command: its statistics, its actions and its problems."""

from __future__ import annotations

from typing import List, Optional

from ..common.errors import CloudsyncError
from ..rclone.error_text import redact
from ..rclone.log_lines import Item, Message, Stats, parse_line, parse_problems, remember
from ..rclone.outcome import Finished, Outcome, classify, needs_probe
from ..remote.arguments import QUICK
from ..remote.session import Answer, Ended, Session

PROBE_SECONDS = 120


class Transfer:
    """Pass rclone's lines to read(), then call outcome(). ``keep_items``: remember every file, for a plan."""

    def __init__(self, keep_items: bool = True) -> None:
        self.stats: Optional[Stats] = None
        self.items: List[Item] = []
        self.problems: List[Message] = []
        self._keep_items = keep_items

    def read(self, line: str) -> Optional[str]:
        """Read one line, and return the text for the log; None for a line of statistics."""
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
        """Return the outcome of the command."""
        return _classify(
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
        """Raise CloudsyncError unless the command, a step of a run, has succeeded."""
        outcome = self.outcome(ended, session)
        if outcome.state != "success":
            raise CloudsyncError(outcome.reason, outcome.message)


def listing_error(answer: Answer, session: Session) -> CloudsyncError:
    """Return the error for a short command that failed."""
    outcome = _classify(session, _build_finished(answer, session))
    return CloudsyncError(outcome.reason or "other", outcome.message)


def _build_finished(answer: Answer, session: Session) -> Finished:
    return Finished(exit_code=answer.exit_code, errors=parse_problems(answer.stderr), version=session.rclone.version)


def _classify(session: Session, finished: Finished) -> Outcome:
    """Classify the end of a command. If rclone hid the cause, a listing of the bucket shows it."""
    if not needs_probe(finished):
        return classify(finished)
    probe = session.query(["lsf", *QUICK, "--", session.root], timeout=PROBE_SECONDS)
    return classify(finished, _build_finished(probe, session))
