# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The names of the units and the paths of their files.

Apart from unit_files, because ``cloudsync status`` needs names only, and no task, schedule or target to render.
"""

from __future__ import annotations

from ..common.layout import Layout

TEMPLATE = "cloudsync@.service"
WATCH_TIMER_NAME = "cloudsync-watch.timer"


def name_timer(task: str) -> str:
    return f"cloudsync@{task}.timer"


def name_service(task: str) -> str:
    return f"cloudsync@{task}.service"


def locate_timer(layout: Layout, task: str) -> str:
    return f"{layout.unit_dir}/{name_timer(task)}"


def locate_drop_in(layout: Layout, task: str) -> str:
    return f"{layout.unit_dir}/{name_service(task)}.d/50-task.conf"


def locate_volatile_drop_in(task: str) -> str:
    """The drop-in of a one-time run, which goes with the next boot."""
    return f"/run/systemd/system/{name_service(task)}.d/50-task.conf"


def locate_enabled_link(layout: Layout, task: str) -> str:
    """The link that makes the timer start at boot."""
    return f"{layout.unit_dir}/timers.target.wants/{name_timer(task)}"


def locate_seed_drop_in(layout: Layout) -> str:
    """For all services at once. It comes before 50-task.conf, whose word is the last."""
    return f"{layout.unit_dir}/{TEMPLATE}.d/40-seed.conf"
