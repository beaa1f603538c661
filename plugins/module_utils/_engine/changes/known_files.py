# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The files that rclone has found equal at both sides, and what both sides said of them: 24 bytes for each file.

The file is in the state directory of the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

from ..common.layout import Layout
from ..hashes.hash_file import load_table, save_hashes
from ..hashes.hashes import find_hash

if TYPE_CHECKING:
    from ..hashes.hashes import Hashes

SCHEMA = 1


class KnownFiles(NamedTuple):
    """Equal files: the hashes of their ``names`` (sorted), of what the source said of each, and the destination.

    ``place`` and ``selection`` are digests of source and destination, and of the filters.
    """

    place: str
    selection: str
    names: Hashes
    sources: Hashes
    copies: Hashes

    def has_source(self, name: int, fact: int) -> bool:
        """Whether the source said ``fact`` of the file when it was equal."""
        at = find_hash(self.names, name)
        return at is not None and self.sources[at] == fact

    def has_copy(self, name: int, fact: int) -> bool:
        """Whether the destination said ``fact`` of the file when it was equal."""
        at = find_hash(self.names, name)
        return at is not None and self.copies[at] == fact


def load_known_files(layout: Layout, task: str, say: Callable[[str], None]) -> Optional[KnownFiles]:
    """Return the known files, None if there are none. A damaged file is the same as none."""
    consequence = "this run compares all files. The next success replaces it"
    found = load_table(_locate(layout, task), SCHEMA, ("place", "selection"), 3, say, consequence)
    if found is None:
        return None
    (place, selection), (names, sources, copies) = found.fields, found.columns
    return KnownFiles(place, selection, names, sources, copies)


def save_known_files(layout: Layout, task: str, known: KnownFiles, say: Callable[[str], None]) -> None:
    """Replace the file. If that is not possible, the next run compares more files."""
    header = {"schema": SCHEMA, "place": known.place, "selection": known.selection}
    consequence = "The equal files could not be remembered, so the next run compares them again"
    save_hashes(_locate(layout, task), header, (known.names, known.sources, known.copies), say, consequence)


def _locate(layout: Layout, task: str) -> str:
    return layout.task_state_dir(task) + "/known-files"
