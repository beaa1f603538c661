# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The guards that look at a task and its provider only. They refuse a declaration, and every run.

They are not in sequence.py, because Ansible sends a module with all of its imports. The modules that declare tasks do
not need the code of a session.
"""

from __future__ import annotations

from typing import Callable, Tuple

from ..config.tasks import Task
from .placement import check_cleanup, check_places

DECLARED: Tuple[Callable[[Task, str], None], ...] = (check_places, check_cleanup)


def check_declared(task: Task, provider: str) -> None:
    """Refuse a task that must not be declared for ``provider``, a name of rclone or of TrueNAS."""
    for check in DECLARED:
        check(task, provider)
