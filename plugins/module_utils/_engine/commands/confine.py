# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Confine rclone with Landlock: the kernel lets it write below the folders of its task only.

Someone who can write in the destination of a pull can plant a symbolic link there at any moment. No check before the
transfer closes that gap, because rclone follows the link later. Landlock decides by the file that is opened, in a unit
and in a shell alike, and it also binds root.
"""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress
from typing import Callable, Sequence

from ..common.errors import CloudsyncError
from .open_path import open_path

# The same numbers on every architecture that Debian, RHEL and SUSE support.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1
PR_SET_NO_NEW_PRIVS = 38
WRITE_FILE, REFER, TRUNCATE = 1 << 1, 1 << 13, 1 << 14
# Write, remove, and make files of every kind.
CHANGE = WRITE_FILE | 0b1_1111_1111 << 4
# New files are for the user of the task only. Otherwise a pull would publish what was private at its source.
UMASK = 0o077

_LIBC = ctypes.CDLL(None, use_errno=True)


def find_version() -> int:
    """Return the kernel's version of Landlock, 0 if it has none or does not allow it."""
    return max(_call(CREATE_RULESET, None, 0, ASK_VERSION), 0)


def _call(number: int, *arguments: object) -> int:
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return int(_LIBC.syscall(ctypes.c_long(number), *words))


class Confinement:
    """The folders that a child process may write. Without Landlock, it may write everywhere."""

    def __init__(self, paths: Sequence[str], descriptors: Sequence[int] = (), owner: int = 0) -> None:
        """Allow ``paths``, opened as open_path() does, and ``descriptors``. A missing path is not allowed."""
        self._handled = _list_handled(find_version())
        self._ruleset = -1
        if not self._handled:
            return
        content = struct.pack("=Q", self._handled)
        self._ruleset = _call(CREATE_RULESET, content, len(content), 0)
        if self._ruleset < 0:
            raise CloudsyncError("other", f"Landlock failed: {os.strerror(ctypes.get_errno())}.")
        for path in (*paths, os.devnull):
            with suppress(OSError), open_path(path, owner) as opened:
                self._allow(opened)
        for descriptor in descriptors:
            self._allow(descriptor)

    def _allow(self, descriptor: int) -> None:
        is_directory = os.path.isdir(f"/proc/self/fd/{descriptor}")
        rights = self._handled if is_directory else self._handled & (WRITE_FILE | TRUNCATE)
        content = struct.pack("=Qi", rights, descriptor)
        if _call(ADD_RULE, self._ruleset, PATH_BENEATH, content, 0) != 0:
            raise CloudsyncError("other", f"Landlock failed: {os.strerror(ctypes.get_errno())}.")

    def make_setup(self, then: Callable[[], None]) -> Callable[[], None]:
        """Return a ``preexec_fn`` that confines the child, and then calls ``then``."""
        ruleset = self._ruleset

        def setup() -> None:
            os.umask(UMASK)
            if ruleset >= 0 and (
                _LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or _call(RESTRICT_SELF, ruleset, 0) != 0
            ):
                raise OSError(ctypes.get_errno(), "landlock_restrict_self")
            then()

        return setup

    def __enter__(self) -> Confinement:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._ruleset >= 0:
            os.close(self._ruleset)


def _list_handled(version: int) -> int:
    """Return the rights that this version of Landlock can restrict. Version 1 never lets a file change its folder."""
    if version < 1:
        return 0
    return CHANGE | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
