# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""The owner mark at a destination: which task of which host writes there, and since when.

The mark is a small file, OWNER, with one line of JSON. No filter of a task lets it pass. In an encrypted destination it
is encrypted as the files are.
"""

from __future__ import annotations

import json
import os
import re
from hashlib import sha256
from typing import List, NamedTuple, Optional, Sequence

from ..common.errors import CloudsyncError
from ..common.layout import NAME
from ..common.text import format_now
from ..config.tasks import Task
from ..rclone.outcome import NOT_FOUND_EXITS
from ..rclone.providers.flags import build_pattern_rules, escape_path
from ..remote.arguments import NEVER_TRANSFERRED, OWNER, join_place
from ..remote.open import build_place, build_task_place
from ..remote.session import Answer, Session
from .remote_files import query_names
from .result import build_listing_error

SCHEMA = 1
MOST_BYTES = 4096
READ = ("cat", "--retries", "1", "--low-level-retries", "3", "--head", str(MOST_BYTES))
HOST_NAME = re.compile(r"\A[!-~]{1,255}\Z")
TIME = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")


class Mark(NamedTuple):
    """``host`` and ``host_name`` are those of an Identity. ``source`` stands for what the task writes, and how.

    For a sharded task, that includes the inode of the folder: hosts that share a file system have the same.
    """

    host: str
    host_name: str
    task: str
    source: str
    time: str

    @property
    def is_damaged(self) -> bool:
        return not self.time


DAMAGED = Mark("", "", "", "", "")


def build_mark(task: Task, session: Session) -> Mark:
    """Return the mark that ``task`` leaves now."""
    parts = [task.path, task.mode, *([_find_inode(task.path)] if task.shard is not None else [])]
    source = sha256(json.dumps(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return Mark(session.host.id, session.host.name, task.name, source, format_now())


def _find_inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0  # the guards of the source say why


def render_mark(mark: Mark) -> bytes:
    """Return the content of the file."""
    return json.dumps({"schema": SCHEMA, **mark._asdict()}).encode() + b"\n"


def parse_mark(line: str) -> Mark:
    """Return the mark in ``line``, DAMAGED if render_mark() did not write it."""
    try:
        content = json.loads(line)
        mark = Mark(*(content[field] for field in Mark._fields))
        named = HOST_NAME.match(mark.host_name) and NAME.match(mark.task) and TIME.match(mark.time)
        if content["schema"] != SCHEMA or not named or not isinstance(mark.host + mark.source, str):
            return DAMAGED
    except (KeyError, RecursionError, TypeError, ValueError):
        return DAMAGED
    return mark


def read_mark(session: Session, task: Task, is_needed: bool = True) -> Optional[Mark]:
    """Return the mark at the destination of ``task``, None if there is none. Raise an error if it cannot be read.

    Unless ``is_needed``, raise an error only if nothing answers. A login may be allowed to write, but not to read.
    It is one request for one name, which lists no folder at any provider, and a second one for its content.
    """
    answer = _read(session, build_task_place(task), [OWNER])
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        if is_needed:
            raise _explain(session, answer, "read")
        error = build_listing_error(answer, session)
        if error.reason == "network":
            raise error
    return _parse_first(answer)


def write_mark(session: Session, task: Task) -> None:
    """Write the mark of ``task`` to its destination, in place of any other."""
    place = join_place(build_task_place(task), OWNER)
    answer = session.query(["rcat", *session.readable, "--", place], stdin=render_mark(build_mark(task, session)))
    if answer.exit_code != 0:
        raise _explain(session, answer, "written")


def remove_mark(session: Session, task: Task) -> None:
    """Remove the mark at the destination of ``task``, if that is possible."""
    session.query(["deletefile", "--", join_place(build_task_place(task), OWNER)])


def read_marks_around(session: Session, task: Task) -> List[Mark]:
    """Return the marks in the folders below the destination of ``task``, in itself and above, as far as one can tell.

    The folders below are listed once. A login may be allowed to read its own folder only.
    """
    below = session.query(
        [*READ, "--filter-from", "-", "--", build_task_place(task)], stdin="\n".join(_build_rules(task)).encode()
    )
    top = build_place("/" if task.remote_path.startswith("/") else "")
    above = _read(session, top, _list_above(session, task))
    for answer in (below, above):
        if answer.exit_code not in (0, *NOT_FOUND_EXITS):
            error = build_listing_error(answer, session)
            if error.reason == "network":
                raise error
    return [parse_mark(line) for answer in (below, above) for line in answer.stdout.splitlines()]


def _read(session: Session, place: str, names: Sequence[str]) -> Answer:
    return query_names(session, place, names, *READ) if names else Answer(0, "", "")


def _parse_first(answer: Answer) -> Optional[Mark]:
    return parse_mark(answer.stdout) if answer.stdout else None


def _build_rules(task: Task) -> List[str]:
    """Return filters that let only marks pass, without those in folders that the task excludes."""
    rules = ["+ /" + OWNER, *(f"- {name}/**" for name in NEVER_TRANSFERRED)]
    if task.kept_inside:
        rules.append(f"- /{escape_path(task.kept_inside)}/**")
    return [*rules, *build_pattern_rules(task.exclude, ()), "+ " + OWNER, "- *"]


def _list_above(session: Session, task: Task) -> List[str]:
    parts = [part for part in task.remote_path.split("/") if part]
    counts = range(1 if session.has_no_folders else 0, len(parts))
    return ["/".join([*parts[:count], OWNER]) for count in counts]


def _explain(session: Session, answer: Answer, done: str) -> CloudsyncError:
    error = build_listing_error(answer, session)
    return CloudsyncError(
        error.reason,
        f"The owner mark {OWNER} at remote_path {session.remote_path!r} could not be {done}. {error.message} To run "
        "without the mark, set guards.owner to allow.",
    )
