# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the kind of a failure, with one of the contract's reasons, from rclone's messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

from .log_lines import Message

PLACE = "{place}"
AMBIGUOUS = re.compile(r"is a file not a directory|can't limit to single files when using filters")
NOT_DELETING = re.compile(r"\Anot deleting (files|directories) as there were IO errors")
UNSAVED = re.compile(r"\AFailed to save config")


@dataclass(frozen=True)
class Symptom:
    """One kind of failure.

    ``happened`` begins the message. It may have a PLACE, where the address belongs. After a colon at its end follows
    the cause, otherwise the cause is put in parentheses. ``advice`` ends the message. ``names_files``: the files that
    failed belong between them. ``has_cause`` False: the cause would add nothing. ``file``: a pattern whose group is the
    file's name in the text, when the message's object is another one.
    """

    reason: str
    patterns: Tuple[str, ...]
    happened: str
    advice: str
    names_files: bool = False
    has_cause: bool = True
    file: str = ""

    def is_shown_by(self, text: str) -> bool:
        """Whether ``text`` matches one of the patterns."""
        # Compiled only here: a successful run does not need the patterns, and compiling them all takes 20 ms.
        return bool(re.search("|".join(self.patterns), text, re.IGNORECASE))


def find_symptom(
    symptoms: Sequence[Symptom], problems: Sequence[Message]
) -> Tuple[Optional[Symptom], Tuple[Message, ...]]:
    """Return the first of ``symptoms`` that any of ``problems`` shows, and the problems that show it.

    The order decides, so a symptom that explains more is further up.
    """
    for symptom in symptoms:
        shown = tuple(message for message in problems if symptom.is_shown_by(strip_name(message)))
        if shown:
            return symptom, shown
    return None, ()


def strip_name(message: Message) -> str:
    """Return the text without the name of the file that it is about: the name may look like an error."""
    if not message.object:
        return message.text
    return re.sub(r"(?<=[/\"'])" + re.escape(message.object) + r"(?!\w)", "", message.text)
