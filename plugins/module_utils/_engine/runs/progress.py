# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Publish and read the statistics of an active run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from ..common.errors import Damaged
from ..common.files import make_directory, read_json, remove, write_json
from ..common.layout import Layout
from ..common.text import format_now, parse_time

if TYPE_CHECKING:
    from ..rclone.log_lines import Stats

COUNTS = ("bytes", "total_bytes", "transfers", "total_transfers", "checks", "deletes", "errors")


def locate_progress(layout: Layout, task: str) -> str:
    return f"{layout.run_dir}/progress/{task}.json"


def make_progress_writer(layout: Layout, task: str, run_id: str) -> Callable[[Stats], None]:
    """Return a function that publishes the newest statistics of the active run."""
    make_directory(layout.run_dir)
    make_directory(layout.run_dir + "/progress")
    before: Dict[str, Any] = {}

    def publish(stats: Stats) -> None:
        content: Dict[str, Any] = {name: getattr(stats, name) for name in COUNTS}
        counts = (*content.values(), stats.listed)
        if counts != before.get("counts"):
            before.update(counts=counts, changed=format_now())
        moment = {"id": run_id, "changed": before["changed"], "speed": stats.speed, "eta": stats.eta}
        write_json(locate_progress(layout, task), {**content, **moment})

    return publish


def read_progress(layout: Layout, task: str) -> Optional[Dict[str, Any]]:
    """Return the newest statistics of the active run, or None if there are none yet or they are incomplete.

    ``changed`` is the time of the last change, as ISO 8601.
    """
    try:
        found = read_json(locate_progress(layout, task))
        if found is None or not all(isinstance(found.get(name), int) for name in COUNTS):
            return None
        parse_time(found["changed"])
    except (Damaged, KeyError, TypeError, AttributeError, ValueError):
        return None
    return found


def forget_progress(layout: Layout, task: str) -> None:
    remove(locate_progress(layout, task))
