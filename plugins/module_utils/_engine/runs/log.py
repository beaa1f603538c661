# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Write the log of one run. Each line begins with its time."""

from __future__ import annotations

import os
from typing import Iterable, List, Optional, TextIO

from ..common.errors import CloudsyncError
from ..common.files import make_directory
from ..common.layout import Layout
from ..common.text import escape_controls, format_now
from ..config.credentials import Credential
from ..config.tasks import Encryption
from ..notify.redaction import Redactor, hide_in_error
from ..notify.targets import redact_text
from .records import locate_log

LOG_MODE = 0o640
LAST_LINES = 20


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

    ``hide`` replaces the secrets of the run. Everything that leaves the run passes it.
    """

    def __init__(self, layout: Layout, task: str, run_id: str) -> None:
        self.path = locate_log(layout, task, run_id)
        self.last_lines: List[str] = []
        self.hide = Redactor()
        self._stream: Optional[TextIO] = None
        try:
            make_directory(layout.log_dir, 0o755)
            make_directory(layout.task_log_dir(task), 0o750)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, LOG_MODE)
            os.fchmod(descriptor, LOG_MODE)
            self._stream = os.fdopen(descriptor, "a", encoding="utf-8", errors="replace", buffering=1)
        except OSError as error:
            self.last_lines.append(f"Cannot write log {self.path}: {error.strerror}.")

    def say(self, line: str) -> None:
        """Add one line, without the secrets of the run, and with its control characters escaped."""
        text = escape_controls(self.hide(line.rstrip("\n")))
        self.last_lines = [*self.last_lines[1 - LAST_LINES :], text]
        try:
            if self._stream is not None:
                self._stream.write(f"{format_now()} {text}\n")
        except OSError:
            self._stream = None

    def close(self) -> None:
        """Close the file. May be called again. Then say() writes nothing any more."""
        try:
            if self._stream is not None:
                self._stream.close()
        except OSError:
            pass
        self._stream = None
