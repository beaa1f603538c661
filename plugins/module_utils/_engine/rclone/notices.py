# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Collect the objects that rclone leaves out of a transfer that it reports as successful."""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, NamedTuple

from ..common.text import format_count, list_some
from .log_lines import Message

KEPT_NAMES = 50
LINK = "link"
SPECIAL = "special"
NAME = "name"
DUPLICATE = "duplicate"
DISALLOWED = "disallowed"
DOCUMENT = "document"
UNREADABLE = "unreadable"


class Kind(NamedTuple):
    """One kind of objects that are left out.

    ``pattern`` matches the text of rclone's message. Its group ``name``, if there is one, is the object's name;
    otherwise the message has an object. ``noun`` and ``done`` are parts of the sentence, which ``why`` follows.
    ``is_loss``: the object belongs to the transfer, so that verify_after fails.
    """

    pattern: str
    noun: str
    done: str
    why: str
    is_loss: bool = True


SKIPPED = "skipped"
KINDS: Mapping[str, Kind] = {
    LINK: Kind(
        r"Can't follow symlink without ",
        "symbolic link",
        "left out",
        "Set follow_symlinks to transfer their targets.",
        is_loss=False,
    ),
    SPECIAL: Kind(
        r"Can't transfer non file/directory",
        "special file",
        "left out",
        "Only regular files are transferred.",
        is_loss=False,
    ),
    NAME: Kind(
        r"Entry doesn't belong in directory |Odd (directory )?name received \"(?P<name>.*)\"",
        "object",
        SKIPPED,
        "Their names cannot be paths of files, such as names with two slashes in a row. Rename them at the provider.",
    ),
    DUPLICATE: Kind(
        r"Duplicate \w+ found in (source|destination) - ignoring",
        "object",
        SKIPPED,
        "Another object has the same name, except for letter case or the Unicode form. Rename or remove one of each.",
    ),
    DISALLOWED: Kind(
        r"File name disallowed - not uploading",
        "object",
        SKIPPED,
        "The provider does not accept their names. Rename or exclude them.",
    ),
    DOCUMENT: Kind(
        r"Skipping unexportable google document",
        "document",
        SKIPPED,
        "Google cannot export documents of this type.",
        is_loss=False,
    ),
    UNREADABLE: Kind(
        r"Dangling object - ignoring|Ignoring folder shortcut as it points to an ancestor"
        r"|Ignoring unsupported object type \S+ for \"?(?P<name>.*?)\"? path\Z",
        "object",
        SKIPPED,
        "Their content cannot be read. Remove them at the provider.",
    ),
}


class Notices:
    """The objects that were left out, by kind: their number and the first names."""

    def __init__(self) -> None:
        self._counts: Dict[str, int] = {}
        self._names: Dict[str, List[str]] = {}

    def read(self, message: Message) -> None:
        """Add what ``message`` reports, if it reports an object that is left out."""
        for kind, known in KINDS.items():
            found = re.match(known.pattern, message.text)
            if found:
                self.add(kind, (found.groupdict().get("name") or message.object).strip("\n"))
                return

    def add(self, kind: str, name: str) -> None:
        """Add one object of a kind in KINDS. A repeated name counts once, as far as names are kept."""
        names = self._names.setdefault(kind, [])
        if name in names:
            return
        self._counts[kind] = self.count(kind) + 1
        if len(names) < KEPT_NAMES:
            names.append(name)

    def count(self, kind: str) -> int:
        """Return the number of objects of one kind."""
        return self._counts.get(kind, 0)

    @property
    def has_loss(self) -> bool:
        """Whether an object that belongs to the transfer was left out."""
        return any(KINDS[kind].is_loss for kind in self._counts)

    def describe(self) -> str:
        """Return one sentence for each kind with the first names, and what to do. Empty if nothing was left out."""
        return " ".join(self._describe_kind(kind) for kind in KINDS if kind in self._counts)

    def _describe_kind(self, kind: str) -> str:
        count, known = self.count(kind), KINDS[kind]
        names = self._names[kind]
        shown = list_some([*names, *[""] * (count - len(names))])
        verb = "was" if count == 1 else "were"
        return f"{format_count(count, known.noun)} {verb} {known.done}: {shown}. {known.why}"
