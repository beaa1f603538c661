# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Take and remove the snapshots of a run, through the helper if the run is in a sandbox."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Iterator, List

from ..commands import helper
from ..common.errors import CloudsyncError
from ..common.files import list_names
from ..common.layout import Layout
from ..config.tasks import Task
from . import snapshot

Say = Callable[[str], None]


@contextmanager
def take_snapshot(layout: Layout, task: Task, run_id: str, say: Say) -> Iterator[str]:
    """Yield the path that a run transfers. See snapshot.take_snapshot()."""
    if task.snapshot == "none" or not helper.is_needed():
        with snapshot.take_snapshot(task, run_id, layout, say) as path:
            yield path
        return
    with helper.Connection() as connection:
        connection.send({"do": "snapshot", "task": task.name, "run": run_id})
        taken = connection.receive(say)
        failed = "other"
        try:
            helper.check_view(taken["path"], taken["place"])
            yield taken["path"]
            failed = ""
        except CloudsyncError as error:
            failed = error.reason
            raise
        finally:
            # Wait for the removal. Its error replaces that of the run: a snapshot without space explains it.
            connection.send({"failed": failed})
            connection.receive(say)


def sweep_snapshots(layout: Layout, task: Task, say: Say) -> List[str]:
    """Remove the snapshots of killed runs of ``task``. See snapshot.sweep()."""
    if not helper.is_needed():
        return snapshot.sweep(task, layout)
    if not list_names(snapshot.locate_notes(layout, task.name)):
        return []
    problems: List[str] = helper.ask({"do": "sweep", "task": task.name}, say)["problems"]
    return problems
