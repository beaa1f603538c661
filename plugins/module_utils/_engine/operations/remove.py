# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""End what a removed task leaves: its active runs and its alerts."""

from __future__ import annotations

from typing import List, Sequence

from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..config.stored_tasks import read_task
from ..config.task_store import unseal_task
from ..config.tasks import Task
from ..host import Host
from .stop import stop_task


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
        for run_id in stop_task(layout, name)
    ]
    for task in tasks:
        # Mail and HTTP are slow to import, and few calls remove a task.
        from ..runs.notifications import close_removed

        said += close_removed(layout, task)
    return said
