# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Start other programs: run short tools, follow long children line by line, and end them with their group."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Callable, Mapping, Optional, Sequence, Type

from .errors import CloudsyncError

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LINE_LENGTH = 8192
GRACE_SECONDS = 5.0
POLL_SECONDS = 0.1
REAP_SECONDS = 5.0

# The shell reads one word from the runner. If the runner dies in any way, the input ends without a word.
# There is no "--" before the group: dash takes it for a process id.
WATCH = 'read -r done && exit 0; kill -TERM "-$1"; sleep 5; kill -KILL "-$1"'


class ToolError(CloudsyncError):
    """A tool could not be run to its end. ``missing``: it does not exist. ``timed_out``: it was killed."""

    def __init__(self, message: str, missing: bool = False, timed_out: bool = False) -> None:
        super().__init__("usage" if missing else "other", message)
        self.missing = missing
        self.timed_out = timed_out


@dataclass(frozen=True)
class ToolResult:
    """How a tool ended. ``exit_code`` is negative after a signal."""

    exit_code: int
    raw_stdout: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        return self.raw_stdout.decode("utf-8", "replace")

    def find_last_line(self, default: str) -> str:
        """Return the last line that the tool wrote, of its errors if there are any."""
        lines = (self.stderr.strip() or self.stdout.strip()).splitlines()
        return lines[-1].strip() if lines else default


def run_tool(
    argv: Sequence[str], timeout: float, stdin: bytes = b"", environment: Optional[Mapping[str, str]] = None
) -> ToolResult:
    """Run a short-lived tool to its end. Raise ToolError if that is not possible within ``timeout`` seconds.

    Its environment is PATH, LANG and what ``environment`` adds or overrides. It has a session of its own, so that
    Ctrl-C reaches the runner only: a run that is stopped still needs its tools to clean up.
    """
    try:
        child = subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(argv),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": SEARCH_PATH, "LANG": "C.UTF-8", **(environment or {})},
            cwd="/",
            start_new_session=True,
        )
    except FileNotFoundError:
        raise ToolError(f"The command {argv[0]} does not exist on this host.", missing=True) from None
    except OSError as error:
        raise ToolError(f"Cannot run {argv[0]}: {error.strerror}.") from None
    try:
        output, errors = child.communicate(stdin or None, timeout)
    except subprocess.TimeoutExpired:
        _kill(child)
        raise ToolError(f"{argv[0]} timed out after {timeout:.0f} s.", timed_out=True) from None
    except BaseException:
        _kill(child)
        raise
    return ToolResult(child.returncode, output, errors.decode("utf-8", "replace"))


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill the group, without waiting for a process that a broken disk or network keeps in the kernel."""
    _signal_group(child.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(REAP_SECONDS)
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def start_detached(argv: Sequence[str], environment: Optional[Mapping[str, str]] = None) -> None:
    """Start a program that outlives this process. It inherits the environment unless one is passed."""
    subprocess.Popen(  # pylint: disable=ansible-bad-function
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


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
