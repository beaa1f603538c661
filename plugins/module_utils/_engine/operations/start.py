# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Start, await and stop a run from another process, for the module ``run`` and for a shell."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, List, Optional, Set

from ..common.errors import CloudsyncError, usage_error
from ..common.processes import start_detached
from ..common.stop_signal import StopFlag
from ..config.credential_store import load_credential
from ..config.stored_tasks import explain_missing_task, find_drilled, require_task
from ..config.task_store import load_task
from ..config.tasks import Task
from ..host import Host
from ..runs.dry_run import make_dry_run
from ..runs.progress import describe_progress, read_progress
from ..runs.records import FAILED, UNFINISHED, Record, load_records, read_newest_records, reload_record
from ..runs.run import Run
from ..systemd.install import place_volatile_drop_in, read_units
from ..systemd.systemctl import is_running, systemctl
from ..systemd.unit_files import render_drop_in
from ..systemd.unit_names import name_service
from ..transfer.plan import Plan
from .adopt import adopt
from .stop import stop_task

APPEAR_SECONDS = 60
LOOK_SECONDS = 0.2


def start_run(host: Host, task: str, wait: bool, timeout: int, adopts: bool = False) -> Dict[str, Any]:
    """Start a run, or join the active one. With ``wait``, wait for its end, at most ``timeout`` seconds.

    A failed or aborted run is a failed result. A skipped run is a warning. ``adopts``: take over the destination first.
    """
    require_task(host.layout, task)
    if adopts:
        adopt(host, load_task(host.layout, host.seed, task), StopFlag())
    living = list_active_runs(host, task)
    record = living[0] if living else begin_run(host, task, wait)
    return report_run(host, record, wait, timeout, joined=bool(living))


def report_run(host: Host, record: Record, wait: bool, timeout: int, joined: bool = False) -> Dict[str, Any]:
    """Return the result of a run that was started by this call, or earlier (``joined``)."""
    if wait:
        record = _await_end(host, record, timeout)
    return _build_result(host, record, wait, changed=not joined and record.state != "skipped")


def wait_run(host: Host, task: str, run_id: str, timeout: int) -> Dict[str, Any]:
    """Wait for the end of a run that was started earlier, at most ``timeout`` seconds. See start_run()."""
    record = next((each for each in read_newest_records(host.layout, task) if each.id == run_id), None)
    if record is None:
        raise usage_error(f"Task {task} has no run {run_id}. Use the value of run.id of the call that started the run.")
    return report_run(host, record, True, timeout, joined=True)


def _build_result(host: Host, record: Record, wait: bool, changed: bool) -> Dict[str, Any]:
    result: Dict[str, Any] = {"changed": changed, "run": record.public(), "warnings": []}
    if wait and record.state in UNFINISHED:
        progress = read_progress(host.layout, record.task)
        result["progress"] = describe_progress(progress) if progress else record.message
        msg = (
            f"Run {record.id} of task {record.task}, started {record.started}, is still {record.state}. The run "
            "continues. Stop it with state=stopped, or increase timeout."
        )
        result.update(failed=True, msg=msg, reason="other")
    if record.state in FAILED:
        msg = f"Run {record.id} of task {record.task} ended as {record.state} ({record.reason}): {record.message}"
        result.update(failed=True, msg=msg, reason=record.reason)
    elif record.state == "skipped":
        result["warnings"].append(record.message)
    return result


def list_active_runs(host: Host, task: str) -> List[Record]:
    """Return the records of the runs that are waiting or running."""
    return [record for record in load_records(host.layout, task, 20) if record.state in UNFINISHED]


def begin_run(host: Host, task: str, wait: bool) -> Record:
    """Start a run, and return its record as soon as it exists.

    systemd, if it is running, starts it, so that a run from Ansible has the same sandbox and limits as a scheduled one.
    """
    known = {record.id for record in load_records(host.layout, task)}
    if is_running(host.layout):
        _place_drop_in(host, task)
        systemctl("start", "--no-block", name_service(task))
    elif os.access(host.layout.command, os.X_OK):
        start_detached([host.layout.command, "run", task])
    elif wait:
        return Run(host, task, "manual", StopFlag()).perform()
    else:
        raise usage_error(
            f"{host.layout.command} does not exist, so a run would end with this module. Apply the role "
            "skyhaul.cloudsync.runner, or use state=finished."
        )
    return _await_record(host, task, known)


def wait_for_turn(host: Host, task: Task, stop: StopFlag) -> bool:
    """Return whether no run of ``task`` is active. If its ``on_overlap`` is wait, wait for that, or for a stop."""
    while list_active_runs(host, task.name):
        if task.on_overlap != "wait" or stop.requested:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _place_drop_in(host: Host, name: str) -> None:
    """Write the drop-in of a drill that its task does not declare, until the next boot."""
    if find_drilled(host.layout, name) is None or read_units(host.layout, name)["drop_in"] is not None:
        return
    task = load_task(host.layout, host.seed, name)
    credential = load_credential(host.layout, host.seed, task.credential)
    place_volatile_drop_in(host.layout, name, render_drop_in(task, credential.provider, credential.attributes))


def _await_record(host: Host, task: str, known: Set[str]) -> Record:
    deadline = time.monotonic() + APPEAR_SECONDS
    while time.monotonic() < deadline:
        for record in load_records(host.layout, task, 5):
            if record.id not in known:
                return record
        time.sleep(LOOK_SECONDS)
    raise CloudsyncError(
        "other",
        f"No run of task {task} started within {APPEAR_SECONDS} s. Check the output of systemctl status "
        f"{name_service(task)} and journalctl -u {name_service(task)}.",
    )


def _await_end(host: Host, record: Record, timeout: int) -> Record:
    """Return the record at its end, or after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while record.state in UNFINISHED and time.monotonic() <= deadline:
        time.sleep(LOOK_SECONDS)
        record = reload_record(host.layout, record)
    return record


def stop_run(host: Host, task: str, check_mode: bool) -> Dict[str, Any]:
    """Stop the active runs of the task. The result is changed if there were any."""
    missing = explain_missing_task(host.layout, task) if check_mode else None
    if missing:
        return {"changed": False, "run": {}, "warnings": [missing]}
    require_task(host.layout, task)
    living = list_active_runs(host, task)
    if living and not check_mode:
        stop_task(host.layout, task)
    newest = load_records(host.layout, task, 1)
    return {"changed": bool(living), "run": newest[0].public() if newest else {}}


def plan_run(host: Host, name: str, check_mode: bool, adopts: bool = False) -> Dict[str, Any]:
    """Return the plan of the task ``name``. In check mode, return the result of a real run, a refusal included."""
    missing = _explain_missing_plan(host, name) if check_mode else None
    if missing:
        return {"changed": True, "plan": Plan().to_dict(), "warnings": [missing]}
    return plan_task(host, load_task(host.layout, host.seed, name), check_mode, adopts)


def plan_task(host: Host, task: Task, check_mode: bool, adopts: bool = False) -> Dict[str, Any]:
    """Return the plan of a task that may not be stored. See plan_run()."""
    found = make_dry_run(host, task, StopFlag(), lambda _text: None, adopts)
    result: Dict[str, Any] = {"changed": check_mode, "warnings": [], **found.to_dict()}
    if found.refusal is None:
        return result
    msg = f"A run of task {task.name} would end as {result['reason']}: {result['message']}"
    if check_mode or found.plan is None:
        return {**result, "changed": False, "failed": True, "msg": msg}
    return {**result, "warnings": [msg]}


def _explain_missing_plan(host: Host, task: str) -> Optional[str]:
    """Return why check mode on a new host cannot make a plan, None if it can."""
    if not host.has_rclone:
        return f"rclone is not installed yet, so no plan was made for task {task}."
    return explain_missing_task(host.layout, task)
