# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Find the installed engines of a host, and remove those that no process uses.

Each version of the engine is in a folder of its own, ``engine-DIGEST``, and the link ``current`` points to one of
them. A start of the command resolves the link once and holds a shared lock on that folder for as long as it runs, so
that it always imports from one version. A folder without a shared lock that is not current has no user.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import List

from ..common.flock import try_lock
from ..common.layout import Layout

PREFIX = "engine-"


def lock_path(layout: Layout) -> str:
    """Return the path of the lock to hold while engines are written or removed."""
    return layout.run_dir + "/locks/engine"


def find_current(layout: Layout) -> str:
    """Return the name of the folder that the command starts from, empty if there is none."""
    try:
        return os.path.basename(os.readlink(layout.current_engine))
    except OSError:
        return ""


def list_unused(layout: Layout) -> List[str]:
    """Return the paths of all engine folders except the current one, incomplete ones included."""
    current = find_current(layout)
    names = os.listdir(layout.engine_dir) if os.path.isdir(layout.engine_dir) else []
    return [f"{layout.engine_dir}/{name}" for name in sorted(names) if name.startswith(PREFIX) and name != current]


def remove_unused(layout: Layout) -> bool:
    """Remove the engines that no process uses. Return whether all were removed. The caller holds the lock."""
    removed = [_remove(path) for path in list_unused(layout)]
    return all(removed)


def clean_up(layout: Layout) -> None:
    """Remove the engines that no process uses, unless an upgrade is in progress."""
    if not list_unused(layout):
        return
    lock = try_lock(lock_path(layout))
    if lock is not None:
        with lock:
            remove_unused(layout)


def _remove(path: str) -> bool:
    """Remove one engine unless a process holds its shared lock. A command that starts later resolves the link again."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
