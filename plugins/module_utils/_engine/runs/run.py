# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Perform one run, from its lock to its record."""

from __future__ import annotations

import os
import traceback
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Iterator, List, Optional, Sequence

from ..changes.known_files import save_known_files
from ..common.accounts import find_account
from ..common.errors import CloudsyncError, Refused, system_error
from ..common.stop_signal import StopFlag
from ..common.text import escape_controls, format_now
from ..config.credential_store import load_credential
from ..config.credentials import Credential
from ..config.task_store import load_task
from ..config.tasks import MOVE, Task
from ..guards.last_success import LastSuccess, describe_now, load_last_success, save_last_success
from ..guards.placement import describe_unsafe_pull
from ..guards.sequence import check_before_session
from ..history.purge import purge_kept
from ..history.pushed import save_pushed
from ..host import Host
from ..locks.hold import hold_locks, list_claims
from ..rclone.log_lines import Stats
from ..rclone.outcome import Outcome
from ..rclone.providers.schema import resolve
from ..rclone.providers.traits import list_state_options
from ..remote.arguments import Endpoints
from ..remote.open import open_task_session
from ..remote.pinned_folder import PinnedFolder
from ..remote.session import Session
from ..restores.drill import explain_refusal, hold_scratch, judge, plan_drill, select_sample
from ..restores.steps import Step, list_steps, plan_steps
from ..restores.target import check_target, note_begin, note_end
from ..restores.thaw import advise_thaw
from ..snapshots.confined import take_snapshot
from ..transfer.b2_versions import clear_versions
from ..transfer.endpoints import build_endpoints
from ..transfer.verify import verify_transfer
from . import notifications
from .attempts import Attempts
from .dry_run import survey_destination
from .finish import finish_run, run_one_hook
from .log import RunLog, list_secret_targets, list_secrets, prune_logs
from .records import (
    NOTIFICATION_RUNS,
    Record,
    drop_run,
    hold_run,
    load_records,
    make_run_id,
    prune_records,
    save_record,
)
from .recovery import sweep, try_login
from .start_gate import mark_stopped

# The options of rclone crypt that are secret.
CRYPT_OPTIONS = {"password", "password2"}


class Run:
    """One active run and its state. Call perform() once."""

    _attempts: Attempts

    def __init__(self, host: Host, name: str, trigger: str, stop: StopFlag, files: str = "") -> None:
        """``files`` is the size of the sample of a drill, empty for that of its task."""
        self.host = host
        self._files = files
        self.stop = stop
        self.record = Record(make_run_id(), name, "waiting", format_now(), trigger)
        self.log = RunLog(host.layout, name, self.record.id)
        self.record = self.record._replace(log=self.log.path)
        self._login_note = ""

    def perform(self) -> Record:
        """Perform the run and return its record. A record is written even if the run fails."""
        earlier = load_records(self.host.layout, self.record.task, NOTIFICATION_RUNS)
        self._attempts = Attempts(self.host.layout, self.log, earlier, self._note, self._hide_live_values)
        with ExitStack() as stack:
            stack.callback(self.log.close)
            with self._record_failure():
                stack.callback(drop_run, hold_run(self.host.layout, self.record.task, self.record.id))
                self._update(state="waiting")
                self._run(load_task(self.host.layout, self.host.seed, self.record.task), earlier)
            self._name_lost_log()
            # A run stays active until its hooks have ended, so its end is saved only now.
            self._update(ended=self.record.ended or format_now())
            self.log.end(self.record)
            self._prune()
            if self.record.reason == "stopped":
                mark_stopped(self.host.layout, self.record.task)
            return self.record

    def _note(self, **changes: object) -> None:
        self.record = self.record._replace(**changes)  # type: ignore[arg-type]

    def _name_lost_log(self) -> None:
        if self.log.problem not in self.record.message:
            self.record = self.record._replace(message=f"{self.record.message} {self.log.problem}".strip())

    def _prune(self) -> None:
        # Old records never fail a run.
        with suppress(CloudsyncError, OSError):
            prune_records(self.host.layout, self.record.task)
        prune_logs(self.host.layout, self.record.task)

    @contextmanager
    def _record_failure(self) -> Iterator[None]:
        """Turn an error inside the context into the record's state, reason and message."""
        try:
            yield
        except CloudsyncError as error:
            self._fail(error)
        except OSError as error:
            self._fail(system_error(error))
        except Exception as error:
            for line in traceback.format_exc().splitlines():
                self.log.say(line)
            self._fail(CloudsyncError("other", f"cloudsync failed. Read the log of the run. Internal error: {error!r}"))

    def _update(self, **changes: object) -> None:
        self._note(**changes)
        save_record(self.host.layout, self.record)

    def _fail(self, error: CloudsyncError) -> None:
        self._note(refused=isinstance(error, Refused))
        states = {"locked": "skipped", "stopped": "aborted"}
        self._settle(states.get(error.reason, "failed"), error.reason, f"{error.message}{self._describe_effect()}")

    def _describe_effect(self) -> str:
        """Return a sentence about the effect of a refused run. An earlier attempt may have changed something."""
        if not self.record.refused:
            return ""
        return " Nothing was changed." if self.record.exit_code is None else " Nothing more was changed."

    def _settle(self, state: str, reason: str, message: str) -> None:
        self.record = self.record._replace(state=state, reason=reason, message=escape_controls(self.log.hide(message)))

    def _run(self, task: Task, earlier: Sequence[Record]) -> None:
        self.record = self.record._replace(kind=_name_kind(task))
        if task.drill is not None and self._files:
            task = replace(task, drill=replace(task.drill, files=self._files))
        self.log.hide.add([*list_secrets(None, task.encryption), *list_secret_targets(task.notify)])
        self.log.begin(task, self.record)
        try:
            credential = load_credential(self.host.layout, self.host.seed, task.credential)
            self.log.hide.add(list_secrets(credential, None))
        except CloudsyncError as error:
            self._fail(error)
            self._finish(task, earlier)
            return
        claims = list_claims(task, credential)
        with hold_locks(self.host.layout, task, self.record.id, claims, self.stop, self._wait) as descriptors:
            with self._record_failure():
                self._run_locked(task, credential, descriptors)
            self._finish(task, earlier)

    def _finish(self, task: Task, earlier: Sequence[Record]) -> None:
        self._name_lost_log()
        message = " ".join(filter(None, [self.record.message, self._attempts.warning, self._login_note]))
        self.record = self.record._replace(ended=format_now(), message=message)
        self.record = finish_run(self.host.layout, task, self.record, earlier, self.log.say, self.log.last_lines)
        # The message now also contains the last lines of hooks that failed.
        self.record = self.record._replace(message=self.log.hide(self.record.message))

    def _wait(self, what: str) -> None:
        self.log.say(what)
        self._update(state="waiting", message=what)

    def _run_locked(self, task: Task, credential: Credential, descriptors: Sequence[int]) -> None:
        sweep(self.host, task, self.log.say)
        self._update(state="running", message="")
        notifications.notify_start(self.host.layout, task, self.record, self.log.say)
        self._run_hook(task, "before")
        self._run_guarded(task, credential, descriptors)
        self._run_hook(task, "success")

    def _run_hook(self, task: Task, kind: str) -> None:
        run_one_hook(self.host.layout, task, self.record, kind, self.log.say, lambda: self.stop.requested)

    def _run_guarded(self, task: Task, credential: Credential, descriptors: Sequence[int]) -> None:
        if not task.is_push and not self.host.rclone.has_safe_pull:
            self.log.say("warning: " + describe_unsafe_pull(self.host.rclone))
        check_before_session(task, resolve(credential.provider, self.host.providers).name)
        check_target(self.host.layout, task)
        with ExitStack() as stack:
            stack.enter_context(hold_scratch(self.host.layout, task))
            local = stack.enter_context(take_snapshot(self.host.layout, task, self.record.id, self.log.say))
            owner = None if task.is_push and task.mode != MOVE else find_account(task.user).uid
            pinned = stack.enter_context(PinnedFolder(local, owner)) if os.path.isdir(local) else None
            session = open_task_session(
                self.host, task, credential, self.record.id, self.stop, self._wait, descriptors, pinned, self.log.say
            )
            stack.callback(self._note_login, session, credential.name)
            stack.enter_context(session.live)
            self._hide_live_values(session)
            self._update(state="running", message="")
            now = describe_now(task, credential)
            ends = build_endpoints(task, pinned.path if pinned else local, self.record.id)
            if task.is_drill:
                self._drill(session, task, ends, now, credential)
            else:
                self._transfer(session, task, ends, now)

    def _hide_live_values(self, session: Session) -> None:
        """Hide what stands for a secret in rclone's configuration: its obscured form, or a refreshed token."""
        if session.credential is not None:
            options = {*session.credential.merge_secrets(), *list_state_options(session.credential.provider)}
            self.log.hide.add(session.live.list_values(options | CRYPT_OPTIONS))

    def _note_login(self, session: Session, credential: str) -> None:
        """Keep a sentence for the message if a refreshed token is not saved, or if the login may be lost."""
        self._login_note = session.live.problem or ("" if self.stop.requested else try_login(self.host, credential))
        if self._login_note:
            self.log.say("warning: " + self._login_note)

    def _drill(self, session: Session, task: Task, ends: Endpoints, now: LastSuccess, credential: Credential) -> None:
        found = survey_destination(self.host, session, task, ends, credential, self.log.say)
        plan_drill(task, found)
        self._attempts.begin_time_limit(task)
        outcome: Optional[Outcome] = None
        if found.sample:
            try:
                step = Step(select_sample(session, found.sample), ends)
                # With a last success, no guard reads a first file: the drill itself reads files.
                outcome, _stats, _success = self._attempts.make(step, task, now, now, None)
            except Refused as error:
                explain_refusal(error, found)
                raise
        self._settle("success", "", judge(session, task, ends, found, outcome, self.log.say))

    def _transfer(self, session: Session, task: Task, ends: Endpoints, now: LastSuccess) -> None:
        last = load_last_success(self.host.layout, now, task.name, self.log.say)
        steps, note = list_steps(session, task, ends)
        if task.restore is not None:
            plan_steps(task, steps)
            session.make_folders()
            note_begin(self.host.layout, task)
        self._attempts.begin_time_limit(task)
        stats: Optional[Stats] = None
        sentences: List[str] = []
        for step in steps:
            outcome, stats, attempt = self._attempts.make(step, task, now, last, stats)
            if outcome.reason == "max_delete" and last is not None:
                # The destination has files that the last success did not leave there. The next run needs a plan.
                save_last_success(self.host.layout, task, replace(last, names=None), last, self.log.say)
            if outcome.state != "success":
                raise CloudsyncError(outcome.reason, outcome.message + advise_thaw(task, outcome.reason))
            sentences = [outcome.message, *sentences[1:], verify_transfer(step.session, task, step.ends, self.log.say)]
        note_end(self.host.layout, task)
        save_last_success(self.host.layout, task, replace(now, names=attempt.names), last, self.log.say)
        if attempt.finder is not None:
            save_known_files(self.host.layout, task.name, attempt.finder.conclude(), self.log.say)
        if task.is_push:
            save_pushed(self.host.layout, task.name, self._attempts.pushed, self.log.say)
        purge_kept(session, task, self.log.say)
        put_off = clear_versions(session, task, self.log.say)
        self._settle("success", "", " ".join(filter(None, [*dict.fromkeys(sentences), note, put_off])))


def _name_kind(task: Task) -> str:
    if task.is_drill:
        return "drill"
    return "restore" if task.restore is not None else "run"
