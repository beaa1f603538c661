# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A dry run: the plan of a task, and the guard that would refuse it. No hook, no record, nothing changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Optional

from ..common.errors import EXIT_FAILED, EXIT_REFUSED, EXIT_SUCCESS, CloudsyncError, Refused
from ..common.stop_signal import StopFlag
from ..config.credential_store import load_credential
from ..config.credentials import Credential
from ..config.tasks import Task
from ..guards.crypt_password import check_crypt
from ..guards.deletions import check_deletions
from ..guards.local import check_local
from ..guards.placement import check_places
from ..guards.source import check_source
from ..host import Host
from ..rclone.providers.schema import resolve
from ..rclone.providers.truenas_names import rclone_name
from ..remote.arguments import Endpoints
from ..remote.open import open_task_session, raw_place, task_place
from ..remote.session import Session
from ..transfer.archive_tiers import TELLING, archive_notes
from ..transfer.b2_versions import B2, check_cleanup, version_notes
from ..transfer.endpoints import endpoints
from ..transfer.plan import Plan, make_plan
from .records import new_run_id
from .recovery import sweep_secrets


@dataclass(frozen=True)
class Forecast:
    """``plan`` as far as one could be made; ``refusal`` when a real run would be refused, or fail, right now."""

    plan: Optional[Plan]
    refusal: Optional[CloudsyncError]

    @property
    def exit_code(self) -> int:
        """Of ``cloudsync run --dry-run``: what the real run would end with before its transfer."""
        if self.refusal is None:
            return EXIT_SUCCESS
        return EXIT_REFUSED if isinstance(self.refusal, Refused) else EXIT_FAILED

    def to_dict(self) -> Dict[str, Any]:
        return {
            "plan": (self.plan or Plan()).to_dict(),
            "reason": self.refusal.reason if self.refusal else "",
            "message": self.refusal.message if self.refusal else "",
        }


def forecast(host: Host, task: Task, stop: StopFlag, say: Callable[[str], None]) -> Forecast:
    """What a run of ``task`` would do now."""
    credential = load_credential(host.layout, host.seed, task.credential)
    sweep_secrets(host)
    try:
        provider = resolve(credential.provider, host.providers).name
        check_places(task, provider)
        check_cleanup(task, provider)
        check_local(task)
        session = open_task_session(host, task, credential, new_run_id(), stop, say)
        with session.live:
            ends = endpoints(task, task.path, "plan")
            check_crypt(session, task, task_place(task), raw_place(task.remote_path))
            check_source(session, task, ends)
            return _judged(task, _annotated(make_plan(session, task, ends), session, task, ends, credential))
    except CloudsyncError as error:
        return Forecast(None, error)


def _annotated(plan: Plan, session: Session, task: Task, ends: Endpoints, credential: Credential) -> Plan:
    """``plan`` with what the provider makes of it."""
    provider = rclone_name(credential.provider)
    notes = archive_notes(session, task, plan, ends) if provider in TELLING else []
    if provider == B2 and task.is_push:
        notes += version_notes(session, task, plan, ends.destination, credential.attributes)
    return replace(plan, notes=tuple(notes))


def _judged(task: Task, plan: Plan) -> Forecast:
    try:
        check_deletions(task, plan)
    except Refused as refusal:
        return Forecast(plan, refusal)
    return Forecast(plan, None)
