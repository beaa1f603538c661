# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Install units, in an order that neither starts a run by itself nor omits the next one.

The order was tested with systemd 252 and 257. A changed timer is stopped first. If it is not persistent, systemd also
unloads it, because systemd 252 would start a run again for a slot that has already had one. Then the files change,
systemd reloads, the stamp of a persistent timer is set to the current time, and the timer starts.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence

from ..common.files import atomic_write, make_directory, read_text, remove, sync_directory
from ..common.layout import Layout
from ..config.stored_tasks import name_drill
from .systemctl import is_running, systemctl
from .unit_names import (
    locate_drop_in,
    locate_enabled_link,
    locate_seed_drop_in,
    locate_timer,
    locate_volatile_drop_in,
    name_timer,
)

STAMP_DIR = "/var/lib/systemd/timers"
UNIT_MODE = 0o644


@dataclass(frozen=True)
class UnitChange:
    """The new texts of one task's units. ``timer`` None removes the timer, ``drop_in`` None removes all units."""

    task: str
    timer: Optional[str] = None
    drop_in: Optional[str] = None


def read_units(layout: Layout, task: str) -> Dict[str, Optional[str]]:
    """Return the task's existing unit files. A timer that is not enabled is treated as missing."""
    timer = read_text(locate_timer(layout, task))
    enabled = os.path.islink(locate_enabled_link(layout, task))
    return {"timer": timer if enabled else None, "drop_in": read_text(locate_drop_in(layout, task))}


def plan_units(layout: Layout, task: str, wanted: Mapping[str, Mapping[str, Optional[str]]]) -> List[UnitChange]:
    """Return what has to change, so that a task and its drill have the ``wanted`` units (render_all_units())."""
    drill = name_drill(layout, task)
    if drill is not None and drill not in wanted:
        wanted = {**wanted, drill: {"timer": None, "drop_in": None}}
    return [UnitChange(name, **units) for name, units in wanted.items() if read_units(layout, name) != units]


def read_seed_drop_in(layout: Layout) -> Optional[str]:
    """Return the existing drop-in of all services for a seed that is bound to the TPM, None if there is none."""
    return read_text(locate_seed_drop_in(layout))


def apply_seed_drop_in(layout: Layout, text: Optional[str]) -> None:
    """Write the drop-in of all services, or remove it if ``text`` is None."""
    path = locate_seed_drop_in(layout)
    if read_text(path) == text:
        return
    if text is None:
        remove(path)
    else:
        make_directory(os.path.dirname(path), 0o755)
        _write_text(path, text)
    if is_running(layout):
        systemctl("daemon-reload")


def apply_units(layout: Layout, changes: Sequence[UnitChange]) -> None:
    """Install the units of ``changes``. systemd, if it is running, reloads once for all of them."""
    if not changes:
        return
    running = is_running(layout)
    before = {change.task: read_units(layout, change.task)["timer"] for change in changes}
    if running:
        _stop_edited(layout, changes)
    for change in changes:
        _write(layout, change)
    scheduled = [change for change in changes if change.timer is not None]
    if running:
        systemctl("daemon-reload")
        for change in scheduled:
            if change.timer != before[change.task]:
                _mark_served(change)
        if scheduled:
            systemctl("start", *(name_timer(change.task) for change in scheduled))
    # Last: a timer that could not be started is not enabled, so that the next call repeats all of this.
    for change in scheduled:
        _enable(layout, change.task)


def _stop_edited(layout: Layout, changes: Sequence[UnitChange]) -> None:
    """Stop the timers that change, and make systemd unload those that are not persistent."""
    texts = {change.task: read_text(locate_timer(layout, change.task)) for change in changes}
    edited = [change.task for change in changes if texts[change.task] not in (None, change.timer)]
    if not edited:
        return
    systemctl("stop", *(name_timer(task) for task in edited))
    for task in edited:
        remove(locate_enabled_link(layout, task))
    plain = [task for task in edited if "Persistent=yes" not in (texts[task] or "")]
    for task in plain:
        remove(locate_timer(layout, task))
    if plain:
        systemctl("daemon-reload")


def _write(layout: Layout, change: UnitChange) -> None:
    timer, drop_in = locate_timer(layout, change.task), locate_drop_in(layout, change.task)
    if change.drop_in is not None:
        make_directory(os.path.dirname(drop_in), 0o755)
        _write_text(drop_in, change.drop_in)
    else:
        remove(drop_in)
        with contextlib.suppress(OSError):  # the folder does not exist, or contains files of the operator
            os.rmdir(os.path.dirname(drop_in))
        _remove_stamp(layout, change.task)
    if change.timer is not None:
        _write_text(timer, change.timer)
    else:
        remove(locate_enabled_link(layout, change.task))
        remove(timer)


def _enable(layout: Layout, task: str) -> None:
    make_link("../" + name_timer(task), locate_enabled_link(layout, task))


def make_link(target: str, path: str) -> None:
    """Create a symbolic link that survives a power failure."""
    if not os.path.islink(path):
        make_directory(os.path.dirname(path), 0o755)
        os.symlink(target, path)
        sync_directory(os.path.dirname(path))


def _write_text(path: str, text: str) -> None:
    if read_text(path) != text:
        atomic_write(path, text.encode(), UNIT_MODE)


def place_volatile_drop_in(layout: Layout, task: str, text: str) -> None:
    """Write the drop-in of the service of a one-time run, until the next boot. Do nothing without systemd."""
    path = locate_volatile_drop_in(task)
    if not is_running(layout):
        return
    make_directory(os.path.dirname(path), 0o755)
    _write_text(path, text)
    systemctl("daemon-reload")


def _locate_stamp(task: str) -> str:
    return f"{STAMP_DIR}/stamp-{name_timer(task)}"


def _mark_served(change: UnitChange) -> None:
    """Set the stamp of a persistent timer to the current time, so that no earlier slot is caught up."""
    if change.timer is not None and "Persistent=yes" in change.timer:
        make_directory(STAMP_DIR, 0o755)
        with open(_locate_stamp(change.task), "ab"):
            os.utime(_locate_stamp(change.task))


def _remove_stamp(layout: Layout, task: str) -> None:
    if is_running(layout):
        remove(_locate_stamp(task))
