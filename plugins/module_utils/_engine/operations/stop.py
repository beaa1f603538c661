# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Stopping a run for good."""

from __future__ import annotations

import os
import signal
import time
from typing import List, Optional

from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..runs.records import UNFINISHED, find_runner_pid, load_records
from ..systemd.systemctl import is_running, systemctl
from ..systemd.unit_names import name_service

STOP_SECONDS = 150


def stop_task(layout: Layout, task: str) -> List[str]:
    """Stop every run of ``task`` that is waiting or running, and see it end; their ids."""
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
