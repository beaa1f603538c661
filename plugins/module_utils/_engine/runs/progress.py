# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Publish and read the statistics of an active run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional

from ..common.errors import Damaged
from ..common.files import make_directory, read_json, remove, write_json
from ..common.layout import Layout
from ..common.text import format_count, format_duration, format_now, format_size, parse_time

if TYPE_CHECKING:
    from ..rclone.log_lines import Stats

COUNTS = ("bytes", "total_bytes", "transfers", "total_transfers", "checks", "deletes", "errors")


# A log gets a line of progress this often.
SAY_SECONDS = 30.0


def locate_progress(layout: Layout, task: str) -> str:
    return f"{layout.run_dir}/progress/{task}.json"


def make_progress_writer(
    layout: Layout, task: str, run_id: str, say: Callable[[str], object], show: Callable[[str], object]
) -> Callable[[Stats], None]:
    """Return a function that publishes the newest statistics of the active run.

    ``show`` gets each of them as text, and ``say`` one every SAY_SECONDS.
    """
    make_directory(layout.run_dir)
    make_directory(layout.run_dir + "/progress")
    before: Dict[str, Any] = {}
    said = time.monotonic()

    def publish(stats: Stats) -> None:
        nonlocal said
        content: Dict[str, Any] = {name: getattr(stats, name) for name in COUNTS}
        counts = (*content.values(), stats.listed)
        if counts != before.get("counts"):
            before.update(counts=counts, changed=format_now())
        moment = {"id": run_id, "changed": before["changed"], "speed": stats.speed, "eta": stats.eta}
        write_json(locate_progress(layout, task), {**content, **moment})
        text = describe_progress({**content, **moment})
        show(text)
        if time.monotonic() - said >= SAY_SECONDS:
            said = time.monotonic()
            say(text)

    return publish


def describe_progress(found: Mapping[str, Any]) -> str:
    """Return statistics as text: "42%, 1.2 GiB of 2.9 GiB, 12.3 MiB/s, 2 min 20 s left, 120 of 300 files"."""
    total = found["total_bytes"]
    if not total:
        return f"{format_count(found['checks'], 'file')} compared"
    parts = [f"{100 * found['bytes'] // total}%", f"{format_size(found['bytes'])} of {format_size(total)}"]
    parts.append(f"{format_size(found.get('speed') or 0)}/s")
    if found.get("eta"):
        parts.append(f"{format_duration(found['eta'])} left")
    return ", ".join([*parts, f"{found['transfers']} of {format_count(found['total_transfers'], 'file')}"])


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
