# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Decode files that another system wrote. A redirection in PowerShell writes UTF-16, and some editors add a mark."""

from __future__ import annotations

import codecs

from ...module_utils._engine.common.errors import usage_error

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(text: str, name: str) -> str:
    """Return ``text`` without a byte order mark, which may also tell that it is UTF-16.

    ``text`` comes from Ansible, which reads each byte that is not UTF-8 as a surrogate, and removes line feeds at the
    end. ``name`` begins the sentence of an error.
    """
    raw = text.encode("utf-8", "surrogateescape")
    mark, encoding = next((known for known in MARKS if raw.startswith(known[0])), (b"", "utf-8"))
    body = raw[len(mark) :]
    if encoding == "utf-16-be" and len(body) % 2:
        body += b"\n"
    try:
        decoded = body.decode(encoding)
    except UnicodeDecodeError:
        decoded = "\0"
    if "\0" in decoded:
        raise usage_error(f"{name} is not a text in UTF-8 or UTF-16. Convert it, for example with iconv.")
    return decoded
