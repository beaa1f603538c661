# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Make the plan of a task without a run. A dry run changes nothing and writes no record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Callable, Dict, Optional

from ..common.errors import EXIT_FAILED, EXIT_REFUSED, EXIT_SUCCESS, CloudsyncError, Refused
from ..common.stop_signal import StopFlag
from ..config.credential_store import load_credential
from ..config.credentials import Credential
from ..config.task_store import load_task
from ..config.tasks import Task
from ..guards.last_success import describe_now, load_last_success
from ..guards.sequence import Attempt, check_before_session, check_with_session
from ..history.pushed import load_pushed
from ..host import Host
from ..notify.redaction import Redactor, hide_in_error
from ..rclone.providers.derived_options import B2
from ..rclone.providers.schema import resolve
from ..rclone.providers.truenas_names import get_rclone_name
from ..remote.arguments import Endpoints
from ..remote.open import open_task_session
from ..remote.session import Session
from ..restores.drill import plan_drill
from ..restores.steps import list_steps, plan_steps
from ..restores.survey import Survey, survey
from ..restores.target import check_target
from ..transfer.archive_tiers import TELLING, describe_archived
from ..transfer.b2_versions import describe_versions
from ..transfer.endpoints import build_endpoints
from ..transfer.plan import Plan
from .log import list_secrets
from .records import make_run_id, read_newest_records


@dataclass(frozen=True)
class DryRun:
    """The result of a dry run.

    ``plan`` is None if no plan could be made. ``refusal`` is the error that would end a real run now.
    """

    plan: Optional[Plan]
    refusal: Optional[CloudsyncError]

    @property
    def exit_code(self) -> int:
        """The exit code of ``cloudsync run --dry-run``: that of a real run that ends before its transfer."""
        if self.refusal is None:
            return EXIT_SUCCESS
        return EXIT_REFUSED if isinstance(self.refusal, Refused) else EXIT_FAILED

    def to_dict(self) -> Dict[str, Any]:
        """Return the keys ``plan``, ``reason`` and ``message`` of the contract."""
        return {
            "plan": (self.plan or Plan()).to_dict(),
            "reason": self.refusal.reason if self.refusal else "",
            "message": self.refusal.message if self.refusal else "",
        }


def make_dry_run(host: Host, task: Task, stop: StopFlag, say: Callable[[str], None], adopts: bool = False) -> DryRun:
    """Check the guards as a run does, then make the plan. ``adopts``: the run takes over its destination first."""
    credential = load_credential(host.layout, host.seed, task.credential)
    hide = Redactor(list_secrets(credential, task.encryption))
    try:
        check_before_session(task, resolve(credential.provider, host.providers).name)
        check_target(host.layout, task)
        session = open_task_session(host, task, credential, make_run_id(), stop, say)
        with session.live:
            now = describe_now(task, credential)
            last = load_last_success(host.layout, now, task.name, say)
            ends = build_endpoints(task, task.path, "plan")
            attempt = Attempt(session, task, ends, now, last, is_dry_run=True, adopts=adopts)
            refusal = _check(attempt)
            if task.is_drill:
                attempt.plan = plan_drill(task, survey_destination(host, session, task, ends, credential, say))
            elif task.restore is not None:
                steps, note = list_steps(session, task, attempt.ends)
                plan = plan_steps(task, steps)
                attempt.plan = replace(plan, notes=(*plan.notes, *filter(None, [note])))
            return DryRun(_annotate(attempt, credential), hide_in_error(hide, refusal))
    except CloudsyncError as error:
        return DryRun(None, hide_in_error(hide, error))


def survey_destination(
    host: Host, session: Session, task: Task, ends: Endpoints, credential: Credential, say: Callable[[str], None]
) -> Survey:
    """Survey the destination of the task that the drill ``task`` tests."""
    original = load_task(host.layout, host.seed, task.reverse_of)
    now, pushed = describe_now(original, credential), load_pushed(host.layout, original.name, say)
    if pushed is None or (pushed.place, pushed.selection) != (now.place, now.selection):
        return survey(session, task, ends, None, True)
    newer = takewhile(lambda record: record.id > pushed.run, read_newest_records(host.layout, original.name))
    return survey(session, task, ends, pushed, not any(record.may_have_transferred for record in newer))


def _check(attempt: Attempt) -> Optional[Refused]:
    """Return the refusal of a guard that checked the plan. Raise any other error, because then no plan exists."""
    try:
        check_with_session(attempt)
    except Refused as refusal:
        if attempt.plan is None:
            raise
        return refusal
    return None


def _annotate(attempt: Attempt, credential: Credential) -> Plan:
    """Return the plan with notes about the provider, such as old versions and archived objects."""
    session, task, plan = attempt.session, attempt.task, attempt.get_plan()
    provider = get_rclone_name(credential.provider)
    notes = [attempt.warning] if attempt.warning else []
    notes += describe_archived(session, task, plan, attempt.ends) if provider in TELLING else []
    if provider == B2 and task.is_push:
        notes += describe_versions(session, task, plan, attempt.ends.destination, credential.attributes)
    return replace(plan, notes=(*plan.notes, *notes))
