# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Where a snapshot is put together: directories and mounts that are taken apart again in reverse order."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Callable, List, Sequence

from ..common.errors import CloudsyncError
from ..common.files import make_directory
from ..common.mounts import read_mounts
from .model import Execute


class Bench:
    """One snapshot's directory, and all that has to be undone when it is over.

    ``directory`` may be entered by group ``gid`` and root only: the snapshot is seen there without the directories
    that guard the original. Raw volumes, in which more can be seen than the task's path, are root's alone.
    """

    def __init__(self, directory: str, execute: Execute, gid: int = 0) -> None:
        self.directory = directory
        self.execute = execute
        self._gid = gid
        self._undo: List[Callable[[], object]] = []
        self._count = 0

    def open(self) -> None:
        """Make the directories. Those above are for everybody to pass, nobody to read."""
        base = os.path.dirname(self.directory)
        make_directory(base, 0o711)
        make_directory(self.directory, 0o710)
        if os.geteuid() == 0:
            os.chown(self.directory, 0, self._gid)
        self.later(lambda: os.rmdir(self.directory))
        self._directory("volumes", 0o700)

    def later(self, action: Callable[[], object]) -> None:
        """Do this at the end, before what was asked for earlier."""
        self._undo.append(action)

    def tree(self) -> str:
        """The empty directory that becomes the snapshot of the task's path."""
        return self._directory("tree", 0o755)

    def new_directory(self) -> str:
        """An empty directory that only root can reach."""
        self._count += 1
        return self._directory(f"volumes/{self._count}", 0o700)

    def mount(self, options: Sequence[str], source: str, target: str) -> None:
        """Mount ``source``; a target that is busy at the end is detached, and gone when the last user is."""
        self.execute(["mount", *options, source, target])
        self.later(lambda: unmount(target, self.execute))

    def close(self) -> List[str]:
        """Undo everything, whatever fails; the sentences of what failed."""
        problems = []
        while self._undo:
            try:
                self._undo.pop()()
            except CloudsyncError as error:
                problems.append(error.message)
            except OSError as error:
                problems.append(f"{error.filename}: {error.strerror}.")
        return problems

    def _directory(self, name: str, mode: int) -> str:
        path = f"{self.directory}/{name}"
        make_directory(path, mode)
        self.later(lambda: os.rmdir(path))
        return path


def unmount(target: str, execute: Execute) -> None:
    """Take a mount away, at worst when its last user is gone."""
    try:
        execute(["umount", target])
    except CloudsyncError:
        # dmeventd has already unmounted an LVM snapshot that ran full.
        if any(mount.point == target for mount in read_mounts()):
            execute(["umount", "--lazy", target])


def remove_empty(directory: str) -> None:
    """Remove the directories that a killed run made in ``directory``.

    Never anything deeper: should one still be a mount, its content is the user's.
    """
    volumes = os.path.join(directory, "volumes")
    made = [os.path.join(directory, "tree")]
    if os.path.isdir(volumes):
        made += [os.path.join(volumes, name) for name in os.listdir(volumes)]
    for path in made:
        # Still mounted, or not there: what is left is told when its parent can't be removed.
        with suppress(OSError):
            os.rmdir(path)
