# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the last success of a task with drills has pushed: name, size and time of each file of its source.

A drill knows from it which files the destination must have, and which of them the source still has as they were. The
file is in the state directory of the task, and has 24 bytes for each file.
"""

from __future__ import annotations

import os
import unicodedata
from array import array
from contextlib import suppress
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional, Tuple

from ..common.files import remove
from ..common.layout import Layout
from ..hashes.hash_file import load_table, save_hashes, tell_failure
from ..hashes.hashes import CODE, find_hash, hash_path, sort_together

if TYPE_CHECKING:
    from ..hashes.hashes import Hashes

SCHEMA = 1
UNKNOWN = 2**64 - 1


class Pushed(NamedTuple):
    """The files after the successful ``run``. ``hashes`` of the names are sorted, ``sizes`` and ``times`` match them.

    ``place`` is a digest of source and destination, ``selection`` one of the filters. See guards/last_success.py.
    """

    run: str
    place: str
    selection: str
    hashes: Hashes
    sizes: Hashes
    times: Hashes

    def find(self, path: str) -> int:
        """Return the position of a file, -1 if it was not pushed."""
        at = find_hash(self.hashes, hash_name(path))
        return at if at is not None else -1

    def is_unchanged(self, at: int, found: os.stat_result) -> bool:
        """Return whether the file at a position still has the size and the time that it had before the run."""
        return (self.sizes[at], self.times[at]) == (found.st_size, _pack_time(found))


def hash_name(path: str) -> int:
    """Return a hash that is equal for names that a provider may treat as one: other case, other form of Unicode."""
    return hash_path(unicodedata.normalize("NFC", path).casefold())


def _pack_time(found: os.stat_result) -> int:
    return found.st_mtime_ns & UNKNOWN


class PushedFiles:
    """The files of the local ``source`` that a run is about to push. Pass each to hear(), then call finish()."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._columns: Tuple[Hashes, Hashes, Hashes] = (array(CODE), array(CODE), array(CODE))

    def hear(self, path: str, _name: int, _facts: str) -> None:
        """Note a file of the source."""
        size = time = UNKNOWN
        # It is gone, or rclone writes its name in another way.
        with suppress(OSError, ValueError):
            found = os.stat(os.path.join(self._source, path))
            size, time = found.st_size, _pack_time(found)
        for column, value in zip(self._columns, (hash_name(path), size, time)):
            column.append(value)

    def finish(self, run: str, place: str, selection: str) -> Pushed:
        """Return the files of the successful ``run``. See Pushed."""
        return Pushed(run, place, selection, *sort_together(*self._columns))


def load_pushed(layout: Layout, task: str, say: Callable[[str], None]) -> Optional[Pushed]:
    """Return what the last success has pushed, None if that is unknown. A damaged file is the same as none."""
    consequence = "the names that the destination must have are unknown until the next success"
    found = load_table(_locate(layout, task), SCHEMA, ("run", "place", "selection"), 3, say, consequence)
    if found is None:
        return None
    (run, place, selection), (hashes, sizes, times) = found.fields, found.columns
    return Pushed(run, place, selection, hashes, sizes, times)


def save_pushed(layout: Layout, task: str, pushed: Optional[Pushed], say: Callable[[str], None]) -> None:
    """Remember what a success has pushed. None forgets the earlier success, because a run without a list follows."""
    path = _locate(layout, task)
    consequence = "The pushed files could not be remembered, so the next drill cannot find missing ones"
    if pushed is not None:
        header = {"schema": SCHEMA, "run": pushed.run, "place": pushed.place, "selection": pushed.selection}
        save_hashes(path, header, (pushed.hashes, pushed.sizes, pushed.times), say, consequence)
    elif os.path.lexists(path):  # a read-only directory refuses to remove even what does not exist
        with tell_failure(say, consequence):
            remove(path)


def _locate(layout: Layout, task: str) -> str:
    return layout.task_state_dir(task) + "/pushed"
