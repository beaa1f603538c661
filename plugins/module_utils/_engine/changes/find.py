# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the files that rclone has to compare, where a comparison takes one request for each file.

S3 and Swift store the modification time of a file as metadata, which a listing does not contain. A listing has the
size and the time of the upload. A file needs no comparison if rclone has found it equal in an earlier run, if the
source has the same size and modification time as then, and the destination the same size and time of the upload.
"""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING, Callable, List, Optional, Set

from ..common.layout import Layout
from ..config.tasks import MOVE, SYNC, Task
from ..hashes.hashes import CODE, contains, find_hash, hash_path, sort_together
from ..rclone.log_lines import Item
from ..rclone.providers.traits import tells_no_times
from ..remote.session import Session
from ..transfer.source_names import FACTS, split_facts
from .known_files import KnownFiles, load_known_files

if TYPE_CHECKING:
    from ..hashes.hashes import Hashes

Say = Callable[[str], None]
# Arguments of rclone that do not change which files are equal.
HARMLESS = ("--bind", "--buffer-size", "--checkers", "--fast-list", "--low-level-retries", "--tpslimit", "--use-mmap")
# A file that was written at this moment may be written once more with the same time. Clocks may differ by 15 minutes.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (RequestTimeTooSkewed)
RECENT_SECONDS = 900
TIME = "%Y-%m-%dT%H:%M:%S"


class ChangeFinder:
    """The comparison of one attempt: hear_source() for each file, find(), hear() for each change, conclude()."""

    def __init__(self, known: KnownFiles, is_sync: bool) -> None:
        self._known = known
        self._is_sync = is_sync
        self._sources = _Side()
        self._copies = _Side()
        self._recent: Set[int] = set()
        self._suspects: Set[str] = set()
        self._touched: Set[int] = set()
        self._has_listed = False
        self._changed: Optional[List[str]] = None

    def hear_source(self, path: str, name: int, facts: str) -> None:
        """Note a file of the source. ``name`` is the hash of its path."""
        fact = hash_path(facts)
        self._sources.add(name, fact, facts)
        if self._known.names and not self._known.has_source(name, fact):
            self._suspects.add(path)

    def find(self, session: Session, destination: str) -> Optional[List[str]]:
        """Return the names of the files to compare, sorted, None for all of them. List the destination once."""
        if not self._has_listed:
            self._has_listed = True
            self._changed = self._find(session, destination)
        return self._changed

    def count_copies(self) -> int:
        """Return how many files the destination has."""
        return len(self._copies.names)

    def _find(self, session: Session, destination: str) -> Optional[List[str]]:
        self._sources.sort()
        limit = time.strftime(TIME, time.gmtime(time.time() - RECENT_SECONDS))

        def hear(line: str) -> None:
            facts, path = split_facts(line)
            name, fact = hash_path(path), hash_path(facts)
            self._copies.add(name, fact, facts)
            if facts >= limit:
                self._recent.add(name)
            if not self._known.names:
                return
            is_gone = not contains(self._sources.names, name)
            if (is_gone and self._is_sync) or (not is_gone and not self._known.has_copy(name, fact)):
                self._suspects.add(path)

        words = ["lsf", "--recursive", "--files-only", "--use-server-modtime", *FACTS, *session.selection]
        answer = session.query([*words, "--", destination], on_output_line=hear)
        self._copies.sort()
        is_clear = answer.exit_code == 0 and self._sources.is_clear and self._copies.is_clear
        if not is_clear:
            self._copies = _Side()  # so that nothing is remembered
            return None
        asked = {hash_path(path) for path in self._suspects}
        is_missing = any(name not in asked and not contains(self._copies.names, name) for name in self._sources.names)
        return None if is_missing or not self._known.names else sorted(self._suspects)

    def hear(self, item: Item) -> None:
        """Note a file that rclone has changed."""
        self._touched.add(hash_path(item.path))

    def conclude(self) -> KnownFiles:
        """Return the files that are equal after a success: those that were listed before it, and did not change."""
        changed = self._touched | self._recent
        names, sources, copies = array(CODE), array(CODE), array(CODE)
        for name, fact in zip(self._sources.names, self._sources.facts):
            at = find_hash(self._copies.names, name)
            if at is not None and name not in changed:
                names.append(name)
                sources.append(fact)
                copies.append(self._copies.facts[at])
        return self._known._replace(names=names, sources=sources, copies=copies)


def open_finder(
    layout: Layout, task: Task, session: Session, place: str, selection: str, say: Say
) -> Optional[ChangeFinder]:
    """Return the finder for an attempt of ``task``, None if rclone has to compare all files.

    ``place`` and ``selection`` are digests of source and destination, and of the filters.
    """
    credential = session.credential
    is_possible = task.is_push and task.mode != MOVE and not task.create_empty_dirs and session.rclone.has_time_format
    if not is_possible or credential is None or not tells_no_times(credential.provider):
        return None
    if any(argument.partition("=")[0] not in HARMLESS for argument in task.rclone_args):
        return None
    known = load_known_files(layout, task.name, say)
    if known is None or (known.place, known.selection) != (place, selection):
        known = KnownFiles(place, selection, array(CODE), array(CODE), array(CODE))
    return ChangeFinder(known, task.mode == SYNC)


class _Side:
    """The files of one side: hashes of names and of facts, which sort() puts in the order of the names."""

    def __init__(self) -> None:
        self.names: Hashes = array(CODE)
        self.facts: Hashes = array(CODE)
        self._is_whole = True

    def add(self, name: int, fact: int, facts: str) -> None:
        self.names.append(name)
        self.facts.append(fact)
        self._is_whole = self._is_whole and bool(facts)

    def sort(self) -> None:
        self.names, self.facts = sort_together(self.names, self.facts)

    @property
    def is_clear(self) -> bool:
        """Whether each name occurs once and has facts. A name with line breaks may look like other names."""
        return self._is_whole and all(one != other for one, other in zip(self.names, self.names[1:]))
