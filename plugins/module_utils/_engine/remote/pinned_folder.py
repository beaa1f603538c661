# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Hold a directory open, so that a child reaches it although its path leads elsewhere or is closed to the child.

The path of a task's local side can lead elsewhere at any moment: the volume is unmounted (also by ``umount --lazy``),
or the directory is replaced. Therefore all commands of a run use one open descriptor. They see the directory that the
guards have checked, or get an error. They never see the files below a mount point.

The folder of a live configuration belongs to the user of rclone, but the way to it is open to root only.
"""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from typing import Optional

from ..commands.open_path import open_path
from ..common.files import leads_to


class PinnedFolder:
    """An open directory. ``path`` leads every child that inherits ``descriptor`` to it, ``shown`` is its own path."""

    def __init__(self, path: str, owner: Optional[int] = None) -> None:
        """Open the directory ``path``. With ``owner``, refuse links of users that open_path() does not trust."""
        self.shown = path
        with nullcontext() if owner is None else open_path(path, owner) as found:
            place = path if found is None else f"/proc/self/fd/{found}"
            self.descriptor = os.open(place, os.O_PATH | os.O_DIRECTORY)
        self.path = f"/proc/self/fd/{self.descriptor}"
        self._pattern = re.compile(re.escape(self.path) + r"(?![0-9])")

    def is_current(self) -> bool:
        """Return whether the directory's own path still leads to it."""
        try:
            return leads_to(self.shown, self.descriptor)
        except OSError:  # an unplugged disk, or a folder on the way that was replaced by a file
            return False

    def show(self, text: str) -> str:
        """Return ``text`` with the directory's own path in place of ``path``."""
        return self._pattern.sub(lambda _match: self.shown, text)

    def __enter__(self) -> PinnedFolder:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self.descriptor)
