# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Call systemctl, and read when timers elapse next."""

from __future__ import annotations

import json
import os
from typing import Dict, List, Mapping, Sequence

from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..common.processes import run_tool

RUNNING_MARK = "/run/systemd/system"
# Longer than a unit may take to stop: "systemctl stop" waits for the end of a run.
SECONDS = 300


def is_running(layout: Layout) -> bool:
    """Return whether systemd can be used: not under CLOUDSYNC_ROOT, and not in a container without it."""
    return layout.is_real_host and os.path.isdir(RUNNING_MARK)


def systemctl(*arguments: str) -> str:
    """Run systemctl and return its output. Raise CloudsyncError with its error output if it fails."""
    done = run_tool(["systemctl", *arguments], SECONDS)
    if done.exit_code != 0:
        raise CloudsyncError("other", f"systemctl {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout


def list_next_elapses(layout: Layout) -> Mapping[str, int]:
    """Return the next elapse of each timer by name, in microseconds since the epoch, with the random delay."""
    if not is_running(layout):
        return {}
    return {str(row["unit"]): int(str(row["next"])) for row in list_timers("cloudsync@*.timer") if row.get("next")}


def list_timers(pattern: str) -> List[Dict[str, object]]:
    """Return the timers that match ``pattern``: ``unit``, and ``next`` and ``last`` in microseconds since the epoch."""
    listed: List[Dict[str, object]] = json.loads(
        systemctl("list-timers", "--all", "--output=json", "--no-pager", pattern) or "[]"
    )
    return listed


def show_units(units: Sequence[str], properties: Sequence[str]) -> Dict[str, Dict[str, str]]:
    """Return the properties of each unit by its name (``Id`` is always one of them)."""
    options = ["--property=" + ",".join(dict.fromkeys(("Id", *properties))), "--no-pager", "--"]
    found: Dict[str, Dict[str, str]] = {}
    for block in systemctl("show", *options, *units).split("\n\n"):
        shown = dict(line.partition("=")[::2] for line in block.splitlines())
        found[shown.get("Id", "")] = shown
    return found
