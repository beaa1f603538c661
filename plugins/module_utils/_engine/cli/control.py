# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Verbs that act: adopt, run, stop, unpurge and verify."""

from __future__ import annotations

import argparse
import os

from ..common.errors import EXIT_SUCCESS
from ..common.stop_signal import StopFlag
from ..config.credential_store import load_credential
from ..config.stored_tasks import require_task
from ..config.task_store import load_task
from ..config.tasks import Task
from ..host import Host
from ..operations import adopt as adopting
from ..operations import browse
from ..operations import stop as stopping
from ..operations.trigger import recall_trigger
from ..runs.dry_run import make_dry_run
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
    return started.exit_code


def adopt(host: Host, options: argparse.Namespace) -> int:
    """Make a task the owner of its destination: ``cloudsync adopt TASK``."""
    require_task(host.layout, options.task)
    stop_flag = StopFlag()
    stop_flag.listen()
    found = adopting.adopt(host, load_task(host.layout, host.seed, options.task), stop_flag)
    print_answer(options, found, tables.format_adoption(options.task, found))
    return EXIT_SUCCESS


def stop(host: Host, options: argparse.Namespace) -> int:
    """Stop the active runs of a task: ``cloudsync stop TASK``."""
    require_task(host.layout, options.task)
    stopped = stopping.stop_task(host.layout, options.task)
    text = f"stopped {', '.join(stopped)}" if stopped else f"{options.task} is not running"
    print_answer(options, {"stopped": stopped}, text)
    return EXIT_SUCCESS


def verify(host: Host, options: argparse.Namespace) -> int:
    """Test the login of a credential: ``cloudsync verify CREDENTIAL [--path PATH]``."""
    credential = load_credential(host.layout, host.seed, options.credential)
    error = browse.verify(host, credential, True, options.path)
    if error is not None:
        raise error
    print_answer(options, {"credential": credential.name, "valid": True}, f"credential {credential.name} can log in")
    return EXIT_SUCCESS


def unpurge(host: Host, options: argparse.Namespace) -> int:
    """Restore what a purge removed: ``cloudsync unpurge [PURGE]``. Existing objects are not changed."""
    # No other verb here needs these.
    from ..safekeeping.purged import read_purged
    from ..safekeeping.restore import KEEP, restore_backup

    name, text = read_purged(host.layout, options.purge or "")
    found = restore_backup(host.layout, text, "", KEEP, None, False)
    content = {"purge": name, "restored": found.restored.to_dict(), "kept": found.kept.to_dict()}
    for warning in found.warnings:
        print_error(warning)
    print_answer(options, content, f"purge {name}: restored {found.restored if found.restored.count() else 'nothing'}")
    return EXIT_SUCCESS


VERBS = {"adopt": adopt, "run": run, "stop": stop, "unpurge": unpurge, "verify": verify}
