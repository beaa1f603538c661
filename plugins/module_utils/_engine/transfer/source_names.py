# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The names of the files in a local source, as hashes.

A listing can contain the facts of each file, too: its modification time and its size, as one text.
"""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING, Callable, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

from ..hashes.hashes import CODE, contains, hash_path
from ..remote.session import Session

if TYPE_CHECKING:
    from ..hashes.hashes import Hashes

# The path is the last part, because it can contain the separator. Session.query() sets the time zone to UTC.
FACTS = ("--format", "tsp", "--separator", ";", "--time-format", "2006-01-02T15:04:05.000000000")
# The path, its hash, and the facts of a file.
Hear = Callable[[str, int, str], object]


class Names(NamedTuple):
    """The hashes of the paths of all files, and of the folders that they are in. Sorted."""

    files: Hashes
    folders: Hashes


class Listing(NamedTuple):
    """The names in the source now. ``is_complete`` is False if a folder could not be read."""

    names: Names
    is_complete: bool


def list_names(session: Session, source: str, listeners: Sequence[Hear] = (), with_facts: bool = False) -> Listing:
    """Return the names of the files in the local ``source`` that match the task's filters.

    ``listeners`` get each file, and ``with_facts`` its facts. Otherwise these are empty.
    """
    collector = _Collector()

    def add(line: str) -> None:
        facts, path = split_facts(line) if with_facts else ("", line)
        name = collector.add(path)
        for hear in listeners:
            hear(path, name, facts)

    options = FACTS if with_facts else ()
    arguments = ["lsf", "--recursive", "--files-only", *options, *session.selection, "--", source]
    answer = session.query(arguments, on_output_line=add)
    return Listing(collector.finish(), answer.exit_code == 0)


def split_facts(line: str) -> Tuple[str, str]:
    """Return the facts and the path in a line of a listing with FACTS; no facts if a name with line breaks is split."""
    parts = line.split(";", 2)
    return (f"{parts[0]};{parts[1]}", parts[2]) if len(parts) == 3 else ("", line)


def build_names(paths: Iterable[str]) -> Names:
    """Return the names of the files ``paths``, which are relative to the source."""
    collector = _Collector()
    for path in paths:
        collector.add(path)
    return collector.finish()


class _Collector:
    def __init__(self) -> None:
        self._files: Hashes = array(CODE)
        self._folders: Set[int] = set()
        self._last = ""

    def add(self, path: str) -> int:
        name = hash_path(path)
        self._files.append(name)
        folder = path.rpartition("/")[0]
        if folder != self._last:
            self._last = folder
            self._add_folders(folder)
        return name

    def _add_folders(self, folder: str) -> None:
        while folder and hash_path(folder) not in self._folders:
            self._folders.add(hash_path(folder))
            folder = folder.rpartition("/")[0]

    def finish(self) -> Names:
        return Names(array(CODE, sorted(self._files)), array(CODE, sorted(self._folders)))


def has_link_to_known(source: str, known: Names) -> bool:
    """Return whether ``source`` has a symbolic link where a file or a folder of ``known`` was."""
    links = map(hash_path, _walk(source))
    return any(contains(known.files, link) or contains(known.folders, link) for link in links)


def _walk(source: str) -> Iterator[str]:
    """Yield the path of each symbolic link below ``source``, relative to it. No link is followed."""
    for folder, folders, files in os.walk(source):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            if os.path.islink(path):
                yield path[len(source) :].lstrip("/")


def find_links(source: str, paths: Iterable[str]) -> List[str]:
    """Return the paths that are now symbolic links in ``source``: one of ``paths``, or a folder above it."""
    found: Set[str] = set()
    real: Set[str] = set()
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            if name in real:
                continue
            if os.path.islink(os.path.join(source, name)):
                found.add(name)
                break
            # A file comes once, and there may be a million.
            if depth < len(parts):
                real.add(name)
    return sorted(found)
