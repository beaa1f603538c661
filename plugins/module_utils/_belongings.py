# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""List what belongs to the runner on a host: what a removal removes, and what it keeps.

A removal never removes a directory that contains a mount, a file that another program wrote, or the folder of a task.
"""

from __future__ import annotations

import glob
import os
from typing import Callable, Dict, Iterator, List

from ._engine.common.errors import CloudsyncError, usage_error
from ._engine.common.flock import is_held
from ._engine.common.layout import Layout
from ._engine.common.mounts import is_below, read_mounts
from ._engine.config.stored_tasks import list_tasks, read_task
from ._engine.remote.live_uses import LOCK
from ._engine.remote.login_problems import UNSAVED, locate_uses
from ._engine.systemd.systemctl import is_running
from ._engine.systemd.unit_names import TEMPLATE, locate_drop_in, locate_seed_drop_in, locate_volatile_drop_in
from ._install import render_files

CACHES = ".rclone-"
CONFIG = ("seed", "credentials", "tasks", "purged")


def list_files(layout: Layout) -> List[str]:
    """Return the paths of all files outside of the engine that an installation may write, apart from tasks' units."""
    return [*render_files(layout, ""), locate_seed_drop_in(layout)]


def list_other_paths(layout: Layout, everything: bool) -> List[str]:
    """Return the other existing paths to remove. A directory is removed with its content."""
    found: List[str] = []
    for directory, is_kept in _select(layout, everything).items():
        found += _list_removable(directory, is_kept)
    found += [path for path in _list_drop_in_directories(layout) if not os.listdir(path)]
    return found + (sorted(glob.glob(locate_volatile_drop_in("*"))) if is_running(layout) else [])


def _select(layout: Layout, everything: bool) -> Dict[str, Callable[[str], bool]]:
    """Return the directories of cloudsync. A function tells which of their entries are kept."""
    own: Dict[str, Callable[[str], bool]] = {
        layout.engine_dir: lambda name: False,
        layout.run_dir: lambda name: not everything and _is_unsaved(layout, name),
        layout.root + "/run/cloudsync-snapshots": lambda name: True,
        layout.state_dir: lambda name: not everything and not name.startswith(CACHES),
        layout.log_dir: lambda name: not everything,
        layout.config_dir: lambda name: not everything or not _is_config(name),
    }
    return own


def _is_config(name: str) -> bool:
    """Return whether cloudsync wrote this entry of its configuration, such as ``seed`` or ``seed.damaged-TIME``."""
    return name in CONFIG or name.startswith(("seed.damaged-", ".seed."))


def _is_unsaved(layout: Layout, name: str) -> bool:
    """Return whether this entry of the run directory has a token or a record that is not saved (yet)."""
    if name == "unsaved":
        return bool(glob.glob(f"{glob.escape(layout.run_dir)}/unsaved/*/*"))
    uses = glob.glob(f"{glob.escape(locate_uses(layout))}/*")
    return name == "live" and any(os.path.exists(f"{use}/{UNSAVED}") or is_held(f"{use}/{LOCK}") for use in uses)


def _list_removable(directory: str, is_kept: Callable[[str], bool]) -> List[str]:
    """Return the entries to remove, or the directory itself if nothing in it is kept."""
    if not os.path.isdir(directory):
        return []
    mounts = [mount.point for mount in read_mounts()]
    real = os.path.realpath(directory)
    names = sorted(os.listdir(directory))
    removable = [
        name for name in names if not is_kept(name) and not any(is_below(point, f"{real}/{name}") for point in mounts)
    ]
    if removable == names and not os.path.islink(directory) and real not in mounts:
        return [directory]
    return [f"{directory}/{name}" for name in removable]


def _list_drop_in_directories(layout: Layout) -> List[str]:
    return sorted(glob.glob(f"{glob.escape(layout.unit_dir)}/cloudsync*.d"))


def list_kept(layout: Layout, everything: bool, rclone: str) -> List[Dict[str, str]]:
    """Return the paths that a removal keeps, and what each contains. ``rclone`` is the program that was used."""
    own = os.path.realpath(layout.engine_dir) + "/"
    found = dict.fromkeys(_list_foreign_drop_ins(layout), "Drop-in that cloudsync did not write")
    if rclone and os.path.exists(rclone) and not os.path.realpath(rclone).startswith(own):
        found[rclone] = "Program rclone, which cloudsync did not install"
    other = "Files that cloudsync did not write, or a mount"
    contents = {
        layout.config_dir: other if everything else "Seed, credentials and tasks",
        layout.state_dir: other if everything else "Records of runs",
        layout.log_dir: other if everything else "Logs of runs",
        layout.run_dir: other if everything else "Refreshed tokens and records that could not be saved",
    }
    for directory, is_kept in _select(layout, everything).items():
        if os.path.isdir(directory) and _list_removable(directory, is_kept) != [directory]:
            found[directory] = contents.get(directory, other)
    return [{"path": path, "content": content} for path, content in sorted(found.items())]


def _list_foreign_drop_ins(layout: Layout) -> Iterator[str]:
    for directory in _list_drop_in_directories(layout):
        unit = os.path.basename(directory)[: -len(".d")]
        task = unit[len("cloudsync@") : -len(".service")] if unit.startswith("cloudsync@") else ""
        ours = [locate_seed_drop_in(layout)] if unit == TEMPLATE else [locate_drop_in(layout, task)] if task else []
        for name in sorted(os.listdir(directory)):
            if f"{directory}/{name}" not in ours:
                yield f"{directory}/{name}"


def refuse_tasks_inside(layout: Layout, everything: bool) -> None:
    """Refuse a removal that would remove the folder of a task. A damaged task is refused if it may be concerned."""
    removed = [layout.engine_dir, layout.run_dir] + ([layout.state_dir, layout.log_dir] if everything else [])
    for name in list_tasks(layout):
        try:
            stored = read_task(layout, name)
        except CloudsyncError:
            if everything:
                raise
            continue
        path = os.path.realpath(stored["path"]) if stored else "/"
        for directory in removed:
            if stored and is_below(path, os.path.realpath(directory)):
                raise usage_error(
                    f"The path of task {name}, {stored['path']}, is inside {directory}, which would be removed. Move "
                    "it, or remove the task. Nothing was changed."
                )
