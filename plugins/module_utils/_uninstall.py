# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Remove the runner: stop its timers and runs, then remove its files. See _belongings.py for what is kept.

Another call completes a removal that was killed. An installation gives the stored tasks their timers again.
"""

from __future__ import annotations

import os
import shutil
from typing import Dict, List, Mapping, Sequence

from ._belongings import list_files, list_kept, list_other_paths, refuse_tasks_inside
from ._engine.common.errors import CloudsyncError, system_error
from ._engine.common.files import list_names, remove
from ._engine.common.flock import try_lock, wait_lock
from ._engine.common.layout import Layout
from ._engine.config.credential_store import store_lock
from ._engine.config.stored_tasks import list_tasks
from ._engine.config.task_store import load_task
from ._engine.health import textfile
from ._engine.host import Host
from ._engine.locks.hold import locate_task_lock
from ._engine.operations.stop import finish_removal, list_locked_runs, read_removed, stop_task
from ._engine.remote.live_uses import sweep_live
from ._engine.runs.records import is_active
from ._engine.runs.recovery import sweep
from ._engine.snapshots.snapshot import locate_notes
from ._engine.systemd import engines, unit_names
from ._engine.systemd.install import UnitChange, apply_units, read_units
from ._engine.systemd.stored_units import list_names_with_units
from ._engine.systemd.systemctl import is_running, systemctl
from ._install import Outcome, View, list_links, read_installed, shorten_files

NOTHING: View = {
    "engine": "",
    "files": {},
    "rclone": "",
    "textfile": "",
    "watched": False,
    "tasks": {},
    "runs": {},
    "paths": [],
}


def converge_removal(host: Host, everything: bool, check_mode: bool) -> Outcome:
    """Remove the runner. ``everything`` also removes seed, credentials, tasks, records and logs, but never user data.

    In the diff, ``runs`` are the active runs, which are stopped, and ``paths`` are the other files and directories.
    """
    layout = host.layout
    warnings: List[str] = []
    refuse_tasks_inside(layout, everything)
    before = _read(layout, everything)
    if before != NOTHING and not check_mode:
        warnings = _Removal(host, everything, before).perform()
    shown = shorten_files(before, {})
    return Outcome(shown, NOTHING, list_kept(layout, everything, before["rclone"]), warnings)


def _read(layout: Layout, everything: bool) -> View:
    installed = read_installed(layout, list_files(layout))
    return {
        **installed,
        "watched": any(map(os.path.islink, list_links(layout))),
        "tasks": {name: read_units(layout, name) for name in list_names_with_units(layout)},
        "runs": _list_active_runs(layout),
        "paths": list_other_paths(layout, everything),
    }


def _list_active_runs(layout: Layout) -> Dict[str, List[str]]:
    locked = list_locked_runs(layout)
    active = {task: [run_id for run_id in ids if is_active(layout, task, run_id)] for task, ids in locked.items()}
    return {task: ids for task, ids in active.items() if ids}


class _Removal:
    """One removal, in an order in which no run ends without a record, and nothing starts again."""

    def __init__(self, host: Host, everything: bool, before: View) -> None:
        self._host = host
        self._layout = host.layout
        self._everything = everything
        self._before = before
        self._said: List[str] = []

    def perform(self) -> List[str]:
        """Remove all. Return sentences for the user."""
        self._stop_timers(list(self._before["tasks"]))
        self._stop_runs(self._before["runs"])
        # Nothing starts from now on, but a run may have started until now.
        remove(self._layout.command)
        self._stop_runs(_list_active_runs(self._layout))
        self._recover()
        if self._everything:
            self._close_alerts()
        with wait_lock(engines.lock_path(self._layout)):
            self._remove_files()
        return self._said

    def _stop_timers(self, names: Sequence[str]) -> None:
        if is_running(self._layout):
            systemctl("stop", "cloudsync-watch.*", "cloudsync@*.timer")
        with store_lock(self._layout):
            apply_units(self._layout, [UnitChange(name) for name in names])

    def _stop_runs(self, runs: Mapping[str, Sequence[str]]) -> None:
        if is_running(self._layout):
            systemctl("stop", "cloudsync@*.service")
        for task, ids in runs.items():
            stop_task(self._layout, task)
            self._said += [f"Run {run_id} of task {task} was active. It was stopped." for run_id in ids]

    def _recover(self) -> None:
        """Close the records of killed runs, remove their snapshots, and save refreshed tokens."""
        notes = {name for name in list_tasks(self._layout) if list_names(locate_notes(self._layout, name))}
        for name in sorted({*list_locked_runs(self._layout), *notes}):
            try:
                self._sweep(name)
            except CloudsyncError as error:
                self._said.append(f"A killed run of task {name} was not recovered: {error.message}")
            except OSError as error:
                self._said.append(f"A killed run of task {name} was not recovered: {system_error(error).message}")
        self._said += [text for text in sweep_live(self._layout).problems if text not in self._said]

    def _sweep(self, name: str) -> None:
        lock = try_lock(locate_task_lock(self._layout, name))
        if lock is None:
            raise CloudsyncError("locked", "Another process holds its lock.")
        with lock:
            sweep(self._host, load_task(self._layout, self._host.seed, name), self._said.append)

    def _close_alerts(self) -> None:
        names = list_tasks(self._layout)
        self._said += finish_removal(self._layout, names, [t for name in names for t in read_removed(self._host, name)])

    def _remove_files(self) -> None:
        if is_running(self._layout):
            systemctl("stop", unit_names.HELPER_SOCKET_NAME.replace(".", "*."))
        if self._before["textfile"]:
            textfile.set_directory(self._layout, self._before["textfile"], "")
        for path in (*list_files(self._layout), *list_links(self._layout)):
            remove_path(path)
        for path in list_other_paths(self._layout, self._everything):
            remove_path(path)
        if is_running(self._layout):
            systemctl("daemon-reload")
            systemctl("reset-failed", "cloudsync*")


def remove_path(path: str) -> None:
    """Remove a file, a link or a directory with its content."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.isdir(os.path.dirname(path)):
        remove(path)
