# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Tasks: one declared transfer as a value. Only task_parser.parse_task() creates tasks, so every Task is valid."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..common.layout import DRILL, Layout
from ..rclone.providers.flags import escape_path
from ..rclone.providers.truenas_names import get_rclone_name

PUSH, PULL = "push", "pull"
SYNC, COPY, MOVE = "sync", "copy", "move"
OPPOSITE = {PUSH: PULL, PULL: PUSH}
# The option of each wrapping backend that can name a folder of this host.
WRAPPERS = {
    "alias": "remote",
    "cache": "remote",
    "chunker": "remote",
    "combine": "upstreams",
    "compress": "remote",
    "crypt": "remote",
    "hasher": "remote",
    "union": "upstreams",
}


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
    owner: str = "refuse"


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
class Drill:
    """Test restores of a task. ``files`` is a count ("20") or a percentage ("5%"), ``max_bytes`` a size ("1G").

    ``scratch`` is a folder for the restored files, empty for one in the state directory.
    """

    schedule: Optional[Mapping[str, Any]] = None
    files: str = "20"
    max_bytes: str = "1G"
    scratch: str = ""


@dataclass(frozen=True)
class Shard:
    """The part ``index`` (from 0) of ``count`` parts of a folder. The hash of its path decides where a file belongs."""

    index: int
    count: int


@dataclass(frozen=True)
class Restore:
    """What makes a pull a restore, beside the task that ``reverse_of`` names.

    ``at`` is the moment to restore (a time or the ID of a run), empty for now. ``kept`` is rclone's argument for the
    folder of keep_deleted that knows it. ``overwrite``: existing files of the target may be replaced. ``source`` is the
    folder that a drill compares with, empty for any other restore.
    """

    at: str = ""
    kept: str = ""
    overwrite: bool = False
    source: str = ""


# The options of a task that are objects themselves.
PARTS = (Encryption, Guards, KeepDeleted, Hooks, Limits, Drill, Shard, Restore)


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
    drill: Optional[Drill] = None
    shard: Optional[Shard] = None
    restore: Optional[Restore] = None

    @property
    def is_drill(self) -> bool:
        """Whether a run is a drill: it restores some files, compares them and removes them."""
        return self.restore is not None and bool(self.restore.source)

    @property
    def timer_schedule(self) -> Optional[Mapping[str, Any]]:
        """The schedule of the task's timer, None if the task is disabled or has no schedule."""
        return self.schedule if self.enabled else None

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

    It copies, because a sync in the other direction would delete every file that is newer than the last run. It
    restores all shards. ``path`` is its folder if that is another one. A mount point that does not contain it is not
    required.
    """
    target, mounted = path or task.path, task.guards.mounted
    kept = [f"/{escape_path(task.kept_inside)}/**"] if task.is_push and task.kept_inside else []
    needs_mount = bool(mounted) and find_path_inside(mounted, target) is not None
    return replace(
        task,
        name=name,
        direction=OPPOSITE[task.direction],
        mode=COPY,
        path=target,
        exclude=(*kept, *task.exclude),
        enabled=False,
        snapshot="none",
        keep_deleted=None,
        hooks=Hooks(),
        guards=replace(task.guards, mounted=mounted if needs_mount else ""),
        reverse_of=task.name,
        drill=None,
        shard=None,
    )


def build_drill(layout: Layout, task: Task) -> Task:
    """Return the task that drills ``task``, a push. It is not stored, but derived from ``task`` whenever it is named.

    It waits for other runs, because its next start may be a month away.
    """
    drill = task.drill or Drill()
    name, scratch = DRILL + task.name, layout.drill_scratch(task.name, drill.scratch)
    return replace(
        reverse_task(task, name, scratch),
        enabled=task.enabled,
        schedule=drill.schedule,
        guards=Guards(),
        on_overlap="wait",
        verify_after="none",
        create_empty_dirs=False,
        drill=drill,
        shard=task.shard,
        restore=Restore(source=task.path),
    )


def task_to_dict(task: Task) -> Dict[str, Any]:
    """Return the options of the ``task`` module that declare ``task``: JSON types, secrets in clear."""
    # asdict() of the whole task would copy every value. A profile of `check` with 200 tasks showed that.
    content = {name: asdict(value) if isinstance(value, PARTS) else value for name, value in vars(task).items()}
    content["include"], content["exclude"] = list(task.include), list(task.exclude)
    content["bandwidth"] = [asdict(slot) for slot in task.bandwidth]
    content["notify"], content["rclone_args"] = list(task.notify), list(task.rclone_args)
    content["provider_options"] = dict(sorted(task.provider_options.items()))
    content["schedule"] = dict(task.schedule) if task.schedule is not None else None
    if task.restore is None:
        del content["restore"]  # only restores have it
    if task.drill is not None and task.drill.schedule is not None:
        content["drill"]["schedule"] = dict(task.drill.schedule)
    return content


def list_writes(task: Mapping[str, Any], provider: str, attributes: Mapping[str, Any]) -> List[str]:
    """Return the absolute paths of the trees that a run of ``task`` writes on this host, none inside of another.

    The unit makes these folders writable, the start condition creates missing ones, and rclone can write nothing else.
    ``task`` has the keys of task_to_dict(), or of the stored form. ``provider`` and ``attributes`` are those of
    its credential. A remote can be on this host, too: another disk, or a network mount.
    """
    pushes, moves = task["direction"] == PUSH, task["mode"] == MOVE
    local = [task["path"]] if moves or not pushes else []
    remote = [task["remote_path"]] if moves or pushes else []
    if task["keep_deleted"] is not None:
        (remote if pushes else local).append(task["keep_deleted"]["path"])
    local += _locate(remote, get_rclone_name(provider), {**attributes, **task["provider_options"]})
    return [path for path in dict.fromkeys(local) if not _is_inside_another(path, local)]


def _locate(remote: Sequence[str], provider: str, options: Mapping[str, Any]) -> List[str]:
    """Return the folders of this host that the paths ``remote`` of a provider lead to."""
    if not remote or provider not in ("local", *WRAPPERS):
        return []
    if provider == "local":
        roots = ["/"]
    else:
        roots = [_get_folder(word) for word in str(options.get(WRAPPERS[provider], "")).split()]
    if provider not in ("local", "alias"):
        # They spread files over several folders, or change names.
        return [root for root in roots if root]
    return [os.path.normpath("/" + f"{root}/{path}".lstrip("/")) for root in roots if root for path in remote]


def _get_folder(upstream: str) -> str:
    """Return the folder in ``/srv/a``, ``name=/srv/a`` or ``:local:/srv/a:ro``, empty if it is another remote."""
    path = upstream.partition("=")[2] if "=/" in upstream or "=:local:" in upstream else upstream
    if path.startswith(":local:"):
        path = path[len(":local:") :]
    return path.partition(":")[0] if path.startswith("/") else ""


def _is_inside_another(path: str, others: Sequence[str]) -> bool:
    return any(other != path and find_path_inside(other, path) is not None for other in others)
