# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Take a snapshot for a push, so that it reads a frozen, read-only view of its path, and remove it afterwards.

The volume of the path is frozen with every volume inside the path: child datasets, nested subvolumes and other mounts.
A volume that cannot be frozen would be an empty directory in the view, and a sync would treat its files as deleted.
Therefore it is refused by name.

Before a run takes snapshots, it writes their names into a note in the task's state directory. A killed run, or a power
loss, leaves this note. The next run removes the snapshots that it names, even if the task has changed since.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from hashlib import sha256
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Optional, Sequence, Tuple

from ..common.accounts import find_account
from ..common.errors import CloudsyncError, usage_error
from ..common.files import list_names, make_directory, read_versioned, remove, write_json
from ..common.layout import Layout
from ..common.mounts import Mount, is_below, read_mounts
from ..config.tasks import Task
from .lvm import SNAPSHOT_SIZE
from .model import Execute, Volume
from .plan import Manager, SnapshotPlan, list_managers, plan_snapshot
from .tools import run_command
from .workspace import Bench, remove_empty, unmount

Say = Callable[[str], None]
SCHEMA = 1
NAME = "cloudsync-"


def make_snapshot_name(task: str, run_id: str) -> str:
    """Return ``cloudsync-TASK-RUNID`` in characters that every volume manager accepts."""
    # LVM reserves names with parts like _tdata. A hyphen counts twice towards its limit of 127 characters.
    if "_" in task or len(task) > 32:
        task = f"{re.sub(r'[^A-Za-z0-9.-]', '.', task)[:24]}.{sha256(task.encode()).hexdigest()[:8]}"
    return f"{NAME}{task}-{re.sub(r'[^A-Za-z0-9]', '', run_id)}"


@contextmanager
def take(
    kind: str,
    path: str,
    name: str,
    work_dir: str,
    notes_dir: str,
    say: Say,
    execute: Execute = run_command,
    gid: int = 0,
    read: Callable[[], Sequence[Mount]] = read_mounts,
) -> Iterator[str]:
    """Yield the path of a read-only view of ``path`` that only root and group ``gid`` can enter.

    ``name`` comes from make_snapshot_name(). Views are mounted in ``work_dir``. ``notes_dir`` has notes for sweep()
    after a kill. ``say`` gets a sentence if a snapshot cannot be removed, which is left to sweep(). Raises
    ``disk_full`` at the end if the snapshot ran out of space, because then the transfer is not complete.
    """
    path = os.path.realpath(path)
    bench = Bench(f"{os.path.realpath(work_dir)}/{name}", execute, gid)
    known = list_managers(bench)
    note = f"{notes_dir}/{name}.json"
    failure: Optional[CloudsyncError] = None
    try:
        # Before the first mount, and again when the volumes are known.
        _write_note(note, bench, [])
        bench.open()
        # This access makes an automounter mount the path.
        os.stat(path)
        plan = plan_snapshot(kind, path, read(), known)
        wanted = plan.labels(name)
        _write_note(note, bench, wanted)
        for one in known:
            known[one].freeze([(volume, label) for volume, label in wanted if volume.kind == one])
        try:
            yield _view(plan, wanted, bench, known)
        except CloudsyncError as error:
            failure = error
        spoiled = _spoiled(wanted, known, failure)
    finally:
        _released(bench, name, note, say)
    if spoiled:
        raise _ran_full(spoiled) from failure
    if failure is not None:
        raise failure


def _spoiled(
    wanted: Sequence[Tuple[Volume, str]], known: Dict[str, Manager], failure: Optional[CloudsyncError]
) -> List[str]:
    """Return the volumes whose snapshot ran out of space.

    After a stop this is not checked. After another failure, an error of the check is ignored.
    """
    if failure is not None and failure.reason == "stopped":
        return []
    try:
        return [volume.name for volume, label in wanted if known[volume.kind].spoiled(volume, label)]
    except CloudsyncError:
        if failure is None:
            raise
        return []


def _released(bench: Bench, name: str, note: str, say: Say) -> None:
    """Undo everything. If that fails, the note is kept for sweep()."""
    problems = bench.close()
    for problem in problems:
        say(f"Cannot remove snapshot {name}. The next run tries again: {problem}")
    if not problems:
        remove(note)


def _ran_full(volumes: Sequence[str]) -> CloudsyncError:
    return CloudsyncError(
        "disk_full",
        f"The snapshot of volume {', '.join(volumes)} ran out of space, so the transfer is not complete. More than "
        f"{SNAPSHOT_SIZE.replace('ORIGIN', '')} of the volume changed during the run. Run the task at a quieter time, "
        "or use thin volumes.",
    )


def _view(plan: SnapshotPlan, wanted: Sequence[Tuple[Volume, str]], bench: Bench, known: Dict[str, Manager]) -> str:
    """Put the frozen parts together to one tree and return its path."""
    labels = dict(wanted)
    first = plan.parts[0]
    if len(plan.parts) == 1 and first.volume.kind == "zfs" and plan.holder.root == "/":
        hidden = f"{plan.holder.point.rstrip('/')}/.zfs/snapshot/{labels[first.volume]}"
        if os.path.isdir(hidden):
            return hidden + first.inside
    roots = {volume: known[volume.kind].reveal(volume, label) for volume, label in wanted}
    tree = bench.tree()
    for part in plan.parts:
        source = roots[part.volume] + part.inside
        target = os.path.join(tree, part.place) if part.place else tree
        for end in (source, target):
            if os.path.realpath(end) != end:
                raise CloudsyncError("other", f"Path {plan.path} changed during its snapshot. Run the task again.")
        bench.mount(["--bind"], source, target)
    return tree


def _write_note(note: str, bench: Bench, wanted: Sequence[Tuple[Volume, str]]) -> None:
    volumes = [dict(asdict(volume), label=label) for volume, label in wanted]
    try:
        make_directory(os.path.dirname(os.path.dirname(note)))
        make_directory(os.path.dirname(note))
        write_json(note, {"schema": SCHEMA, "directory": bench.directory, "volumes": volumes})
    except OSError as error:
        raise CloudsyncError(
            "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "other",
            f"Cannot write {note}, so no snapshot was taken. Check the free space and the permissions there: "
            f"{error.strerror}.",
        ) from None


def sweep_notes(
    notes_dir: str, execute: Execute = run_command, read: Callable[[], Sequence[Mount]] = read_mounts
) -> List[str]:
    """Remove the snapshots of killed runs of a task. Return a sentence for each that cannot be removed.

    The caller has the task's lock.
    """
    problems: List[str] = []
    try:
        names = list_names(notes_dir)
    except CloudsyncError as error:
        return [f"Cannot look for snapshots of killed runs: {error.message}"]
    for name in names:
        path = f"{notes_dir}/{name}.json"
        try:
            note = read_versioned(path, SCHEMA) or {}
            left = _swept(note, execute, read) if note else []
        except CloudsyncError as error:
            left = [error.message]
        if left:
            problems += [f"Cannot remove snapshot {name} of a killed run: {one}" for one in left]
        else:
            remove(path)
    return problems


def _swept(note: Dict[str, Any], execute: Execute, read: Callable[[], Sequence[Mount]]) -> List[str]:
    try:
        directory = str(note["directory"])
        wanted = [(Volume(e["kind"], e["name"], e["fstype"]), str(e["label"])) for e in note["volumes"]]
        strange = [label for _volume, label in wanted if not label.startswith(NAME)]
    except (LookupError, TypeError):
        strange = ["?"]
    if strange:
        return ["its note in the task's state directory was edited or damaged. Remove the snapshot, then the note."]
    for mount in reversed([m for m in read() if is_below(m.point, directory)]):
        unmount(mount.point, execute)
    remove_empty(directory)
    bench = Bench(directory, execute)
    known = list_managers(bench)
    problems: List[str] = []
    try:
        bench.open()
        for volume, label in wanted:
            try:
                known[volume.kind].drop(volume, label)
            except CloudsyncError as error:
                problems.append(error.message)
    finally:
        problems += bench.close()
    return problems


def locate_notes(layout: Layout, task: str) -> str:
    """Return the directory of the notes about the snapshots of ``task`` that exist."""
    return layout.task_state_dir(task) + "/snapshots"


def take_snapshot(
    task: Task, run_id: str, layout: Layout, say: Say, execute: Execute = run_command
) -> ContextManager[str]:
    """Return a context with the path that a run of ``task`` transfers: the task's own, or a snapshot's view of it."""
    if task.snapshot == "none":
        return nullcontext(task.path)
    if os.geteuid() != 0:
        raise usage_error("A snapshot needs root. Run cloudsync as root, or set the task's snapshot to none.")
    # Not in the run directory, which only root can enter.
    work_dir, notes_dir = layout.root + "/run/cloudsync-snapshots", locate_notes(layout, task.name)
    name = make_snapshot_name(task.name, run_id)
    say(f"transferring from snapshot {name} of {task.path}")
    return take(task.snapshot, task.path, name, work_dir, notes_dir, say, execute, find_account(task.user).gid)


def sweep(task: Task, layout: Layout, execute: Execute = run_command) -> List[str]:
    """Remove the snapshots of killed runs of ``task``, whatever its options are now. See sweep_notes()."""
    return sweep_notes(locate_notes(layout, task.name), execute)
