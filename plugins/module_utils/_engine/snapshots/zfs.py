# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""ZFS: all datasets of a pool are frozen in one transaction."""

from __future__ import annotations

from functools import partial
from typing import Dict, List, Sequence, Tuple

from ..common.errors import CloudsyncError
from ..common.mounts import Mount, is_below
from .model import Execute, Part, Volume
from .workspace import Bench


class Zfs:
    """Snapshots of datasets, named ``DATASET@LABEL``."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def parts(self, mount: Mount, place: str, path: str) -> List[Part]:
        """The one part that ``mount`` contributes to ``path``; children are mounts of their own."""
        check_children(mount.source, path, self._bench.execute)
        return [Part(place, Volume("zfs", mount.source, "zfs"), mount.inside(path))]

    def freeze(self, wanted: Sequence[Tuple[Volume, str]]) -> None:
        """Take the snapshots, pool by pool."""
        pools: Dict[str, List[Tuple[Volume, str]]] = {}
        for volume, label in wanted:
            pools.setdefault(volume.name.split("/")[0], []).append((volume, label))
        for members in pools.values():
            self._bench.execute(["zfs", "snapshot"] + [f"{v.name}@{label}" for v, label in members])
            for volume, label in members:
                self._bench.later(partial(self.drop, volume, label))

    def reveal(self, volume: Volume, label: str) -> str:
        """A directory that shows the whole snapshot."""
        directory = self._bench.new_directory()
        snapshot = f"{volume.name}@{label}"
        self._bench.mount(["-t", "zfs", "-o", "ro,nosuid,nodev"], snapshot, directory)
        return directory

    def spoiled(self, volume: Volume, label: str) -> bool:
        """A ZFS snapshot stays whole or the pool is lost."""
        return False

    def drop(self, volume: Volume, label: str) -> None:
        """Destroy the snapshot; one that does not exist is fine."""
        try:
            self._bench.execute(["zfs", "destroy", f"{volume.name}@{label}"])
        except CloudsyncError as error:
            if "could not find any snapshots" not in error.message and "does not exist" not in error.message:
                raise


def check_children(dataset: str, path: str, execute: Execute) -> None:
    """Refuse a child of ``dataset`` that belongs at, above or in ``path`` and is not mounted (locked, say).

    Its place is an empty directory: to synchronise that would delete the copy.
    """
    columns = "name,mountpoint,canmount,mounted"
    listing = execute(["zfs", "list", "-H", "-r", "-t", "filesystem", "-o", columns, dataset])
    missing = []
    for line in listing.splitlines():
        name, point, can_mount, mounted = (line.split("\t") + [""] * 4)[:4]
        here = point.startswith("/") and (is_below(point, path) or is_below(path, point))
        if name != dataset and can_mount == "on" and mounted == "no" and here:
            missing.append(name)
    if missing:
        raise CloudsyncError(
            "not_mounted",
            f"The dataset {', '.join(missing)} belongs to {path} and is not mounted, perhaps because it is locked: "
            "mount it (zfs load-key, zfs mount), or set canmount=off for it.",
        )
