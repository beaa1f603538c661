# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Ask the helper of a unit to run commands of the operator outside of the sandbox.

A run in a unit cannot start hooks, mail programs or volume managers. It connects to a socket, and systemd starts a
service of its own for the connection. One JSON object is one line. A request selects what the stored task contains, and
cannot add a command. The helper ends its command when the connection ends, so nothing outlives a killed run.
"""

from __future__ import annotations

import json
import os
import select
import socket
from typing import Any, Callable, Dict, List, Mapping, Optional

from ..common.errors import CloudsyncError, Refused

# The units set this variable to the path of the socket. Without it, commands are run by this process.
VARIABLE = "CLOUDSYNC_HELPER"
POLL_SECONDS = 0.2
Say = Callable[[str], None]


def is_needed() -> bool:
    """Return whether this process is in a sandbox, so that commands need the helper."""
    return bool(os.environ.get(VARIABLE))


def ask(request: Mapping[str, Any], say: Say, stop: Callable[[], bool] = lambda: False) -> Dict[str, Any]:
    """Have ``request`` done, and return the answer. See Connection.receive()."""
    with Connection() as connection:
        connection.send(request)
        return connection.receive(say, stop)


def identify(path: str) -> Optional[List[int]]:
    """Return the file system and the inode of ``path``, None if it does not exist."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_dev, found.st_ino]


def check_view(path: str, identity: Optional[List[int]]) -> None:
    """Refuse to go on if ``path`` is not what the helper sees: a mount that it made did not arrive in the sandbox."""
    if identity != identify(path):
        raise Refused(
            "not_mounted",
            f"The run does not see what its before hook or its snapshot mounted on {path}, because mounts of this host "
            "are private. Make them shared (mount --make-rshared /), then run the task again.",
        )


class Connection:
    """A connection to a helper. Its end ends the command of the helper."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._rest = b""
        try:
            self._socket.connect(os.environ[VARIABLE])
        except OSError as error:
            self._socket.close()
            raise CloudsyncError(
                "other",
                "Cannot start a command of the task outside of the sandbox. Check the output of systemctl status "
                f"cloudsync-helper.socket, and apply the role skyhaul.cloudsync.runner again: {error.strerror}.",
            ) from None

    def send(self, content: Mapping[str, Any]) -> None:
        """Send one JSON object. An ended helper is noticed when its answer is received."""
        try:
            self._socket.sendall(json.dumps(content).encode() + b"\n")
        except OSError:
            return

    def receive(self, say: Say, stop: Callable[[], bool] = lambda: False) -> Dict[str, Any]:
        """Pass on lines of output until there is an answer, and return it. Raise the error of the helper.

        Once ``stop()`` is True, the helper is asked to end its command.
        """
        stopped = False
        while True:
            for content in self._read():
                if "line" in content:
                    say(content["line"])
                elif "reason" in content:
                    raise CloudsyncError(content["reason"], content["message"])
                else:
                    return content
            if not stopped and stop():
                stopped = True
                self.send({"stop": True})

    def _read(self) -> List[Dict[str, Any]]:
        """Return the complete objects that arrive within POLL_SECONDS."""
        if not select.select([self._socket], [], [], POLL_SECONDS)[0]:
            return []
        chunk = self._socket.recv(65536)
        if not chunk:
            raise CloudsyncError(
                "other",
                "The helper that runs the task's commands ended without an answer. Read its journal: journalctl -u "
                "'cloudsync-helper@*'.",
            )
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()
