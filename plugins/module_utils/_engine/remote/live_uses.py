# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The directories of the uses of credentials: create them, and sweep what killed uses left.

A use holds the lock in its directory, and its rclone inherits it. A directory whose lock is free therefore has no
reader and no writer. One mutex is held while a directory is created, claimed or taken out of sight, so that nobody ever
sees a part of these steps. Exactly one process removes a directory: the one that holds its lock.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import Iterator, List, NamedTuple, Optional, Tuple

from ..common.errors import CloudsyncError, system_error
from ..common.files import atomic_write, make_directory, remove
from ..common.flock import Lock, try_lock, wait_lock
from ..common.layout import Layout
from .login_problems import UNSAVED, clear_doubt, locate_uses, mark_doubt
from .refreshed import Known, find_newest, may_have_lost, read_known, store_refreshed

LOCK = "lock"
REMOVED = ".removed-"


def locate_use(layout: Layout, use_id: str) -> str:
    return f"{locate_uses(layout)}/{use_id}"


def _wait_mutex(layout: Layout) -> Lock:
    return wait_lock(layout.run_dir + "/locks/live.mutex")


def create_use(layout: Layout, use_id: str) -> Lock:
    """Create the directory of a use. Return its lock."""
    make_directory(layout.run_dir)
    make_directory(locate_uses(layout))
    with _wait_mutex(layout):
        return wait_lock(f"{locate_use(layout, use_id)}/{LOCK}")


def _claim_dead_uses(layout: Layout) -> Iterator[Tuple[str, Lock]]:
    """Return the directory of each use that has ended without removing it, and its lock, which the caller releases."""
    parent = locate_uses(layout)
    for use_id in sorted(os.listdir(parent)) if os.path.isdir(parent) else []:
        if use_id.startswith(REMOVED):
            _remove_tree(f"{parent}/{use_id}")
            continue
        with _wait_mutex(layout):
            use = locate_use(layout, use_id)
            lock = try_lock(f"{use}/{LOCK}") if os.path.isdir(use) else None
        if lock is not None:
            yield use, lock


def remove_use(layout: Layout, use: str) -> None:
    """Remove the directory of a use. The caller holds its lock."""
    parent, use_id = os.path.split(use)
    hidden = f"{parent}/{REMOVED}{use_id}"
    with _wait_mutex(layout):
        os.rename(use, hidden)
    _remove_tree(hidden)


def _remove_tree(path: str) -> None:
    """Remove ``path``, which several processes may be removing, but nobody is writing to."""
    while os.path.lexists(path):
        with suppress(FileNotFoundError):
            shutil.rmtree(path)


class Pending(NamedTuple):
    """An ended use whose refreshed token could not be saved because of ``error``."""

    use: str
    known: Known
    error: Exception


class Swept(NamedTuple):
    """What sweep_live() had to leave. ``problems`` has a sentence for each directory that stays."""

    pending: List[Pending]
    problems: List[str]

    def find_pending(self, credential: str) -> Optional[Pending]:
        """Return the use with the newest values of the credential: its list continues those of the others."""
        found = [pending for pending in self.pending if pending.known.credential == credential]
        return max(found, key=lambda pending: len(pending.known.values)) if found else None


def sweep_live(layout: Layout) -> Swept:
    """Save the refreshed tokens of ended uses, then remove their live configurations.

    A token that cannot be saved, for example on a full disk, exists nowhere else. It stays in its file on tmpfs, which
    only its user can read.
    """
    swept = Swept([], [])
    for use, lock in _claim_dead_uses(layout):
        with lock:
            _sweep_use(layout, use, swept)
    return swept


def _sweep_use(layout: Layout, use: str, swept: Swept) -> None:
    known = None
    try:
        known = read_known(use)
        if store_refreshed(layout, use):
            clear_doubt(layout, known.credential if known else "")
    except (CloudsyncError, OSError) as error:
        swept.problems.append(keep_unsaved(use, known.credential if known else "", error))
        if known is not None:
            values = [*known.values, find_newest(use, known)]
            swept.pending.append(Pending(use, known._replace(values=values), error))
        return
    try:
        if known is not None and may_have_lost(use):
            mark_doubt(layout, known.credential)
        remove_use(layout, use)
    except (CloudsyncError, OSError) as error:
        swept.problems.append(describe_stuck(use, error))


def remove_adopted(layout: Layout, adopted: Pending) -> None:
    """Remove the ended uses whose values a new use has taken over."""
    for use, lock in _claim_dead_uses(layout):
        with lock, suppress(CloudsyncError, OSError):
            known = read_known(use)
            if known is None or known.credential != adopted.known.credential:
                continue
            if find_newest(use, known) in adopted.known.values:
                remove_use(layout, use)


def keep_unsaved(use: str, credential: str, error: Exception) -> str:
    """Leave a sentence for list_live_problems() until the token is saved. Return the sentence."""
    problem = (
        f"The refreshed token of credential {credential} is not saved yet. It is kept in {use} until the next use of "
        f"the credential, but a reboot loses it. To save it at once, correct the cause and run: cloudsync verify "
        f"{credential}. Cause: {_explain(error)}"
    )
    with suppress(OSError):
        atomic_write(f"{use}/{UNSAVED}", problem.encode())
    return problem


def forget_unsaved(use: str) -> None:
    """Remove the sentence of keep_unsaved(), because the token was saved."""
    with suppress(OSError):
        remove(f"{use}/{UNSAVED}")


def describe_stuck(use: str, error: Exception) -> str:
    """Return the sentence for a directory that cannot be removed."""
    return f"Cannot remove the live configuration {use}, the next use tries again: {_explain(error)}"


def _explain(error: Exception) -> str:
    return system_error(error).message if isinstance(error, OSError) else str(error)
