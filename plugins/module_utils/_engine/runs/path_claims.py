# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Which run reads or writes which path: readers and writers, ancestors and descendants, across tasks.

A claim is a file that lists what its run uses; the run holds an flock on it for as long as it lives. Whoever
wants to claim looks at all living claims under one short mutex, so two runs can never both believe to be first.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Tuple

from ..common.flock import Lock, try_lock, wait_lock
from ..common.layout import Layout


@dataclass(frozen=True)
class Claim:
    """One use of one tree. ``place`` is "local" or a remote's identity, ``path`` is absolute and normalised."""

    place: str
    path: str
    write: bool

    def conflicts_with(self, other: Claim) -> bool:
        """Two uses conflict when one writes and one tree holds the other."""
        if self.place != other.place or not (self.write or other.write):
            return False
        return _holds(self.path, other.path) or _holds(other.path, self.path)

    def describe(self) -> str:
        """In words, for messages: "writes /srv/data"."""
        place = "" if self.place == "local" else "remote "
        return f"{'writes' if self.write else 'reads'} {place}{self.path}"


def _holds(tree: str, path: str) -> bool:
    return path == tree or path.startswith(tree.rstrip("/") + "/")


@dataclass(frozen=True)
class Conflict:
    """The living claim that is in the way, and of which task."""

    task: str
    claim: Claim
    path: str


def try_claim(
    layout: Layout, task: str, run_id: str, claims: Sequence[Claim]
) -> Tuple[Optional[Lock], Optional[Conflict]]:
    """Claim all of ``claims`` at once: the lock to hold, or the first conflict."""
    directory = layout.run_dir + "/locks/claims"
    with wait_lock(layout.run_dir + "/locks/claims.mutex"):
        for theirs in _living(directory):
            for ours in claims:
                if ours.conflicts_with(theirs.claim):
                    return None, theirs
        lock = wait_lock(f"{directory}/{task}.{run_id}.json")
        try:
            lock.write(json.dumps({"task": task, "claims": [[c.place, c.path, c.write] for c in claims]}))
        except BaseException:
            drop_claim(lock)
            raise
        return lock, None


def drop_claim(lock: Lock) -> None:
    """End a claim in good order; a killed run's claim ends by itself and is swept by the next one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(lock.path)
    lock.release()


def _living(directory: str) -> Iterator[Conflict]:
    for path in _claim_files(directory):
        dead = try_lock(path)
        if dead is not None:
            drop_claim(dead)
            continue
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
        for place, tree, write in content["claims"]:
            yield Conflict(content["task"], Claim(place, tree, write), path)


def _claim_files(directory: str) -> List[str]:
    try:
        return sorted(f"{directory}/{name}" for name in os.listdir(directory))
    except FileNotFoundError:
        return []
