# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The declaration of credentials and tasks in one call, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence


@dataclass(frozen=True)
class Wanted:
    """The request of one call. ``purge`` removes all objects that are not declared."""

    credentials: Sequence[Mapping[str, Any]] = ()
    tasks: Sequence[Mapping[str, Any]] = ()
    absent_credentials: Sequence[str] = ()
    absent_tasks: Sequence[str] = ()
    purge: bool = False


@dataclass
class Outcome:
    """The result of one call. ``credentials`` and ``tasks`` are the new public views, by name."""

    before: Dict[str, Any] = field(default_factory=lambda: {"credentials": {}, "tasks": {}})
    after: Dict[str, Any] = field(default_factory=lambda: {"credentials": {}, "tasks": {}})
    credentials: Dict[str, Any] = field(default_factory=dict)
    tasks: Dict[str, Any] = field(default_factory=dict)
    warnings: List[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.before != self.after
