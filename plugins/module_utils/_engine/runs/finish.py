# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Finish every run, however it ended: run the failure and always hooks, and send notifications."""

from __future__ import annotations

from typing import Callable, List, Sequence

from ..commands import helper, hooks
from ..common.errors import (
    EXIT_FAILED,
    EXIT_REFUSED,
    EXIT_SKIPPED,
    EXIT_STOPPED,
    EXIT_SUCCESS,
    EXIT_USAGE,
    CloudsyncError,
    system_error,
)
from ..common.layout import Layout
from ..config.tasks import Task
from . import notifications
from .records import Record, collect_facts

# systemd kills a unit 90 seconds after its stop, and rclone may need ten of them to end.
STOPPED_HOOK_SECONDS = 30
Say = Callable[[str], None]


def run_one_hook(layout: Layout, task: Task, record: Record, kind: str, say: Say, stop: Callable[[], bool]) -> None:
    """Run the task's hook ``kind``, if it has one. Raise CloudsyncError("hook") if the hook fails."""
    text = getattr(task.hooks, kind)
    if not text:
        return
    if helper.is_needed():
        request = {"do": "hook", "task": task.name, "kind": kind, "record": record._asdict()}
        answer = helper.ask(request, say, stop)
        if kind == "before":
            helper.check_view(task.path, answer["place"])
        return
    hurried = record.reason == "stopped"
    result = hooks.run_hook(
        kind,
        text,
        collect_facts(task, record),
        say,
        min(task.hooks.timeout, STOPPED_HOOK_SECONDS) if hurried else task.hooks.timeout,
        task.user,
        stop,
        layout.run_dir,
    )
    if not result.ok:
        raise hooks.build_hook_error(kind, result)


def finish_run(
    layout: Layout, task: Task, record: Record, earlier: Sequence[Record], say: Say, tail: List[str]
) -> Record:
    """Run the hooks and send the notifications of an ended run.

    Return its record. Failures of hooks and notifications are added to the message.
    """
    problems = []
    for kind in (["failure"] if record.state != "success" else []) + ["always"]:
        try:
            run_one_hook(layout, task, record, kind, say, lambda: False)
        except CloudsyncError as error:
            problems.append(error.message)
        except OSError as error:
            problems.append(f"Cannot start the {kind} hook: {system_error(error).message}")
    problems += notifications.notify_end(layout, task, record, earlier, tail)
    for problem in problems:
        say(problem)
    return record._replace(message=" ".join([record.message, *problems]).strip())


def find_exit_code(record: Record) -> int:
    """Return the exit code of ``cloudsync run`` for an ended run."""
    if record.state == "success":
        return EXIT_SUCCESS
    if record.state == "skipped":
        return EXIT_SKIPPED
    if record.reason == "stopped":
        return EXIT_STOPPED
    if record.refused:
        return EXIT_REFUSED
    return EXIT_USAGE if record.reason == "usage" else EXIT_FAILED
