# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run rclone as a child process with a live configuration and a built environment, and follow its output."""

from __future__ import annotations

import os
import re
import shlex
import signal
import time
from dataclasses import dataclass, field, replace
from typing import Callable, Iterable, List, Optional, Sequence

from ..commands.confine import Confinement
from ..commands.open_path import make_folders
from ..common.accounts import build_start_error, find_account, make_child_setup
from ..common.errors import CloudsyncError
from ..common.processes import Child, Ended, SetupError
from ..common.stop_signal import StopFlag
from ..config.credentials import Credential
from ..host import UNKNOWN, Identity
from ..rclone.binary import Rclone, build_clean_environment
from ..rclone.outcome import describe_stall
from .live_config import CRYPT, LiveConfig
from .pinned_folder import PinnedFolder
from .refreshed import REMOTE
from .stall_watch import StallWatch

GRACE_SECONDS = 10.0
PATIENCE_SECONDS = 600.0
JSON_LOG = ("--use-json-log", "--stats=1s", "--stats-log-level=NOTICE")
# How an argument begins that is a place at the provider.
PLACES = (REMOTE + ":", CRYPT + ":")
Listener = Callable[[str], object]
# Commands that write no line to the log, and take longer the more the remote contains.
SILENT = frozenset(("backend", "cleanup", "delete", "lsf", "lsjson", "purge", "size"))
SAY_SECONDS = 30.0
DESCRIPTOR = re.compile(r"/proc/self/fd/[0-9]+")


def _drop_line(_line: str) -> None:
    return None


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
    it. ``has_no_folders``: at the provider, folders are only parts of names. ``common`` goes before every command, and
    ``selection`` to each command that lists or transfers the task's files.
    ``readable`` is for a command that writes a file which must be readable at once. ``grace`` is the number of seconds
    between SIGTERM and SIGKILL. ``local`` is the local side of the task, if it exists. ``credential`` is that of the
    task. ``target`` is the path of a pull. ``writes`` are the folders of this host that rclone may write.
    ``patience`` is the number of seconds without progress after which a command is ended, 0 for no limit. ``host`` is
    who this host is.
    ``plan_file`` is the path for a plan that is too long for the memory.
    """

    rclone: Rclone
    live: LiveConfig
    stop: StopFlag = field(default_factory=StopFlag)
    user: str = "root"
    descriptors: Sequence[int] = ()
    root: str = ""
    has_no_folders: bool = False
    remote_path: str = ""
    common: Sequence[str] = ()
    selection: Sequence[str] = ()
    readable: Sequence[str] = ()
    grace: float = GRACE_SECONDS
    local: Optional[PinnedFolder] = None
    say: Listener = _drop_line
    credential: Optional[Credential] = field(default=None, repr=False)
    patience: float = PATIENCE_SECONDS
    target: str = ""
    writes: Sequence[str] = ()
    host: Identity = UNKNOWN
    plan_file: str = ""

    def select(self, names: Iterable[str], *options: str) -> Session:
        """Return a session that selects only the files ``names``, which may be any number."""
        return replace(self, selection=["--files-from-raw", self.live.add_filters(names), *options])

    @property
    def place(self) -> str:
        """The task's path at the provider as an argument of rclone, without decryption."""
        return f"{REMOTE}:{self.remote_path}"

    @property
    def local_path(self) -> str:
        """The path of the local side as the task has it; empty if there is none."""
        return self.local.show(self.local.path) if self.local is not None else ""

    def show(self, arguments: Sequence[str]) -> str:
        """Return a command of rclone as text, with the options of all commands, and the task's own path."""
        words = " ".join(map(shlex.quote, [*self.live.arguments, *self.common, *arguments]))
        words = words if self.local is None else self.local.show(words)
        # What is still a descriptor is the file with the filters or the names of this run.
        return DESCRIPTOR.sub("FILE", words)

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

        Refreshed tokens are saved back during the run. When a stop is requested, the time limit is reached, rclone
        makes no progress or ``enough()`` returns True, it gets SIGTERM and, ``grace`` seconds later, SIGKILL.
        """
        watch = StallWatch(self.patience)
        with PinnedFolder(self.live.directory) as directory:
            on_error, on_output = watch.hear_errors(on_error_line), watch.hear_output(on_output_line)
            child = self._start(arguments, directory, stdin, on_error, on_output)

            def is_enough() -> bool:
                return enough() or watch.check(child.pid)

            # SIGTERM goes to rclone only: it may still need its ssh to remove what it has half written. SIGUSR2 lifts
            # the bandwidth limit, which would delay this removal by up to a minute.
            ended = Ended(-1)
            try:
                ended = child.follow(
                    timeout,
                    lambda: self.stop.requested,
                    self._make_tick(arguments),
                    is_enough,
                    self.grace,
                    (signal.SIGUSR2, signal.SIGTERM) if "--bwlimit" in arguments else (signal.SIGTERM,),
                )
            finally:
                self.live.note_end(ended.exit_code, any(argument.startswith(PLACES) for argument in arguments))
            return ended._replace(stopped=ended.stopped or self.stop.requested, stalled=watch.is_stalled)

    def _make_tick(self, arguments: Sequence[str]) -> Callable[[], object]:
        """Return what to do while rclone is active: save tokens, and say how long a silent command has taken."""
        began = said = time.monotonic()

        def tick() -> None:
            nonlocal said
            self.live.save_back()
            now = time.monotonic()
            if arguments[0] in SILENT and now - said >= SAY_SECONDS:
                said = now
                place = arguments[-1] if self.local is None else self.local.show(arguments[-1])
                self.say(f"still active after {now - began:.0f} s: rclone {arguments[0]} {place}")

        return tick

    def query(
        self,
        arguments: Sequence[str],
        timeout: Optional[float] = None,
        stdin: bytes = b"",
        first_line_only: bool = False,
        on_output_line: Optional[Listener] = None,
    ) -> Answer:
        """Run a command to its end, or to its first line of output. ``timeout`` is in seconds.

        By default, a command may take any time, as long as it makes progress. With ``on_output_line``, the lines of a
        long output go there as they come, and not into the answer.
        """
        output: List[str] = []
        errors: List[str] = []
        hear = on_output_line or output.append
        ended = self.stream(arguments, errors.append, hear, timeout, stdin, lambda: first_line_only and bool(output))
        if ended.stopped:
            raise CloudsyncError("stopped", "The run was stopped.")
        if ended.stalled:
            raise CloudsyncError("stalled", f"rclone {arguments[0]} {describe_stall(self.patience)}")
        if ended.timed_out:
            raise CloudsyncError(
                "network",
                f"rclone {arguments[0]} timed out after {timeout:.0f} s. Check the network and the provider's status.",
            )
        return Answer(ended.exit_code, "\n".join(output), "\n".join(errors))

    def _start(
        self,
        arguments: Sequence[str],
        directory: PinnedFolder,
        stdin: bytes,
        on_error_line: Listener,
        on_output_line: Listener,
    ) -> Child:
        held = [folder.descriptor for folder in (directory, self.local) if folder is not None]
        setup = make_child_setup(self.user)
        # Other commands may need the local time, for example for the times of --bwlimit.
        zone = {"TZ": "UTC"} if arguments[0] == "lsf" else {}
        # The unit has private temporary directories. In a shell, other users can write in them, too.
        temporary = os.environ.get("TMPDIR") or directory.path
        try:
            with self._confine(directory, temporary) as confinement:
                return Child(
                    [self.rclone.path, *self._build_global_arguments(directory), *arguments],
                    {**build_clean_environment(find_account(self.user).home), "TMPDIR": temporary, **zone},
                    self._adapt(on_output_line),
                    self._adapt(on_error_line),
                    exact_lines=True,
                    stdin=stdin,
                    descriptors=(*self.descriptors, *self.live.descriptors, *held),
                    setup=confinement.make_setup(setup),
                )
        except SetupError:
            raise build_start_error(self.user) from None

    def make_folders(self) -> None:
        """Create the missing ones of ``writes``, because rclone cannot write in the folders above them."""
        make_folders(self.writes, find_account(self.user).uid)

    def _confine(self, directory: PinnedFolder, temporary: str) -> Confinement:
        """Return the confinement of rclone: ``writes``, but the local side as it was opened, and its own files."""
        pinned = [each for each in (self.local,) if each is not None and each.shown in self.writes]
        paths = [path for path in (temporary, *self.writes) if path not in [each.shown for each in pinned]]
        descriptors = [directory.descriptor, *(each.descriptor for each in pinned)]
        return Confinement(paths, descriptors, find_account(self.user).uid)

    def _adapt(self, listener: Listener) -> Listener:
        """Return ``listener`` without empty lines, and with the task's own path in place of the open directory."""
        show = str if self.local is None else self.local.show
        return lambda line: line and listener(show(line))

    def _build_global_arguments(self, directory: PinnedFolder) -> List[str]:
        config = self._get_config_path(directory)
        # Lines of JSON tell the name of a file from an error.
        return ["--config", config, "--ask-password=false", *JSON_LOG, *self.live.arguments, *self.common]

    def _get_config_path(self, directory: PinnedFolder) -> str:
        """Return the path of the configuration. Other users than root reach it only through the open directory."""
        if self.user == "root" or os.geteuid() != 0:
            return self.live.path
        return f"{directory.path}/{os.path.basename(self.live.path)}"
