# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Collect what the report of a fleet shows about a task and its status does not have. Everything has a limit."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..common.text import parse_time
from ..config.credential_store import read_credential
from ..config.credentials import Credential
from ..operations.status import list_next_runs
from ..remote.account import identify_account
from ..runs.records import FAILED, Record, read_newest_records
from ..systemd.systemctl import list_next_elapses

RUNS = 30
# A success is searched in at most this number of runs.
SEARCHED_RUNS = 300
AHEAD = timedelta(hours=24)
# The numbers of coming starts to ask for, until they reach the end of the day.
STARTS = (2, 8, 30, 100)
LOG_LINES = 12
LOG_BYTES = 8192
LINE_CHARACTERS = 300
# Two hosts never share a destination there: its account is a folder of the host.
OF_ONE_HOST = frozenset(("local", "alias", "union", "combine", "chunker", "compress", "crypt", "hasher", "cache"))


class _Past(NamedTuple):
    """The last runs, newest first, the end of the last success, and the start of the first failure after it."""

    runs: Tuple[Record, ...]
    last_success: Optional[str]
    failing_since: Optional[str]


def add_to_tasks(layout: Layout, tasks: List[Dict[str, Any]]) -> None:
    """Add the key ``report`` to each of the ``tasks``, which are views of task_info. An unreadable one has none."""
    elapses = list_next_elapses(layout)
    for task in tasks:
        if "schedule" in task:
            task["report"] = _build(layout, task, elapses)


def _build(layout: Layout, task: Mapping[str, Any], elapses: Mapping[str, int]) -> Dict[str, Any]:
    past = _read_past(layout, task["name"])
    return {
        "account": _name_account(layout, task),
        "last_success": past.last_success,
        "failing_since": past.failing_since,
        "runs": [_shorten(record) for record in past.runs],
        "starts": _list_starts(task, elapses),
        "log": _read_log_end(task["status"]),
    }


def _read_past(layout: Layout, name: str) -> _Past:
    """Read as many records as needed to find the last success."""
    runs: List[Record] = []
    failing: Optional[str] = None
    success: Optional[str] = None
    for record in islice(read_newest_records(layout, name), SEARCHED_RUNS):
        if len(runs) < RUNS:
            runs.append(record)
        if success is None and record.state == "success":
            success = record.ended
        elif success is None and record.state in FAILED:
            failing = record.started
        if success is not None and len(runs) == RUNS:
            break
    return _Past(tuple(runs), success, failing)


def _shorten(record: Record) -> List[Any]:
    """Return the state, the reason, the start, the duration in seconds, and the bytes of a run."""
    return [record.state, record.reason, record.started, record.seconds, record.bytes]


def _list_starts(task: Mapping[str, Any], elapses: Mapping[str, int]) -> List[str]:
    """Return the starts of the next 24 hours as ISO 8601, at most 100."""
    end = datetime.now(timezone.utc) + AHEAD
    starts: List[str] = []
    for count in STARTS:
        starts = list_next_runs(task, count, elapses)
        if len(starts) < count or parse_time(starts[-1]) > end:
            break
    return [start for start in starts if parse_time(start) <= end]


def _name_account(layout: Layout, task: Mapping[str, Any]) -> str:
    """Return a name of the account that is the same on each host, without a secret. Empty if no host can share it."""
    with contextlib.suppress(CloudsyncError, OSError, KeyError):
        stored = read_credential(layout, task["credential"])
        if stored is not None and stored["provider"] not in OF_ONE_HOST:
            public = Credential(stored["name"], stored["provider"], attributes=stored["attributes"])
            return identify_account(public, task["provider_options"], task["user"]).name
    return ""


def _read_log_end(status: Mapping[str, Any]) -> List[str]:
    """Return the last lines of the log of a failed run. They contain no secrets, because the log has none."""
    run = status["run"]
    if status["state"] not in FAILED or not run or not run["log"]:
        return []
    with contextlib.suppress(OSError), open(run["log"], "rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - LOG_BYTES))
        lines = stream.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:]
        return [line[:LINE_CHARACTERS] for line in lines]
    return []
