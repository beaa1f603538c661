# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read and write rclone's configuration file, which resembles an INI file but has its own rules.

A value may be quoted. ``%(name)s`` in a value is replaced, quoted or not. rclone saves the file to keep a refreshed
token, and then omits quotes that the values need.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Dict, List, Mapping, Tuple

from ..common.errors import CloudsyncError, usage_error
from ..common.validation import name_type
from .providers.traits import is_never_rewritten

# The characters that Go's strings.TrimSpace removes. Python's strip() also removes others.
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


class Typed(str):
    """The text of a declared value that is not text. ``kind`` says what it is, such as "a number"."""

    kind = ""


def format_option_value(option_value: object) -> str:
    """Return a declared value as rclone's configuration spells it: true/false, numbers, lists with commas, JSON.

    What is not text becomes Typed, because an option that means text must not accept it.
    """
    if isinstance(option_value, str):
        return option_value
    made = Typed(_format_typed(option_value))
    made.kind = name_type(option_value)
    return made


def _format_typed(option_value: object) -> str:
    if isinstance(option_value, bool):
        return "true" if option_value else "false"
    if isinstance(option_value, Mapping):
        return json.dumps(option_value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(option_value, (list, tuple)):
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow([format_option_value(item) for item in option_value])
        return row.getvalue()
    return str(option_value)


def render(sections: Mapping[str, Mapping[str, str]]) -> str:
    """Return the file for ``sections`` (name to options). A value that rclone would change is an error."""
    is_rewritten = not all(is_never_rewritten(options.get("type", "")) for options in sections.values())
    lines: List[str] = []
    for section, options in sections.items():
        if not SECTION_NAME.match(section) or section == DEFAULT_SECTION:
            raise ValueError(f"{section!r} is not a valid name for a section")
        lines.append(f"[{section}]")
        for name, value in options.items():
            lines.append(f"{_check_option_name(name)} = {_quote(name, value, is_rewritten)}")
        lines.append("")
    return "\n".join(lines)


def _check_option_name(name: str) -> str:
    if not OPTION_NAME.match(name):
        raise usage_error(f"{name!r} is not a valid name for an option.")
    return name


def _quote(name: str, value: str, is_rewritten: bool) -> str:
    trouble = _find_trouble(value)
    if not trouble and is_rewritten and not _survives_saving(value):
        trouble = "begins or ends with a space or a quote, or contains a backtick, which rclone loses when it saves"
    if trouble:
        raise usage_error(
            f"rclone's configuration cannot store the value of the option {name!r}: it {trouble}. Set another password "
            "or key at the provider, or use another option."
        )
    return f"`{value}`" if _needs_quotes(value) else value


def _find_trouble(value: str) -> str:
    if any(character in value for character in "\n\r\0"):
        return "contains a line break or a NUL character"
    if REFERENCE.search(value):
        return "contains '%(...)s', which rclone replaces"
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
    """Whether rclone saves the value unchanged. It quotes only values with both a backtick and a double quote."""
    if "`" in value:
        return '"' in value
    return not _needs_quotes(value)


def parse(text: str, expand: bool = True) -> Sections:
    """Return the sections of a configuration file, the values as rclone reads them. Errors never show the text.

    ``expand`` False: references (``%(name)s``) stay as they are. They can make a small file very large.
    """
    if "RCLONE_ENCRYPT_V0:" in text:
        raise usage_error("This rclone configuration is encrypted. Decrypt it first (rclone config encryption remove).")
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
            name, value = _parse_line(stripped, number)
            if not section:
                raise _build_line_error(number)
            raw[section][name] = value
    return {
        name: {key: _resolve(raw, options, value) if expand else value for key, value in options.items()}
        for name, options in raw.items()
        if name != DEFAULT_SECTION
    }


def _build_line_error(number: int) -> CloudsyncError:
    return usage_error(f"Line {number} of the rclone configuration is invalid. Correct it.")


def _parse_line(line: str, number: int) -> Tuple[str, str]:
    quote = next((mark for mark in ('"""', '"', "`") if line.startswith(mark)), "")
    end = line.find(quote, len(quote)) if quote else 0
    cut = re.compile("[=:]").search(line, end) if end >= 0 else None
    if cut is None or cut.start() == 0:
        raise _build_line_error(number)
    name = line[len(quote) : end] if quote else line[: cut.start()].strip(BLANKS)
    return name, _unquote(line[cut.end() :].strip(BLANKS), number)


def _unquote(value: str, number: int) -> str:
    quote = ""
    if _needs_quotes(value):
        quote = "`" if value[0] == "`" else '"""'
    if not quote:
        return value
    end = value.rfind(quote)
    if end < len(quote):
        raise _build_line_error(number)
    return value[len(quote) : end]


def _resolve(raw: Sections, options: Mapping[str, str], value: str) -> str:
    """Replace ``%(name)s`` as rclone does: by an option of DEFAULT, else of this section, else by nothing."""
    for _step in range(DEPTH):
        found = REFERENCE.search(value)
        if found is None:
            break
        # rclone also strips each of these characters, not the words.
        name = found.group(0).lstrip("%(").rstrip(")s")
        replacement = raw.get(DEFAULT_SECTION, {}).get(name, options.get(name, ""))
        if len(value) + value.count(found.group(0)) * len(replacement) > LONGEST:
            break
        value = value.replace(found.group(0), replacement)
    return value
