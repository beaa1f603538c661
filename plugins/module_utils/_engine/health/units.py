# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Check the units of the tasks: their files, and what systemd made of them."""

from __future__ import annotations

import os
import time
from typing import Iterator, Mapping, Optional, Sequence

from ..common.errors import CloudsyncError
from ..common.files import list_names, read_text
from ..common.layout import DRILL, Layout
from ..common.text import parse_time
from ..config.credential_store import read_credential
from ..config.tasks import Task
from ..runs.records import load_records
from ..systemd.systemctl import is_running, show_units
from ..systemd.unit_files import render_common_units, render_service, render_units
from ..systemd.unit_names import (
    TEMPLATE,
    WATCH_TIMER_NAME,
    locate_drop_in,
    locate_enabled_link,
    locate_timer,
    name_service,
    name_timer,
)
from .problem import Problem

PROPERTIES = ("Id", "LoadState", "ActiveState", "UnitFileState", "Result", "InactiveExitTimestampMonotonic")
# systemd starts the unit before the run has its record.
START_SECONDS = 60
Unit = Mapping[str, str]


def check_unit_files(layout: Layout, tasks: Mapping[str, Task]) -> Iterator[Problem]:
    """Check that each task has the files of its units as this version writes them."""
    for name, task in tasks.items():
        try:
            credential = read_credential(layout, task.credential)
        except CloudsyncError:
            credential = None
        if credential is None:  # check_credentials() names it
            continue
        wanted = render_units(task, credential["provider"], credential["attributes"])
        yield from _compare(name, locate_timer(layout, name), wanted["timer"])
        yield from _compare(name, locate_drop_in(layout, name), wanted["drop_in"])
        if wanted["timer"] is not None and not os.path.islink(locate_enabled_link(layout, name)):
            link = locate_enabled_link(layout, name)
            yield Problem("timer", name, f"{link} does not exist, so no boot starts the timer. {_say_remedy(name)}")
    if is_running(layout):
        common = render_common_units(layout)
        shared = {f"{layout.unit_dir}/{TEMPLATE}": render_service(layout), **common}
        for path, text in shared.items():
            yield from _compare("", path, text)


def _compare(task: str, path: str, wanted: Optional[str]) -> Iterator[Problem]:
    try:
        found = read_text(path)
    except OSError as error:
        yield Problem("unit", task, f"Cannot read {path}: {error.strerror}. Move it away, then: {_say_remedy(task)}")
        return
    if found == wanted:
        return
    what = "does not exist" if found is None else "is not what this version of cloudsync writes"
    if wanted is None:
        what = "exists, although the task needs no timer"
    yield Problem("unit", task, f"{path} {what}. {_say_remedy(task)}")


def _say_remedy(task: str) -> str:
    if not task:
        return "Apply the role skyhaul.cloudsync.runner again."
    return f"Apply {'the task of drill' if task.startswith(DRILL) else 'task'} {task} again."


def check_orphans(layout: Layout, tasks: Sequence[str]) -> Iterator[Problem]:
    """Check that no unit is left of a task whose file does not exist."""
    timers = list_names(layout.unit_dir, ".timer")
    drop_ins = list_names(layout.unit_dir, ".service.d")
    start = name_service("").partition(".")[0]
    names = {unit[len(start) :] for unit in (*timers, *drop_ins) if unit.startswith(start) and unit != start}
    for name in sorted(names - set(tasks)):
        yield Problem("task", name, f"{layout.task(name)} does not exist, but its units do. Declare the task again.")


def check_systemd(layout: Layout, tasks: Mapping[str, Task]) -> Iterator[Problem]:
    """Check that the timers are active, and that every failure of a unit has a record. Ask systemd once for all."""
    if not is_running(layout) or not tasks:
        return
    timers = {name: name_timer(name) for name, task in tasks.items() if task.timer_schedule is not None}
    services = {name: name_service(name) for name in tasks}
    units = show_units((*timers.values(), *services.values(), WATCH_TIMER_NAME), PROPERTIES)
    for name, unit in timers.items():
        yield from _check_timer(name, unit, units.get(unit, {}))
    yield from _check_timer("", WATCH_TIMER_NAME, units.get(WATCH_TIMER_NAME, {}))
    for name, unit in services.items():
        yield from _check_service(layout, name, unit, units.get(unit, {}))


def _check_timer(task: str, unit: str, found: Unit) -> Iterator[Problem]:
    effect = "no run of the task starts" if task else "no notification about overdue tasks is sent"
    if found.get("LoadState") != "loaded":
        state = found.get("LoadState") or "unknown to systemd"
        yield Problem("timer", task, f"{unit} is {state}, so {effect}. {_say_remedy(task)}")
    elif found.get("ActiveState") != "active":
        state = found.get("ActiveState", "")
        yield Problem("timer", task, f"{unit} is {state}, so {effect}. Start it with: systemctl start {unit}")
    elif found.get("UnitFileState") not in ("enabled", "enabled-runtime", "static", "linked"):
        state = found.get("UnitFileState") or "not enabled"
        text = f"{unit} is {state}, so {effect} after the next boot. Enable it with: systemctl enable {unit}"
        yield Problem("timer", task, text)


def _check_service(layout: Layout, task: str, unit: str, found: Unit) -> Iterator[Problem]:
    """Report a unit that failed without a record of that run."""
    if found.get("ActiveState") != "failed":
        return
    newest = load_records(layout, task, 1)
    began = _find_start(found)
    if newest and parse_time(newest[0].started).timestamp() > began - START_SECONDS:
        return
    text = (
        f"{unit} failed ({found.get('Result') or 'unknown result'}), and the run left no record. Read the journal "
        f"with: journalctl -u {unit}"
    )
    yield Problem("unit", task, text)


def _find_start(found: Unit) -> float:
    """Return when the unit last began to start, in seconds since the epoch."""
    microseconds = int(found.get("InactiveExitTimestampMonotonic") or 0)
    return time.time() - time.clock_gettime(time.CLOCK_MONOTONIC) + microseconds / 1000000
