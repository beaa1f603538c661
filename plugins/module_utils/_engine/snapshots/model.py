# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Define the parts of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence

Execute = Callable[[Sequence[str]], str]
# The folder at the top of a btrfs filesystem for the snapshots of runs.
BTRFS_SNAPSHOTS = ".cloudsync-snapshots"


@dataclass(frozen=True)
class Volume:
    """The unit of a snapshot: a dataset, subvolume or logical volume. ``kind`` is zfs, btrfs or lvm.

    ``name`` is a dataset, ``UUID/path/of/subvolume``, or ``vg/lv``. ``fstype`` is used for lvm only.
    """

    kind: str
    name: str
    fstype: str


@dataclass(frozen=True)
class Part:
    """A directory ``inside`` ("" or "/a/b") a volume, shown at ``place`` ("" or "a/b") below the task's path."""

    place: str
    volume: Volume
    inside: str
