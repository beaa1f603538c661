# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Is a value of the type that rclone's schema gives its option? Values are text, as rclone's configuration has them."""

from __future__ import annotations

import re
from typing import Callable, Dict, Tuple

from ...common.validation import suggest_name
from .schema import Option
from .sizes import SIZE

TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
BOOLEANS = TRUE | {"0", "f", "F", "FALSE", "false", "False"}
UNSET = frozenset(("", "nil", "null", "unset"))
INTEGER = re.compile(r"\A[+-]?\d+\Z")
NUMBER = re.compile(r"\A[+-]?(\d+\.?\d*|\.\d+)\Z")
DURATION = re.compile(r"\A(off|-?(\d+\.?\d*|\.\d+)|-?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h|d|w|M|y))+)\Z")

# The numbers of Go's int64, in which rclone counts.
LARGEST = 2**63 - 1

Rule = Tuple[Callable[[str], bool], str]


def _is_integer(value: str) -> bool:
    return bool(INTEGER.match(value)) and len(value) < 21 and abs(int(value)) <= LARGEST


def _is_size(value: str) -> bool:
    return value.lower() == "off" or value.strip("0") in ("", ".") or bool(SIZE.match(value))


RULES: Dict[str, Rule] = {
    "bool": (lambda value: value in BOOLEANS, "must be true or false"),
    "Tristate": (
        lambda value: value.lower() in UNSET or value in BOOLEANS,
        "must be true, false or unset",
    ),
    "int": (_is_integer, "must be a whole number"),
    "float64": (lambda value: bool(NUMBER.match(value)), "must be a number"),
    "SizeSuffix": (_is_size, "must be a size with its unit, such as 96Mi or 5Gi, or off"),
    "Duration": (lambda value: bool(DURATION.match(value)), "must be a length of time, such as 90s, 10m or 1h30m"),
}


def find_problem(option: Option, value: str) -> str:
    """Return why ``value`` is invalid for ``option``, such as "must be a whole number"; empty if it is valid."""
    if option.type in RULES:
        fits, wanted = RULES[option.type]
        return "" if fits(value) else wanted
    allowed = _list_allowed(option)
    if allowed and value not in allowed:
        return f"must be one of {', '.join(filter(None, allowed))}.{suggest_name(value, allowed)}".rstrip(".")
    return ""


def _list_allowed(option: Option) -> Tuple[str, ...]:
    """Return the only valid values; empty if all values are valid."""
    if "|" in option.type:
        return tuple(option.type.split("|"))
    return option.choices if option.is_exclusive else ()
