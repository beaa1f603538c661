# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Format names, counts, sizes and times for sentences and records."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Sequence

SHOWN_NAMES = 5
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# C0, DEL, C1, and the line and paragraph separators of Unicode.
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
CONTROLS.update({code: f"\\u{code:04x}" for code in range(0xD800, 0xE000)})
# A byte that is not UTF-8 is decoded with surrogateescape, so that it reaches rclone again unchanged.
CONTROLS.update({0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)})
CONTROLS.update({0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x2028: "\\u2028", 0x2029: "\\u2029"})


def list_some(names: Sequence[str]) -> str:
    """Return the first five ``names`` for a sentence, and how many more there are."""
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def join_words(words: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def name_some(noun: str, names: Sequence[str]) -> str:
    """Return "task a" or "tasks a, b and c" for a sentence, with at most five of the ``names``."""
    more = len(names) - SHOWN_NAMES
    shown = [*names[:SHOWN_NAMES], *([f"{more} more"] if more > 0 else [])]
    return f"{noun}{'' if len(names) == 1 else 's'} {join_words(shown)}"


def list_objects(credentials: Sequence[str], tasks: Sequence[str]) -> str:
    """Return "credential a, task b" with all names, sorted, for a sentence. Empty if there are none."""
    return ", ".join(
        [f"credential {name}" for name in sorted(credentials)] + [f"task {name}" for name in sorted(tasks)]
    )


def escape_controls(text: str) -> str:
    """Return ``text`` on one line, without characters that control a terminal or are not UTF-8.

    A file name can contain them. It must neither forge a line of a log nor reach a terminal as a command.
    """
    return text.translate(CONTROLS)


def format_count(count: int, noun: str) -> str:
    """Return "1 file" or "2 files". The plural of ``noun`` must end in s."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_size(count: float) -> str:
    """Return ``count`` bytes in the largest fitting binary unit: 1536 as "1.5 KiB"."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def format_duration(seconds: float) -> str:
    """Return a length of time with its two largest units: 200 as "3 min 20 s"."""
    rest, parts = int(seconds), []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(parts[:2]) or "0 s"


def count_seconds(started: str, ended: str) -> int:
    """Return the seconds between two ISO 8601 times, 0 if there is no end, or if the clock was set back."""
    return max(0, int((parse_time(ended) - parse_time(started)).total_seconds())) if ended else 0


def describe_outcome(state: str, reason: str) -> str:
    """Return "success" or "failed (auth)"."""
    return f"{state} ({reason})" if reason else state


def format_places(direction: str, path: str, remote: str) -> str:
    """Return the source and the destination with an arrow: "/srv/www -> offsite:backup/www"."""
    return f"{path} -> {remote}" if direction == "push" else f"{remote} -> {path}"


def format_now() -> str:
    """Return the current time as ISO 8601 in UTC, to the second."""
    return datetime.now(timezone.utc).strftime(TIME_FORMAT)


def parse_time(text: str) -> datetime:
    """Return the aware datetime in ``text`` (ISO 8601, "Z" for UTC). Raise ValueError for any other text.

    Before Python 3.11, datetime.fromisoformat() does not accept the "Z".
    """
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
