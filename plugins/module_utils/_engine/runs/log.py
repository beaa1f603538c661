# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Write the log of one run. Each line begins with its time. A long log keeps its beginning and its end."""

from __future__ import annotations

import os
import time
from typing import Callable, Iterable, List, Optional

from ..common.errors import CloudsyncError
from ..common.files import list_names, make_directory, remove
from ..common.layout import Layout
from ..common.text import (
    describe_outcome,
    escape_controls,
    format_count,
    format_duration,
    format_now,
    format_places,
    format_size,
)
from ..config.credentials import Credential
from ..config.tasks import Encryption, Task
from ..host import VERSION
from ..notify.redaction import Redactor, hide_in_error
from ..notify.targets import redact_text
from .records import Record, locate_log

LOG_MODE = 0o640
LAST_LINES = 20
# A log that reaches MOST_BYTES keeps HEAD_BYTES of its beginning and TAIL_BYTES of its end.
MOST_BYTES, HEAD_BYTES, TAIL_BYTES = 16 * 2**20, 4 * 2**20, 8 * 2**20
KEPT_LOGS = 100
STARTERS = {"timer": "its timer", "manual": "a command"}
KEPT_LOG_DAYS = 90
KEPT_LOG_BYTES = 256 * 2**20


def list_secrets(credential: Optional[Credential], encryption: Optional[Encryption]) -> List[str]:
    """Return the secrets that a command of rclone gets, in clear."""
    found = list(credential.merge_secrets().values()) + list(credential.secrets.values()) if credential else []
    return found + ([encryption.password, encryption.salt] if encryption else [])


def hide_secrets(error: CloudsyncError, credential: Credential, encryption: Optional[Encryption]) -> None:
    """Replace the secrets that rclone got in the message of ``error``."""
    hide_in_error(Redactor(list_secrets(credential, encryption)), error)


def list_secret_targets(targets: Iterable[str]) -> List[str]:
    """Return the notify targets that contain a secret, and their parts after the host."""
    secret = [target for target in targets if redact_text(target) != target]
    parts = [target.partition("://")[2].partition("/")[2] for target in secret]
    logins = [target.partition("://")[2].rpartition("@")[0].partition(":")[2] for target in secret]
    return [*secret, *parts, *logins]


class RunLog:
    """The log file of a run. If it cannot be written, lines are lost, but the run goes on.

    ``hide`` replaces the secrets of the run. Everything that leaves the run passes it. If lines were lost, ``problem``
    is a sentence for the message of the run. ``show`` gets the progress as text, for a terminal.
    """

    show: Callable[[str], object]

    def __init__(self, layout: Layout, task: str, run_id: str) -> None:
        self.run_id = run_id
        self.path = locate_log(layout, task, run_id)
        self.last_lines: List[str] = []
        self.hide = Redactor()
        self.problem = ""
        self.show = lambda _text: None
        self._descriptor = -1
        self._left_out = 0
        try:
            make_directory(layout.log_dir, 0o755)
            make_directory(layout.task_log_dir(task), 0o750)
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, LOG_MODE)
            os.fchmod(self._descriptor, LOG_MODE)
        except OSError as error:
            self._name_problem(error.strerror or str(error))
        except CloudsyncError as error:
            self._name_problem(error.message)

    def say(self, line: str) -> None:
        """Add one line, without the secrets of the run, and with its control characters escaped."""
        text = escape_controls(self.hide(line.rstrip("\n")))
        self.last_lines = [*self.last_lines[1 - LAST_LINES :], text]
        if self._descriptor < 0:
            return
        try:
            self._write(f"{format_now()} {text}\n".encode("utf-8", "replace"))
            if os.fstat(self._descriptor).st_size > MOST_BYTES:
                self._shorten()
        except OSError as error:
            # The next line is tried again: a full disk may have space by then.
            self._name_problem(error.strerror or str(error))

    def begin(self, task: Task, record: Record) -> None:
        """Write what runs, where, and how it began."""
        places = format_places(task.direction, task.path, f"{task.credential}:{task.remote_path}")
        self.say(f"{record.kind} {record.id} of task {task.name}: {task.direction} ({task.mode}) {places}")
        zone, name = time.strftime("%Z (UTC%z)"), os.uname().nodename
        self.say(f"started by {STARTERS[record.trigger]} on host {name}, time zone {zone}, cloudsync {VERSION}")

    def end(self, record: Record) -> None:
        """Write what was done, and how the run ended."""
        parts = [
            f"{format_count(record.transfers, 'file')} transferred ({format_size(record.bytes)})",
            f"{record.deletes} deleted",
            format_count(record.errors, "error"),
            format_duration(record.seconds),
        ]
        self.say(", ".join(parts))
        self.say(f"{describe_outcome(record.state, record.reason)}: {record.message}")

    def _write(self, content: bytes) -> None:
        while content:
            content = content[os.write(self._descriptor, content) :]

    def _shorten(self) -> None:
        """Remove the lines in the middle of the file, and write in their place how many they were."""
        size = os.fstat(self._descriptor).st_size
        head = os.pread(self._descriptor, HEAD_BYTES, 0)
        head_end = head.rfind(b"\n") + 1
        tail = os.pread(self._descriptor, TAIL_BYTES, size - TAIL_BYTES)
        tail = tail[tail.find(b"\n") + 1 :]
        # The line that an earlier call wrote is among the removed ones.
        gone = self._count_lines(head_end, size - len(tail)) - (1 if self._left_out else 0)
        self._left_out += gone
        os.ftruncate(self._descriptor, head_end)
        self._write(f"{format_now()} {self._left_out} lines were omitted here. The log was too long.\n".encode())
        self._write(tail)

    def _count_lines(self, start: int, end: int) -> int:
        count = 0
        while start < end:
            chunk = os.pread(self._descriptor, min(2**20, end - start), start)
            count += chunk.count(b"\n")
            start += max(len(chunk), 1)
        return count

    def _name_problem(self, why: str) -> None:
        if not self.problem:
            self.problem = f"The log {self.path} is incomplete: {why.rstrip('.')}."
            self.last_lines.append(self.problem)

    def close(self) -> None:
        """Close the file. May be called again. Then say() writes nothing any more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def prune_logs(layout: Layout, task: str) -> None:
    """Remove old logs: all but the newest ones, by age, by count and by their total size. Keep at least the newest."""
    oldest, total = time.time() - KEPT_LOG_DAYS * 86400, 0
    try:
        names = list_names(layout.task_log_dir(task), ".log")
        for position, run_id in enumerate(reversed(names)):
            path = locate_log(layout, task, run_id)
            try:
                found = os.stat(path)
                total += found.st_size
                is_old = position >= KEPT_LOGS or found.st_mtime < oldest or (position and total > KEPT_LOG_BYTES)
                if is_old:
                    remove(path)
            except FileNotFoundError:  # runs that end together remove the same logs
                continue
    except (CloudsyncError, OSError):
        # Old logs never fail a run. A directory that cannot be written is named by check.
        return
