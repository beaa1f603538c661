# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Tasks: one declared transfer, as a value. parse_task() is the only way to make one, so every Task is valid."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, Mapping, Optional, Tuple

PUSH, PULL = "push", "pull"
SYNC, COPY, MOVE = "sync", "copy", "move"
OPPOSITE = {PUSH: PULL, PULL: PUSH}


@dataclass(frozen=True)
class BandwidthSlot:
    """From ``time`` ("HH:MM" or "Mon-HH:MM") on, at most ``limit`` bytes a second: "10M", "1M:5M" (up:down), "off"."""

    time: str
    limit: str


@dataclass(frozen=True)
class Encryption:
    """rclone crypt below the remote path. ``password`` and ``salt`` are secrets."""

    password: str
    salt: str = ""
    filenames: str = "standard"
    directory_names: bool = True


@dataclass(frozen=True)
class Guards:
    """What must hold before anything is touched. ``max_delete`` is a count ("5"), a percentage ("10%") or empty."""

    empty_source: str = "refuse"
    mounted: str = ""
    marker: str = ""
    allow_root: bool = False
    max_delete: str = ""


@dataclass(frozen=True)
class KeepDeleted:
    """Deleted and overwritten files go to ``path`` (beside the destination, on its side) for ``days``; 0 = for ever."""

    path: str
    days: int = 0


@dataclass(frozen=True)
class Hooks:
    """Shell text or the path of a program for each moment; ``timeout`` in seconds, for each of them."""

    before: str = ""
    success: str = ""
    failure: str = ""
    always: str = ""
    timeout: int = 3600

    def has_any(self) -> bool:
        return bool(self.before or self.success or self.failure or self.always)


@dataclass(frozen=True)
class Limits:
    """What a run may use. ``max_duration`` in seconds, 0 = no limit; the others in systemd's words, empty = unset."""

    max_duration: int = 0
    nice: int = 0
    io_weight: int = 0
    memory_max: str = ""
    cpu_quota: str = ""


@dataclass(frozen=True)
class Task:
    """One task in memory, its crypt passwords and notify targets in clear."""

    name: str
    credential: str
    direction: str
    path: str
    remote_path: str
    mode: str = COPY
    description: str = ""
    provider_options: Mapping[str, str] = field(default_factory=dict)
    include: Tuple[str, ...] = ()
    exclude: Tuple[str, ...] = ()
    schedule: Optional[Mapping[str, Any]] = None
    enabled: bool = True
    bandwidth: Tuple[BandwidthSlot, ...] = ()
    transfers: int = 0
    follow_symlinks: bool = False
    create_empty_dirs: bool = False
    encryption: Optional[Encryption] = None
    snapshot: str = "none"
    guards: Guards = field(default_factory=Guards)
    keep_deleted: Optional[KeepDeleted] = None
    hooks: Hooks = field(default_factory=Hooks)
    on_overlap: str = "skip"
    limits: Limits = field(default_factory=Limits)
    retries: int = 2
    verify_after: str = "none"
    notify: Tuple[str, ...] = ()
    rclone_args: Tuple[str, ...] = ()
    user: str = "root"
    reverse_of: str = ""

    @property
    def is_push(self) -> bool:
        return self.direction == PUSH

    @property
    def destination(self) -> str:
        """The path that a run writes to, on whichever side."""
        return self.remote_path if self.is_push else self.path

    @property
    def kept_inside(self) -> Optional[str]:
        """The folder of keep_deleted relative to the destination; None when it does not lie in it."""
        return find_path_inside(self.destination, self.keep_deleted.path) if self.keep_deleted is not None else None


def find_path_inside(folder: str, path: str) -> Optional[str]:
    """``path`` relative to ``folder`` (empty when they are the same), None when it does not lie in it."""
    outer, inner = ([part for part in each.split("/") if part] for each in (folder, path))
    return "/".join(inner[len(outer) :]) if inner[: len(outer)] == outer else None


def reverse_task(task: Task, name: str) -> Task:
    """The restore of ``task``: the other direction, disabled, same filters, limits and encryption; it never moves."""
    return replace(
        task,
        name=name,
        direction=OPPOSITE[task.direction],
        mode=COPY if task.mode == MOVE else task.mode,
        enabled=False,
        snapshot="none",
        keep_deleted=None,
        hooks=Hooks(),
        guards=replace(task.guards, mounted="", marker=""),
        reverse_of=task.name,
    )


def task_to_dict(task: Task) -> Dict[str, Any]:
    """The options of the ``task`` module that would declare ``task`` again: JSON types, secrets in clear."""
    content = asdict(task)
    content["include"], content["exclude"] = list(task.include), list(task.exclude)
    content["bandwidth"] = [asdict(slot) for slot in task.bandwidth]
    content["notify"], content["rclone_args"] = list(task.notify), list(task.rclone_args)
    content["provider_options"] = dict(sorted(task.provider_options.items()))
    content["schedule"] = dict(task.schedule) if task.schedule is not None else None
    return content
