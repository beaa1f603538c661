# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Locks that end with the process that holds them. ``flock`` leaves no stale locks."""

from __future__ import annotations

import fcntl
import os
import time
from typing import Callable, Optional, Union

from .errors import CloudsyncError
from .files import leads_to, make_directory, read_text

QUEUE_SECONDS = 0.5


class Lock:
    """An flock on a file. A child process that inherits ``descriptor`` keeps the lock until it ends, too."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    def release(self) -> None:
        """Release the lock of this process. A child that inherited the descriptor still holds it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def write(self, text: str) -> None:
        """Write the name of the holder into the lock file, for read_holder()."""
        try:
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, text.encode(), 0)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.path) from None

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()


def try_lock(path: str) -> Optional[Lock]:
    """Return the lock on ``path``, or None if another process holds it."""
    return _flock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def wait_lock(path: str) -> Lock:
    """Wait for the lock on ``path`` without a time limit. Use it only for locks that are held for a short time."""
    lock = _flock(path, fcntl.LOCK_EX)
    if lock is None:
        raise OSError(f"{path}: flock returned without the lock")
    return lock


def queue_for_lock(
    attempt: Callable[[], Union[Lock, str]], announce: Callable[[str], None], stop: Callable[[], bool], what: str
) -> Lock:
    """Call ``attempt`` until it returns a lock. It returns a text that says who holds the lock otherwise.

    ``announce`` gets the text when it changes, and may raise an error to give up. If ``stop()`` is true, raise
    CloudsyncError("stopped"). ``what`` names in its message what the run waited for.
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
            raise CloudsyncError("stopped", f"The run was stopped while it waited for {what}.")
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
        if leads_to(path, descriptor):  # it may have been removed during the wait
            return Lock(path, descriptor)
        os.close(descriptor)


def is_held(path: str) -> bool:
    """Return whether a process holds the lock on ``path``. Several calls at the same time do not affect each other."""
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
    """Return the text that the holder wrote into the lock file, None if no process holds the lock."""
    return read_text(path) if is_held(path) else None
