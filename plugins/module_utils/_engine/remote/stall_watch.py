# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Notice that a command of rclone makes no progress."""

from __future__ import annotations

import time
from typing import Callable, Optional, Tuple

from ..rclone.log_lines import Stats, parse_line

# rclone hashes a large file before it uploads it, and its statistics do not change meanwhile. Connections that fail and
# are opened again read much less than this.
LEAST_BYTES = 2**20
LOOK_SECONDS = 1.0
Progress = Tuple[int, ...]
Listener = Callable[[str], object]


class StallWatch:
    """Watch one command. Progress is output, a change of rclone's statistics, or a MiB that it reads.

    ``seconds`` without progress are a stall, 0 for no limit.
    """

    def __init__(self, seconds: float) -> None:
        self.is_stalled = False
        self._seconds = seconds
        self._last = self._looked = time.monotonic()
        self._progress: Optional[Progress] = None
        self._bytes_read = 0

    def hear_output(self, listener: Optional[Listener]) -> Listener:
        """Return ``listener`` for the lines of standard output, which are progress."""

        def hear(line: str) -> None:
            self.see_output()
            if listener is not None:
                listener(line)

        return hear

    def hear_errors(self, listener: Listener) -> Listener:
        """Return ``listener`` for the lines of standard error."""

        def hear(line: str) -> None:
            self.see_error_line(line)
            listener(line)

        return hear

    def see_output(self) -> None:
        """Note a line of standard output."""
        self._last = time.monotonic()

    def see_error_line(self, line: str) -> None:
        """Note a line of standard error. Only statistics are progress: errors may repeat for ever."""
        stats = parse_line(line) if '"stats":' in line else None
        if isinstance(stats, Stats):
            progress = _get_progress(stats)
            if progress != self._progress:
                self._progress, self._last = progress, time.monotonic()

    def check(self, pid: int) -> bool:
        """Return whether the command, whose process is ``pid``, has stalled."""
        now = time.monotonic()
        if self._seconds and now - self._looked >= LOOK_SECONDS:
            self._looked = now
            count = _count_bytes_read(pid)
            if count - self._bytes_read >= LEAST_BYTES:
                self._bytes_read, self._last = count, now
            self.is_stalled = now - self._last > self._seconds
        return self.is_stalled


def _get_progress(stats: Stats) -> Progress:
    done = (stats.bytes, stats.transfers, stats.checks, stats.deletes, stats.deleted_dirs, stats.renames, stats.listed)
    return (*done, stats.total_bytes, stats.total_transfers, stats.total_checks)


def _count_bytes_read(pid: int) -> int:
    """Return how much a process has read from files and connections, 0 if the kernel does not tell."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as stream:
            return int(stream.readline().rpartition(":")[2])
    except (OSError, ValueError):
        return 0
