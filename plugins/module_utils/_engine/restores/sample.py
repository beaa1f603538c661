# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Choose files at random from a listing, with one pass and without keeping the listing."""

from __future__ import annotations

import random
from typing import List, Optional

from ..transfer.entries import Entry

# These characters cannot be in a list of names for rclone, or rclone writes them in another way to a disk.
UNUSUAL = frozenset("\n\r\u201b\ufffd")


class Sample:
    """Pass every file to add(), then call finish(). ``wish`` is a count ("20") or a percentage ("5%") of the files.

    No file is larger than ``max_bytes``, and all together are not. ``large`` is the number of larger files.
    """

    def __init__(self, wish: str, max_bytes: int, chance: Optional[random.Random] = None) -> None:
        self.large = 0
        self._share = int(wish[:-1]) if wish.endswith("%") else 0
        self._count = 1 if self._share else int(wish)
        self._max_bytes = max_bytes
        self._chance = chance or random.Random()  # noqa: S311 - not for cryptography
        self._seen = 0
        self._start = self._chance.randrange(100)
        self._chosen: List[Entry] = []
        self._by_share: List[Entry] = []

    def add(self, entry: Entry) -> None:
        """Choose the file, or not. Each file has the same chance, whatever the order is."""
        if not UNUSUAL.isdisjoint(entry.path) or any("\ud800" <= char <= "\udfff" for char in entry.path):
            return
        if entry.size > self._max_bytes:
            self.large += 1
            return
        self._seen += 1
        if self._share and self._is_in_share():
            self._by_share.append(entry)
        if len(self._chosen) < self._count:
            self._chosen.append(entry)
        else:
            at = self._chance.randrange(self._seen)
            if at < self._count:
                self._chosen[at] = entry

    def _is_in_share(self) -> bool:
        """Return whether a step of a hundredth passed. The steps begin at random, so each file has the same chance."""
        now = self._start + self._share * self._seen
        return now // 100 > (now - self._share) // 100

    def finish(self) -> List[Entry]:
        """Return the chosen files, as many as fit in the limit, sorted by name. A percentage chooses at least one."""
        chosen = self._by_share or self._chosen
        self._chance.shuffle(chosen)
        left, kept = self._max_bytes, []
        for entry in chosen:
            if entry.size <= left:
                left -= max(entry.size, 0)
                kept.append(entry)
        return sorted(kept)
