# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""List files at any place, and read and write small ones by name, through rclone."""

from __future__ import annotations

import json
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence

from ..rclone.outcome import NOT_FOUND_EXITS
from ..remote.arguments import join_place
from ..remote.session import Answer, Session
from .result import build_listing_error


def query_listing(
    session: Session,
    place: str,
    hear: Callable[[Mapping[str, Any]], object],
    options: Sequence[str] = ("--recursive", "--no-modtime"),
    rules: Optional[Iterable[str]] = None,
) -> Answer:
    """Ask ``rclone lsjson`` for the files at ``place`` that match the task's filters. Pass each entry to ``hear``.

    ``rules``, the lines of a filter file, select files in place of the task's filters.
    """

    def read(line: str) -> None:
        # rclone writes one list with one entry in a line. The whole list would need several times the memory.
        for entry in json.loads(f"[{line.strip('[],')}]"):
            hear(entry)

    chosen, stdin = session.selection, b""
    if rules is not None:
        chosen, stdin = ("--filter-from", "-"), _join_lines(rules) or b"\n"
    words = ["lsjson", "--files-only", "--no-mimetype", *options, *chosen, "--", place]
    return session.query(words, stdin=stdin, on_output_line=read)


def query_names(session: Session, place: str, names: Iterable[str], *command: str) -> Answer:
    """Run ``command`` on the files ``names`` below ``place``.

    If a file's path were an operand, rclone would list its folder, and fail on any other name in it.
    """
    return session.query([*command, "--no-traverse", "--files-from-raw", "-", "--", place], stdin=_join_lines(names))


def read_files(session: Session, folder: str, names: Iterable[str]) -> str:
    """Return the texts of the files ``names`` in ``folder``, one after the other. Missing ones are not in it."""
    answer = query_names(session, folder, names, "cat")
    raise_unless_found(answer, session)
    return answer.stdout


def write_file(session: Session, folder: str, name: str, content: bytes) -> None:
    """Write a file in ``folder``, which can be read at once, whatever the storage class of the task is."""
    answer = session.query(["rcat", *session.readable, "--", join_place(folder, name)], stdin=content)
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)


def raise_unless_found(answer: Answer, session: Session) -> None:
    """Raise the error of a short command, unless it succeeded, or the only cause is that nothing is there."""
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise build_listing_error(answer, session)


def _join_lines(lines: Iterable[str]) -> bytes:
    return "\n".join(lines).encode("utf-8", "surrogateescape")
