# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Recover from killed runs: remove their secrets and snapshots, close their records and run their hooks."""

from __future__ import annotations

from contextlib import suppress
from typing import Callable

from ..common.errors import CloudsyncError
from ..common.flock import is_held, try_lock
from ..common.text import format_now
from ..config.credential_store import load_credential
from ..config.stored_tasks import name_drill
from ..config.task_store import load_task
from ..config.tasks import Task, build_drill
from ..host import Host
from ..locks.hold import locate_task_lock
from ..remote.arguments import QUICK
from ..remote.live_config import locate_turn
from ..remote.live_uses import sweep_live
from ..remote.login_problems import list_doubts, mark_doubt, read_doubt
from ..remote.open import build_place, open_credential_session
from ..restores.drill import remove_scratch
from ..snapshots.confined import sweep_snapshots
from ..transfer.result import build_listing_error
from .finish import finish_run
from .log import RunLog
from .progress import forget_progress
from .records import (
    NOTIFICATION_RUNS,
    forget_run_locks,
    load_records,
    make_run_id,
    read_interrupted_records,
    save_record,
)

PROBE_SECONDS = 120
Say = Callable[[str], None]


def try_login(host: Host, name: str) -> str:
    """Test the login of a credential if it is in doubt. Return a sentence if it may be lost, else "".

    The operator learns of a lost login now, and not from the next run.
    """
    # A use that is active finds out by itself.
    if read_doubt(host.layout, name) is None or is_held(locate_turn(host.layout, name)):
        return ""
    try:
        session = open_credential_session(
            host, load_credential(host.layout, host.seed, name), make_run_id(), saved=True
        )
        with session.live:
            answer = session.query(
                ["lsf", "--use-json-log", *QUICK, "--max-depth", "1", "--", build_place("")], PROBE_SECONDS
            )
            error = build_listing_error(answer, session) if answer.exit_code != 0 else None
    except CloudsyncError as failure:
        error = failure
    doubt = read_doubt(host.layout, name)
    if doubt is None:  # the provider accepted the login
        return ""
    if error is not None and error.reason == "auth":
        doubt = (
            f"The login of credential {name} is lost: rclone was killed after the provider had replaced the refresh "
            "token, before rclone saved the new one. Authorize the credential again before the next run."
        )
        mark_doubt(host.layout, name, doubt)
    return doubt


def try_logins(host: Host) -> None:
    """Sweep the live configurations, then test each login that is in doubt. list_live_problems() has the results."""
    sweep_live(host.layout)
    for name in list_doubts(host.layout):
        try_login(host, name)


def sweep_dead_runs(host: Host, name: str) -> None:
    """Sweep the task ``name`` if it is not running. systemd calls this after every end of the unit."""
    lock = try_lock(locate_task_lock(host.layout, name))
    if lock is None:
        return
    with lock:
        sweep(host, load_task(host.layout, host.seed, name), lambda _text: None)


def _sweep_drill(host: Host, task: Task) -> None:
    """Remove what a killed drill has left, before a drill of ``task`` or a run of the task itself.

    The sandbox of a run may forbid that outside of the state directory. Then the next drill removes it.
    """
    remove_scratch(task)
    name = name_drill(host.layout, task.name) if task.is_push else None
    lock = try_lock(locate_task_lock(host.layout, name)) if name is not None and task.drill is not None else None
    if lock is not None:
        with lock, suppress(OSError):
            remove_scratch(build_drill(host.layout, task))


def sweep(host: Host, task: Task, say: Say) -> None:
    """Recover from killed runs of ``task``. The caller holds the task's lock."""
    for problem in sweep_live(host.layout).problems:
        say(problem)
    for problem in sweep_snapshots(host.layout, task, say):
        say(problem)
    _sweep_drill(host, task)
    forget_progress(host.layout, task.name)
    for record in read_interrupted_records(host.layout, task.name):
        say(f"run {record.id} was interrupted: running its failure and always hooks now")
        record = record._replace(message=" ".join([record.message, try_login(host, task.credential)]).strip())
        earlier = [run for run in load_records(host.layout, task.name, NOTIFICATION_RUNS) if run.id < record.id]
        log = RunLog(host.layout, task.name, record.id)
        try:
            ended = finish_run(host.layout, task, record._replace(ended=format_now()), earlier, log.say, log.last_lines)
            save_record(host.layout, ended)
        finally:
            log.close()
    forget_run_locks(host.layout, task.name)
