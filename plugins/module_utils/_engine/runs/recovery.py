# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Recover from killed runs: remove their secrets and snapshots, close their records and run their hooks."""

from __future__ import annotations

from typing import Callable

from ..common.flock import try_lock
from ..common.text import format_now
from ..config.task_store import load_task
from ..config.tasks import Task
from ..host import Host
from ..remote.live_config import sweep_live
from ..snapshots import snapshot as snapshots
from .finish import finish_run
from .locks import locate_task_lock
from .log import RunLog
from .progress import forget_progress
from .records import NOTIFICATION_RUNS, forget_run_locks, load_records, read_interrupted_records, save_record

Say = Callable[[str], None]


def sweep_secrets(host: Host) -> None:
    """Remove unused live configurations. Tokens that rclone refreshed in them are saved first."""
    sweep_live(host.layout)


def sweep_dead_runs(host: Host, name: str) -> None:
    """Sweep the task ``name`` if it is not running. systemd calls this after every end of the unit."""
    lock = try_lock(locate_task_lock(host.layout, name))
    if lock is None:
        return
    with lock:
        sweep(host, load_task(host.layout, host.seed, name), lambda _text: None)


def sweep(host: Host, task: Task, say: Say) -> None:
    """Recover from killed runs of ``task``. The caller holds the task's lock."""
    for problem in sweep_live(host.layout):
        say(problem)
    for problem in snapshots.sweep(task, host.layout):
        say(problem)
    forget_progress(host.layout, task.name)
    for record in read_interrupted_records(host.layout, task.name):
        say(f"run {record.id} was interrupted: running its failure and always hooks now")
        earlier = [run for run in load_records(host.layout, task.name, NOTIFICATION_RUNS) if run.id < record.id]
        log = RunLog(host.layout, task.name, record.id)
        try:
            ended = finish_run(host.layout, task, record._replace(ended=format_now()), earlier, log.say, log.last_lines)
            save_record(host.layout, ended)
        finally:
            log.close()
    forget_run_locks(host.layout, task.name)
