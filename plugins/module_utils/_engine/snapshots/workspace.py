# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Make the directories and mounts of a snapshot, and undo them in reverse order."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Callable, List, Sequence

from ..common.errors import CloudsyncError
from ..common.files import make_directory
from ..common.mounts import read_mounts
from .model import Execute


class Bench:
    """The directory of one snapshot, and the actions that undo it.

    Only root and group ``gid`` can enter ``directory``, because the view does not have the parent directories that
    protect the original. Only root can enter raw volumes, because they show more than the task's path.
    """

    def __init__(self, directory: str, execute: Execute, gid: int = 0) -> None:
        self.directory = directory
        self.execute = execute
        self._gid = gid
        self._undo: List[Callable[[], object]] = []
        self._count = 0

    def open(self) -> None:
        """Make the directories. Every user can pass through the parent, but not list it."""
        base = os.path.dirname(self.directory)
        make_directory(base, 0o711)
        make_directory(self.directory, 0o710)
        if os.geteuid() == 0:
            os.chown(self.directory, 0, self._gid)
        self.later(lambda: os.rmdir(self.directory))
        self._directory("volumes", 0o700)

    def later(self, action: Callable[[], object]) -> None:
        """Add ``action`` to those of close(), which runs the last one first."""
        self._undo.append(action)

    def tree(self) -> str:
        """Make the empty directory for the view of the task's path."""
        return self._directory("tree", 0o755)

    def new_directory(self) -> str:
        """Make an empty directory that only root can reach."""
        self._count += 1
        return self._directory(f"volumes/{self._count}", 0o700)

    def mount(self, options: Sequence[str], source: str, target: str) -> None:
        """Mount ``source`` on ``target`` until close()."""
        self.execute(["mount", *options, source, target])
        self.later(lambda: unmount(target, self.execute))

    def close(self) -> List[str]:
        """Undo everything, even if a part fails. Return a sentence for each failure."""
        problems = []
        while self._undo:
            try:
                self._undo.pop()()
            except CloudsyncError as error:
                problems.append(error.message)
            except OSError as error:
                problems.append(f"Cannot remove {error.filename}: {error.strerror}.")
        return problems

    def _directory(self, name: str, mode: int) -> str:
        path = f"{self.directory}/{name}"
        make_directory(path, mode)
        self.later(lambda: os.rmdir(path))
        return path


def unmount(target: str, execute: Execute) -> None:
    """Unmount ``target``. If it is busy, detach it: the kernel removes it after its last use."""
    try:
        execute(["umount", target])
    except CloudsyncError:
        # dmeventd itself unmounts an LVM snapshot that ran out of space.
        if any(mount.point == target for mount in read_mounts()):
            execute(["umount", "--lazy", target])


def remove_empty(directory: str) -> None:
    """Remove the directories that a killed run made in ``directory``.

    Remove nothing below them: if one is still a mount, its content belongs to the user.
    """
    volumes = os.path.join(directory, "volumes")
    made = [os.path.join(directory, "tree")]
    if os.path.isdir(volumes):
        made += [os.path.join(volumes, name) for name in os.listdir(volumes)]
    for path in made:
        # It may be a mount or missing. If it remains, the removal of its parent fails and is reported.
        with suppress(OSError):
            os.rmdir(path)
