# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run two commands in turns, and compare their times, processor times and memory."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

Prepare = Callable[[], object]


@dataclasses.dataclass(frozen=True)
class Taken:
    """What one command took: ``seconds`` of the clock, ``cpu`` seconds and ``memory`` in bytes of all its processes.

    ``memory`` is that of the largest process.
    """

    seconds: float
    cpu: float
    memory: int


@dataclasses.dataclass(frozen=True)
class Pair:
    """The times of two commands that ran in turns: each round has both."""

    ours: list[Taken]
    theirs: list[Taken]

    @property
    def seconds(self) -> tuple[float, float]:
        """The medians, in seconds."""
        return _median(self.ours), _median(self.theirs)

    @property
    def more(self) -> float:
        """The median of the differences, in seconds."""
        return statistics.median(one.seconds - other.seconds for one, other in self._rounds())

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(one.seconds / other.seconds for one, other in self._rounds())

    @property
    def spread(self) -> str:
        """The smallest and the largest ratio."""
        ratios = sorted(one.seconds / other.seconds for one, other in self._rounds())
        return f"{ratios[0]:.2f} to {ratios[-1]:.2f}"

    @property
    def memory(self) -> tuple[int, int]:
        """The most memory of one process, in bytes."""
        return max(each.memory for each in self.ours), max(each.memory for each in self.theirs)

    def _rounds(self) -> list[tuple[Taken, Taken]]:
        return list(zip(self.ours, self.theirs, strict=True))


def _median(taken: Sequence[Taken]) -> float:
    return statistics.median(each.seconds for each in taken)


def compare(
    ours: Sequence[str],
    theirs: Sequence[str],
    rounds: int,
    environment: Mapping[str, str] | None = None,
    before: Prepare = lambda: None,
) -> Pair:
    """Run both commands ``rounds`` times, in turns, so that both see the same machine. ``before`` precedes each."""
    found: tuple[list[Taken], list[Taken]] = ([], [])
    for number in range(rounds):
        # Each is the first one in every second round, because the first one may find colder caches.
        for which in (0, 1) if number % 2 else (1, 0):
            before()
            found[which].append(take((ours, theirs)[which], environment))
    return Pair(*found)


def take(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Taken:
    """Run ``command`` and return what it took. Exit if it fails."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")
            sys.exit(f"{text[-4000:]}\n{command[0]} failed with exit code {process.returncode}.")
    return Taken(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def peak_memory(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Return the most memory of the process of ``command`` itself, without its children, in bytes."""
    peak = 0
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        with contextlib.suppress(OSError, StopIteration):
            lines = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
            peak = max(peak, next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")))
        time.sleep(0.02)
    if process.returncode:
        sys.exit(f"{command[0]} failed with exit code {process.returncode}.")
    return peak
