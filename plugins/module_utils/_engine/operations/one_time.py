# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run a task once without declaring it.

The options are stored in /run, with secrets as ciphertext. Therefore a one-time run is like any other: systemd starts
it with its sandbox and limits, and you can watch it, stop it and read its log by its name. It has no timer, and only
its records and logs remain after the next boot.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Dict, Iterator, Mapping, Optional

from ..common.errors import CloudsyncError, usage_error
from ..common.flock import wait_lock
from ..common.stop_signal import StopFlag
from ..config.credential_store import list_credentials, load_credential, open_readable, read_credential
from ..config.credentials import Credential
from ..config.stored_tasks import find_drilled, list_tasks
from ..config.task_parser import parse_task
from ..config.task_store import load_task, save_onetime
from ..config.tasks import COPY, Task
from ..host import Host
from ..restores.prepare import prepare_restore
from ..systemd.install import place_volatile_drop_in
from ..systemd.unit_files import render_drop_in
from ..transfer.plan import Plan
from .adopt import adopt
from .start import begin_run, list_active_runs, plan_task, report_run
from .validate import try_tasks, vet_places, vet_task

DEFAULT_NAME = "onetime"
# A one-time run waits if another run uses its paths, because no schedule starts it again.
DEFAULTS = {"mode": COPY, "on_overlap": "wait"}


def build_onetime_task(
    host: Host, name: str, declared: Mapping[str, Any], at: str = "", overwrite: bool = False
) -> Task:
    """Return the task that ``declared`` (options of the ``task`` module) defines. Write nothing.

    If it reverses a push, it is a restore, and ``at`` and ``overwrite`` apply to it. See tasks.Restore.
    """
    if name in list_tasks(host.layout):
        raise usage_error(
            f"Task {name} exists on this host. Run it without other options, or use another name for the one-time run."
        )
    if find_drilled(host.layout, name) is not None:
        raise usage_error(
            f"{name} is the drill of a task. Run it without other options, or use another name for the one-time run."
        )

    if declared.get("reverse_of") and not declared.get("path"):
        raise usage_error(
            "reverse_of needs path. Set path to the folder to restore to. To overwrite the folder of task "
            f"{declared['reverse_of']} itself, set path to that folder."
        )

    def find_task(original: str) -> Optional[Task]:
        return load_task(host.layout, host.seed, original) if original in list_tasks(host.layout) else None

    def find_credential(used: str) -> Optional[Credential]:
        return open_readable(host.layout, host.seed, read_credential(host.layout, used))

    # A restore does not use the schedule of its original task, and its default mode copies, which deletes nothing.
    own = {"name": name, "enabled": False, "schedule": {}}
    task = parse_task({**DEFAULTS, **declared, **own}, find_task)
    credential = load_credential(host.layout, host.seed, task.credential)
    vet_task(task, credential.provider, host.providers if task.provider_options or task.rclone_args else {})
    original = find_task(task.reverse_of) if task.reverse_of else None
    if original is not None and original.is_push:
        task = prepare_restore(task, original, credential, declared, at, overwrite)
    elif at or overwrite:
        raise usage_error("at and overwrite are for a restore. Set reverse_of to the name of a task that pushes.")
    try_tasks(host, [task])
    # It starts at once, so a sync that overlaps another task is refused, and not a warning as for a disabled task.
    vet_places(host.layout, {name: replace(task, enabled=True)}, (), find_credential)
    return task


def explain_missing_plan(host: Host, declared: Mapping[str, Any]) -> str:
    """Return why check mode on a new host cannot make a plan, empty if it can."""
    if not host.has_rclone:
        return "rclone is not installed yet, so no plan was made for the one-time run."
    credential, original = declared.get("credential"), declared.get("reverse_of")
    if credential and credential not in list_credentials(host.layout):
        return f"Credential {credential} does not exist on this host yet, so no plan was made for the one-time run."
    if original and original not in list_tasks(host.layout):
        return f"Task {original} does not exist on this host yet, so no plan was made for the one-time run."
    return ""


def plan_once(
    host: Host,
    name: str,
    declared: Mapping[str, Any],
    check_mode: bool,
    adopts: bool = False,
    at: str = "",
    overwrite: bool = False,
) -> Dict[str, Any]:
    """Return the plan of a one-time run. See start.plan_run()."""
    missing = explain_missing_plan(host, declared) if check_mode else ""
    if missing:
        return {"changed": True, "plan": Plan().to_dict(), "warnings": [missing]}
    return plan_task(host, build_onetime_task(host, name, declared, at, overwrite), check_mode, adopts)


def run_once(host: Host, task: Task, wait: bool, timeout: int, adopts: bool = False) -> Dict[str, Any]:
    """Start a run of ``task``. See start.start_run(). Never join another run of that name."""
    with hold_onetime(host, task):
        if adopts:
            adopt(host, task, StopFlag())
        record = begin_run(host, task.name, wait)
    return report_run(host, record, wait, timeout)


@contextmanager
def hold_onetime(host: Host, task: Task) -> Iterator[None]:
    """Store ``task`` for its run. No other call can replace it in the context, in which the run must read it."""
    with wait_lock(f"{host.layout.run_dir}/locks/onetime/{task.name}"):
        _refuse_while_running(host, task.name)
        save_onetime(host.layout, host.seed, task)
        credential = load_credential(host.layout, host.seed, task.credential)
        drop_in = render_drop_in(task, credential.provider, credential.attributes)
        place_volatile_drop_in(host.layout, task.name, drop_in)
        yield


def _refuse_while_running(host: Host, name: str) -> None:
    for record in list_active_runs(host, name):
        raise CloudsyncError(
            "locked",
            f"One-time run {name} ({record.id}) is active. Wait for its end, stop it (state=stopped), or use another "
            "name for the new run.",
        )
