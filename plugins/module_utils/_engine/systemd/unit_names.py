# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The names of the units and the paths of their files.

Apart from unit_files, so that ``cloudsync status`` does not load the code that renders units.
"""

from __future__ import annotations

from ..common.layout import Layout

TEMPLATE = "cloudsync@.service"
WATCH_TIMER_NAME = "cloudsync-watch.timer"
HELPER_SOCKET_NAME = "cloudsync-helper.socket"


def name_timer(task: str) -> str:
    return f"cloudsync@{task}.timer"


def name_service(task: str) -> str:
    return f"cloudsync@{task}.service"


def locate_timer(layout: Layout, task: str) -> str:
    return f"{layout.unit_dir}/{name_timer(task)}"


def locate_drop_in(layout: Layout, task: str) -> str:
    return f"{layout.unit_dir}/{name_service(task)}.d/50-task.conf"


def locate_volatile_drop_in(task: str) -> str:
    """Return the path of the drop-in of a one-time run. The next boot removes it."""
    return f"/run/systemd/system/{name_service(task)}.d/50-task.conf"


def locate_enabled_link(layout: Layout, task: str) -> str:
    """Return the path of the link that starts the timer at boot."""
    return f"{layout.unit_dir}/timers.target.wants/{name_timer(task)}"


def locate_seed_drop_in(layout: Layout) -> str:
    """Return the path of the drop-in of all services. Its name sorts before 50-task.conf, which overrides it."""
    return f"{layout.unit_dir}/{TEMPLATE}.d/40-seed.conf"
