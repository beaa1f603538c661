# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Start other programs: run short tools, follow long children line by line, and end them with their group."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import IO, Callable, Iterator, Mapping, NamedTuple, Optional, Sequence

from .errors import CloudsyncError

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LINE_LENGTH, CHUNK_BYTES = 8192, 65536
# What a pipe can hold when its writer has ended. Something left in the background may go on writing.
DRAIN_BYTES = 2**20
GRACE_SECONDS = 5.0
POLL_SECONDS = 0.2

# Reads one word. If the runner dies, the input ends without it. dash would take a "--" for a process id.
WATCH = 'read -r done && exit 0; kill -TERM "-$1"; sleep 5; kill -KILL "-$1"'


class ToolError(CloudsyncError):
    """A tool could not be run to its end. ``missing``: it does not exist. ``timed_out``: it was killed."""

    def __init__(self, message: str, missing: bool = False, timed_out: bool = False) -> None:
        super().__init__("usage" if missing else "other", message)
        self.missing, self.timed_out = missing, timed_out


class ToolResult(NamedTuple):
    """How a tool ended. ``exit_code`` is negative after a signal."""

    exit_code: int
    raw_stdout: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        return self.raw_stdout.decode("utf-8", "replace")


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
    except BaseException as error:
        _signal_group(child.pid, signal.SIGKILL)
        # Not for ever: a broken disk can keep a killed process in the kernel.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
        if isinstance(error, subprocess.TimeoutExpired):
            raise ToolError(f"{argv[0]} timed out after {timeout:g} s.", timed_out=True) from None
        raise
    return ToolResult(child.returncode, output, errors.decode("utf-8", "replace"))


def start_detached(argv: Sequence[str]) -> None:
    """Start a program that outlives this process and inherits its environment."""
    subprocess.Popen(  # pylint: disable=ansible-bad-function
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _never() -> bool:
    return False


class SetupError(Exception):
    """The ``setup`` function of a child process failed."""


class Ended(NamedTuple):
    """How a child ended. ``exit_code`` is negative after a signal. The others tell why it was ended, if it was."""

    exit_code: int
    stopped: bool = False
    timed_out: bool = False
    stalled: bool = False


class Output:
    """Split what a child writes to a pipe into lines. ``exact``: split at line feeds only, at any length."""

    def __init__(self, stream: IO[bytes], say: Callable[[str], object], exact: bool) -> None:
        os.set_blocking(stream.fileno(), False)
        self.stream = stream
        self._say = say
        self._exact = exact
        self._rest = b""

    def read(self) -> int:
        """Pass on the complete lines that are in the pipe. Return the number of bytes, 0 if there are none."""
        try:
            chunk = os.read(self.stream.fileno(), CHUNK_BYTES)
        except BlockingIOError:
            return 0
        text = self._rest + chunk
        if not self._exact:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = text.split(b"\n")
        if not self._exact and len(self._rest) > LINE_LENGTH:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._pass_on(line)
        return len(chunk)

    def finish(self) -> None:
        """Pass on what is in the pipe now and the last, incomplete line. Close the pipe."""
        left = DRAIN_BYTES
        while left > 0:
            count = self.read()
            left -= count or left
        if self._rest:
            self._pass_on(self._rest)
        self.stream.close()

    def _pass_on(self, line: bytes) -> None:
        step = len(line) + 1 if self._exact else LINE_LENGTH
        for start in range(0, max(len(line), 1), step):
            # A name that rclone prints must reach it again unchanged.
            self._say(line[start : start + step].decode("utf-8", "surrogateescape" if self._exact else "replace"))


class Child:
    """A child process that leads a group of its own, and whose output is passed on line by line.

    Without ``on_error``, standard error goes where standard output goes. ``exact_lines``: see Output. ``stdin`` must
    fit into a pipe. ``setup`` runs in the child before the program, and the child keeps ``descriptors`` open.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        on_output: Callable[[str], object],
        on_error: Optional[Callable[[str], object]] = None,
        *,
        exact_lines: bool = False,
        stdin: bytes = b"",
        descriptors: Sequence[int] = (),
        setup: Optional[Callable[[], None]] = None,
    ) -> None:
        try:
            self._process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                list(argv),
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if on_error is None else subprocess.PIPE,
                env=environment,
                cwd="/",
                pass_fds=descriptors,
                preexec_fn=setup,
                start_new_session=True,
            )
        except subprocess.SubprocessError as error:
            raise SetupError(str(error)) from None
        self.pid = self._process.pid
        self._selector = selectors.DefaultSelector()
        for stream, say in ((self._process.stderr, on_error), (self._process.stdout, on_output)):
            if stream is not None and say is not None:
                self._selector.register(stream, selectors.EVENT_READ, Output(stream, say, exact_lines))
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self._process.stdin as feed:
                feed.write(stdin)

    def follow(
        self,
        timeout: Optional[float] = None,
        stop: Callable[[], bool] = _never,
        tick: Callable[[], object] = _never,
        enough: Callable[[], bool] = _never,
        grace: float = GRACE_SECONDS,
        leader_signals: Sequence[int] = (),
    ) -> Ended:
        """Pass on the output until the child has ended, which it is made to do as end() says.

        It is ended after ``timeout`` seconds, or once ``stop()`` or ``enough()`` is true. ``tick()`` is called all the
        while. If a function that is passed raises an error, the child is ended, too.
        """
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        stopped = timed_out = False

        def idle(seconds: float) -> None:
            self._read(seconds)
            tick()

        try:
            while self._process.poll() is None:
                idle(POLL_SECONDS)
                stopped = stop()
                timed_out = not stopped and time.monotonic() > deadline
                if stopped or timed_out or enough():
                    self.end(grace, leader_signals, idle)
            for key in list(self._selector.get_map().values()):
                key.data.finish()
            tick()
        except BaseException:
            self.end()
            raise
        finally:
            for key in list(self._selector.get_map().values()):
                key.data.stream.close()
            self._selector.close()
        return Ended(self._process.returncode, stopped, timed_out)

    def _read(self, seconds: float) -> None:
        """Pass on lines. Return after ``seconds``, or as soon as there is something new."""
        if self._process.returncode is None and not self._selector.get_map():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            return
        for key, _events in self._selector.select(seconds):
            if key.data.read() == 0:
                self._selector.unregister(key.fileobj)
                key.data.finish()

    def end(
        self, grace: float = GRACE_SECONDS, leader: Sequence[int] = (), idle: Callable[[float], object] = time.sleep
    ) -> None:
        """Send the signals ``leader`` to the child, or SIGTERM to its group. Send SIGKILL after ``grace`` seconds."""
        deadline = time.monotonic() + grace
        for number in leader:
            self._process.send_signal(number)
        if not leader:
            _signal_group(self.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            self._process.poll()
            if not _signal_group(self.pid, 0):
                break
            idle(POLL_SECONDS)
        _signal_group(self.pid, signal.SIGKILL)
        self._process.wait()


@contextlib.contextmanager
def watch_group(child: Child) -> Iterator[None]:
    """End the group that ``child`` leads if the runner dies within the block, also by SIGKILL.

    PR_SET_PDEATHSIG reaches one process only, and the children of a shell would go on.
    """
    watcher = subprocess.Popen(  # pylint: disable=ansible-bad-function
        ["/bin/sh", "-c", WATCH, "cloudsync-watch", str(child.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        start_new_session=True,
    )
    try:
        yield
    finally:
        watcher.communicate(b"done\n")


def _signal_group(pgid: int, number: int) -> bool:
    """Return whether the group had a process to signal."""
    try:
        os.killpg(pgid, number)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True
