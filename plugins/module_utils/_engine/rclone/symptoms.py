# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the kind of a failure, with one of the contract's reasons, from rclone's messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional, Pattern, Sequence, Tuple
from urllib.parse import quote

from .error_text import NOISE
from .log_lines import Message

PLACE = "{place}"
TARGET = "{target}"
AMBIGUOUS = re.compile(r"is a file not a directory|can't limit to single files when using filters")
# rclone says the same of directories if it could not delete a file.
NOT_DELETING = re.compile(r"\Anot deleting files as there were IO errors")
# A name is removed only where a text has one, because a file may also be called "network".
BEFORE_NAME = r"(?:/|(?<=[\"'`=:])|(?<=\A)|(?<=\b\d{3} ))"
AFTER_NAME = r"(?!\w)"
QUOTED = r'"(?:[^"\\]|\\.)*"'
NAMES: Tuple[Tuple[Pattern[str], str], ...] = (
    (re.compile(rf"\b(bucket|container|key|file|path|name|file system for)([= ]){QUOTED}"), r"\1\2"),
    (re.compile(r'"(?:[^"\\/]|\\.)*/(?:[^"\\]|\\.)*"'), '""'),
    (re.compile(r"\bhttps?://[^\s\"]+"), "URL"),
    (re.compile(r"\blookup [^\s:]+( on \S+)?:"), "lookup host:"),
    # The error of a system call ends with its cause.
    (re.compile(r"\b(l?stat|open|read|write|mkdir|rename|remove|chtimes|readlink|unlinkat|symlink) /.*: "), r"\1: "),
    # The library of AWS has a quota of its own for retries.
    (re.compile(r"(failed to get rate limit token, )?retry quota exceeded"), "no more retries"),
)
UNSAVED = re.compile(r"\AFailed to save config")


@dataclass(frozen=True)
class Symptom:
    """One kind of failure.

    ``happened`` begins the message. It may have a PLACE, where the address belongs, or a TARGET, where the local
    destination belongs. After a colon at its end follows the cause, otherwise the cause is put in parentheses.
    ``advice`` ends the message. ``names_files``: the files that failed belong between them. ``has_cause`` False: the
    cause would add nothing. ``file``: a pattern whose group is the file's name in the text, when the message's object
    is another one. ``may_follow``: other failures cause this one, too, so it explains a run only if there are none.
    """

    reason: str
    patterns: Tuple[str, ...]
    happened: str
    advice: str
    names_files: bool = False
    has_cause: bool = True
    file: str = ""
    may_follow: bool = False

    def is_shown_by(self, text: str) -> bool:
        """Whether ``text`` matches one of the patterns."""
        # Compiled only here: a successful run does not need the patterns, and compiling them all takes 20 ms.
        return bool(re.search("|".join(self.patterns), text, re.IGNORECASE))


def find_symptom(
    symptoms: Sequence[Symptom], problems: Sequence[Message], places: Sequence[str] = ()
) -> Tuple[Optional[Symptom], Tuple[Message, ...]]:
    """Return the first of ``symptoms`` that any of ``problems`` shows, and the problems that show it.

    The order decides, so a symptom that explains more is further up. ``places``: see strip_names().
    """
    texts = [strip_names(message, places) for message in problems]
    for symptom in symptoms:
        shown = tuple(message for message, text in zip(problems, texts) if symptom.is_shown_by(text))
        if shown and not (symptom.may_follow and _is_about_more(problems, shown)):
            return symptom, shown
    return None, ()


def _is_about_more(problems: Sequence[Message], shown: Sequence[Message]) -> bool:
    """Return whether a file or folder has a problem that is not one of ``shown``."""
    return any(message.object and not NOISE.match(message.text) for message in problems if message not in shown)


def strip_names(message: Message, places: Sequence[str] = ()) -> str:
    """Return the text without the names of files, folders, buckets, hosts and URLs: a name may look like an error.

    ``places``: the paths of the task, of which the text may name parts.
    """
    text = strip_places(message, places)
    for pattern, replacement in NAMES:
        text = pattern.sub(replacement, text)
    return text


def strip_places(message: Message, places: Sequence[str] = ()) -> str:
    """Return the text without the message's object and the ``places``."""
    text = message.text
    roots = [place.strip("/") for place in places if place.strip("/")]
    inside = message.object.strip("/")
    paths = [f"{root}/{inside}" for root in roots if inside] + roots + [inside]
    parts = {part for path in (*roots, inside) for part in path.split("/")}
    for name in sorted({*paths, *parts} - {""}, key=len, reverse=True):
        for form in dict.fromkeys((name, quote(name), name.replace("\\", "\\\\").replace('"', '\\"'))):
            text = re.sub(BEFORE_NAME + re.escape(form) + AFTER_NAME, "", text)
    return text
