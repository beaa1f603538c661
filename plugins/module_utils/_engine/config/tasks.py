# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Tasks: one declared transfer as a value. Only task_parser.parse_task() creates tasks, so every Task is valid."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, Mapping, Optional, Tuple

PUSH, PULL = "push", "pull"
SYNC, COPY, MOVE = "sync", "copy", "move"
OPPOSITE = {PUSH: PULL, PULL: PUSH}


@dataclass(frozen=True)
class BandwidthSlot:
    """The ``limit`` in bytes per second ("10M", "1M:5M" up:down, "off") from ``time`` on ("HH:MM", "Mon-HH:MM")."""

    time: str
    limit: str


@dataclass(frozen=True)
class Encryption:
    """The encryption (rclone crypt) of the remote path. ``password`` and ``salt`` are secrets."""

    password: str
    salt: str = ""
    filenames: str = "standard"
    directory_names: bool = True


@dataclass(frozen=True)
class Guards:
    """The conditions of a run. ``max_delete`` is a count ("5"), a percentage ("10%") or empty."""

    empty_source: str = "refuse"
    mounted: str = ""
    marker: str = ""
    allow_root: bool = False
    max_delete: str = ""


@dataclass(frozen=True)
class KeepDeleted:
    """The folder for deleted and overwritten files, on the side of the destination. 0 ``days`` keeps them for ever."""

    path: str
    days: int = 0


@dataclass(frozen=True)
class Hooks:
    """Shell text or the path of a program for each event. ``timeout`` is in seconds, for each hook."""

    before: str = ""
    success: str = ""
    failure: str = ""
    always: str = ""
    timeout: int = 3600

    def has_any(self) -> bool:
        return bool(self.before or self.success or self.failure or self.always)


@dataclass(frozen=True)
class Limits:
    """The limits of a run. ``max_duration`` and ``max_stall`` (without progress) are in seconds, 0 for no limit.

    The others are systemd's values or empty.
    """

    max_duration: int = 0
    max_stall: int = 600
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
        """The folder of keep_deleted relative to the destination, None if it is outside of it."""
        return find_path_inside(self.destination, self.keep_deleted.path) if self.keep_deleted is not None else None


def find_path_inside(folder: str, path: str) -> Optional[str]:
    """Return ``path`` relative to ``folder``: empty if they are the same, None if ``path`` is outside of it."""
    outer, inner = ([part for part in each.split("/") if part] for each in (folder, path))
    return "/".join(inner[len(outer) :]) if inner[: len(outer)] == outer else None


def reverse_task(task: Task, name: str, path: str = "") -> Task:
    """Return the task ``name`` that restores ``task``: disabled, other direction, same filters, guards and encryption.

    It copies, because a sync in the other direction would delete every file that is newer than the last run. ``path``
    is its folder if that is another one. A mount point that does not contain it is not required.
    """
    target, mounted = path or task.path, task.guards.mounted
    needs_mount = bool(mounted) and find_path_inside(mounted, target) is not None
    return replace(
        task,
        name=name,
        direction=OPPOSITE[task.direction],
        mode=COPY,
        path=target,
        enabled=False,
        snapshot="none",
        keep_deleted=None,
        hooks=Hooks(),
        guards=replace(task.guards, mounted=mounted if needs_mount else ""),
        reverse_of=task.name,
    )


def task_to_dict(task: Task) -> Dict[str, Any]:
    """Return the options of the ``task`` module that declare ``task``: JSON types, secrets in clear."""
    content = asdict(task)
    content["include"], content["exclude"] = list(task.include), list(task.exclude)
    content["bandwidth"] = [asdict(slot) for slot in task.bandwidth]
    content["notify"], content["rclone_args"] = list(task.notify), list(task.rclone_args)
    content["provider_options"] = dict(sorted(task.provider_options.items()))
    content["schedule"] = dict(task.schedule) if task.schedule is not None else None
    return content
