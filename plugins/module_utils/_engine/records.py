# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run records: one JSON file a run, from its first moment, so that no run goes unnoticed however it ended."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List, Optional

from .errors import CloudsyncError
from .files import make_directory, names_in, read_json, remove, write_json
from .layout import Layout
from .locks import Lock, holder, wait_lock

SCHEMA = 1
UNFINISHED = ("waiting", "running")
KEPT_RECORDS = 1000
KEPT_LOGS = 100
KEPT_LOG_DAYS = 90
# How many runs back the failure may lie that a notice still stands for.
NOTICED_RUNS = 50


@dataclass(frozen=True)
class Record:
    """One run. Times are ISO 8601 in UTC, ``reason`` is empty unless something is wrong, ``pid`` the runner's."""

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

    def public(self) -> Dict[str, Any]:
        """The ``run`` dict of the contract."""
        content = asdict(self)
        del content["pid"]
        return content


def now() -> str:
    """This moment, ISO 8601 in UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_run_id() -> str:
    """Sorts by time, differs within a second."""
    return "{0}-{1}".format(datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ"), os.urandom(3).hex())


def log_path(layout: Layout, task: str, run_id: str) -> str:
    return "{0}/{1}.log".format(layout.task_log_dir(task), run_id)


def hold_run(layout: Layout, task: str, run_id: str) -> Lock:
    """The lock that says "this run is alive"; its file holds the runner's pid."""
    lock = wait_lock(_run_lock(layout, task, run_id))
    lock.write(str(os.getpid()))
    return lock


def drop_run(lock: Lock) -> None:
    """End it in good order."""
    os.unlink(lock.path)
    lock.release()


def runner_pid(layout: Layout, task: str, run_id: str) -> Optional[int]:
    """The process of a living run, None when it is dead."""
    text = holder(_run_lock(layout, task, run_id))
    return int(text) if text else None


def _run_lock(layout: Layout, task: str, run_id: str) -> str:
    return "{0}/locks/runs/{1}/{2}".format(layout.run_dir, task, run_id)


def _directories(layout: Layout, task: str) -> List[str]:
    """The records, and where one goes that the disk has no room for."""
    return [layout.task_state_dir(task) + "/runs", "{0}/unsaved/{1}".format(layout.run_dir, task)]


def save_record(layout: Layout, record: Record) -> None:
    """Write it; on a full disk into /run, from where the next one that fits takes it along."""
    kept, spare = _directories(layout, record.task)
    try:
        make_directory(layout.task_state_dir(record.task))
        make_directory(kept)
        _write(kept, record)
        for run_id in names_in(spare):
            _move(spare, kept, run_id)
    except OSError:
        make_directory(layout.run_dir)
        make_directory(spare)
        _write(spare, record)


def _write(directory: str, record: Record) -> None:
    write_json("{0}/{1}.json".format(directory, record.id), {"schema": SCHEMA, **asdict(record)})


def _move(spare: str, kept: str, run_id: str) -> None:
    record = _load("{0}/{1}.json".format(spare, run_id))
    if record is not None and not os.path.exists("{0}/{1}.json".format(kept, run_id)):
        _write(kept, record)
    remove("{0}/{1}.json".format(spare, run_id))


def _load(path: str) -> Optional[Record]:
    try:
        content = read_json(path)
    except CloudsyncError:
        return None
    if content is None or "id" not in content:
        return None
    return Record(**{key: content[key] for key in Record.__dataclass_fields__ if key in content})


def load_records(layout: Layout, task: str, count: Optional[int] = None) -> List[Record]:
    """The newest ``count`` records, newest first, as they are to be seen now: a dead run's says ``interrupted``."""
    places = {run_id: directory for directory in _directories(layout, task) for run_id in names_in(directory)}
    found: List[Record] = []
    for run_id in sorted(places, reverse=True):
        if count is not None and len(found) >= count:
            break
        record = _load("{0}/{1}.json".format(places[run_id], run_id))
        if record is not None:
            found.append(as_seen_now(layout, record))
    return found


def as_seen_now(layout: Layout, record: Record) -> Record:
    """An unfinished record whose runner is dead was interrupted, whether or not anybody wrote that down yet."""
    if record.state not in UNFINISHED or runner_pid(layout, record.task, record.id) is not None:
        return record
    return replace(
        record,
        state="aborted",
        reason="interrupted",
        message="The runner was killed, or the host went down, during this run. Run the task again; "
        "what had been transferred is kept.",
    )


def interrupted_records(layout: Layout, task: str) -> Iterator[Record]:
    """The records of dead runs that nobody has closed yet, oldest first."""
    for directory in _directories(layout, task):
        for run_id in names_in(directory):
            record = _load("{0}/{1}.json".format(directory, run_id))
            if record is not None and record.state in UNFINISHED:
                seen = as_seen_now(layout, record)
                if seen.state not in UNFINISHED:
                    yield seen


def last_record(layout: Layout, task: str) -> Optional[Record]:
    """The one that stands for the task's state: the newest that did, or does, more than skip."""
    newest = None
    for record in load_records(layout, task, KEPT_LOGS):
        newest = newest or record
        if record.state != "skipped":
            return record
    return newest


def prune(layout: Layout, task: str) -> None:
    """Keep the newest records and logs; logs also go by age."""
    for run_id in names_in(_directories(layout, task)[0])[:-KEPT_RECORDS]:
        remove("{0}/{1}.json".format(_directories(layout, task)[0], run_id))
    oldest = time.time() - KEPT_LOG_DAYS * 86400
    logs = names_in(layout.task_log_dir(task), ".log")
    for position, run_id in enumerate(reversed(logs)):
        path = log_path(layout, task, run_id)
        if position >= KEPT_LOGS or os.stat(path).st_mtime < oldest:
            remove(path)
