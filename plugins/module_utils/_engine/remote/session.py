# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""rclone as a child process: one live configuration, a built environment, and somebody who listens to it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Callable, List, Optional, Sequence

from ..common.accounts import build_start_error, find_account, make_child_setup
from ..common.errors import CloudsyncError
from ..common.processes import Child, Ended, SetupError
from ..common.stop_signal import StopFlag
from ..rclone.binary import Rclone, clean_environment
from .live_config import LiveConfig

GRACE_SECONDS = 10.0
Listener = Callable[[str], object]


@dataclass(frozen=True)
class Answer:
    """What a short command said."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass
class Session:
    """All that one use of a credential needs to call rclone. ``descriptors`` are locks that rclone is to hold, too.

    ``root`` is the bucket, or the top of the remote, as rclone's argument, and ``remote_path`` where within the account
    it works. ``has_no_folders``: at the provider folders are but parts of names. ``connection`` goes before every
    command, ``readable`` before one that writes what has to be read again at once. ``grace`` is the number of seconds
    between SIGTERM and SIGKILL.
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
    grace: float = GRACE_SECONDS

    def stream(
        self,
        arguments: Sequence[str],
        on_error_line: Listener,
        on_output_line: Optional[Listener] = None,
        timeout: Optional[float] = None,
        stdin: bytes = b"",
        enough: Callable[[], bool] = lambda: False,
    ) -> Ended:
        """Run ``rclone ARGUMENTS`` and hand over its lines as they come. ``timeout`` in seconds.

        Refreshed tokens are saved back all the while. When the stop flag is set, the time is over, or ``enough()`` is
        true, rclone gets SIGTERM and, ``grace`` seconds later, SIGKILL.
        """
        directory = os.open(self.live.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            child = self._start(arguments, directory, stdin, on_error_line, on_output_line)
            # SIGTERM goes to rclone only: it may still need its ssh to remove what it has half written.
            ended = child.follow(
                timeout, lambda: self.stop.requested, self.live.save_back, enough, self.grace, leader_only=True
            )
            return replace(ended, stopped=ended.stopped or self.stop.requested)
        finally:
            os.close(directory)

    def query(
        self, arguments: Sequence[str], timeout: float = 300, stdin: bytes = b"", first_line_only: bool = False
    ) -> Answer:
        """Run a short command to its end, or to its first line of output. ``timeout`` in seconds."""
        output: List[str] = []
        errors: List[str] = []
        ended = self.stream(
            arguments, errors.append, output.append, timeout, stdin, lambda: first_line_only and bool(output)
        )
        if ended.stopped:
            raise CloudsyncError("stopped", "The run was stopped.")
        if ended.timed_out:
            raise CloudsyncError("network", f"rclone {arguments[0]} gave no answer within {timeout:.0f} seconds.")
        return Answer(ended.exit_code, "\n".join(output), "\n".join(errors))

    def _start(
        self,
        arguments: Sequence[str],
        directory: int,
        stdin: bytes,
        on_error_line: Listener,
        on_output_line: Optional[Listener],
    ) -> Child:
        try:
            return Child(
                [self.rclone.path, *self._before(directory), *arguments],
                clean_environment(find_account(self.user).home),
                _skip_empty(on_output_line or _ignore),
                _skip_empty(on_error_line),
                exact_lines=True,
                stdin=stdin,
                descriptors=(*self.descriptors, *self.live.descriptors, directory),
                setup=make_child_setup(self.user),
            )
        except SetupError:
            raise build_start_error(self.user) from None

    def _before(self, directory: int) -> List[str]:
        config = self._config_path(directory)
        return ["--config", config, "--ask-password=false", *self.live.arguments, *self.connection]

    def _config_path(self, directory: int) -> str:
        """Another user can't walk to the live configuration, but can reach it through the open directory."""
        if self.user == "root" or os.geteuid() != 0:
            return self.live.path
        return f"/proc/self/fd/{directory}/{os.path.basename(self.live.path)}"


def _skip_empty(listener: Listener) -> Listener:
    return lambda line: line and listener(line)


def _ignore(_line: str) -> None:
    return None
