# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The text of rclone's configuration file, which looks like an INI file and is not one.

A value may be quoted; ``%(name)s`` in it is replaced when it is read, quoted or not; and when rclone saves the file
(it does so to keep a refreshed token) it writes the values without the quotes that they need.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Dict, List, Mapping, Tuple

from ..common.errors import CloudsyncError, usage_error
from .providers.traits import is_never_rewritten

# What Go's strings.TrimSpace removes; Python's strip() removes other characters, too.
BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    chr(code) for code in range(0x2000, 0x200B)
)
REFERENCE = re.compile(r"%\(([^)]+)\)s")
SECTION_NAME = re.compile(r"\A[A-Za-z0-9_][A-Za-z0-9_.+@ -]*\Z")
OPTION_NAME = re.compile(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
DEFAULT_SECTION = "DEFAULT"
DEPTH = 200
LONGEST = 1 << 20

Sections = Dict[str, Dict[str, str]]


def config_value(option_value: object) -> str:
    """A declared value as rclone's configuration spells it: true/false, numbers, comma-separated lists, JSON."""
    if isinstance(option_value, bool):
        return "true" if option_value else "false"
    if isinstance(option_value, Mapping):
        return json.dumps(option_value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(option_value, (list, tuple)):
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow([config_value(item) for item in option_value])
        return row.getvalue()
    return str(option_value)


def render(sections: Mapping[str, Mapping[str, str]]) -> str:
    """The file for ``sections`` (name to options). A value that rclone would not read as it is, is refused by name."""
    is_rewritten = not all(is_never_rewritten(options.get("type", "")) for options in sections.values())
    lines: List[str] = []
    for section, options in sections.items():
        if not SECTION_NAME.match(section) or section == DEFAULT_SECTION:
            raise ValueError(f"{section!r} can't name a section")
        lines.append(f"[{section}]")
        for name, value in options.items():
            lines.append(f"{_name(name)} = {_quoted(name, value, is_rewritten)}")
        lines.append("")
    return "\n".join(lines)


def _name(name: str) -> str:
    if not OPTION_NAME.match(name):
        raise usage_error(f"{name!r} can't be the name of an option.")
    return name


def _quoted(name: str, value: str, is_rewritten: bool) -> str:
    trouble = _trouble(value)
    if not trouble and is_rewritten and not _survives_saving(value):
        trouble = "begins or ends with a blank or a quote, or has a backtick in it, which rclone loses when it saves"
    if trouble:
        raise usage_error(
            f"The value of the option {name!r} {trouble}: rclone's configuration can't hold it. Change the value at "
            "the provider (set another password or key), or give it in another option."
        )
    return f"`{value}`" if _needs_quotes(value) else value


def _trouble(value: str) -> str:
    if any(character in value for character in "\n\r\0"):
        return "has a line break or a NUL character in it"
    if REFERENCE.search(value):
        return "has '%(...)s' in it, which rclone replaces"
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    return ""


def _needs_quotes(value: str) -> bool:
    size = len(value.encode("utf-8"))
    return (
        value.strip(BLANKS) != value or (value.startswith("`") and size >= 2) or (value.startswith('"""') and size >= 6)
    )


def _survives_saving(value: str) -> bool:
    """rclone saves a value with a backtick and a double quote in three double quotes, any other as it is."""
    if "`" in value:
        return '"' in value
    return not _needs_quotes(value)


def parse(text: str, expand: bool = True) -> Sections:
    """The sections of a configuration file, the values as rclone reads them. Errors never quote the text.

    ``expand`` False: references (``%(name)s``) stay as they are. They can make a small file very large.
    """
    if "RCLONE_ENCRYPT_V0:" in text:
        raise usage_error("This rclone configuration is encrypted: decrypt it first (rclone config encryption remove).")
    raw: Sections = {}
    section = ""
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), 1):
        stripped = line.strip(BLANKS)
        if not stripped or stripped[0] in "#;":
            continue
        if stripped[0] == "[" and stripped[-1] == "]":
            section = stripped[1:-1].strip(BLANKS)
            raw.setdefault(section, {})
        else:
            name, value = _parsed_line(stripped, number)
            if not section:
                raise _unreadable(number)
            raw[section][name] = value
    return {
        name: {key: _resolved(raw, options, value) if expand else value for key, value in options.items()}
        for name, options in raw.items()
        if name != DEFAULT_SECTION
    }


def _unreadable(number: int) -> CloudsyncError:
    return usage_error(f"Line {number} of the rclone configuration can't be read.")


def _parsed_line(line: str, number: int) -> Tuple[str, str]:
    quote = next((mark for mark in ('"""', '"', "`") if line.startswith(mark)), "")
    end = line.find(quote, len(quote)) if quote else 0
    cut = re.compile("[=:]").search(line, end) if end >= 0 else None
    if cut is None or cut.start() == 0:
        raise _unreadable(number)
    name = line[len(quote) : end] if quote else line[: cut.start()].strip(BLANKS)
    return name, _unquoted(line[cut.end() :].strip(BLANKS), number)


def _unquoted(value: str, number: int) -> str:
    quote = ""
    if _needs_quotes(value):
        quote = "`" if value[0] == "`" else '"""'
    if not quote:
        return value
    end = value.rfind(quote)
    if end < len(quote):
        raise _unreadable(number)
    return value[len(quote) : end]


def _resolved(raw: Sections, options: Mapping[str, str], value: str) -> str:
    """rclone replaces ``%(name)s`` by an option of the section DEFAULT, else of the same one, else by nothing."""
    for _step in range(DEPTH):
        found = REFERENCE.search(value)
        if found is None:
            break
        # These two cut at any of the characters: so does rclone.
        name = found.group(0).lstrip("%(").rstrip(")s")
        replacement = raw.get(DEFAULT_SECTION, {}).get(name, options.get(name, ""))
        if len(value) + value.count(found.group(0)) * len(replacement) > LONGEST:
            break
        value = value.replace(found.group(0), replacement)
    return value
