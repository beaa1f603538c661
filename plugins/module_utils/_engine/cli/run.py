# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""The verb run. Every timer starts it, so it is apart from the verbs that import more."""

from __future__ import annotations

import argparse
import os
import sys
import time

from ..common.stop_signal import StopFlag
from ..config.stored_tasks import require_task
from ..config.task_store import load_task
from ..config.tasks import Task
from ..health.publish import publish_unless_confined
from ..host import Host
from ..operations.trigger import can_use_unit, recall_trigger
from ..runs.finish import find_exit_code
from ..runs.progress import SAY_SECONDS, describe_progress, read_progress
from ..runs.records import UNFINISHED, Record, reload_record
from ..runs.run import Run
from ..runs.start_gate import TRIGGER
from . import tables
from .output import print_answer, print_error, print_line, see_terminal
from .terminal import LiveLine

LOOK_SECONDS = 0.5


def run(host: Host, options: argparse.Namespace) -> int:
    """Run a task, or show its plan: ``cloudsync run TASK [--dry-run] [--here]``.

    Where systemd is running, it starts the run, so that its limits and its sandbox hold.
    """
    require_task(host.layout, options.task)
    stop_flag = StopFlag()
    stop_flag.listen()
    if options.dry_run:
        return show_plan(host, load_task(host.layout, host.seed, options.task), stop_flag, options)
    if not options.here and can_use_unit(host.layout):
        # A run in this process does not need it.
        from ..operations.start import begin_run, wait_for_turn

        # If another run of the task is active, no unit can start. The run in this process is then skipped or stopped.
        if wait_for_turn(host, load_task(host.layout, host.seed, options.task), stop_flag):
            return follow(host, begin_run(host, options.task, False), stop_flag, options)
    by_timer = TRIGGER in recall_trigger(host.layout, options.task, os.environ)
    return perform(Run(host, options.task, "timer" if by_timer else "manual", stop_flag), options)


def show_plan(host: Host, task: Task, stop_flag: StopFlag, options: argparse.Namespace) -> int:
    """Print the plan of ``task``, and return the exit code."""
    # No run needs this.
    from ..runs.dry_run import make_dry_run

    found = make_dry_run(host, task, stop_flag, print_error)
    print_answer(options, found.to_dict(), tables.format_plan(found.to_dict()))
    return found.exit_code


def perform(started: Run, options: argparse.Namespace) -> int:
    """Perform a run in this process, print its end, and return the exit code."""
    live = LiveLine(sys.stdout, see_terminal())
    _print_start(started.record, options)
    if not options.json:
        started.log.show = live.show
    record = started.perform()
    live.clear()
    exit_code = _print_end(record, options)
    publish_unless_confined(started.host, print_error)
    return exit_code


def follow(host: Host, record: Record, stop_flag: StopFlag, options: argparse.Namespace) -> int:
    """Show the progress of a run in its unit, print its end, and return the exit code. A stop stops the run."""
    # A run in this process does not need it.
    from ..operations.stop import stop_task

    live, said = LiveLine(sys.stdout, see_terminal()), time.monotonic()
    _print_start(record, options)
    while record.state in UNFINISHED:
        if stop_flag.requested:
            stop_task(host.layout, record.task)
        text = _describe(host, record)
        if text and not options.json:
            live.show(text)
            if not live.is_possible and time.monotonic() - said >= SAY_SECONDS:
                said = time.monotonic()
                print_line(f"cloudsync: {record.task}: {text}")
        time.sleep(LOOK_SECONDS)
        record = reload_record(host.layout, record)
    live.clear()
    return _print_end(record, options)


def _describe(host: Host, record: Record) -> str:
    if record.state == "waiting":
        return record.message
    progress = read_progress(host.layout, record.task)
    return describe_progress(progress) if progress else ""


def _print_start(record: Record, options: argparse.Namespace) -> None:
    if not options.json:
        print_line(f"cloudsync: {record.task}: run {record.id} started. Log: {record.log}")


def _print_end(record: Record, options: argparse.Namespace) -> int:
    print_answer(options, record.public(), tables.format_end(record.public()))
    return find_exit_code(record)


VERBS = {"run": run}
