# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The nearest name, for messages about a wrong one."""

from __future__ import annotations

import difflib
from typing import Any, Iterable, Mapping, Sequence

from .errors import usage_error

NAMED = 5


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ " Did you mean 'x'?" or, when nothing is near, the empty string."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def some_of(names: Sequence[str]) -> str:
    """The first ``names`` for a sentence, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def refuse_unknown_keys(what: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """An option that nobody reads is a typo: refused, with the nearest name."""
    names = sorted(known)
    for key in given:
        if key not in names:
            raise usage_error(
                f"{what} has no option {key!r}.{did_you_mean(str(key), names)} It takes: {', '.join(names)}."
            )


def choice(what: str, value: Any, choices: Iterable[str]) -> str:
    """``value`` when it is one of ``choices``."""
    allowed = list(choices)
    if value not in allowed:
        raise usage_error(f"{what} is {value!r}: use one of {', '.join(allowed)}.{did_you_mean(str(value), allowed)}")
    return str(value)
