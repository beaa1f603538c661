# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The declaration of credentials and tasks in one call, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ..common.errors import usage_error


@dataclass(frozen=True)
class Wanted:
    """The request of one call. ``purge`` removes all objects that are not declared.

    ``undeclared`` names the lists that were not set at all. ``purge_all`` allows to remove everything.
    """

    credentials: Sequence[Mapping[str, Any]] = ()
    tasks: Sequence[Mapping[str, Any]] = ()
    absent_credentials: Sequence[str] = ()
    absent_tasks: Sequence[str] = ()
    purge: bool = False
    purge_all: bool = False
    undeclared: Sequence[str] = ()

    def check_purge(self, gone: str) -> None:
        """Raise a usage error if a mistake in the playbook is likely to have caused the removal of ``gone``."""
        if not self.purge or not gone:
            return
        if self.undeclared:
            raise usage_error(
                f"purge would remove {gone}, but {' and '.join(self.undeclared)} is not set. Nothing was changed. "
                "Check the names of your variables and groups. To remove all objects of a kind, set its list to []."
            )
        if not self.credentials and not self.tasks and not self.purge_all:
            raise usage_error(
                f"purge would remove everything: {gone}. Nothing was changed. To remove everything, also set "
                "purge_all: true (in the role sync_tasks, cloudsync_purge_all: true)."
            )

    def select_purged(self, credentials: Sequence[str], tasks: Sequence[str]) -> Tuple[List[str], List[str]]:
        """Return those of the removed objects that were not removed by name."""
        return (
            [name for name in credentials if name not in self.absent_credentials],
            [name for name in tasks if name not in self.absent_tasks],
        )


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


def sort_originals_first(tasks: Sequence[Mapping[str, Any]]) -> List[Mapping[str, Any]]:
    """Return the tasks, each after the one that it reverses, because it copies the new options of that one."""
    originals = {task.get("name"): task.get("reverse_of") for task in tasks}

    def measure_depth(task: Mapping[str, Any]) -> int:
        chain = [task.get("name")]
        while originals.get(chain[-1]) and originals[chain[-1]] not in chain:
            chain.append(originals[chain[-1]])
        return len(chain)

    return sorted(tasks, key=measure_depth)
