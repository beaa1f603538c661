# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is mounted where, as the kernel tells it in /proc/self/mountinfo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from .errors import usage_error

MOUNTINFO = "/proc/self/mountinfo"
ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One mount. ``root`` is the directory of the filesystem that is seen at ``point``; ``device`` is MAJOR:MINOR."""

    id: int
    parent: int
    device: str
    root: str
    point: str
    fstype: str
    source: str

    def inside(self, path: str) -> str:
        """Where ``path``, which this mount holds, is in the filesystem itself; no trailing slash, "" is its root."""
        return (self.root.rstrip("/") + path[len(self.point.rstrip("/")) :]).rstrip("/")


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or something in it; both normal and absolute."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def parse_mountinfo(text: str) -> Tuple[Mount, ...]:
    """The mounts in ``text``; lines that are not a mount's are skipped."""
    found = []
    for line in text.splitlines():
        fields = line.split(" ")
        if "-" not in fields[6:] or not fields[0].isdigit():
            continue
        dash = fields.index("-", 6)
        root, point = (_plain(fields[index]) for index in (3, 4))
        fstype, source = fields[dash + 1], _plain(fields[dash + 2])
        found.append(Mount(int(fields[0]), int(fields[1]), fields[2], root, point, fstype, source))
    return tuple(found)


def read_mounts() -> Tuple[Mount, ...]:
    """What this process sees mounted now."""
    with open(MOUNTINFO, encoding="utf-8", errors="surrogateescape") as stream:
        return parse_mountinfo(stream.read())


def find_mount(path: str, mounts: Sequence[Mount]) -> Mount:
    """The mount that ``path`` (real, absolute) is on: the kernel's walk from the root, mount over mount."""
    children: Dict[int, List[Mount]] = {}
    for mount in mounts:
        children.setdefault(mount.parent, []).append(mount)
    current = _root(mounts)
    if current is None or not is_below(path, current.point):
        raise usage_error(f"{path} is on no filesystem that /proc/self/mountinfo names.")
    while True:
        over = [m for m in children.get(current.id, []) if m.id != current.id and is_below(path, m.point)]
        if not over:
            return current
        current = min(over, key=lambda mount: len(mount.point))


def list_submounts(path: str, mounts: Sequence[Mount]) -> List[Mount]:
    """The mounts that are seen in ``path``, not at it; a mount before those inside it."""
    inside = [m for m in mounts if m.point != path and is_below(m.point, path)]
    return sorted((m for m in inside if find_mount(m.point, mounts).id == m.id), key=lambda mount: mount.point)


def _root(mounts: Sequence[Mount]) -> Optional[Mount]:
    ids = {mount.id for mount in mounts}
    roots = [m for m in mounts if m.point == "/" and (m.parent not in ids or m.parent == m.id)]
    return roots[0] if roots else None


def _plain(field: str) -> str:
    """Undo the kernel's octal escapes of blanks and backslashes."""
    return ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), field)
