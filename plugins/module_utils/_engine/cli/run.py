# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""The verb run. Every timer starts it, so it is apart from the verbs that import more."""

from __future__ import annotations

import argparse
import os

from ..common.stop_signal import StopFlag
from ..config.stored_tasks import require_task
from ..config.task_store import load_task
from ..config.tasks import Task
from ..health.publish import publish_after_run
from ..host import Host
from ..operations.trigger import recall_trigger
from ..runs.run import Run
from ..runs.start_gate import TRIGGER
from . import tables
from .output import print_answer, print_error, print_line


def run(host: Host, options: argparse.Namespace) -> int:
    """Run a task, or show its plan: ``cloudsync run TASK [--dry-run]``."""
    require_task(host.layout, options.task)
    stop_flag = StopFlag()
    stop_flag.listen()
    if options.dry_run:
        return show_plan(host, load_task(host.layout, host.seed, options.task), stop_flag, options)
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
    """Perform a run, print its end, and return the exit code."""
    if not options.json:
        name, log = started.record.task, started.record.log
        print_line(f"cloudsync: {name}: run {started.record.id} started. Log: {log}")
    record = started.perform()
    print_answer(options, record.public(), tables.format_end(record.public()))
    publish_after_run(started.host, print_error)
    return started.exit_code


VERBS = {"run": run}
