# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Verbs that read the state of this host: list, status, history, preview, check, metrics and version."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from typing import Any, Mapping, Sequence

from ..common.errors import EXIT_FAILED, EXIT_SUCCESS, usage_error
from ..common.layout import NAME, Layout
from ..common.text import escape_controls
from ..config.stored_tasks import read_task, require_task
from ..host import VERSION, Host
from ..operations import status
from ..runs.records import load_records
from ..schedule import preview as previews
from ..schedule import schedule as schedules
from . import tables
from .output import print_answer, print_error, print_line, see_terminal

WATCH_SECONDS = 2.0
# Moves the cursor to the top left corner, and clears the screen.
CLEAR = "\x1b[H\x1b[2J"
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
    print_answer(options, content, tables.format_tasks(statuses, see_terminal()))
    return _name_unreadable(statuses)


def show_status(host: Host, options: argparse.Namespace) -> int:
    """Show the state of one task or of all tasks: ``cloudsync status [TASK] [--watch]``."""
    while True:
        if options.watch and see_terminal().is_tty:
            sys.stdout.write(CLEAR)
        code = _print_status(host, options)
        if not options.watch:
            return code
        time.sleep(WATCH_SECONDS)


def _print_status(host: Host, options: argparse.Namespace) -> int:
    if options.task:
        found = status.find_status(host.layout, options.task)
        print_answer(options, found, tables.format_status_details(found, see_terminal()))
        return EXIT_SUCCESS
    statuses = status.list_statuses(host.layout)
    print_answer(options, statuses, tables.format_statuses(statuses, see_terminal()))
    return _name_unreadable(statuses)


def _name_unreadable(statuses: Sequence[Mapping[str, Any]]) -> int:
    """Print a line for each task that cannot be read, and return the exit code."""
    unreadable = [found for found in statuses if not status.is_readable(found)]
    for found in unreadable:
        print_error(f"{found['task']}: {escape_controls(found['message'])}")
    return EXIT_FAILED if unreadable else EXIT_SUCCESS


def show_history(host: Host, options: argparse.Namespace) -> int:
    """List the runs of a task: ``cloudsync history TASK``."""
    require_task(host.layout, options.task)
    records = [record.public() for record in load_records(host.layout, options.task)]
    print_answer(options, records, tables.format_history(records, see_terminal()))
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
        from ..health.publish import publish_unless_confined
        from ..health.watch import notify_problems
        from ..safekeeping.purged import remove_expired

        with suppress(OSError):
            remove_expired(host.layout)
        unsent = notify_problems(host, problems)
        publish_unless_confined(host, print_error, found)
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


def show_version(host: Host, _options: argparse.Namespace) -> int:
    """Show the versions: ``cloudsync --version``."""
    print_line(f"cloudsync {VERSION}")
    print_line(
        f"rclone {host.rclone.version_text} ({host.rclone.path})" if host.has_rclone else "rclone is not installed"
    )
    return EXIT_SUCCESS


VERBS = {
    "version": show_version,
    "list": list_tasks,
    "status": show_status,
    "history": show_history,
    "preview": show_preview,
    "check": check,
    "metrics": print_metrics,
}
