# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Remember the last success of a task, so that the next run can see what is different.

The file is in the state directory of the task. A reinstalled host, or one that was restored from a backup, does
not have it. It is a line of JSON, then the hashes of the names, 8 bytes each.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Callable, Optional

from ..common.layout import Layout
from ..config.credentials import Credential
from ..config.tasks import SYNC, Task
from ..hashes.hash_file import parse_hashes, save_hashes
from ..rclone.providers.flags import selects_files
from ..remote.account import identify_account
from ..remote.arguments import build_shard_arguments
from ..remote.places import find_mount_of
from ..transfer.source_names import Names

SCHEMA = 1


@dataclass(frozen=True)
class LastSuccess:
    """What the last successful run of a task left behind.

    ``place`` and ``selection`` are digests of the options that they depend on: which source and destination, and which
    files. ``volume`` is the file system of a local source. ``is_synced``: a sync has written the destination, or the
    destination was empty before the first one. ``names`` are those of a local source, None if they are unknown.
    """

    place: str
    selection: str
    volume: str = ""
    is_synced: bool = False
    names: Optional[Names] = None


def describe_now(task: Task, credential: Credential) -> LastSuccess:
    """Return what a success of ``task`` would leave behind now, without names."""
    # Without secrets: a new login to the same account is no change.
    public = replace(credential, secrets={}, refreshed={})
    account = identify_account(public, task.provider_options, task.user)
    shape = task.encryption and [task.encryption.filenames, task.encryption.directory_names]
    selecting = [*filter(selects_files, task.rclone_args), *build_shard_arguments(task)]
    return LastSuccess(
        place=_digest(task.direction, task.path, task.remote_path, account, shape),
        selection=_digest(task.include, task.exclude, task.follow_symlinks, task.kept_inside, selecting),
        volume=_find_volume(task.path) if task.is_push else "",
        is_synced=task.mode == SYNC,
    )


def _digest(*parts: Any) -> str:
    return blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def _find_volume(path: str) -> str:
    """Return the type of the file system of ``path``, and its path in there.

    Both are different if the volume is not mounted. Device numbers are different after each start of many hosts, and
    the mount point is different in the sandbox of a unit, so neither is used.
    """
    mount = find_mount_of(path)
    return f"{mount.fstype}:{mount.inside(os.path.realpath(path))}" if mount is not None else ""


def load_last_success(layout: Layout, now: LastSuccess, task: str, say: Callable[[str], None]) -> Optional[LastSuccess]:
    """Return the last success of ``task``. Return None if there is none for the source and the destination of ``now``.

    A damaged file is the same as none, because a guard that knows less refuses more.
    """
    path = _locate(layout, task)
    try:
        with open(path, "rb") as stream:
            found = _parse(stream.read())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        say(
            f"{path} is damaged, so the last successful run of the task is unknown. The next success replaces the file."
        )
        return None
    return found if found.place == now.place else None


def save_last_success(
    layout: Layout, task: Task, success: LastSuccess, last: Optional[LastSuccess], say: Callable[[str], None]
) -> None:
    """Remember ``success`` of ``task``. ``last`` is the one before, which only a sync replaces."""
    if task.mode != SYNC and last is not None:
        return
    header = {
        "schema": SCHEMA,
        "place": success.place,
        "selection": success.selection,
        "volume": success.volume,
        "is_synced": success.is_synced,
    }
    names = (success.names.files, success.names.folders) if success.names else ()
    consequence = "The success could not be remembered, so the next run may be refused"
    save_hashes(_locate(layout, task.name), header, names, say, consequence)


def _locate(layout: Layout, task: str) -> str:
    return layout.task_state_dir(task) + "/last-success"


def _parse(content: bytes) -> LastSuccess:
    """Return the success in ``content``. Raise ValueError, KeyError or TypeError for anything else."""
    header, parts = parse_hashes(content)
    if header["schema"] != SCHEMA or len(parts) not in (0, 2):
        raise ValueError("not a last success")
    place, selection, volume = (str(header[key]) for key in ("place", "selection", "volume"))
    return LastSuccess(place, selection, volume, header["is_synced"] is True, Names(*parts) if parts else None)
