# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read and write run records: one JSON file for each run, from its start, so that every run leaves a record."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple, Type

from ..common.errors import CloudsyncError, Damaged, system_error
from ..common.files import list_names, make_directory, read_versioned, remove, write_json
from ..common.flock import Lock, is_held, read_holder, try_lock, wait_lock
from ..common.layout import Layout
from ..common.text import TIME_FORMAT, count_seconds, parse_time

if TYPE_CHECKING:
    from ..config.tasks import Task

SCHEMA = 1
UNFINISHED = ("waiting", "running")
FAILED = ("failed", "aborted")
STATES = (*UNFINISHED, "success", *FAILED, "skipped")
KEPT_RECORDS = 1000
# The number of previous runs that are searched for the failure of the last notification.
NOTIFICATION_RUNS = 50


class Record(NamedTuple):
    """One run. Times are ISO 8601 in UTC. ``reason`` is empty after a success. ``pid`` is that of the runner.

    ``kind`` is run, restore or drill. ``refused``: a guard refused the run.
    """

    id: str
    task: str
    state: str
    started: str
    trigger: str = "manual"
    reason: str = ""
    message: str = ""
    ended: str = ""
    bytes: int = 0
    transfers: int = 0
    deletes: int = 0
    errors: int = 0
    exit_code: Optional[int] = None
    log: str = ""
    pid: int = 0
    kind: str = "run"
    refused: bool = False

    def public(self) -> Dict[str, Any]:
        """Return the ``run`` dict of the contract."""
        content = self._asdict()
        del content["pid"], content["refused"]
        return content

    @property
    def seconds(self) -> int:
        """How long the run took, 0 while it is active."""
        return count_seconds(self.started, self.ended)

    @property
    def may_have_transferred(self) -> bool:
        """Whether the run may have changed its destination."""
        return self.reason == "interrupted" or self.exit_code is not None


_KINDS: Dict[str, Tuple[Type[Any], ...]] = {
    **dict.fromkeys(("id", "task", "state", "started", "trigger", "reason", "message", "ended", "log", "kind"), (str,)),
    **dict.fromkeys(("bytes", "transfers", "deletes", "errors", "pid"), (int,)),
    "exit_code": (int, type(None)),
    "refused": (bool,),
}


def collect_facts(task: Task, record: Record) -> Dict[str, str]:
    """Return the public facts of a run, for hooks and notifications. A fact that is not known yet is empty."""
    return {
        "task": task.name,
        "run_id": record.id,
        "direction": task.direction,
        "mode": task.mode,
        "path": task.path,
        "remote_path": task.remote_path,
        "description": task.description,
        "credential": task.credential,
        "state": record.state,
        "reason": record.reason,
        "message": record.message,
        "started": record.started,
        "ended": record.ended,
        "bytes": str(record.bytes),
        "transfers": str(record.transfers),
        "deletes": str(record.deletes),
        "errors": str(record.errors),
        "exit_code": "" if record.exit_code is None else str(record.exit_code),
        "log": record.log,
    }


def make_run_id() -> str:
    """Return a new id. Ids sort by time, to the microsecond. The last digit is random."""
    moment = datetime.now(timezone.utc)
    return f"{moment.strftime('%Y%m%dT%H%M%SZ')}-{moment.microsecond:05x}{os.urandom(1)[0] % 16:x}"


def locate_log(layout: Layout, task: str, run_id: str) -> str:
    return f"{layout.task_log_dir(task)}/{run_id}.log"


def hold_run(layout: Layout, task: str, run_id: str) -> Lock:
    """Take the lock that marks a run as active. Its file contains the runner's pid."""
    lock = wait_lock(_run_lock(layout, task, run_id))
    lock.write(str(os.getpid()))
    return lock


def drop_run(lock: Lock) -> None:
    """Remove and release the lock of an active run."""
    os.unlink(lock.path)
    lock.release()


def forget_run_locks(layout: Layout, task: str) -> None:
    """Remove the lock files of killed runs whose records are closed."""
    for run_id in list_names(os.path.dirname(_run_lock(layout, task, "")), ""):
        record = _load_run(layout, task, run_id)
        if record is None or record.state not in UNFINISHED:
            lock = try_lock(_run_lock(layout, task, run_id))
            if lock is not None:
                drop_run(lock)


def is_active(layout: Layout, task: str, run_id: str) -> bool:
    """Return whether the runner of the run is alive."""
    return is_held(_run_lock(layout, task, run_id))


def find_runner_pid(layout: Layout, task: str, run_id: str) -> Optional[int]:
    """Return the process of an active run, or None if the run is not active."""
    text = read_holder(_run_lock(layout, task, run_id))
    return int(text) if text else None


def locate_run_locks(layout: Layout) -> str:
    return layout.run_dir + "/locks/runs"


def _run_lock(layout: Layout, task: str, run_id: str) -> str:
    return f"{locate_run_locks(layout)}/{task}/{run_id}"


def _kept(layout: Layout, task: str) -> str:
    return layout.task_state_dir(task) + "/runs"


def _unsaved(layout: Layout, task: str) -> str:
    """Return the directory for records that do not fit on the disk. They are newer than those in _kept()."""
    return f"{layout.run_dir}/unsaved/{task}"


def _list_runs(layout: Layout, task: str) -> List[str]:
    """Return the ids of all runs with a record, oldest first.

    A directory that cannot be read hides no record in the other one. ``cloudsync check`` names it.
    """
    found: Set[str] = set()
    for directory in (_kept(layout, task), _unsaved(layout, task)):
        with contextlib.suppress(CloudsyncError, OSError):
            found.update(list_names(directory))
    return sorted(found)


def _load_run(layout: Layout, task: str, run_id: str) -> Optional[Record]:
    """Return the record of a run. A record moves from _unsaved() to _kept() only, so it is found in one of them."""
    return _load(f"{_unsaved(layout, task)}/{run_id}.json") or _load(f"{_kept(layout, task)}/{run_id}.json")


def save_record(layout: Layout, record: Record) -> None:
    """Write ``record``. If it cannot be written, write it into /run: the next record that fits moves it to the disk."""
    kept, unsaved = _kept(layout, record.task), _unsaved(layout, record.task)
    try:
        make_directory(layout.task_state_dir(record.task))
        make_directory(kept)
        _write(kept, record)
        remove(f"{unsaved}/{record.id}.json")
    except (CloudsyncError, OSError):
        make_directory(layout.run_dir)
        make_directory(unsaved)
        _write(unsaved, record)
        return
    # Records that cannot be moved are still found where they are.
    with contextlib.suppress(CloudsyncError, OSError):
        for run_id in list_names(unsaved):
            _take_along(layout, record.task, run_id)


def _write(directory: str, record: Record) -> None:
    write_json(f"{directory}/{record.id}.json", {"schema": SCHEMA, **record._asdict()})


def _take_along(layout: Layout, task: str, run_id: str) -> None:
    """Move a record from _unsaved() to _kept(). Only the run itself, or its recovery, writes an unfinished one."""
    path = f"{_unsaved(layout, task)}/{run_id}.json"
    record = _load(path)
    if record is not None and record.state not in UNFINISHED and record.reason != "damaged":
        _write(_kept(layout, task), record)
        remove(path)


def _load(path: str) -> Optional[Record]:
    """Return the record in ``path``, None if it does not exist any more.

    In place of a record that cannot be read, return a failed one with the reason ``damaged`` that names the file. Its
    run has ended, because the record of an active run is replaced all the time.
    """
    try:
        content = read_versioned(path, SCHEMA)
        return None if content is None else _parse(path, content)
    except CloudsyncError as error:
        return _replace_damaged(path, error.message)
    except OSError as error:
        return _replace_damaged(path, system_error(error).message)


def _parse(path: str, content: Dict[str, Any]) -> Record:
    run_id, task = _identify(path)
    try:
        record = Record(**{key: content[key] for key in Record._fields if key in content})
        wrong = [name for name, kind in _KINDS.items() if type(getattr(record, name)) not in kind]
        times = [] if wrong else [parse_time(text) for text in (record.started, record.ended) if text]
    except (TypeError, ValueError):
        wrong, times = ["time or field"], []
    if wrong or (record.id, record.task) != (run_id, task) or record.state not in STATES or not record.started:
        raise Damaged("damaged", f"{path} is damaged: it is not the record of run {run_id}. The file was edited.")
    if any(moment.tzinfo is None for moment in times):
        raise Damaged("damaged", f"{path} is damaged: a time has no time zone. The file was edited.")
    return record


def _identify(path: str) -> Tuple[str, str]:
    """Return the run id and the task that a record's path stands for."""
    folder, name = os.path.split(path)
    parent, last = os.path.split(folder)
    return name[: -len(".json")], os.path.basename(parent) if last == "runs" else last


def _replace_damaged(path: str, why: str) -> Record:
    run_id, task = _identify(path)
    try:
        moment = datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ").strftime(TIME_FORMAT)
    except ValueError:
        moment = "1970-01-01T00:00:00Z"
    message = f"The result of this run is unknown. {why} Run the task again, then remove the file."
    return Record(run_id, task, "failed", moment, reason="damaged", message=message, ended=moment)


def read_newest_records(layout: Layout, task: str) -> Iterator[Record]:
    """Return the records, newest first. The record of a killed run has the reason ``interrupted``."""
    for run_id in reversed(_list_runs(layout, task)):
        record = _load_run(layout, task, run_id)
        if record is not None:
            yield mark_if_interrupted(layout, record)


def load_records(layout: Layout, task: str, count: Optional[int] = None) -> List[Record]:
    """Return the newest ``count`` records, or all of them."""
    return list(islice(read_newest_records(layout, task), count))


def mark_if_interrupted(layout: Layout, record: Record) -> Record:
    """Return ``record``, or its interrupted form if the run is unfinished but not active, even if that is not saved."""
    if record.state not in UNFINISHED or is_active(layout, record.task, record.id):
        return record
    # A run saves its end before it releases its lock. Therefore the record is final now, and ``record`` may be older.
    record = _load_run(layout, record.task, record.id) or record
    if record.state not in UNFINISHED:
        return record
    return record._replace(
        state="aborted",
        reason="interrupted",
        message="The runner was killed, or the host went down, during this run. Files that were already transferred "
        "are kept. Run the task again.",
    )


def reload_record(layout: Layout, record: Record) -> Record:
    """Return the newest state of ``record``."""
    return mark_if_interrupted(layout, _load_run(layout, record.task, record.id) or record)


def read_interrupted_records(layout: Layout, task: str) -> Iterator[Record]:
    """Return the records of killed runs that are not closed yet, oldest first."""
    for run_id in _list_runs(layout, task):
        record = _load_run(layout, task, run_id)
        if record is not None and record.state in UNFINISHED:
            seen = mark_if_interrupted(layout, record)
            if seen.state not in UNFINISHED and not seen.ended:  # else it ended while it was read
                yield seen


def find_last_record(layout: Layout, task: str) -> Optional[Record]:
    """Return the record that shows the task's state: the newest one that was not skipped, or else the newest."""
    newest = None
    for record in read_newest_records(layout, task):
        newest = newest or record
        if record.state != "skipped":
            return record
    return newest


def prune_records(layout: Layout, task: str) -> None:
    """Remove all but the newest records."""
    kept = _kept(layout, task)
    for run_id in list_names(kept)[:-KEPT_RECORDS]:
        remove(f"{kept}/{run_id}.json")
