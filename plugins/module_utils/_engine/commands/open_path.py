# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Open a path as root, without a symbolic link that another user can point anywhere."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import contextmanager, suppress
from typing import Iterator, List, Sequence

from ..common.errors import Refused

MOST_LINKS = 40


class _Walk:
    """The open directory that a walk along a path has reached."""

    def __init__(self, path: str, owner: int, make: bool) -> None:
        self._path = path
        self._owner = owner
        self._trusted = (0, os.geteuid(), owner)
        self._make = make
        self._links = 0
        self.reached = self._hold("/")

    def _hold(self, name: str) -> int:
        parent = None if name == "/" else self.reached
        return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)

    def step(self, name: str) -> List[str]:
        """Go to ``name``. Return the names to go to next if it is a link. Raise FileNotFoundError if it is missing."""
        try:
            found = self._hold(name)
        except FileNotFoundError:
            if not self._make:
                raise
            found = self._create(name)
        status = os.fstat(found)
        if not stat.S_ISLNK(status.st_mode):
            self._go(found)
            return []
        try:
            self._check_link(name, status.st_uid)
            target = os.readlink("", dir_fd=found)
        finally:
            os.close(found)
        if target.startswith("/"):
            self._go(self._hold("/"))
        return _split(target)

    def _go(self, descriptor: int) -> None:
        os.close(self.reached)
        self.reached = descriptor

    def _create(self, name: str) -> int:
        """Create the directory ``name``. It belongs to the user of the task, for root to the owner of its parent."""
        parent = os.stat(f"/proc/self/fd/{self.reached}")
        user, group = parent.st_uid, parent.st_gid
        if self._owner not in (0, os.geteuid()):
            user, group = self._owner, pwd.getpwuid(self._owner).pw_gid
        os.mkdir(name, 0o755, dir_fd=self.reached)
        made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.reached)
        os.fchmod(made, 0o755)
        if user != os.geteuid():
            os.fchown(made, user, group)
        return made

    def _check_link(self, name: str, owner: int) -> None:
        self._links += 1
        if owner not in self._trusted:
            raise Refused(
                "usage",
                f"Path {self._path} leads through the symbolic link {name!r} of user {name_user(owner)}, who can point "
                "it anywhere on this host. Set the task's user to that user, or path to a folder without that link.",
            )
        if self._links > MOST_LINKS:
            raise Refused("usage", f"Path {self._path} has more than {MOST_LINKS} symbolic links. Correct the links.")


@contextmanager
def open_path(path: str, owner: int = 0, make: bool = False, nearest: bool = False) -> Iterator[int]:
    """Open ``path`` and yield a descriptor that allows no reading and writing.

    A symbolic link on the way that belongs to another user than root, this process's and ``owner`` is refused. No link
    is followed between its check and its use. With ``make``, missing directories are created. With ``nearest``, the
    nearest existing parent replaces a missing path.
    """
    walk = _Walk(path, owner, make)
    try:
        left = _split(path)
        while left:
            try:
                left += walk.step(left.pop())
            except FileNotFoundError:
                if not nearest:
                    raise
                break
        yield walk.reached
    finally:
        os.close(walk.reached)


def make_folders(paths: Sequence[str], owner: int = 0) -> None:
    """Create the missing directories ``paths``. Leave those that cannot be created to rclone, which says why."""
    for path in paths:
        with suppress(OSError), open_path(path, owner, make=True):
            pass


def _split(path: str) -> List[str]:
    """Return the parts of ``path``, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def find_other_writer(path: str) -> str:
    """Return who can replace what is in ``path``, or the path itself: a user, a group, or empty for root only.

    A missing ``path`` is judged by its nearest existing parent.
    """
    with open_path(path, nearest=True) as found:
        place = os.readlink(f"/proc/self/fd/{found}")
    while True:
        status = os.stat(place)
        if status.st_uid not in (0, os.geteuid()):
            return f"user {name_user(status.st_uid)}"
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            return "every user"
        if status.st_mode & stat.S_IWGRP and status.st_gid != 0 and not status.st_mode & stat.S_ISVTX:
            return f"group {status.st_gid}"
        if place == "/":
            return ""
        place = os.path.dirname(place)


def name_user(uid: int) -> str:
    """Return the name of user id ``uid``, or the number if it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
