# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Stop the runs of a task and wait for their end. Do the same for a removed task, and close its alerts."""

from __future__ import annotations

import os
import signal
import time
from typing import Dict, List, Optional, Sequence

from ..common.errors import CloudsyncError
from ..common.files import list_names
from ..common.layout import Layout
from ..config.stored_tasks import name_drill, read_task
from ..config.task_store import unseal_task
from ..config.tasks import Task, build_drill
from ..host import Host
from ..runs.records import UNFINISHED, find_runner_pid, load_records, locate_run_locks
from ..systemd.systemctl import is_running, systemctl
from ..systemd.unit_names import name_service

STOP_SECONDS = 150


def list_locked_runs(layout: Layout) -> Dict[str, List[str]]:
    """Return the active runs of each task, and the killed ones that no recovery has closed since the last boot."""
    folder = locate_run_locks(layout)
    tasks = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = {task: list_names(f"{folder}/{task}", "") for task in tasks}
    return {task: ids for task, ids in found.items() if ids}


def stop_task(layout: Layout, task: str) -> List[str]:
    """Stop every run of ``task`` that is waiting or running, wait for their end, and return their ids."""
    living = [record.id for record in load_records(layout, task, 50) if record.state in UNFINISHED]
    if not living:
        return []
    if is_running(layout) and systemctl("show", "-P", "ActiveState", name_service(task)).strip() == "activating":
        systemctl("stop", name_service(task))
    for run_id in living:
        _end(layout, task, run_id)
    return living


def _end(layout: Layout, task: str, run_id: str) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    asked: Optional[int] = None
    while True:
        pid = find_runner_pid(layout, task, run_id)
        if pid is None:
            return
        if pid != asked:
            _signal(pid)
            asked = pid
        if time.monotonic() > deadline:
            raise CloudsyncError(
                "other",
                f"Run {run_id} of task {task} (process {pid}) did not stop within {STOP_SECONDS} s. Check its log. To "
                f"end it immediately, use kill -9 {pid}.",
            )
        time.sleep(0.1)


def _signal(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise CloudsyncError("other", "The run belongs to another user. Stop it as root.") from None


def read_removed(host: Host, name: str) -> List[Task]:
    """Return the task before it is removed if an alert of it may be active. A damaged task is removed without."""
    try:
        stored = read_task(host.layout, name)
        return [unseal_task(host.layout, host.seed, stored)] if stored and stored["notify"] else []
    except CloudsyncError:
        return []


def finish_removal(layout: Layout, names: Sequence[str], tasks: Sequence[Task]) -> List[str]:
    """Stop the runs of the removed tasks ``names``, because users could not see or stop them any more.

    Then close the alerts of ``tasks``. Return sentences for the user.
    """
    said = [
        f"Task {name} was removed while its run {run_id} was active. The run was stopped."
        for name in names
        for each in filter(None, (name, name_drill(layout, name)))
        for run_id in stop_task(layout, each)
    ]
    for task in (*tasks, *(build_drill(layout, task) for task in tasks if task.drill is not None)):
        # Mail and HTTP are slow to import, and few calls remove a task.
        from ..runs.notifications import close_removed

        said += close_removed(layout, task)
    return said
