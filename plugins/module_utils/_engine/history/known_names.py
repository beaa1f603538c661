# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The hashes of all names at the destination of a task with keep_deleted, as the last success left them.

With them, a run knows before its transfer which names it may create. The file is in the state directory of the task.
"""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING, Callable, Iterable, NamedTuple, Optional

from ..common.files import remove
from ..common.layout import Layout
from ..hashes.hash_file import load_table, write_hashes
from ..hashes.hashes import CODE, hash_path

if TYPE_CHECKING:
    from ..hashes.hashes import Hashes

SCHEMA = 1


class KnownNames(NamedTuple):
    """``hashes`` of the names (sorted) after the successful ``run``.

    ``place`` is a digest of source, destination and kept folder, ``selection`` one of the filters,
    empty if the hashes are not complete.
    """

    run: str
    place: str
    selection: str
    hashes: Hashes


def change(hashes: Hashes, created: Iterable[str], removed: Iterable[str]) -> Hashes:
    """Return ``hashes`` after a run has created and removed these names."""
    gone = set(map(hash_path, removed))
    new = set(map(hash_path, created))
    return array(CODE, sorted({value for value in hashes if value not in gone} | new))


def load_known_names(layout: Layout, task: str, say: Callable[[str], None]) -> Optional[KnownNames]:
    """Return the names, None if they are unknown. A damaged file is the same as none."""
    consequence = "the past of the task begins with this run"
    found = load_table(_locate(layout, task), SCHEMA, ("run", "place", "selection"), 1, say, consequence)
    if found is None:
        return None
    (run, place, selection), (hashes,) = found.fields, found.columns
    return KnownNames(run, place, selection, hashes)


def save_known_names(layout: Layout, task: str, known: KnownNames) -> None:
    """Replace the file. Raise OSError if that is not possible."""
    header = {"schema": SCHEMA, "run": known.run, "place": known.place, "selection": known.selection}
    write_hashes(_locate(layout, task), header, (known.hashes,))


def forget_known_names(layout: Layout, task: str) -> None:
    """Remove the file, because a run without a record of its changes follows."""
    path = _locate(layout, task)
    if os.path.lexists(path):  # a read-only directory refuses to remove even what does not exist
        remove(path)


def _locate(layout: Layout, task: str) -> str:
    return layout.task_state_dir(task) + "/known-names"
