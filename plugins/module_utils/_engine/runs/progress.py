# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Publish and read the statistics of an active run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from ..common.files import make_directory, read_json, remove, write_json
from ..common.layout import Layout

if TYPE_CHECKING:
    from ..rclone.log_lines import Stats


def locate_progress(layout: Layout, task: str) -> str:
    return f"{layout.run_dir}/progress/{task}.json"


def make_progress_writer(layout: Layout, task: str, run_id: str) -> Callable[[Stats], None]:
    """Return a function that publishes the newest statistics of the active run."""
    make_directory(layout.run_dir)
    make_directory(layout.run_dir + "/progress")

    def publish(stats: Stats) -> None:
        content: Dict[str, Any] = {
            "id": run_id,
            "bytes": stats.bytes,
            "total_bytes": stats.total_bytes,
            "transfers": stats.transfers,
            "total_transfers": stats.total_transfers,
            "checks": stats.checks,
            "deletes": stats.deletes,
            "errors": stats.errors,
            "speed": stats.speed,
            "eta": stats.eta,
        }
        write_json(locate_progress(layout, task), content)

    return publish


def read_progress(layout: Layout, task: str) -> Optional[Dict[str, Any]]:
    """Return the newest statistics of the active run, or None if there are none yet."""
    return read_json(locate_progress(layout, task))


def forget_progress(layout: Layout, task: str) -> None:
    remove(locate_progress(layout, task))
