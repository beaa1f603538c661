# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""What has to be frozen so that a path is seen whole, and who can do it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple, Union

from ..common.errors import usage_error
from ..common.mounts import Mount, find_mount, is_below, list_submounts
from .btrfs import Btrfs
from .lvm import Lvm
from .model import Part, Volume
from .workspace import Bench
from .zfs import Zfs

Manager = Union[Zfs, Btrfs, Lvm]
# The kernel's own views; they hold no files of anybody.
VIRTUAL = frozenset(
    (
        "proc",
        "sysfs",
        "cgroup",
        "cgroup2",
        "devpts",
        "devtmpfs",
        "securityfs",
        "debugfs",
        "tracefs",
        "configfs",
        "pstore",
        "bpf",
        "mqueue",
        "hugetlbfs",
        "efivarfs",
        "fusectl",
        "binfmt_misc",
        "selinuxfs",
        "nsfs",
        "rpc_pipefs",
    )
)
MEMORY = frozenset(("tmpfs", "ramfs"))
LVM_SOURCES = ("/dev/mapper/", "/dev/dm-")


@dataclass(frozen=True)
class SnapshotPlan:
    """What has to be frozen to show ``path`` as it is now; the first part is the path's own."""

    path: str
    parts: Tuple[Part, ...]
    holder: Mount

    @property
    def volumes(self) -> Tuple[Volume, ...]:
        """Each volume once, in the order of the parts."""
        return tuple(dict.fromkeys(part.volume for part in self.parts))

    def labels(self, name: str) -> List[Tuple[Volume, str]]:
        """What the snapshot of each volume is called; logical volumes of a group, say, need different names."""
        return [
            (volume, name if index == 0 or volume.kind == "zfs" else f"{name}.{index}")
            for index, volume in enumerate(self.volumes)
        ]


def find_kind(mount: Mount) -> Optional[str]:
    """Who can freeze what is mounted here, as far as the mount tells."""
    if mount.fstype in ("zfs", "btrfs"):
        return mount.fstype
    return "lvm" if mount.source.startswith(LVM_SOURCES) else None


def list_managers(bench: Bench) -> Dict[str, Manager]:
    """The volume managers at one bench."""
    return {"zfs": Zfs(bench), "btrfs": Btrfs(bench), "lvm": Lvm(bench)}


def plan_snapshot(kind: str, path: str, mounts: Sequence[Mount], known: Dict[str, Manager]) -> SnapshotPlan:
    """What a snapshot of ``path`` (real, absolute) takes; ``kind`` is auto, zfs, btrfs or lvm.

    A usage error names the filesystem that can't be frozen; nothing is changed yet.
    """
    holder = find_mount(path, mounts)
    parts = known[_checked_kind(kind, path, holder)].parts(holder, "", path)
    for mount in _inner_mounts(path, mounts):
        place = os.path.relpath(mount.point, path)
        # What is mounted over is not seen.
        parts = [part for part in parts if not part.place or not is_below(part.place, place)]
        parts += known[find_kind(mount) or ""].parts(mount, place, mount.point)
    return SnapshotPlan(path, tuple(sorted(parts, key=lambda part: part.place)), holder)


def _checked_kind(kind: str, path: str, holder: Mount) -> str:
    """``kind`` with ``auto`` resolved; a usage error when the filesystem is of another."""
    found = find_kind(holder)
    # Under an unusual device name it may be a logical volume all the same: lvs will tell.
    if kind == "lvm" and found is None:
        return kind
    if found is None or kind not in ("auto", found):
        raise usage_error(
            f"{path} is on {holder.source} ({holder.fstype}), of which no "
            f"{'' if kind == 'auto' else kind + ' '}snapshot can be taken: set the task's snapshot to "
            f"{found or 'none'}."
        )
    if "@" in holder.source and found == "zfs":
        raise usage_error(f"{path} is in a snapshot already: set the task's snapshot to none.")
    return found


def _inner_mounts(path: str, mounts: Sequence[Mount]) -> List[Mount]:
    """The mounts in ``path`` to freeze along with it; a usage error for one that can't be."""
    harmless = VIRTUAL | MEMORY if path == "/" else VIRTUAL
    seen = [mount for mount in list_submounts(path, mounts) if "/.zfs/snapshot/" not in mount.point]
    views = [mount.point for mount in seen if mount.fstype in harmless]
    inner = [mount for mount in seen if not any(is_below(mount.point, view) for view in views)]
    foreign = [f"{mount.point} ({mount.fstype})" for mount in inner if find_kind(mount) is None]
    if foreign:
        raise usage_error(
            f"The snapshot of {path} would lack what is mounted in it: {', '.join(foreign)}. Set the task's snapshot "
            "to none, choose a path without these, or unmount them."
        )
    return inner
