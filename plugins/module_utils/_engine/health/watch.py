# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Send notifications for the problems that no run can report. ``cloudsync-watch.timer`` calls it four times an hour."""

from __future__ import annotations

from typing import List, Sequence, Set

from ..common.errors import CloudsyncError
from ..config.tasks import Task
from ..host import Host
from ..runs import notifications
from ..runs.notifications import Alert
from .host_parts import load_tasks
from .problem import Problem

# The end of a run has sent these.
OF_RUNS = ("failed", "aborted")


def notify_problems(host: Host, problems: Sequence[Problem]) -> List[str]:
    """Notify the targets of each task whose problems have changed. Return a sentence for each failure.

    A problem of the host concerns every task. Each target is notified of it once, although several tasks name it.
    """
    unread: List[Problem] = []
    failures: List[str] = []
    told: Set[str] = set()
    for task in load_tasks(host, unread).values():
        if task.enabled:
            try:
                failures += _notify_task(host, task, problems, told)
            except (CloudsyncError, OSError) as error:
                failures.append(f"{task.name}: cannot send notifications: {error}")
    return failures + [
        f"{problem.task or problem.name}: cannot send notifications: {problem.message}" for problem in unread
    ]


def _notify_task(host: Host, task: Task, problems: Sequence[Problem], told: Set[str]) -> List[str]:
    own = [problem for problem in problems if problem.task == task.name and problem.name not in OF_RUNS]
    overdue = [problem for problem in own if problem.name == "overdue"]
    others = [problem for problem in own if problem.name != "overdue"]
    shared = [problem for problem in problems if not problem.task]
    failures: List[str] = []
    if overdue:
        failures += notifications.notify_alert(host.layout, task, _build_alert(task.name, "overdue", overdue))
    if not others and not shared:
        return failures + notifications.close_problem(host.layout, task)
    silent = set() if others else set(told)
    told |= set(task.notify) if shared else set()
    alert = _build_alert(task.name, "problem", [*others, *shared])
    return failures + notifications.notify_alert(host.layout, task, alert, silent)


def _build_alert(task: str, kind: str, problems: Sequence[Problem]) -> Alert:
    key = " ".join(sorted({problem.key for problem in problems}))
    if kind == "problem":
        return Alert(kind, key, "\n".join(f"{problem.name}: {problem.message}" for problem in problems))
    sentences = [f"{problem.message[:1].upper()}{problem.message[1:]}." for problem in problems]
    advice = (
        "Check the timer with: systemctl list-timers 'cloudsync@*'. Check the journal with: "
        f"journalctl -u 'cloudsync@{task}*'."
    )
    return Alert(kind, key, " ".join([*sentences, advice]))
