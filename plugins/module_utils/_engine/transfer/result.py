# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read the output of one rclone command: its statistics, its actions and its problems."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Callable, Counter, List, Optional, Sequence

from ..common.errors import CloudsyncError
from ..common.processes import Ended
from ..rclone.error_text import redact
from ..rclone.log_lines import (
    COPY,
    DELETE,
    FAILED_DELETION,
    KEEP,
    Item,
    Message,
    Stats,
    add_stats,
    parse_line,
    parse_problems,
    remember,
)
from ..rclone.notices import Notices
from ..rclone.outcome import SUCCESS, WEB_PAGE_ANSWER, Finished, Outcome, classify, needs_probe
from ..remote.arguments import QUICK
from ..remote.session import Answer, Session

PROBE_SECONDS = 120
# Not 2 (usage), 6 (no error that a retry helps with), 7 (fatal), 8 and 10 (a limit was reached).
# https://rclone.org/docs/#exit-code
RETRIED_EXITS = (1, 3, 4, 5)


class Transfer:
    """Pass rclone's lines to read(), then call outcome(). ``listeners`` get every item, for a plan or a record.

    ``earlier``: the statistics of the attempts before this one, which those of this one are added to. ``notices``: the
    objects that rclone leaves out. ``keeps_deleted``: it is a copy or a sync with keep_deleted.
    """

    def __init__(
        self,
        earlier: Optional[Stats] = None,
        keeps_deleted: bool = False,
        listeners: Sequence[Callable[[Item], object]] = (),
    ) -> None:
        self.stats = earlier
        self._earlier = earlier
        self.problems: List[Message] = []
        self.notices = Notices()
        self._listeners = listeners
        self._keeps_deleted = keeps_deleted
        self._done: Counter[str] = Counter()
        self._failed_deletions = 0

    def read(self, line: str) -> Optional[str]:
        """Read one line, and return the text for the log; None for a line of statistics."""
        parsed = parse_line(line)
        if isinstance(parsed, Stats):
            now = replace(parsed, deletes=max(parsed.deletes - self._failed_deletions, 0))
            now = self._leave_out_kept(now) if self._keeps_deleted else now
            self.stats = now if self._earlier is None else add_stats(self._earlier, now)
            return None
        if isinstance(parsed, Item):
            self._done[parsed.action] += 1
            for hear in self._listeners:
                hear(parsed)
            return f"{parsed.action} {parsed.path} ({parsed.size} bytes)"
        self._failed_deletions += parsed.text.startswith(FAILED_DELETION)
        remember(self.problems, parsed)
        self.notices.read(parsed)
        where = f"{parsed.object}: " if parsed.object else ""
        return redact(f"{parsed.level}: {where}{parsed.text}")

    def _leave_out_kept(self, stats: Stats) -> Stats:
        """Return ``stats`` without what rclone did to move files into the folder of keep_deleted.

        If the provider cannot move a file, rclone copies and deletes it. It also moves each file that it overwrites.
        """
        transfers = max(self._done[COPY] - self._done[DELETE], 0)
        return replace(
            stats, bytes=stats.bytes - stats.copied_there, transfers=transfers, deletes=self._done[KEEP], renames=0
        )

    def outcome(self, ended: Ended, session: Session) -> Outcome:
        """Return the outcome of the command. The message of a success names the objects that were left out."""
        outcome = _classify(
            session,
            Finished(
                exit_code=ended.exit_code,
                stopped=ended.stopped,
                timed_out=ended.timed_out,
                stalled=session.patience if ended.stalled else 0.0,
                stats=self.stats,
                errors=tuple(self.problems),
                version=session.rclone.version,
                remote_path=session.remote_path,
                path=session.local_path,
                target=session.target,
            ),
        )
        if outcome.state != SUCCESS:
            return outcome
        return replace(outcome, message=" ".join([outcome.message, self.notices.describe()]).strip())

    def raise_unless_success(self, ended: Ended, session: Session) -> None:
        """Raise CloudsyncError unless the command, a step of a run, has succeeded."""
        outcome = self.outcome(ended, session)
        if outcome.state != SUCCESS:
            raise CloudsyncError(outcome.reason, outcome.message)


def may_retry(ended: Ended) -> bool:
    """Whether another attempt can succeed: after a stall, or as rclone's own ``--retries`` decides by the exit code."""
    return (ended.stalled or ended.exit_code in RETRIED_EXITS) and not ended.stopped and not ended.timed_out


def build_listing_error(answer: Answer, session: Session) -> CloudsyncError:
    """Return the error for a short command that failed."""
    outcome = _classify(session, _build_finished(answer, session))
    return CloudsyncError(outcome.reason or "other", outcome.message)


def _build_finished(answer: Answer, session: Session) -> Finished:
    return Finished(
        exit_code=answer.exit_code,
        errors=parse_problems(answer.stderr),
        version=session.rclone.version,
        remote_path=session.remote_path,
        path=session.local_path,
        target=session.target,
    )


def _classify(session: Session, finished: Finished) -> Outcome:
    """Classify the end of a command. If rclone hid the cause, a listing of the bucket shows it."""
    if not needs_probe(finished):
        return classify(finished)
    probe = session.query(["lsf", *QUICK, "--", session.root], timeout=PROBE_SECONDS)
    if probe.exit_code == 0 and is_web_page(session, session.query(["lsjson", *QUICK, "--stat", "--", session.place])):
        return WEB_PAGE_ANSWER
    return classify(finished, _build_finished(probe, session))


def is_web_page(session: Session, stat: Answer) -> bool:
    """Whether remote_path is a web page that the server answers with for any name. ``stat`` is of ``lsjson --stat``."""
    if not str((json.loads(stat.stdout or "{}") or {}).get("MimeType", "")).startswith("text/html"):
        return False
    folder, _slash, name = session.place.rstrip("/").rpartition("/")
    listed = session.query(["lsf", *QUICK, "--files-only", "--", folder or session.root], timeout=PROBE_SECONDS)
    return listed.exit_code != 0 or name not in listed.stdout.split("\n")
