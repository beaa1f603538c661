# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find out what has started this process: a timer, a unit, or a person in a shell."""

from __future__ import annotations

import os
import time
from typing import Mapping

from ..commands.helper import is_needed
from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..runs.start_gate import TRIGGER
from ..systemd.systemctl import is_running, list_timers
from ..systemd.unit_names import TEMPLATE, name_timer

# systemd sets it in the processes of every unit.
INVOCATION = "INVOCATION_ID"
RECENT_SECONDS = 10


def recall_trigger(layout: Layout, task: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return ``environ``, with TRIGGER if the timer of ``task`` has just elapsed and systemd has forgotten it.

    systemd 257 forgets what triggered a start if it is reloaded before the start. It is reloaded for each changed task.
    """
    if TRIGGER in environ or INVOCATION not in environ or not is_running(layout):
        return environ
    try:
        rows = list_timers(name_timer(task))
    except CloudsyncError:  # then the start counts as one by hand
        return environ
    ages = [time.time() - int(str(row["last"])) / 1000000 for row in rows if row.get("last")]
    return {**environ, TRIGGER: name_timer(task)} if any(0 <= age < RECENT_SECONDS for age in ages) else environ


def can_use_unit(layout: Layout) -> bool:
    """Return whether systemd can start a run for this process, which is not in the unit of a run itself."""
    return is_running(layout) and os.path.exists(f"{layout.unit_dir}/{TEMPLATE}") and not is_needed()
