# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Groups of processes: follow their output, end them, and never let them outlive the runner."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from types import TracebackType
from typing import Callable, Optional, Type

LINE_LENGTH = 8192
GRACE_SECONDS = 5.0
POLL_SECONDS = 0.1

# Reads one word from the runner. The runner's death ends the input without one, however it died.
# Without "--": dash takes that for a process id.
WATCH = 'read -r done && exit 0; kill -TERM "-$1"; sleep 5; kill -KILL "-$1"'


class Lines:
    """Splits what comes out of a pipe into lines, without ever waiting for an end that may not come."""

    def __init__(self, descriptor: int, say: Callable[[str], None]) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._say = say
        self._rest = b""
        self._open = True

    def read(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for output and pass on the whole lines; whether there was any."""
        if not self._open:
            time.sleep(seconds)
            return False
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return False
        chunk = os.read(self._descriptor, 65536)
        if not chunk:
            self._open = False
            return False
        lines = (self._rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > LINE_LENGTH:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._pass_on(line)
        return True

    def finish(self) -> None:
        """Pass on what is in the pipe now, the last unfinished line included."""
        # Bounded, because something left in the background may write for ever.
        deadline = time.monotonic() + 1.0
        while self._open and time.monotonic() < deadline and self.read(0):
            pass
        if self._rest:
            self._pass_on(self._rest)
            self._rest = b""

    def _pass_on(self, line: bytes) -> None:
        for start in range(0, max(len(line), 1), LINE_LENGTH):
            self._say(line[start : start + LINE_LENGTH].decode("utf-8", "replace"))


class GroupWatch:
    """While open, the process group that ``leader`` leads is ended when the runner dies, also by SIGKILL.

    PR_SET_PDEATHSIG reaches one process only; a shell's children would go on. An exception ends the group, too.
    """

    def __init__(self, leader: subprocess.Popen[bytes]) -> None:
        self._leader = leader
        self._watcher = subprocess.Popen(  # pylint: disable=ansible-bad-function
            ["/bin/sh", "-c", WATCH, "cloudsync-watch", str(leader.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            start_new_session=True,
        )

    def __enter__(self) -> GroupWatch:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if kind is not None:
            end_group(self._leader)
        self._watcher.communicate(b"done\n")


def end_group(process: subprocess.Popen[bytes], idle: Callable[[float], object] = time.sleep) -> None:
    """SIGTERM to the group that ``process`` leads, SIGKILL after GRACE_SECONDS; ``idle`` waits some seconds."""
    deadline = time.monotonic() + GRACE_SECONDS
    _signal_group(process.pid, signal.SIGTERM)
    while time.monotonic() < deadline:
        process.poll()
        if not _signal_group(process.pid, 0):
            break
        idle(POLL_SECONDS)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(pgid: int, number: int) -> bool:
    """Whether the group had a process to signal."""
    try:
        os.killpg(pgid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def exit_status(returncode: int) -> int:
    """Popen's return code as a shell would say it: 128 + N after signal N."""
    return returncode if returncode >= 0 else 128 - returncode
