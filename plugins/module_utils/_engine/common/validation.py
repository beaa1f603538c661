# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Check option names and values. An error names the option, its value and the nearest valid one."""

from __future__ import annotations

import difflib
import re
from typing import Any, Iterable, Mapping, Union

from .errors import usage_error

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
DURATION = re.compile(r"\A(?:\d+|(?:\d+[smhdw])+)\Z")
PART = re.compile(r"(\d+)([smhdw]?)")


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" with the most similar name, or the empty string if no name is similar."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def refuse_unknown_keys(what: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise a usage error for a key of ``given`` that is not in ``known``. ``what`` is the subject of the sentence."""
    names = sorted(known)
    for key in given:
        if key not in names:
            raise usage_error(
                f"{what} has no option {key!r}.{suggest_name(str(key), names)} Valid options: {', '.join(names)}."
            )


def check_choice(what: str, value: Any, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``, else raise a usage error. ``what`` names the option."""
    allowed = list(choices)
    if value not in allowed:
        raise usage_error(f"{what} is {value!r}. Use one of {', '.join(allowed)}.{suggest_name(str(value), allowed)}")
    return str(value)


def parse_duration(what: str, value: Union[int, str]) -> int:
    """Return the seconds in ``value`` (an int, "90", "10m", "1h30m", "2d"). ``what`` names the option in the error."""
    text = str(value).strip().lower().replace(" ", "")
    if isinstance(value, bool) or not DURATION.match(text):
        raise usage_error(f"{what} is {value!r}. Use a number of seconds, or a duration such as 90s, 10m or 1h30m.")
    return sum(int(number) * UNITS[unit] for number, unit in PART.findall(text))
