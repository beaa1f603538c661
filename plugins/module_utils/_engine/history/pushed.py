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
from bisect import bisect_left
from typing import TYPE_CHECKING, Callable, List, NamedTuple, Optional

from ..common.errors import CloudsyncError, system_error
from ..common.files import atomic_write, make_directory, remove
from ..common.layout import Layout
from ..remote.session import Session
from ..transfer.source_names import CODE, hash_path, parse_hashes, render_hashes

if TYPE_CHECKING:
    from ..transfer.source_names import Hashes

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
        value = hash_name(path)
        at = bisect_left(self.hashes, value)
        return at if at < len(self.hashes) and self.hashes[at] == value else -1

    def is_unchanged(self, at: int, found: os.stat_result) -> bool:
        """Return whether the file at a position still has the size and the time that it had before the run."""
        return (self.sizes[at], self.times[at]) == (found.st_size, _pack_time(found))


def hash_name(path: str) -> int:
    """Return a hash that is equal for names that a provider may treat as one: other case, other form of Unicode."""
    return hash_path(unicodedata.normalize("NFC", path).casefold())


def _pack_time(found: os.stat_result) -> int:
    return found.st_mtime_ns & UNKNOWN


def list_pushed(session: Session, source: str, run: str, place: str, selection: str) -> Pushed:
    """Return the files in the local ``source`` that match the task's filters. Call it before the transfer."""
    hashes: Hashes = array(CODE)
    sizes: Hashes = array(CODE)
    times: Hashes = array(CODE)

    def hear(path: str) -> None:
        hashes.append(hash_name(path))
        try:
            found = os.stat(os.path.join(source, path))
            sizes.append(found.st_size)
            times.append(_pack_time(found))
        except (OSError, ValueError):  # gone, or a name that rclone writes in another way
            sizes.append(UNKNOWN)
            times.append(UNKNOWN)

    session.query(["lsf", "--recursive", "--files-only", *session.selection, "--", source], on_output_line=hear)
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    parts = (array(CODE, (part[at] for at in order)) for part in (hashes, sizes, times))
    return Pushed(run, place, selection, *parts)


def load_pushed(layout: Layout, task: str, say: Callable[[str], None]) -> Optional[Pushed]:
    """Return what the last success has pushed, None if that is unknown. A damaged file is the same as none."""
    path = _locate(layout, task)
    try:
        with open(path, "rb") as stream:
            header, parts = parse_hashes(stream.read())
        if header["schema"] != SCHEMA or len({len(part) for part in parts}) != 1:
            raise ValueError("not the files of a run")
        hashes, sizes, times = parts
        return Pushed(str(header["run"]), str(header["place"]), str(header["selection"]), hashes, sizes, times)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        say(f"{path} is damaged, so the names that the destination must have are unknown until the next success.")
        return None


def save_pushed(layout: Layout, task: str, pushed: Optional[Pushed], say: Callable[[str], None]) -> None:
    """Remember what a success has pushed. None forgets the earlier success, because a run without a list follows."""
    path = _locate(layout, task)
    try:
        if pushed is not None:
            make_directory(layout.task_state_dir(task))
            header = {"schema": SCHEMA, "run": pushed.run, "place": pushed.place, "selection": pushed.selection}
            atomic_write(path, render_hashes(header, (pushed.hashes, pushed.sizes, pushed.times)))
        elif os.path.lexists(path):  # a read-only directory refuses to remove even what does not exist
            remove(path)
    except (CloudsyncError, OSError) as error:
        why = system_error(error) if isinstance(error, OSError) else error
        say(f"The pushed files could not be remembered, so the next drill cannot find missing ones: {why.message}")


def _locate(layout: Layout, task: str) -> str:
    return layout.task_state_dir(task) + "/pushed"


def list_missing(pushed: Pushed, found: Hashes) -> List[int]:
    """Return the hashes of the pushed names that are not in ``found``, which is sorted. Both are sorted."""
    missing, at = [], 0
    for value in pushed.hashes:
        while at < len(found) and found[at] < value:
            at += 1
        if at == len(found) or found[at] != value:
            missing.append(value)
    return missing
