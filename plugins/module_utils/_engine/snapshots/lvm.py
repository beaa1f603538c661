# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Take LVM snapshots. That of a thick volume has space for changes to a tenth of the volume during the run."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Dict, List, Sequence, Tuple

from ..common.errors import CloudsyncError, usage_error
from ..common.mounts import Mount
from .model import Part, Volume
from .workspace import Bench

SNAPSHOT_SIZE = "10%ORIGIN"
FIELDS = "vg_name,lv_name,lv_layout,lv_snapshot_invalid"
# The journal must not be replayed, because the snapshot is read-only. It need not be: lvcreate freezes the filesystem.
OPTIONS = {"ext3": ",noload", "ext4": ",noload", "xfs": ",nouuid,norecovery"}


class Lvm:
    """Snapshots of logical volumes with the names ``VG/LABEL``."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def parts(self, mount: Mount, place: str, path: str) -> List[Part]:
        """Return the one part of ``path`` that is on ``mount``."""
        major, minor = mount.device.split(":")
        rows = self._report(f"lv_kernel_major={major} && lv_kernel_minor={minor}")
        if not rows:
            raise usage_error(
                f"Path {path} is on {mount.source} ({mount.fstype}), which is not an LVM logical volume. No snapshot "
                "can be taken. Set the task's snapshot to none."
            )
        name = f"{rows[0]['vg_name']}/{rows[0]['lv_name']}"
        return [Part(place, Volume("lvm", name, mount.fstype), mount.inside(path))]

    def freeze(self, wanted: Sequence[Tuple[Volume, str]]) -> None:
        """Take the snapshots one after the other. Logical volumes are not frozen at the same instant."""
        for volume, label in wanted:
            rows = self._rows_of(volume.name)
            is_thin = bool(rows) and "thin" in rows[0]["lv_layout"].split(",")
            size = [] if is_thin else ["--extents", SNAPSHOT_SIZE]
            options = ["--permission", "r", "--setactivationskip", "n", *size]
            self._bench.execute(["lvcreate", "--snapshot", "--name", label, *options, volume.name])
            self._bench.later(partial(self.drop, volume, label))

    def reveal(self, volume: Volume, label: str) -> str:
        """Mount the whole snapshot and return its directory."""
        directory = self._bench.new_directory()
        options = "ro,nosuid,nodev" + OPTIONS.get(volume.fstype, "")
        self._bench.mount(["-t", volume.fstype, "-o", options], "/dev/" + _snapshot(volume, label), directory)
        return directory

    def spoiled(self, volume: Volume, label: str) -> bool:
        """Return whether the snapshot ran out of space, so that files read from it may be damaged."""
        rows = self._rows_of(_snapshot(volume, label))
        return any(row["lv_snapshot_invalid"] not in ("", "0", "unknown") for row in rows)

    def drop(self, volume: Volume, label: str) -> None:
        """Remove the snapshot, if it exists."""
        if self._rows_of(_snapshot(volume, label)):
            self._bench.execute(["lvremove", "--yes", _snapshot(volume, label)])

    def _rows_of(self, name: str) -> List[Dict[str, str]]:
        group, volume = name.split("/")
        return self._report(f'vg_name="{group}" && lv_name="{volume}"')

    def _report(self, select: str) -> List[Dict[str, str]]:
        text = self._bench.execute(["lvs", "--reportformat", "json", "-o", FIELDS, "--select", select])
        try:
            rows: Any = json.loads(text)["report"][0]["lv"]
            return [{str(key): str(value) for key, value in row.items()} for row in rows]
        except (ValueError, LookupError, AttributeError, TypeError):
            raise CloudsyncError(
                "other", "lvs returned unexpected output instead of JSON. Update package lvm2 on this host."
            ) from None


def _snapshot(volume: Volume, label: str) -> str:
    return f"{volume.name.split('/')[0]}/{label}"
