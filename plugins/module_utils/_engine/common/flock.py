# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Locks that end with the process that holds them: ``flock``, so nothing is ever stale."""

from __future__ import annotations

import fcntl
import os
import time
from types import TracebackType
from typing import Callable, Optional, Type, Union

from .errors import CloudsyncError
from .files import make_directory, read_text

QUEUE_SECONDS = 0.5


class Lock:
    """An flock on a file. A child process that inherits ``descriptor`` keeps the lock until it ends, too."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    def release(self) -> None:
        """Give up this process's share; a child that inherited the descriptor still holds its own."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def write(self, text: str) -> None:
        """Say in the lock file who holds it; read by read_holder()."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.release()


def try_lock(path: str) -> Optional[Lock]:
    """The lock on ``path``, or None when somebody else holds it now."""
    return _flock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def wait_lock(path: str) -> Lock:
    """The lock on ``path``, however long it takes: only for locks that are held for moments."""
    lock = _flock(path, fcntl.LOCK_EX)
    if lock is None:
        raise OSError(f"{path}: flock returned without the lock")
    return lock


def queue_for_lock(
    attempt: Callable[[], Union[Lock, str]], announce: Callable[[str], None], stop: Callable[[], bool], whom: str
) -> Lock:
    """Call ``attempt`` until it returns a lock. It returns a text that says who holds the lock otherwise.

    ``announce`` gets the text when it changes, and may raise an error to give up. If ``stop()`` is true, raise
    CloudsyncError("stopped"). ``whom`` says in its message what the run waited for.
    """
    announced = ""
    while True:
        found = attempt()
        if isinstance(found, Lock):
            return found
        if found != announced:
            announce(found)
            announced = found
        if stop():
            raise CloudsyncError("stopped", f"The run was stopped while it waited for {whom}.")
        time.sleep(QUEUE_SECONDS)


def _flock(path: str, operation: int) -> Optional[Lock]:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            make_directory(os.path.dirname(path), 0o700, 0o700)
            continue
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        if _is_still_at(path, descriptor):
            return Lock(path, descriptor)
        os.close(descriptor)


def _is_still_at(path: str, descriptor: int) -> bool:
    """Whether the locked file is the one that others will find: it may have been unlinked while we waited."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def is_held(path: str) -> bool:
    """Whether some process holds the lock on ``path`` right now. Several may look at once: none holds it for that."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def read_holder(path: str) -> Optional[str]:
    """What the holder wrote into the lock file, None when nobody holds it."""
    return read_text(path) if is_held(path) else None
