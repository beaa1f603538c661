# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The entries of a plan: a tuple, or beyond LONGEST entries a file on disk, with counts and a sample in memory."""

from __future__ import annotations

import json
import os
from array import array
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from ..common.files import make_directory
from ..hashes.hashes import CODE, find_hash, hash_path, sort_together
from ..rclone.log_lines import Item

if TYPE_CHECKING:
    from ..hashes.hashes import Hashes

LONGEST = 50000
SHOWN = 1000
SIZE_CODE = "q"


class Entry(NamedTuple):
    """One file, its path relative to the task's root, its size in bytes."""

    path: str
    size: int


class StoredEntries:
    """The entries of one ``action`` in the file ``path``. ``shown`` are the first of them."""

    def __init__(self, path: str, action: str) -> None:
        self.path = path
        self.count = self.bytes = 0
        self.shown: List[Entry] = []
        self._action = action

    def add(self, entry: Entry) -> None:
        """Count an entry that was written to the file."""
        self.count += 1
        self.bytes += entry.size
        if len(self.shown) < SHOWN:
            self.shown.append(entry)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Entry]:
        with open(self.path, encoding="ascii") as stream:
            for line in stream:
                action, path, size = json.loads(line)
                if action == self._action:
                    yield Entry(path, size)


Entries = Union[Tuple[Entry, ...], StoredEntries]


def total_bytes(entries: Entries) -> int:
    """Return the sum of the sizes."""
    return entries.bytes if isinstance(entries, StoredEntries) else sum(entry.size for entry in entries)


def select_shown(entries: Entries) -> Iterable[Entry]:
    """Return the entries that a result lists: all, or a sample of very many."""
    return entries.shown if isinstance(entries, StoredEntries) else entries


class Items:
    """What a dry run announces: a list, or beyond LONGEST items a file without a name in the folder of ``path``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._few: List[Item] = []
        self._file: Optional[IO[str]] = None
        self._closing = ExitStack()

    @property
    def are_many(self) -> bool:
        return self._file is not None

    def append(self, item: Item) -> None:
        """Add an item."""
        if self._file is not None:
            self._file.write(_render(item))
            return
        self._few.append(item)
        if len(self._few) > LONGEST:
            import tempfile  # a short plan needs no file

            folder = os.path.dirname(self._path)
            make_directory(folder)
            descriptor, name = tempfile.mkstemp(dir=folder)
            self._file = self._closing.enter_context(os.fdopen(descriptor, "w+", encoding="ascii"))
            os.unlink(name)
            self._file.writelines(map(_render, self._few))
            self._few = []

    def __iter__(self) -> Iterator[Item]:
        if self._file is None:
            yield from self._few
            return
        self._file.seek(0)
        for line in self._file:
            yield Item(*json.loads(line))

    def close(self) -> None:
        """Remove the file."""
        self._closing.close()


def _render(item: Item) -> str:
    return json.dumps([item.action, item.path, item.size]) + "\n"


class Sizes:
    """The sizes of files by the hashes of their paths: 16 bytes for each file."""

    def __init__(self) -> None:
        self._hashes: Hashes = array(CODE)
        self._sizes = array(SIZE_CODE)
        self._is_sorted = True

    def add(self, path: str, size: int) -> None:
        """Add a file."""
        self._hashes.append(hash_path(path))
        self._sizes.append(size)
        self._is_sorted = False

    def get(self, path: str) -> Optional[int]:
        """Return the size of the file, None if it does not exist."""
        if not self._is_sorted:
            self._hashes, self._sizes = sort_together(self._hashes, self._sizes)
            self._is_sorted = True
        at = find_hash(self._hashes, hash_path(path))
        return self._sizes[at] if at is not None else None

    def __len__(self) -> int:
        return len(self._hashes)
