# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the Python interpreters of this machine."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
from collections.abc import Iterator

NAME = re.compile(r"^python3\.\d+$")
QUESTION = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"


def find() -> dict[str, pathlib.Path]:
    """Return one interpreter for each version: ``{"3.8": /…/bin/python3.8, …}``.

    It is the first on PATH that can create virtual environments. Each candidate prints its own path, because the shim
    of a version manager is not the interpreter.
    """
    found: dict[str, pathlib.Path] = {}
    for candidate in _candidates():
        answer = subprocess.run(
            [str(candidate), "-c", QUESTION], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        version, __, path = answer.stdout.strip().partition(" ")
        if answer.returncode == 0 and path:
            found.setdefault(version, pathlib.Path(path))
    return dict(sorted(found.items(), key=lambda item: int(item[0].partition(".")[2])))


def _candidates() -> Iterator[pathlib.Path]:
    for folder in (*os.environ.get("PATH", "").split(os.pathsep), *_pyenv_folders()):
        if os.path.isdir(folder):
            yield from (entry for entry in sorted(pathlib.Path(folder).iterdir()) if NAME.match(entry.name))


def _pyenv_folders() -> Iterator[str]:
    try:
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return
    for folder in sorted(pathlib.Path(root, "versions").glob("*/bin")):
        yield str(folder)
