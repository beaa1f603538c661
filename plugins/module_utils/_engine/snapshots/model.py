# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a snapshot is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence

Execute = Callable[[Sequence[str]], str]
# Where a btrfs file system keeps the snapshots that a run takes of it.
BTRFS_SNAPSHOTS = ".cloudsync-snapshots"


@dataclass(frozen=True)
class Volume:
    """What is frozen as one: ``kind`` zfs, btrfs or lvm.

    ``name`` is a dataset, ``UUID/path/of/subvolume``, or ``vg/lv``; ``fstype`` matters for lvm only.
    """

    kind: str
    name: str
    fstype: str


@dataclass(frozen=True)
class Part:
    """The directory ``inside`` ("" or "/a/b") of a volume is seen at ``place`` ("" or "a/b") below the task's path."""

    place: str
    volume: Volume
    inside: str
