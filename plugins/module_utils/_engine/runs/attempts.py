# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The attempts of a run: guards, transfer, and what both find out about the next run."""

from __future__ import annotations

import time
from itertools import takewhile
from typing import Callable, Optional, Sequence, Tuple

from ..changes.find import open_finder
from ..common.layout import Layout
from ..common.processes import Ended
from ..common.text import format_count
from ..config.tasks import MOVE, Task
from ..guards.last_success import LastSuccess, save_last_success
from ..guards.sequence import Attempt, check_with_session, leave_marks
from ..history.pushed import Pushed, PushedFiles
from ..history.recorder import Recorder, open_recorder
from ..rclone.log_lines import Stats
from ..rclone.outcome import Outcome
from ..remote.arguments import build_transfer_arguments
from ..remote.session import Session
from ..restores.steps import Step
from ..transfer.result import Transfer, may_retry
from ..transfer.unfinished import remove_unfinished
from .log import RunLog
from .progress import forget_progress, make_progress_writer
from .records import Record

Result = Tuple[Outcome, Optional[Stats], Attempt]


class Attempts:
    """The attempts of one run. ``warning`` and ``pushed`` are those of the last attempt.

    ``note`` changes fields of the run's record, and ``hide`` hides what stands for a secret in a configuration.
    """

    def __init__(
        self,
        layout: Layout,
        log: RunLog,
        earlier: Sequence[Record],
        note: Callable[..., None],
        hide: Callable[[Session], None],
    ) -> None:
        """``earlier`` are the previous runs, newest first."""
        self.warning = ""
        self.pushed: Optional[Pushed] = None
        self._layout = layout
        self._log = log
        self._note = note
        self._hide = hide
        self._continues = _ended_during_transfer(earlier)
        self._previous = next((record.id for record in earlier if record.may_have_transferred), "")
        self._unfinished = [record.id for record in takewhile(lambda record: record.state != "success", earlier)]
        self._deadline: Optional[float] = None

    def begin_time_limit(self, task: Task) -> None:
        """Count ``limits.max_duration`` from now."""
        self._deadline = time.monotonic() + task.limits.max_duration if task.limits.max_duration else None

    def make(
        self, step: Step, task: Task, now: LastSuccess, last: Optional[LastSuccess], stats: Optional[Stats]
    ) -> Result:
        """Make up to 1 + ``retries`` attempts. Each passes the guards first, and they see the same directory.

        ``stats`` are those of the steps before. Return also the new ones, and the last attempt.
        """
        layout, say = self._layout, self._log.say
        keeps = task.keep_deleted is not None and task.mode != MOVE
        recorder = open_recorder(layout, task, self._log.run_id, now.place, now.selection, self._previous, say)
        number = 1
        while True:
            finder = open_finder(layout, task, step.session, now.place, now.selection, say)
            transfer = Transfer(stats, keeps, [each.hear for each in (recorder, finder) if each is not None])
            pushed = PushedFiles(step.ends.source) if task.is_push and task.drill is not None else None
            attempt = Attempt(
                step.session,
                task,
                step.ends,
                now,
                last,
                is_retry=number > 1 or self._continues,
                deleted=stats.deletes if stats else 0,
                finder=finder,
                listeners=[pushed.hear] if pushed is not None else [],
            )
            last = self._prepare(attempt, recorder)
            if pushed is not None:
                attempt.get_listing()
                self.pushed = pushed.finish(self._log.run_id, now.place, now.selection)
            ended = self._run_rclone(attempt, transfer)
            stats = transfer.stats
            if number > task.retries or not may_retry(ended):
                return self._conclude(attempt, transfer, ended, recorder)
            why = "it made no progress" if ended.stalled else f"rclone ended with {ended.exit_code}"
            say(f"attempt {number} of {task.retries + 1} failed: {why}")
            self._unfinished = [self._log.run_id]
            number += 1

    def _prepare(self, attempt: Attempt, recorder: Optional[Recorder]) -> Optional[LastSuccess]:
        """Do everything that precedes the transfer. Return the last success, which may be the beginning of this one."""
        session, task, ends, now, last = attempt.session, attempt.task, attempt.ends, attempt.now, attempt.last
        check_with_session(attempt)
        self._warn(attempt.warning)
        session.make_folders()
        leave_marks(attempt)
        if attempt.is_new:
            # From now on, all files at the destination are those of this task.
            last = now
            save_last_success(self._layout, task, now, None, self._log.say)
        remove_unfinished(session, task, ends, self._unfinished, self._log.say)
        if recorder is not None:
            names = attempt.names.files if attempt.names is not None else None
            recorder.begin(session, ends.source, ends.destination, names)
        return last

    def _conclude(self, attempt: Attempt, transfer: Transfer, ended: Ended, recorder: Optional[Recorder]) -> Result:
        outcome = transfer.outcome(ended, attempt.session)
        if transfer.notices.has_loss:
            self.pushed = None
            attempt.finder = None
        if recorder is not None and outcome.state == "success":
            recorder.finish(attempt.session, attempt.ends.destination, not transfer.notices.has_loss)
        return outcome, transfer.stats, attempt

    def _warn(self, warning: str) -> None:
        """Keep a sentence for the message, and log it once."""
        if warning and warning != self.warning:
            self._log.say("warning: " + warning)
        self.warning = warning

    def _run_rclone(self, attempt: Attempt, transfer: Transfer) -> Ended:
        task, session, changed = attempt.task, attempt.narrow(), attempt.find_changes()
        if changed is not None:
            self._log.say(f"{format_count(len(changed), 'file')} may have changed since the last success")
            if not changed:
                self._note(exit_code=0)
                return Ended(0)
        publish = make_progress_writer(self._layout, task.name, self._log.run_id, self._log.say, self._log.show)

        def listen(line: str) -> None:
            text = transfer.read(line)
            if text is not None:
                self._log.say(text)
            elif transfer.stats is not None:
                publish(transfer.stats)

        arguments = build_transfer_arguments(task, attempt.ends, session.selection, max_delete=attempt.max_delete)
        timeout = None if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)
        self._log.say(f"rclone {session.rclone.version_text}: rclone {session.show(arguments)}")
        ended = session.stream(arguments, listen, timeout=timeout)
        self._hide(session)
        forget_progress(self._layout, task.name)
        stats = transfer.stats
        if stats is not None:
            self._note(bytes=stats.bytes, transfers=stats.transfers, deletes=stats.deletes, errors=stats.errors)
        self._note(exit_code=ended.exit_code)
        return ended


def _ended_during_transfer(earlier: Sequence[Record]) -> bool:
    """Return whether the last run before this one failed or was killed while it may have transferred files."""
    last = next((record for record in earlier if record.state in ("success", "failed", "aborted")), None)
    return last is not None and last.state != "success" and last.may_have_transferred
