# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Find the volumes that a snapshot of a path needs, and the volume manager of each."""

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
# Virtual filesystems of the kernel. They contain no files of users.
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
    """The volumes that have to be frozen to show ``path`` completely. The first part is that of the path itself."""

    path: str
    parts: Tuple[Part, ...]
    holder: Mount

    @property
    def volumes(self) -> Tuple[Volume, ...]:
        """Each volume once, in the order of the parts."""
        return tuple(dict.fromkeys(part.volume for part in self.parts))

    def labels(self, name: str) -> List[Tuple[Volume, str]]:
        """Return each volume with the name of its snapshot. Logical volumes of one group need different names."""
        return [
            (volume, name if index == 0 or volume.kind == "zfs" else f"{name}.{index}")
            for index, volume in enumerate(self.volumes)
        ]


def find_kind(mount: Mount) -> Optional[str]:
    """Return the kind of the volume manager of ``mount``, or None if the mount shows none."""
    if mount.fstype in ("zfs", "btrfs"):
        return mount.fstype
    return "lvm" if mount.source.startswith(LVM_SOURCES) else None


def list_managers(bench: Bench) -> Dict[str, Manager]:
    """Return the volume managers, by kind, that work in ``bench``."""
    return {"zfs": Zfs(bench), "btrfs": Btrfs(bench), "lvm": Lvm(bench)}


def plan_snapshot(kind: str, path: str, mounts: Sequence[Mount], known: Dict[str, Manager]) -> SnapshotPlan:
    """Plan a snapshot of ``path`` (real, absolute). ``kind`` is auto, zfs, btrfs or lvm.

    Nothing is changed. Raises a usage error that names a filesystem without snapshots.
    """
    holder = find_mount(path, mounts)
    parts = known[_check_kind(kind, path, holder)].parts(holder, "", path)
    for mount in _list_inner_mounts(path, mounts):
        place = os.path.relpath(mount.point, path)
        # The mount hides what is below it.
        parts = [part for part in parts if not part.place or not is_below(part.place, place)]
        parts += known[find_kind(mount) or ""].parts(mount, place, mount.point)
    return SnapshotPlan(path, tuple(sorted(parts, key=lambda part: part.place)), holder)


def _check_kind(kind: str, path: str, holder: Mount) -> str:
    """Return ``kind``, or the kind of the filesystem for ``auto``. Raise a usage error if the two differ."""
    found = find_kind(holder)
    # A device with an unusual name may also be a logical volume. lvs finds out.
    if kind == "lvm" and found is None:
        return kind
    if found is None or kind not in ("auto", found):
        raise usage_error(
            f"Path {path} is on {holder.source} ({holder.fstype}), which does not support "
            f"{'' if kind == 'auto' else kind + ' '}snapshots. Set the task's snapshot to {found or 'none'}."
        )
    if "@" in holder.source and found == "zfs":
        raise usage_error(f"Path {path} is already in a snapshot. Set the task's snapshot to none.")
    return found


def _list_inner_mounts(path: str, mounts: Sequence[Mount]) -> List[Mount]:
    """Return the mounts in ``path`` that have to be frozen with it. Raise a usage error if one cannot be."""
    harmless = VIRTUAL | MEMORY if path == "/" else VIRTUAL
    seen = [mount for mount in list_submounts(path, mounts) if "/.zfs/snapshot/" not in mount.point]
    views = [mount.point for mount in seen if mount.fstype in harmless]
    inner = [mount for mount in seen if not any(is_below(mount.point, view) for view in views)]
    foreign = [f"{mount.point} ({mount.fstype})" for mount in inner if find_kind(mount) is None]
    if foreign:
        raise usage_error(
            f"A snapshot of path {path} cannot include these mounts: {', '.join(foreign)}. Set the task's snapshot to "
            "none, use a path without these mounts, or unmount them."
        )
    return inner
