# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Survey the destination of a task with one listing: what is missing, what has changed, and a sample for a drill."""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING, Iterable, List, NamedTuple, Optional, Sequence, Set

from ..common.text import SHOWN_NAMES, format_count
from ..config.task_checks import count_bytes
from ..config.tasks import Drill, Task
from ..hashes.hashes import CODE, list_missing
from ..history.pushed import UNKNOWN, Pushed, hash_name
from ..rclone.log_lines import Message, parse_line
from ..remote.arguments import Endpoints
from ..remote.session import Session
from ..transfer.entries import Entry
from ..transfer.remote_files import query_listing, raise_unless_found
from .sample import Sample

if TYPE_CHECKING:
    from ..hashes.hashes import Hashes

UNDECRYPTABLE = "Skipping undecryptable "
# So many names of each kind are kept for the log.
MOST_NAMES = 1000


class Names:
    """The number of files of one kind, and the first of their names. Some may have a number only."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.count = 0
        self.shown: List[str] = []
        for name in names:
            self.add(name)

    def add(self, name: str = "") -> None:
        """Count a file, and keep its name if it is known."""
        self.count += 1
        if name and len(self.shown) < MOST_NAMES:
            self.shown.append(name)

    def describe(self, kind: str) -> str:
        """Return a sentence: "Missing: 7 files (a, b, c, d, e and 2 more)."."""
        more = self.count - min(len(self.shown), SHOWN_NAMES)
        names = ", ".join(self.shown[:SHOWN_NAMES]) + (f" and {more} more" if more else "")
        return f"{kind}: {format_count(self.count, 'file')}" + (f" ({names})." if self.shown else ".")


class Survey(NamedTuple):
    """What the listing shows. ``total`` is the number of files that can be read, ``large`` of those over max_bytes.

    ``missing`` files were there after the last success, ``resized`` ones have another size than their unchanged source.
    ``hidden`` names cannot be decrypted. ``pushed`` is None if the names that must be there are unknown.
    """

    total: int
    sample: List[Entry]
    large: int
    missing: Names
    resized: Names
    hidden: Names
    pushed: Optional[Pushed]


def survey(session: Session, task: Task, ends: Endpoints, pushed: Optional[Pushed], is_settled: bool) -> Survey:
    """List the destination of the task that the drill ``task`` tests.

    ``is_settled``: no run has changed the destination since ``pushed``. Otherwise, a run may have deleted what the
    source does not have any more.
    """
    drill, source = task.drill or Drill(), task.restore.source if task.restore is not None else ""
    sample, resized = Sample(drill.files, count_bytes(drill.max_bytes)), Names()
    found: Hashes = array(CODE)

    def hear(path: str, size: int) -> None:
        found.append(hash_name(path))
        sample.add(Entry(path, size))
        if pushed is not None and _is_resized(pushed, path, size, source):
            resized.add(path)

    answer = query_listing(session, ends.source, lambda entry: hear(entry["Path"], entry["Size"]))
    raise_unless_found(answer, session)
    hashes = array(CODE, sorted(found))
    missing = (
        Names() if pushed is None else _name_missing(session, list_missing(pushed.hashes, hashes), source, is_settled)
    )
    hidden = Names(_list_hidden(answer.stderr))
    return Survey(len(hashes), sample.finish(), sample.large, missing, resized, hidden, pushed)


def _is_resized(pushed: Pushed, path: str, size: int, source: str) -> bool:
    at = pushed.find(path)
    if at < 0 or size < 0 or pushed.sizes[at] in (size, UNKNOWN):
        return False
    try:
        return pushed.is_unchanged(at, os.stat(os.path.join(source, path)))
    except (OSError, ValueError):
        return False


def _name_missing(session: Session, hashes: Iterable[int], source: str, is_settled: bool) -> Names:
    """Return the missing files, with the names that the local ``source`` still has."""
    names, left = Names(), set(hashes)

    def hear(path: str) -> None:
        value = hash_name(path)
        if value in left:
            left.remove(value)
            names.add(path)

    if left:
        # What cannot be read there only has no name.
        session.query(["lsf", "--recursive", "--files-only", *session.selection, "--", source], on_output_line=hear)
    for _hash in left if is_settled else ():
        names.add()
    return names


def _list_hidden(stderr: str) -> List[str]:
    lines = map(parse_line, stderr.splitlines())
    names: Set[str] = {
        line.object for line in lines if isinstance(line, Message) and line.text.startswith(UNDECRYPTABLE)
    }
    return sorted(names)


def describe_damage(found: Survey) -> List[str]:
    """Return a sentence for each kind of damage that the listing shows."""
    kinds = (
        ("Missing", found.missing),
        ("With another size than the unchanged source", found.resized),
        ("With a name that cannot be decrypted", found.hidden),
    )
    return [names.describe(kind) for kind, names in kinds if names.count]
