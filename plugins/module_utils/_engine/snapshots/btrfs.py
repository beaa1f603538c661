# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Take btrfs snapshots: one for each subvolume, also a nested one. All are reached through the filesystem's top."""

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

# How "btrfs subvolume list" prints a subvolume.
LISTED = re.compile(r"^ID \d+ gen \d+ top level \d+ path (.+)$")


class Btrfs:
    """Read-only snapshots ``LABEL`` in BTRFS_SNAPSHOTS.

    That folder is at the top of the filesystem, which most hosts do not mount. Every transfer excludes it. The name of
    a volume is the UUID of its filesystem and its path.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._tops: Dict[str, str] = {}

    def parts(self, mount: Mount, place: str, path: str) -> List[Part]:
        """Return the parts of ``path``, which is on ``mount``: its subvolume and the subvolumes nested in it."""
        uuid = self._bench.execute(["blkid", "-s", "UUID", "-o", "value", mount.source]).strip()
        if not uuid:
            raise CloudsyncError(
                "other",
                f"blkid found no UUID of the btrfs filesystem on {mount.source}. Check the filesystem, or set the "
                "task's snapshot to none.",
            )
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
        """Take the snapshots one after the other. Subvolumes are not frozen at the same instant."""
        for volume, label in wanted:
            uuid, subvolume = _split(volume)
            os.makedirs(os.path.join(self._top(uuid), BTRFS_SNAPSHOTS), 0o700, exist_ok=True)
            source, target = self._top(uuid) + subvolume, self._path(uuid, label)
            self._bench.execute(["btrfs", "subvolume", "snapshot", "-r", source, target])
            self._bench.later(partial(self.drop, volume, label))

    def reveal(self, volume: Volume, label: str) -> str:
        """Return the directory of the snapshot."""
        return self._path(_split(volume)[0], label)

    def spoiled(self, volume: Volume, label: str) -> bool:
        """Return False: a btrfs snapshot stays complete."""
        return False

    def drop(self, volume: Volume, label: str) -> None:
        """Delete the snapshot, if it exists."""
        uuid = _split(volume)[0]
        if os.path.lexists(self._path(uuid, label)):
            self._bench.execute(["btrfs", "subvolume", "delete", "--commit-after", self._path(uuid, label)])
        # The folder may have a snapshot of another run.
        with suppress(OSError):
            os.rmdir(os.path.join(self._top(uuid), BTRFS_SNAPSHOTS))

    def _path(self, uuid: str, label: str) -> str:
        return f"{self._top(uuid)}/{BTRFS_SNAPSHOTS}/{label}"

    def _top(self, uuid: str) -> str:
        """Mount the top of the filesystem and return its directory. It also shows subvolumes that are not mounted."""
        if uuid not in self._tops:
            directory = self._bench.new_directory()
            self._bench.mount(["-t", "btrfs", "-o", "subvolid=5,nosuid,nodev"], "UUID=" + uuid, directory)
            self._tops[uuid] = directory
        return self._tops[uuid]


def list_nested(listing: str, tree: str) -> List[Tuple[str, str, str]]:
    """Return the parts of ``tree`` ("" or "/a/b" from the top): (place below it, subvolume, directory in that).

    ``listing`` is the output of ``btrfs subvolume list`` for the top.
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
    """Return the UUID and the path ("" or "/a/b") of a subvolume."""
    uuid, slash, path = volume.name.partition("/")
    return uuid, slash + path
