# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Write the report: the page, and its data as JSON."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
from typing import Iterator

from .fleet import Fleet, build_data
from .page import render_page

PAGE, DATA = "index.html", "report.json"


def write_report(fleet: Fleet, title: str, folder: pathlib.Path) -> None:
    """Write both files, which everybody can read, into ``folder``. Create it if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / PAGE, iter([render_page(fleet, title)]))
    _replace(folder / DATA, _format_data(fleet))


def _format_data(fleet: Fleet) -> Iterator[str]:
    """Yield the data as JSON, a line for each host and task. One text would take much memory for a large fleet."""
    yield "{\n"
    for number, (key, value) in enumerate(build_data(fleet).items()):
        yield f"{',' if number else ' '} {json.dumps(key)}: "
        if isinstance(value, list):
            yield "["
            for place, row in enumerate(value):
                yield f"{',' if place else ''}\n    {json.dumps(row)}"
            yield "\n  ]\n"
        else:
            yield json.dumps(value) + "\n"
    yield "}\n"


def _replace(path: pathlib.Path, parts: Iterator[str]) -> None:
    """Replace a file. A reader sees the former file or the whole new one."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8", errors="replace") as stream:
            stream.writelines(parts)
            os.fchmod(stream.fileno(), 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
