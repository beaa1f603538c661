# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Render the report as one HTML page that loads nothing: jinja2, with the style and the scripts in the page."""

from __future__ import annotations

import base64
import functools
import hashlib
import pathlib

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .columns import pack
from .fleet import Fleet

FOLDER = pathlib.Path(__file__).parent / "web"
# In the order in which they need each other.
SCRIPTS = (
    "data.js",
    "format.js",
    "rows.js",
    "charts.js",
    "details.js",
    "problems.js",
    "timeline.js",
    "table.js",
    "main.js",
)


def render_page(fleet: Fleet, title: str) -> str:
    """Return the page. Every text is escaped, and only the scripts of this package can run."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    script = _read_script()
    return environment.get_template("page.html.j2").render(
        title=title,
        summary=fleet.summary,
        generated=fleet.generated,
        style=_read("page.css"),
        script=script,
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        packed=pack(fleet),
    )


@functools.cache
def _read_script() -> str:
    """Return all scripts as one function, which adds nothing to the global names of the page."""
    parts = "\n".join(_read(name) for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}\n}})();\n'


@functools.cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
