# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: no task deletes what another task of this host writes. It compares tasks when they are declared.

A task writes its destination and its keep_deleted folder. A sync deletes everything else at its destination. So a sync
is refused if its destination, or its keep_deleted folder, overlaps what another task writes. Other modes delete nothing
at the destination, but may overwrite: this is a warning.

If one of the two is disabled, a sync is a warning only, because a disabled task never starts by itself. Otherwise you
could not disable a task, and keep it until the task that replaces it has run. Enabling it again is refused.

Two keep_deleted folders may be one, because each run has its own folder there.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Set, Tuple

from ..common.errors import usage_error
from ..config.tasks import SYNC, Encryption, KeepDeleted, Task
from ..remote.places import Place, TaskPlaces

GLOB = re.compile(r"[\\*?\[\]{}]")


class _Use(NamedTuple):
    """One tree that a task writes. ``is_kept``: it is the folder of keep_deleted."""

    task: Task
    place: Place
    is_kept: bool

    @property
    def syncs(self) -> bool:
        return self.task.mode == SYNC

    def describe(self) -> str:
        if self.is_kept and self.task.keep_deleted is not None:
            return f"keep_deleted.path {self.task.keep_deleted.path!r}"
        option = "remote_path" if self.task.is_push else "path"
        return f"{option} {self.task.destination!r}"


def outline_task(stored: Mapping[str, Any]) -> Task:
    """Return what this guard needs of a task in its stored form, without decrypting it."""
    kept = stored["keep_deleted"]
    return Task(
        name=stored["name"],
        credential=stored["credential"],
        direction=stored["direction"],
        path=stored["path"],
        remote_path=stored["remote_path"],
        mode=stored["mode"],
        provider_options=stored["provider_options"],
        exclude=tuple(stored["exclude"]),
        enabled=stored["enabled"],
        encryption=Encryption("") if stored["encryption"] else None,
        keep_deleted=KeepDeleted(**kept) if kept else None,
        user=stored["user"],
    )


def compare_destinations(declared: Iterable[str], located: Iterable[Tuple[Task, TaskPlaces]]) -> List[str]:
    """Refuse a sync that overlaps what another task writes. Return warnings about other overlaps.

    ``located`` are all tasks of the host. A pair without a ``declared`` task is not compared. The cost grows with the
    number of tasks and the depth of their paths.
    """
    uses = [use for task, places in located for use in _list_uses(task, places)]
    by_place: Dict[Place, List[_Use]] = {}
    for use in uses:
        by_place.setdefault(use.place, []).append(use)
    names = set(declared)
    seen: Set[Tuple[str, str]] = set()
    warnings: List[str] = []
    for inner in uses:
        for outer in (use for place in _list_ancestors(inner.place) for use in by_place.get(place, ())):
            pair = (min(inner.task.name, outer.task.name), max(inner.task.name, outer.task.name))
            if pair[0] == pair[1] or not names.intersection(pair) or pair in seen or not _overlap(outer, inner):
                continue
            text = _describe(outer, inner)
            if (outer.syncs or inner.syncs) and outer.task.enabled and inner.task.enabled:
                raise usage_error(f"{text} Use a separate folder for each task. Nothing was changed.")
            seen.add(pair)
            warnings.append(f"{text} Use a separate folder for each task.")
    return warnings


def _list_uses(task: Task, places: TaskPlaces) -> List[_Use]:
    found = [_Use(task, place, False) for place in places.destination]
    return found + [_Use(task, place, True) for place in places.kept]


def _list_ancestors(place: Place) -> List[Place]:
    """Return the place and all places that contain it."""
    found = [place]
    while found[-1].path != "/":
        found.append(Place(place.account, found[-1].path.rpartition("/")[0] or "/"))
    return found


def _overlap(outer: _Use, inner: _Use) -> bool:
    """Return whether the two tasks may affect each other's files. ``outer`` contains ``inner``."""
    if outer.is_kept and inner.is_kept:
        return False
    deletes, run_alone = outer.syncs or inner.syncs, outer.task.enabled and inner.task.enabled
    return (deletes or run_alone) and not _is_excluded(outer, inner)


def _is_excluded(outer: _Use, inner: _Use) -> bool:
    """Return whether the outer task excludes the folder of the inner one, so that it neither writes nor deletes there.

    Only a pattern of one whole folder, /FOLDER/**, is certain to do so.
    """
    if outer.is_kept or outer.task.encryption is not None:
        return False
    inside = "/" + inner.place.path[len(outer.place.path.rstrip("/")) :].strip("/") + "/"
    folders = [pattern[:-2] for pattern in outer.task.exclude if pattern.startswith("/") and pattern.endswith("/**")]
    return any(inside.startswith(folder) for folder in folders if not GLOB.search(folder))


def _describe(outer: _Use, inner: _Use) -> str:
    inner_first = inner.syncs and (not outer.syncs or outer.place == inner.place)
    first, second = (inner, outer) if inner_first else (outer, inner)
    if outer.place == inner.place:
        relation = "the same folder as"
    else:
        relation = "a folder that contains" if first is outer else "a folder inside of"
    deletes = first.syncs and not first.is_kept
    effect = (
        "The sync deletes the files of the other task." if deletes else "The tasks may overwrite files of each other."
    )
    return (
        f"Task {first.task.name} writes to {first.describe()}, {relation} {second.describe()} of task "
        f"{second.task.name}. {effect}"
    )
