# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run rclone as a child process with a live configuration and a built environment, and follow its output."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from dataclasses import dataclass, field
from typing import IO, Callable, Dict, List, Optional, Sequence

from ..common.accounts import find_account, make_child_setup
from ..common.errors import CloudsyncError
from ..common.stop_signal import StopFlag
from ..rclone.binary import Rclone, clean_environment
from .live_config import LiveConfig
from .pinned_folder import PinnedFolder

STOP_GRACE_SECONDS = 10
TICK_SECONDS = 0.5
Listener = Callable[[str], object]


@dataclass(frozen=True)
class Ended:
    """How a child ended. ``stopped``: we were asked to end it; ``timed_out``: its time was over."""

    exit_code: int
    stopped: bool = False
    timed_out: bool = False


@dataclass(frozen=True)
class Answer:
    """The output of a short command."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass
class Session:
    """Everything that one use of a credential needs to call rclone. rclone also holds the locks ``descriptors``.

    ``root`` is the bucket, or the top of the remote, as an argument of rclone. ``remote_path`` is the task's path in
    it. ``has_no_folders``: at the provider, folders are only parts of names. ``connection`` goes before every command.
    ``readable`` is for a command that writes a file which must be readable at once. ``local`` is the local side of the
    task, if it exists.
    """

    rclone: Rclone
    live: LiveConfig
    stop: StopFlag = field(default_factory=StopFlag)
    user: str = "root"
    descriptors: Sequence[int] = ()
    root: str = ""
    has_no_folders: bool = False
    remote_path: str = ""
    connection: Sequence[str] = ()
    readable: Sequence[str] = ()
    local: Optional[PinnedFolder] = None

    def stream(
        self,
        arguments: Sequence[str],
        on_error_line: Listener,
        on_output_line: Optional[Listener] = None,
        timeout: Optional[float] = None,
        stdin: bytes = b"",
        enough: Callable[[], bool] = lambda: False,
    ) -> Ended:
        """Run ``rclone ARGUMENTS`` and pass on its lines as they come. ``timeout`` is in seconds.

        Refreshed tokens are saved back during the run. When a stop is requested, the time limit is reached or
        ``enough()`` returns True, rclone gets SIGTERM and, ten seconds later, SIGKILL.
        """
        directory = os.open(self.live.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            child = self._start(arguments, directory, stdin)
            outputs = (self._show(on_error_line), self._show(on_output_line or _ignore))
            return _Pump(self, child, *outputs, timeout, enough).run()
        finally:
            os.close(directory)

    def query(
        self, arguments: Sequence[str], timeout: float = 300, stdin: bytes = b"", first_line_only: bool = False
    ) -> Answer:
        """Run a short command to its end, or to its first line of output. ``timeout`` is in seconds."""
        output: List[str] = []
        errors: List[str] = []
        ended = self.stream(
            arguments, errors.append, output.append, timeout, stdin, lambda: first_line_only and bool(output)
        )
        if ended.stopped:
            raise CloudsyncError("stopped", "The run was stopped.")
        if ended.timed_out:
            raise CloudsyncError(
                "network",
                f"rclone {arguments[0]} timed out after {timeout:.0f} s. Check the network and the provider's status.",
            )
        return Answer(ended.exit_code, "\n".join(output), "\n".join(errors))

    def _show(self, listener: Listener) -> Listener:
        """Return ``listener`` for lines in which the local side has its own path."""
        local = self.local
        return listener if local is None else lambda line: listener(local.show(line))

    def _start(self, arguments: Sequence[str], directory: int, stdin: bytes) -> subprocess.Popen[bytes]:
        pinned = () if self.local is None else (self.local.descriptor,)
        descriptors = (*self.descriptors, *self.live.descriptors, *pinned, directory)
        child = subprocess.Popen(  # pylint: disable=ansible-bad-function
            [self.rclone.path, *self._before(directory), *arguments],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(find_account(self.user).home),
            cwd="/",
            pass_fds=descriptors,
            preexec_fn=make_child_setup(self.user),
            start_new_session=True,
        )
        if stdin and child.stdin is not None:
            child.stdin.write(stdin)
            child.stdin.close()
        return child

    def _before(self, directory: int) -> List[str]:
        config = self._config_path(directory)
        return ["--config", config, "--ask-password=false", *self.live.arguments, *self.connection]

    def _config_path(self, directory: int) -> str:
        """Return the path of the configuration. Other users than root reach it only through the open directory."""
        if self.user == "root" or os.geteuid() != 0:
            return self.live.path
        return f"/proc/self/fd/{directory}/{os.path.basename(self.live.path)}"


class _Pump:
    """Reads both outputs line by line until the child ends, looking up every half second."""

    def __init__(
        self,
        session: Session,
        child: subprocess.Popen[bytes],
        on_error_line: Listener,
        on_output_line: Listener,
        timeout: Optional[float],
        enough: Callable[[], bool],
    ) -> None:
        self._session = session
        self._child = child
        self._listeners: Dict[str, Listener] = {"err": on_error_line, "out": on_output_line}
        self._rest: Dict[str, bytes] = {"err": b"", "out": b""}
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._enough = enough
        self._kill_at: Optional[float] = None
        self._stopped = self._timed_out = False

    def run(self) -> Ended:
        with selectors.DefaultSelector() as selector:
            for name, stream in (("err", self._child.stderr), ("out", self._child.stdout)):
                if stream is not None:
                    selector.register(stream, selectors.EVENT_READ, name)
            try:
                while selector.get_map():
                    for key, _events in selector.select(TICK_SECONDS):
                        self._read(selector, key.fileobj, key.data)  # type: ignore[arg-type]
                    self._look_up()
                return self._ended()
            except BaseException:
                self._child.kill()
                self._child.wait()
                raise

    def _read(self, selector: selectors.BaseSelector, stream: IO[bytes], name: str) -> None:
        chunk = os.read(stream.fileno(), 65536)
        *lines, self._rest[name] = (self._rest[name] + chunk).split(b"\n")
        if not chunk:
            selector.unregister(stream)
            stream.close()
            lines, self._rest[name] = [self._rest[name]], b""
        for line in lines:
            if line:
                self._listeners[name](line.decode("utf-8", "replace"))

    def _look_up(self) -> None:
        self._session.live.save_back()
        now = time.monotonic()
        if self._session.stop.requested and not self._stopped:
            self._stopped = True
            self._end_child(now)
        if self._deadline is not None and now > self._deadline and not self._timed_out:
            self._timed_out = True
            self._end_child(now)
        if self._kill_at is None and self._enough():
            self._end_child(now)
        if self._kill_at is not None and now > self._kill_at:
            self._child.kill()

    def _end_child(self, now: float) -> None:
        self._child.terminate()
        self._kill_at = now + STOP_GRACE_SECONDS

    def _ended(self) -> Ended:
        while True:
            try:
                exit_code = self._child.wait(TICK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                self._look_up()
        self._session.live.save_back()
        return Ended(exit_code, self._stopped or self._session.stop.requested, self._timed_out)


def _ignore(_line: str) -> None:
    return None
