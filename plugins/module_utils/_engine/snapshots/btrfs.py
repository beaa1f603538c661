# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""btrfs: every subvolume is frozen by itself, nested ones as well; all are seen through the filesystem's top."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import partial
from typing import Dict, List, Sequence, Tuple

from ..common.errors import CloudsyncError
from ..common.mounts import Mount, is_below
from .model import BTRFS_SNAPSHOTS, Part, Volume
from .workspace import Bench

# At the top of the filesystem, which on most hosts is mounted nowhere. Every transfer leaves it out.
LISTED = re.compile(r"^ID \d+ gen \d+ top level \d+ path (.+)$")


class Btrfs:
    """Read-only snapshots ``LABEL`` in BTRFS_SNAPSHOTS. A volume is named by its filesystem's UUID and its path."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._tops: Dict[str, str] = {}

    def parts(self, mount: Mount, place: str, path: str) -> List[Part]:
        """The parts of ``path``, which ``mount`` holds: its subvolume, and each that is nested in it."""
        uuid = self._bench.execute(["blkid", "-s", "UUID", "-o", "value", mount.source]).strip()
        if not uuid:
            raise CloudsyncError("other", f"blkid knows no UUID of the btrfs on {mount.source}.")
        listing = self._bench.execute(["btrfs", "subvolume", "list", self._top(uuid)])
        tree = mount.inside(path)
        return [
            Part(
                "/".join(word for word in (place, below) if word),
                Volume("btrfs", uuid + subvolume, "btrfs"),
                inside,
            )
            for below, subvolume, inside in list_nested(listing, tree)
        ]

    def freeze(self, wanted: Sequence[Tuple[Volume, str]]) -> None:
        """Take the snapshots one after the other: subvolumes are not frozen at the same instant."""
        for volume, label in wanted:
            uuid, subvolume = _split(volume)
            os.makedirs(os.path.join(self._top(uuid), BTRFS_SNAPSHOTS), 0o700, exist_ok=True)
            source, target = self._top(uuid) + subvolume, self._path(uuid, label)
            self._bench.execute(["btrfs", "subvolume", "snapshot", "-r", source, target])
            self._bench.later(partial(self.drop, volume, label))

    def reveal(self, volume: Volume, label: str) -> str:
        """The directory of the snapshot."""
        return self._path(_split(volume)[0], label)

    def spoiled(self, volume: Volume, label: str) -> bool:
        """A btrfs snapshot stays whole or the filesystem is lost."""
        return False

    def drop(self, volume: Volume, label: str) -> None:
        """Delete the snapshot; one that does not exist is fine."""
        uuid = _split(volume)[0]
        if os.path.lexists(self._path(uuid, label)):
            self._bench.execute(["btrfs", "subvolume", "delete", "--commit-after", self._path(uuid, label)])
        # Another run's snapshot may be in it.
        with suppress(OSError):
            os.rmdir(os.path.join(self._top(uuid), BTRFS_SNAPSHOTS))

    def _path(self, uuid: str, label: str) -> str:
        return f"{self._top(uuid)}/{BTRFS_SNAPSHOTS}/{label}"

    def _top(self, uuid: str) -> str:
        """The mounted top of the filesystem: also subvolumes that are mounted nowhere are reached through it."""
        if uuid not in self._tops:
            directory = self._bench.new_directory()
            self._bench.mount(["-t", "btrfs", "-o", "subvolid=5,nosuid,nodev"], "UUID=" + uuid, directory)
            self._tops[uuid] = directory
        return self._tops[uuid]


def list_nested(listing: str, tree: str) -> List[Tuple[str, str, str]]:
    """What ``tree`` ("" or "/a/b" from the top) consists of: (place below it, subvolume, directory in that).

    ``listing`` is what ``btrfs subvolume list`` says of the top.
    """
    matches = (LISTED.match(line) for line in listing.splitlines())
    known = sorted("/" + match.group(1) for match in matches if match)
    holder = max((s for s in known if is_below(tree, s)), key=len, default="")
    found = [("", holder, tree[len(holder) :])]
    for subvolume in known:
        ours = subvolume.split("/")[1] == BTRFS_SNAPSHOTS
        if not ours and subvolume != holder and is_below(subvolume, tree or "/") and subvolume != tree:
            found.append((subvolume[len(tree) + 1 :], subvolume, ""))
    return found


def _split(volume: Volume) -> Tuple[str, str]:
    """The UUID and the path ("" or "/a/b") of a subvolume."""
    uuid, slash, path = volume.name.partition("/")
    return uuid, slash + path
