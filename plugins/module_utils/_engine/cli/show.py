# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Verbs that read the state of this host: list, status, logs, history, preview, check and metrics."""

from __future__ import annotations

import argparse
import codecs
import os
import sys
import time
from contextlib import suppress
from typing import Any, BinaryIO, List, Mapping, Sequence

from ..common.errors import EXIT_FAILED, EXIT_SUCCESS, CloudsyncError, usage_error
from ..common.layout import NAME, Layout
from ..common.text import escape_controls
from ..config.stored_tasks import read_task, require_task
from ..host import Host
from ..operations import status
from ..runs.records import find_last_record, find_runner_pid, load_records, locate_log
from ..schedule import preview as previews
from ..schedule import schedule as schedules
from . import tables
from .output import print_answer, print_error

FOLLOW_SECONDS = 0.5
CHUNK_BYTES = 65536
# The keys of a task's status that ``list`` omits.
OF_RUNS = (
    "run",
    "progress",
    "state",
    "reason",
    "message",
    "next",
    "overdue_since",
    "overdue_slots",
    "stalled_since",
    "drill",
)


def list_tasks(host: Host, options: argparse.Namespace) -> int:
    """List the tasks: ``cloudsync list``."""
    statuses = status.list_statuses(host.layout)
    content = [{key: value for key, value in found.items() if key not in OF_RUNS} for found in statuses]
    print_answer(options, content, tables.format_tasks(statuses))
    return _name_unreadable(statuses)


def show_status(host: Host, options: argparse.Namespace) -> int:
    """Show the state of one task or of all tasks: ``cloudsync status [TASK]``."""
    if options.task:
        found = status.find_status(host.layout, options.task)
        print_answer(options, found, tables.format_status_details(found))
    else:
        statuses = status.list_statuses(host.layout)
        print_answer(options, statuses, tables.format_statuses(statuses))
        return _name_unreadable(statuses)
    return EXIT_SUCCESS


def _name_unreadable(statuses: Sequence[Mapping[str, Any]]) -> int:
    """Print a line for each task that cannot be read, and return the exit code."""
    unreadable = [found for found in statuses if not status.is_readable(found)]
    for found in unreadable:
        print_error(f"{found['task']}: {escape_controls(found['message'])}")
    return EXIT_FAILED if unreadable else EXIT_SUCCESS


def print_log(host: Host, options: argparse.Namespace) -> int:
    """Print the log of a task's last run: ``cloudsync logs TASK [--follow]``."""
    require_task(host.layout, options.task)
    record = find_last_record(host.layout, options.task)
    if record is None:
        raise CloudsyncError("not_found", f"Task {options.task} has never run.")
    if options.json:
        print_answer(options, {"id": record.id, "log": record.log, "lines": _read_lines(record.log)}, "")
    else:
        _print_lines(host, options.task, record.id, options.follow)
    return EXIT_SUCCESS


def _read_lines(path: str) -> List[str]:
    with _open_log(path) as stream:
        return stream.read().decode("utf-8", "replace").splitlines()


def _print_lines(host: Host, task: str, run_id: str, follow: bool) -> None:
    path = locate_log(host.layout, task, run_id)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with _open_log(path) as stream:
        while True:
            active = follow and find_runner_pid(host.layout, task, run_id) is not None
            if os.fstat(stream.fileno()).st_size < stream.tell():
                # A long log was shortened. It keeps its end.
                stream.seek(0, os.SEEK_END)
            for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
                sys.stdout.write(decoder.decode(chunk))
            sys.stdout.flush()
            if not active:
                return
            time.sleep(FOLLOW_SECONDS)


def _open_log(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise CloudsyncError(
            "not_found", f"Log {path} does not exist. Old logs are removed by age, count and size."
        ) from None


def show_history(host: Host, options: argparse.Namespace) -> int:
    """List the runs of a task: ``cloudsync history TASK``."""
    require_task(host.layout, options.task)
    records = [record.public() for record in load_records(host.layout, options.task)]
    print_answer(options, records, tables.format_history(records))
    return EXIT_SUCCESS


def show_preview(host: Host, options: argparse.Namespace) -> int:
    """Show the next runs of a schedule: ``cloudsync preview TASK|CRON [--count N]``."""
    found = previews.preview(find_schedule(host.layout, options.subject), options.count)
    print_answer(options, found, previews.format_text(found))
    return EXIT_SUCCESS


def find_schedule(layout: Layout, text: str) -> schedules.Schedule:
    """Return the schedule of the task named ``text``, else ``text`` itself as a cron expression or preset."""
    stored = read_task(layout, text) if NAME.match(text) else None
    if stored is None:
        return schedules.parse(text)
    if not stored["schedule"]:
        raise usage_error(f"Task {text} has no schedule. It runs only when you start it.")
    return schedules.parse(stored["schedule"])


def check(host: Host, options: argparse.Namespace) -> int:
    """List the problems of this host and its tasks: ``cloudsync check [--notify]``."""
    # These load most of the engine, and no other verb here needs them.
    from ..health.problems import inspect_host

    found, unsent = inspect_host(host, test_logins=options.notify), []
    problems = found.problems
    if options.notify:
        from ..health.publish import publish
        from ..health.watch import notify_problems
        from ..safekeeping.purged import remove_expired

        with suppress(OSError):
            remove_expired(host.layout)
        unsent = notify_problems(host, problems)
        publish(host, print_error, found)
    lines = [problem.line for problem in problems] + unsent
    content = {"ok": not lines, "problems": lines, "details": [problem.to_dict() for problem in problems]}
    print_answer(options, content, "\n".join(map(escape_controls, lines)) or "ok")
    if options.notify:
        return EXIT_FAILED if unsent else EXIT_SUCCESS
    return EXIT_FAILED if lines else EXIT_SUCCESS


def print_metrics(host: Host, options: argparse.Namespace) -> int:
    """Print the metrics of this host: ``cloudsync metrics``."""
    from ..health.metrics import collect_metrics, render_metrics
    from ..health.problems import inspect_host

    samples = collect_metrics(host, inspect_host(host))
    print_answer(options, [sample._asdict() for sample in samples], render_metrics(samples).rstrip("\n"))
    return EXIT_SUCCESS


VERBS = {
    "list": list_tasks,
    "status": show_status,
    "logs": print_log,
    "history": show_history,
    "preview": show_preview,
    "check": check,
    "metrics": print_metrics,
}
