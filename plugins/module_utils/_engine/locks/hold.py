# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Take the locks of a run in order: the task, then its paths. The credential's turn is taken later, in remote/."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Iterator, List, Sequence, Tuple, Union

from ..common.errors import CloudsyncError
from ..common.flock import Lock, queue_for_lock, try_lock
from ..common.layout import Layout
from ..common.stop_signal import StopFlag
from ..config.credentials import Credential
from ..config.tasks import MOVE, Task
from ..remote.places import Place, locate_task
from .path_claims import Claim, drop_claim, try_claim


def locate_task_lock(layout: Layout, task: str) -> str:
    return f"{layout.run_dir}/locks/tasks/{task}"


def list_claims(task: Task, credential: Credential) -> List[Claim]:
    """Return the trees that a run of ``task`` reads and writes."""
    places = locate_task(task, credential)
    return [
        *_claim(places.source, write=task.mode == MOVE),
        *_claim(places.destination, write=True),
        *_claim(places.kept, write=True),
    ]


def _claim(places: Sequence[Place], write: bool) -> List[Claim]:
    return [Claim(place, write, places[0].path) for place in places]


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
