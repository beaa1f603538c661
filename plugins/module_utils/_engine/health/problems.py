# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""List the problems of this host, for ``cloudsync check``, notifications and the report."""

from __future__ import annotations

import datetime
import time
from functools import partial
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple

from ..common.text import parse_time
from ..config.stored_tasks import list_tasks
from ..config.tasks import Task
from ..host import Host
from ..operations.status import is_readable, list_drill_statuses, list_statuses
from ..remote.login_problems import list_live_problems
from ..runs.records import FAILED, UNFINISHED
from ..schedule.overdue import MOST_SLOTS
from . import host_parts, textfile, units
from .problem import Problem, attempt, collect

# Clocks of hosts are never exactly equal, and a record is written to the second.
CLOCK_TOLERANCE = datetime.timedelta(minutes=5)


class Inspection(NamedTuple):
    """What a look at this host has found: its problems, and the statuses of its declared tasks and drills.

    ``began`` is the time of time.monotonic() at its start.
    """

    problems: List[Problem]
    statuses: List[Dict[str, Any]]
    began: float


def list_problems(host: Host) -> List[Problem]:
    """Return the problems of the enabled tasks and of what they need. What cannot be read is a problem, too."""
    return inspect_host(host).problems


def inspect_host(host: Host, test_logins: bool = False) -> Inspection:
    """Look at the tasks and at what they need.

    ``test_logins``: first test the logins that a killed rclone may have lost.
    """
    layout, began = host.layout, time.monotonic()
    found: List[Problem] = []
    if test_logins:
        # It loads what a run needs, and few calls test a login.
        from ..runs.recovery import try_logins

        attempt(found, "login", "", lambda: try_logins(host), None)
    names: List[str] = attempt(found, "task", "", lambda: list_tasks(layout), [])
    statuses: List[Dict[str, Any]] = attempt(found, "task", "", lambda: list_statuses(layout), [])
    for status in statuses:
        collect(found, "task", status["task"], partial(check_status, status))
    drills: List[Dict[str, Any]] = attempt(found, "task", "", lambda: list_drill_statuses(layout, statuses), [])
    for status in drills:
        collect(found, "task", status["task"], partial(check_status, status))
    names += [status["task"] for status in drills]
    tasks: Dict[str, Task] = {}
    seed = list(host_parts.check_seed(host))
    if seed:
        found += seed
    else:
        unreadable = {status["task"] for status in statuses if not is_readable(status)}
        tasks = host_parts.load_tasks(host, found, unreadable)
        collect(found, "credential", "", lambda: host_parts.check_credentials(host, tasks))
    collect(found, "login", "", lambda: (Problem("login", "", text) for text in list_live_problems(layout)))
    if names:
        collect(found, "rclone", "", lambda: host_parts.check_rclone(host))
        collect(found, "directory", "", lambda: host_parts.check_directories(layout, names))
    collect(found, "unit", "", lambda: units.check_unit_files(layout, tasks))
    collect(found, "unit", "", lambda: units.check_orphans(layout, names))
    collect(found, "timer", "", lambda: units.check_systemd(layout, tasks))
    collect(found, "textfile", "", lambda: textfile.check_textfile(layout))
    # Several checks need the same directory.
    declared = [status for status in (*statuses, *drills) if status["task"] in names]
    return Inspection(list(dict.fromkeys(found)), declared, began)


def check_status(status: Mapping[str, Any]) -> Iterator[Problem]:
    """Return the problems of one task that its status shows. A disabled task has none, unless it cannot be read."""
    task, run = status["task"], status["run"] or {}
    if not status["enabled"] and status["reason"] != "damaged":
        return
    if status["overdue_since"]:
        yield Problem("overdue", task, _describe_overdue(status, run), status["overdue_since"])
    if status["stalled_since"]:
        yield Problem(
            "stalled",
            task,
            f"run {run['id']} is active, but it has made no progress since {status['stalled_since']}. Read its log. "
            f"To end it, use: cloudsync stop {task}",
        )
    if status["reason"] == "damaged":
        yield Problem("damaged", task, status["message"])
    elif status["state"] in FAILED:
        yield Problem(status["state"], task, f"{status['reason']}: {status['message']}")
    if run and parse_time(run["started"]) > _read_clock() + CLOCK_TOLERANCE:
        yield Problem(
            "clock",
            task,
            f"run {run['id']} started at {run['started']}, which is in the future. Check the clock of this host. Then "
            "run the task again.",
        )


def _describe_overdue(status: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    since = status["overdue_since"]
    if status["state"] not in UNFINISHED:
        return f"no run has started since {since}"
    count = status["overdue_slots"]
    passed = f"more than {count}" if count >= MOST_SLOTS else str(count)
    return f"run {run['id']} has been {status['state']} since {run['started']}, and {passed} slots passed since {since}"


def _read_clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
