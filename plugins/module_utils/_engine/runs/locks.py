# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Take the locks of a run in order: the task, then its paths. The credential's turn is taken later, in remote/."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Callable, Iterator, List, Tuple, Union

from ..common.errors import CloudsyncError
from ..common.flock import Lock, queue_for_lock, try_lock
from ..common.layout import Layout
from ..common.stop_signal import StopFlag
from ..config.credentials import Credential
from ..config.tasks import MOVE, Task
from ..rclone.providers.truenas_names import get_rclone_name
from .path_claims import Claim, drop_claim, try_claim

ACCOUNT_ATTRIBUTES = (
    "endpoint",
    "host",
    "port",
    "url",
    "account",
    "auth",
    "tenant",
    "team_drive",
    "drive_id",
    "provider",
)


def locate_task_lock(layout: Layout, task: str) -> str:
    return f"{layout.run_dir}/locks/tasks/{task}"


def identify_remote(credential: Credential) -> str:
    """Return the same text for credentials that reach the same place: the provider and, if known, the account."""
    known = [f"{key}={credential.attributes[key]}" for key in ACCOUNT_ATTRIBUTES if key in credential.attributes]
    return " ".join([get_rclone_name(credential.provider), *(known or [credential.name])])


def list_claims(task: Task, credential: Credential) -> List[Claim]:
    """Return the trees that a run of ``task`` reads and writes."""
    place = identify_remote(credential)
    local = os.path.realpath(task.path)
    remote = _identify_remote_tree(task.remote_path)
    moves = task.mode == MOVE
    claims = [
        Claim("local", local, write=not task.is_push or moves),
        Claim(place, remote, write=task.is_push or moves),
    ]
    if task.keep_deleted is not None:
        kept = task.keep_deleted.path
        claims.append(
            Claim(place, _identify_remote_tree(kept), write=True)
            if task.is_push
            else Claim("local", os.path.realpath(kept), write=True)
        )
    return claims


def _identify_remote_tree(path: str) -> str:
    # On some servers "/data" and "data" are the same folder. Here they always are.
    return "/" + path.strip("/")


@contextmanager
def hold_locks(
    layout: Layout, task: Task, run_id: str, claims: List[Claim], stop: StopFlag, say: Callable[[str], None]
) -> Iterator[Tuple[int, ...]]:
    """Hold the task's lock and its claims. Yield the descriptors that rclone must inherit.

    With ``on_overlap: skip``, raise CloudsyncError("locked") if another run holds one of them.
    """
    path = locate_task_lock(layout, task.name)

    def try_task() -> Union[Lock, str]:
        return try_lock(path) or f"another run of task {task.name} is active"

    def try_paths() -> Union[Lock, str]:
        lock, conflict = try_claim(layout, task.name, run_id, claims)
        return lock or (f"task {conflict.task} {conflict.claim.describe()}" if conflict else "")

    def wait_or_skip(what: str) -> None:
        if task.on_overlap == "skip":
            raise CloudsyncError(
                "locked", f"Skipped: {what}. The task runs at its next start. To wait instead, set on_overlap to wait."
            )
        say(f"waiting: {what}")

    with queue_for_lock(try_task, wait_or_skip, lambda: stop.requested, "another run") as lock:
        claim = queue_for_lock(try_paths, wait_or_skip, lambda: stop.requested, "another run")
        try:
            yield lock.descriptor, claim.descriptor
        finally:
            drop_claim(claim)
