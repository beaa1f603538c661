# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Send the notifications of a task. A notification that cannot be sent never fails a run."""

from __future__ import annotations

import os
import socket
from typing import Callable, List, Sequence

from ..common.files import atomic_write, make_directory, read_text, remove
from ..common.layout import Layout
from ..config.tasks import Task
from ..notify.events import Event, find_alarm, find_last_alarm, select_events
from ..notify.send import send
from ..notify.targets import parse_target
from .records import Record, collect_facts

EVENT_FACTS = ("task", "run_id", "state", "reason", "message")


def notify_start(layout: Layout, task: Task, record: Record, say: Callable[[str], None]) -> None:
    """Notify the targets that are pinged at every start."""
    for problem in _notify(layout, task, record, [], []):
        say(problem)


def notify_end(layout: Layout, task: Task, record: Record, earlier: Sequence[Record], tail: Sequence[str]) -> List[str]:
    """Notify all targets once per change of state. ``earlier`` are the previous runs, newest first.

    Return a sentence for each notification that could not be sent.
    """
    return _notify(layout, task, record, earlier, tail)


def notify_overdue(layout: Layout, task: Task, slot: str) -> List[str]:
    """Notify all targets once for each ``slot`` (ISO 8601) since which no run has started.

    Return a sentence for each notification that could not be sent.
    """
    mark = _locate_overdue_mark(layout, task.name)
    if (read_text(mark) or "").strip() == slot:
        return []
    event = Event(
        kind="overdue",
        task=task.name,
        host=socket.gethostname(),
        state="overdue",
        message=(
            f"No run has started since {slot}. Check the timer with: systemctl list-timers 'cloudsync@*'. Check the "
            f"journal with: journalctl -u 'cloudsync@{task.name}*'."
        ),
    )
    problems = [
        problem
        for target in map(parse_target, task.notify)
        for problem in send(target, event, real_host=layout.is_real_host)
    ]
    if len(problems) < len(task.notify):
        make_directory(layout.state_dir)
        make_directory(layout.task_state_dir(task.name))
        atomic_write(mark, (slot + "\n").encode())
    return problems


def _locate_overdue_mark(layout: Layout, task: str) -> str:
    """Return the path of a file that exists after a notification of an overdue run, until a run has ended."""
    return layout.task_state_dir(task) + "/overdue"


def _notify(layout: Layout, task: Task, record: Record, earlier: Sequence[Record], tail: Sequence[str]) -> List[str]:
    before = find_last_alarm((run.state, run.reason) for run in earlier)
    if os.path.exists(_locate_overdue_mark(layout, task.name)):
        before = "overdue"
    facts = collect_facts(task, record)
    problems: List[str] = []
    for target in map(parse_target, task.notify):
        for kind in select_events(before, record.state, record.reason, target.pings):
            event = Event(
                kind=kind,
                host=socket.gethostname(),
                last_lines=tuple(tail),
                **{name: facts[name] for name in EVENT_FACTS},
            )
            problems += send(target, event, real_host=layout.is_real_host)
    if find_alarm(record.state, record.reason):
        remove(_locate_overdue_mark(layout, task.name))
    return problems
