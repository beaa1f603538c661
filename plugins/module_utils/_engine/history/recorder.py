# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Record what a run changes at its destination, so that the state before it can be restored.

Before its transfer, a run writes which names are absent at the destination. It knows them from the last success, so
this needs no listing. A run that is killed later has already said what it may have created. rclone itself moves
everything that the run replaces or deletes into the folder of keep_deleted.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Callable, Optional, Set

from ..common.errors import system_error
from ..common.layout import Layout
from ..config.tasks import SYNC, Task
from ..hashes.hashes import CODE, contains, count_missing, hash_path
from ..rclone.log_lines import COPY, DELETE, KEEP, MOVE, Item
from ..remote.session import Session
from ..transfer.keep_deleted import get_kept_place
from ..transfer.remote_files import query_listing, raise_unless_found, read_files, write_file
from .known_names import KnownNames, change, forget_known_names, load_known_names, save_known_names
from .manifest import BEGINNING, SUFFIX, Beginning, Manifest, parse_beginning

if TYPE_CHECKING:
    from ..hashes.hashes import Hashes

Say = Callable[[str], None]


class Recorder:
    """The record of one run. Call begin() before each attempt, hear() with each item of rclone, finish() at the end."""

    def __init__(
        self, layout: Layout, task: Task, run: str, place: str, selection: str, previous: str, say: Say
    ) -> None:
        """Begin the record of ``run``. ``place`` and ``selection`` are digests of ends and filters.

        ``previous`` is the last run of the task on this host that may have changed the destination, empty if none has.
        """
        self._layout = layout
        self._task = task
        self._run = run
        self._previous = previous
        self._say = say
        self._is_new = False
        self._known = KnownNames("", place, selection, array(CODE))
        self._is_known = False
        self._is_exact = False
        self._absent: Set[str] = set()
        self._created: Set[str] = set()
        self._removed: Set[str] = set()

    def begin(self, session: Session, source: str, destination: str, names: Optional[Hashes]) -> None:
        """Write the names in the local ``source`` that are absent at the destination.

        ``names`` are the hashes of those in the source, None if they are unknown.
        """
        if self._is_known:
            self._is_exact = False
        else:
            self._known = self._find_known(session, destination)
            self._is_known = True
            self._is_exact = not self._is_new and self._known.run >= self._previous
        if self._is_new or (names is not None and not count_missing(names, self._known.hashes)):
            return
        before = len(self._absent)
        # What cannot be read is not transferred either. The log of rclone tells what appeared in the meantime.
        query_listing(session, source, lambda entry: self._add_absent(entry["Path"]))
        if len(self._absent) > before:
            self._write_manifest(session)

    def _find_known(self, session: Session, destination: str) -> KnownNames:
        known = load_known_names(self._layout, self._task.name, self._say)
        if known is not None and (known.place, known.selection) == (self._known.place, self._known.selection):
            return known
        # Without the file, the earlier runs have recorded nothing, except on another host that this one replaces.
        self._is_new = (known is None and bool(self._previous)) or not self._has_begun(session)
        if self._is_new:
            return self._known
        # A base that sorts just before this run. It is saved now, because this run may fail after some changes.
        found = self._known._replace(run=self._run[:-1], hashes=list_hashes(session, destination))
        self._save(found)
        return found

    def _has_begun(self, session: Session) -> bool:
        """Return whether the kept folder has the past of this source and destination."""
        text = read_files(session, get_kept_place(self._task), [BEGINNING])
        return bool(text) and parse_beginning(text).place == self._known.place

    def _add_absent(self, name: str) -> None:
        if not contains(self._known.hashes, hash_path(name)):
            self._absent.add(name)

    def _write_manifest(self, session: Session) -> None:
        manifest = Manifest(self._run, self._known.run, tuple(sorted(self._absent)))
        write_file(session, get_kept_place(self._task), self._run + SUFFIX, manifest.render())

    def hear(self, item: Item) -> None:
        """Note what rclone has done to one name."""
        if item.action == COPY:
            self._created.add(item.path)
            self._removed.discard(item.path)
        elif item.action in (DELETE, KEEP, MOVE) and self._task.mode == SYNC:
            # A copy deletes nothing, and a move deletes at its source.
            self._created.discard(item.path)
            self._removed.add(item.path)

    def finish(self, session: Session, destination: str, is_complete: bool) -> None:
        """Remember the names after a success. ``is_complete`` is False if rclone left out objects."""
        late = {name for name in self._created if not contains(self._known.hashes, hash_path(name))} - self._absent
        if late and not self._is_new:
            # They appeared in the source after begin() had listed it.
            self._absent |= late
            self._write_manifest(session)
        if self._is_new:
            beginning = Beginning(self._run, self._known.place)
            write_file(session, get_kept_place(self._task), BEGINNING, beginning.render())
        if self._is_exact:
            hashes = change(self._known.hashes, self._created, self._removed)
        else:
            # A failed attempt, also one of an earlier run, may have changed more than this log says.
            hashes = list_hashes(session, destination)
        known = self._known._replace(run=self._run, hashes=hashes)
        # Without a selection, the next run lists the destination.
        self._save(known if is_complete else known._replace(selection=""))

    def _save(self, known: KnownNames) -> None:
        try:
            save_known_names(self._layout, self._task.name, known)
        except OSError as error:
            self._say(f"The past of the task cannot be continued: {system_error(error).message}")


def open_recorder(
    layout: Layout, task: Task, run: str, place: str, selection: str, previous: str, say: Say
) -> Optional[Recorder]:
    """Return the recorder of a run, None for a task that does not push or has no keep_deleted. See Recorder."""
    if task.is_push and task.keep_deleted is not None:
        return Recorder(layout, task, run, place, selection, previous, say)
    if task.is_push:
        forget_known_names(layout, task.name)
    return None


def list_hashes(session: Session, place: str) -> Hashes:
    """Return the hashes of all names at ``place`` that match the task's filters, sorted."""
    hashes: Set[int] = set()
    answer = query_listing(session, place, lambda entry: hashes.add(hash_path(entry["Path"])))
    raise_unless_found(answer, session)
    return array(CODE, sorted(hashes))
