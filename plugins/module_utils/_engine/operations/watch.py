# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Send notifications for tasks that are overdue. ``cloudsync-watch.timer`` asks for it four times an hour."""

from __future__ import annotations

from typing import List

from ..common.errors import CloudsyncError
from ..config.task_store import load_task
from ..host import Host
from ..runs import notifications
from ..runs.recovery import try_logins
from .status import list_readable_statuses


def notify_overdue(host: Host) -> List[str]:
    """Send each target of an overdue task one notification a missed slot; return a sentence for each failure."""
    try_logins(host)
    found, problems = list_readable_statuses(host.layout)
    for status in found:
        if status["overdue_since"]:
            try:
                task = load_task(host.layout, host.seed, status["task"])
                problems += notifications.notify_overdue(host.layout, task, status["overdue_since"])
            except CloudsyncError as error:
                problems.append(f"{status['task']}: cannot send a notification that the task is overdue: {error}")
    return problems
