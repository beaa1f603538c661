# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the commands of a stage, with a log and a time limit."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import types
import typing
from collections.abc import Mapping

from place import Place

TIMED_OUT = 124
Environment = Mapping[str, str]
NONE: Environment = types.MappingProxyType({})


class Stage:
    """The commands and the log of one stage."""

    def __init__(self, place: Place, name: str) -> None:
        self.place = place
        self.name = name
        self.log = place.logs / f"{name}.log"
        self.log.write_text("", encoding="utf-8")

    def run(
        self,
        *command: str,
        cwd: pathlib.Path | None = None,
        seconds: float = 900,
        variables: Environment = NONE,
    ) -> int:
        """Run ``command`` and return its exit code, 124 after ``seconds``.

        ``cwd`` is the copy of the collection by default. ``variables`` are added to the environment.
        """
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(command)}\n".encode())
            log.flush()
            process = subprocess.Popen(
                command,
                cwd=cwd or self.place.tree,
                env={**self.place.environment(), **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            return self._end(process, log, seconds)

    def say(self, sentence: str) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(sentence + "\n")

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    @staticmethod
    def _end(process: subprocess.Popen[bytes], log: typing.BinaryIO, seconds: float) -> int:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.write(f"Timed out after {seconds:.0f} s.\n".encode())
            return TIMED_OUT
        finally:
            if process.poll() is None:
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the command and its children. SIGTERM comes first, so that they can clean up."""
    for number, seconds in ((signal.SIGTERM, 30), (signal.SIGKILL, 30)):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(seconds)
            return
