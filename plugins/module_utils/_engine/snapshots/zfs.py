# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Take ZFS snapshots: all datasets of a pool in one transaction."""

from __future__ import annotations

from functools import partial
from typing import Dict, List, Sequence, Tuple

from ..common.errors import CloudsyncError
from ..common.mounts import Mount, is_below
from .model import Execute, Part, Volume
from .workspace import Bench


class Zfs:
    """Snapshots of datasets with the names ``DATASET@LABEL``."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def parts(self, mount: Mount, place: str, path: str) -> List[Part]:
        """Return the one part of ``path`` that is on ``mount``. Child datasets are separate mounts."""
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
        """Mount the whole snapshot and return its directory."""
        directory = self._bench.new_directory()
        snapshot = f"{volume.name}@{label}"
        self._bench.mount(["-t", "zfs", "-o", "ro,nosuid,nodev"], snapshot, directory)
        return directory

    def spoiled(self, volume: Volume, label: str) -> bool:
        """Return False: a ZFS snapshot stays complete."""
        return False

    def drop(self, volume: Volume, label: str) -> None:
        """Destroy the snapshot, if it exists."""
        try:
            self._bench.execute(["zfs", "destroy", f"{volume.name}@{label}"])
        except CloudsyncError as error:
            if "could not find any snapshots" not in error.message and "does not exist" not in error.message:
                raise


def check_children(dataset: str, path: str, execute: Execute) -> None:
    """Refuse an unmounted child of ``dataset`` at, above or in ``path``, for example a locked one.

    Its mount point is an empty directory, so a sync would delete the copy.
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
            f"These datasets belong to path {path} but are not mounted: {', '.join(missing)}. They may be locked. "
            "Mount them (zfs load-key, zfs mount), or set canmount=off for them.",
        )
