# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Claim paths for a run: readers and writers, ancestors and descendants, across tasks.

A claim is a file that lists the paths of its run. The run holds an flock on the file while it is active. A new claim is
compared with all held claims under one mutex, so two runs can never claim the same path at the same time.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from ..common.flock import Lock, try_lock, wait_lock
from ..common.layout import Layout
from ..remote.places import Place


@dataclass(frozen=True)
class Claim:
    """The use of one tree. ``shown`` is the path for messages, if it differs from that of ``place``."""

    place: Place
    write: bool
    shown: str = ""

    def conflicts_with(self, other: Claim) -> bool:
        """Return whether one of the two claims writes, and one of the two trees contains the other."""
        return (self.write or other.write) and self.place.overlaps(other.place)

    def describe(self) -> str:
        """Return the claim in words for messages: "writes /srv/data"."""
        remote = "" if self.place.is_local else "remote "
        return f"{'writes' if self.write else 'reads'} {remote}{self.shown or self.place.path}"


@dataclass(frozen=True)
class Conflict:
    """The held claim that conflicts with a new one, its task and its file."""

    task: str
    claim: Claim
    path: str


def try_claim(
    layout: Layout, task: str, run_id: str, claims: Sequence[Claim]
) -> Tuple[Optional[Lock], Optional[Conflict]]:
    """Claim all of ``claims`` at once. Return the lock to hold, or the first conflict."""
    directory = layout.run_dir + "/locks/claims"
    with wait_lock(layout.run_dir + "/locks/claims.mutex"):
        for theirs in _list_living(directory):
            for ours in claims:
                if ours.conflicts_with(theirs.claim):
                    return None, theirs
        lock = wait_lock(f"{directory}/{task}.{run_id}.json")
        try:
            lock.write(json.dumps({"task": task, **_to_json(claims)}))
        except BaseException:
            drop_claim(lock)
            raise
        return lock, None


def drop_claim(lock: Lock) -> None:
    """Remove a claim and its lock. The claim of a killed run ends with its process, and the next claim removes it."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(lock.path)
    lock.release()


def _list_living(directory: str) -> Iterator[Conflict]:
    for path in _claim_files(directory):
        dead = try_lock(path)
        if dead is not None:
            drop_claim(dead)
            continue
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
        for claim in _from_json(content):
            yield Conflict(content["task"], claim, path)


def _to_json(claims: Sequence[Claim]) -> Dict[str, Any]:
    # A list of its own for the shown paths: during an upgrade, an older version also reads the claims.
    return {"claims": [[*claim.place, claim.write] for claim in claims], "shown": [claim.shown for claim in claims]}


def _from_json(content: Dict[str, Any]) -> List[Claim]:
    shown = content.get("shown") or [""] * len(content["claims"])
    return [Claim(Place(*place), write, text) for (*place, write), text in zip(content["claims"], shown)]


def _claim_files(directory: str) -> List[str]:
    try:
        return sorted(f"{directory}/{name}" for name in os.listdir(directory))
    except FileNotFoundError:
        return []
