# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Lengths of time as operators write them: seconds, or "1h30m"."""

from __future__ import annotations

import re
from typing import Union

from .errors import usage_error

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
DURATION = re.compile(r"\A(?:\d+|(?:\d+[smhdw])+)\Z")
PART = re.compile(r"(\d+)([smhdw]?)")


def parse_duration(what: str, value: Union[int, str]) -> int:
    """Seconds in ``value`` (an int of seconds, "90", "10m", "1h30m", "2d"); ``what`` names the option in the error."""
    text = str(value).strip().lower().replace(" ", "")
    if isinstance(value, bool) or not DURATION.match(text):
        raise usage_error(f"{what} is {value!r}: write a number of seconds, or a length such as 90s, 10m, 1h30m or 2d.")
    return sum(int(number) * UNITS[unit] for number, unit in PART.findall(text))
