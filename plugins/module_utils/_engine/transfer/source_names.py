# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The names of the files in a local source, as hashes: 8 bytes for each name, so that a million need 8 MB.

A listing can contain the facts of each file, too: its modification time and its size, as one text.
"""

from __future__ import annotations

import json
import os
from array import array
from bisect import bisect_left
from hashlib import blake2b
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ..remote.session import Session

if TYPE_CHECKING:
    Hashes = array[int]

CODE, HASH_BYTES = "Q", 8
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


def list_names(session: Session, source: str, hear: Optional[Hear] = None) -> Listing:
    """Return the names of the files in the local ``source`` that match the task's filters.

    ``hear`` gets each file, with its facts.
    """
    collector = _Collector()

    def add(line: str) -> None:
        facts, path = split_facts(line) if hear is not None else ("", line)
        name = collector.add(path)
        if hear is not None:
            hear(path, name, facts)

    facts = FACTS if hear is not None else ()
    arguments = ["lsf", "--recursive", "--files-only", *facts, *session.selection, "--", source]
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


def hash_path(path: str) -> int:
    """Return the hash of a path: 64 bits of BLAKE2b."""
    return int.from_bytes(blake2b(path.encode("utf-8", "surrogateescape"), digest_size=HASH_BYTES).digest(), "little")


def count_missing(before: Hashes, now: Hashes) -> int:
    """Return how many hashes of ``before`` are not in ``now``. Both are sorted."""
    missing, at = 0, 0
    for value in before:
        while at < len(now) and now[at] < value:
            at += 1
        missing += at == len(now) or now[at] != value
    return missing


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


def render_hashes(header: Mapping[str, Any], parts: Sequence[Hashes]) -> bytes:
    """Return a file of hashes: a line of JSON with the values of ``header``, then 8 bytes for each hash."""
    body = b"".join(part.tobytes() for part in parts)
    line = {**header, "counts": [len(part) for part in parts], "digest": _compute_digest(body)}
    return json.dumps(line).encode() + b"\n" + body


def parse_hashes(content: bytes) -> Tuple[Dict[str, Any], List[Hashes]]:
    """Return what render_hashes() rendered. Raise ValueError, KeyError or TypeError for anything else."""
    line, _newline, body = content.partition(b"\n")
    header = json.loads(line.decode())
    counts = [int(count) for count in header["counts"]]
    if len(body) != HASH_BYTES * sum(counts) or _compute_digest(body) != header["digest"]:
        raise ValueError("the counts or the digest are wrong")
    parts, at = [], 0
    for count in counts:
        end = at + HASH_BYTES * count
        parts.append(array(CODE, body[at:end]))
        at = end
    return header, parts


def _compute_digest(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


def contains(hashes: Hashes, value: int) -> bool:
    """Return whether ``value`` is in the sorted ``hashes``."""
    return find_hash(hashes, value) is not None


def find_hash(hashes: Hashes, value: int) -> Optional[int]:
    """Return the position of ``value`` in the sorted ``hashes``, None if it is not there."""
    at = bisect_left(hashes, value)
    return at if at < len(hashes) and hashes[at] == value else None


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
