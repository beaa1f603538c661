# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Parse rclone's standard error, line by line: statistics, what happened to a file, or a message.

The options are ``--use-json-log --stats 1s --stats-log-level NOTICE``, from 1.60 on. Lines may also be plain text.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import Any, List, Mapping, Optional, Tuple, Union

PLAIN = "plain"
ERROR = "error"
KEPT = 50
MOST = 2**63 - 1

# 1.60 writes "warning" where 1.75 writes "notice".
LEVELS = {
    "debug": "debug",
    "info": "info",
    "notice": "notice",
    "warning": "notice",
    "error": ERROR,
    "critical": "critical",
    "alert": "critical",
    "emergency": "critical",
    "fatal": "critical",
    "panic": "critical",
}
TEXT_LINE = re.compile(
    r"\A\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? (?:(?P<level>[A-Z]+) *: )?(?P<text>.*)\Z", re.DOTALL
)
# rclone logs these as notices, although they are the cause of a failed run.
FAILURES = re.compile(r"\A(Failed to \w+( with \d+ errors)?: |Skipping undecryptable |Fatal error: )")

COPY = "copy"
DELETE = "delete"
MOVE = "move"
KEEP = "keep"
# rclone counts a deletion before it tries.
FAILED_DELETION = "Couldn't delete: "
DONE: Tuple[Tuple[str, str], ...] = (
    ("Copied (", COPY),
    ("Multi-thread Copied (", COPY),
    ("Moved into backup dir", KEEP),
    ("Moved (", MOVE),
    ("Renamed from ", MOVE),
    ("Deleted", DELETE),
    ("Making directory", "make directory"),
    ("Removing directory", "remove directory"),
)
SKIPPED = {"move into backup dir": KEEP, "server-side copy": COPY, "rename": MOVE}


@dataclass(frozen=True)
class Stats:
    """The progress of a run. Sizes are in bytes, ``speed`` in bytes per second, ``eta`` and ``elapsed`` in seconds.

    ``copied_there``: the part of ``bytes`` that the provider copied itself, 0 before rclone 1.64.
    """

    bytes: int = 0
    copied_there: int = 0
    total_bytes: int = 0
    transfers: int = 0
    total_transfers: int = 0
    checks: int = 0
    total_checks: int = 0
    deletes: int = 0
    deleted_dirs: int = 0
    renames: int = 0
    errors: int = 0
    listed: int = 0
    speed: float = 0.0
    eta: Optional[float] = None
    elapsed: float = 0.0
    fatal: bool = False
    retry: bool = False
    transferring: Tuple[str, ...] = ()


def add_stats(earlier: Stats, now: Stats) -> Stats:
    """Return ``now`` with what the attempts before it did as well; the errors are those of the last attempt."""
    done = ("bytes", "transfers", "deletes", "deleted_dirs", "renames")
    return replace(now, **{name: getattr(earlier, name) + getattr(now, name) for name in done})


@dataclass(frozen=True)
class Item:
    """One action on ``path``, which a ``dry_run`` only announces.

    ``action``: copy, move, delete, keep (moved into the backup directory instead of deleted), make directory, remove
    directory, or rclone's own words. ``size`` is 0 where rclone does not say. ``replaced``: the copy overwrote a file.
    """

    action: str
    path: str
    size: int = 0
    dry_run: bool = False
    replaced: bool = False


@dataclass(frozen=True)
class Message:
    """Any other line. ``level``: debug, info, notice, error, critical, or plain for a line without a level.

    ``object`` is the file or remote that the text is about, or empty.
    """

    level: str
    text: str
    object: str = ""

    @property
    def is_problem(self) -> bool:
        """Whether it may explain a failure."""
        return self.level in (ERROR, "critical", PLAIN)


Line = Union[Stats, Item, Message]


def parse_line(line: str) -> Line:
    """Parse one line."""
    text = line.rstrip("\r\n")
    if text.startswith("{"):
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, dict):
            return _parse_object(content)
    return _parse_text(text)


def _parse_object(content: Mapping[str, Any]) -> Line:
    if isinstance(content.get("stats"), dict):
        return _parse_stats(content["stats"])
    text, path = str(content.get("msg", "")), str(content.get("object", ""))
    level = LEVELS.get(str(content.get("level", "")).lower(), PLAIN)
    size = _read_number(content.get("size"))
    if content.get("skipped"):
        words = str(content["skipped"])
        return Item(SKIPPED.get(words, words), path, size, dry_run=True)
    action = next((action for start, action in DONE if text.startswith(start)), "")
    if action and path and level == "info":
        return Item(action, path, size, replaced="replaced existing" in text)
    return _build_message(level, text, path)


def _read_number(value: object) -> int:
    """Return the whole number of an unexpected value: 0 if it is none, else the nearest one of 64 bits."""
    if not isinstance(value, (int, float)) or (isinstance(value, float) and math.isnan(value)):
        return 0
    return int(max(-MOST, min(value, MOST)))


def _parse_text(text: str) -> Message:
    found = TEXT_LINE.match(text)
    if found is None:
        return Message(PLAIN, text)
    level = LEVELS.get((found.group("level") or "").lower(), PLAIN)
    return _build_message(level, found.group("text").lstrip(": "), "")


def _build_message(level: str, text: str, path: str) -> Message:
    if level in ("notice", PLAIN) and FAILURES.match(text):
        level = ERROR
    return Message(level, text.strip(), path)


def _parse_stats(content: Mapping[str, Any]) -> Stats:
    eta, transferring = content.get("eta"), content.get("transferring")
    files = [file for file in transferring if isinstance(file, dict)] if isinstance(transferring, list) else []
    return Stats(
        bytes=_read_number(content.get("bytes")),
        copied_there=_read_number(content.get("serverSideCopyBytes")),
        total_bytes=_read_number(content.get("totalBytes")),
        transfers=_read_number(content.get("transfers")),
        total_transfers=_read_number(content.get("totalTransfers")),
        checks=_read_number(content.get("checks")),
        total_checks=_read_number(content.get("totalChecks")),
        deletes=_read_number(content.get("deletes")),
        deleted_dirs=_read_number(content.get("deletedDirs")),
        renames=_read_number(content.get("renames")),
        errors=_read_number(content.get("errors")),
        listed=_read_number(content.get("listed")),
        speed=_read_real(content.get("speed")),
        eta=None if eta is None else _read_real(eta),
        elapsed=_read_real(content.get("elapsedTime")),
        fatal=bool(content.get("fatalError")),
        retry=bool(content.get("retryError")),
        transferring=tuple(str(file.get("name", "")) for file in files),
    )


def _read_real(value: object) -> float:
    return value if isinstance(value, float) and abs(value) < MOST else float(_read_number(value))


def remember(problems: List[Message], message: Message) -> None:
    """Add ``message`` to ``problems`` if it may explain a failure. The list stays short.

    Beyond KEPT, only errors that concern the whole run and no file are added: they come last.
    """
    if not message.is_problem or message in problems:
        return
    if len(problems) < KEPT or (len(problems) < 2 * KEPT and not _is_about_a_file(message)):
        problems.append(message)


def _is_about_a_file(message: Message) -> bool:
    return bool(message.object) and message.text.startswith(("Failed to ", "Listing error"))


def parse_problems(stderr: str) -> Tuple[Message, ...]:
    """Return the problems in the complete standard error of a short command."""
    problems: List[Message] = []
    for line in stderr.splitlines():
        parsed = parse_line(line)
        if isinstance(parsed, Message):
            remember(problems, parsed)
    return tuple(problems)
