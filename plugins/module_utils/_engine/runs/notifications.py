# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Send the notifications of a task. A notification that cannot be sent never fails a run."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import asdict
from typing import Callable, Collection, List, NamedTuple, Optional, Sequence, Tuple

from ..commands import helper
from ..common.errors import CloudsyncError
from ..common.files import atomic_write, make_directory, read_text, remove
from ..common.layout import Layout
from ..config.tasks import Task
from ..notify.events import Event, find_alarm, find_last_alarm, select_events
from ..notify.targets import COMMAND_KINDS, parse_target
from .records import NOTIFICATION_RUNS, Record, collect_facts, load_records

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


class Alert(NamedTuple):
    """An alert that no run has sent: overdue, or another problem (``kind``). ``key`` is equal for the same problems."""

    kind: str
    key: str
    message: str


def notify_alert(layout: Layout, task: Task, alert: Alert, silent: Collection[str] = ()) -> List[str]:
    """Notify all targets of the task but ``silent`` ones, once for each ``key``.

    Return a sentence for each notification that could not be sent.
    """
    if _read_mark(layout, task.name, alert.kind) == alert.key:
        return []
    targets = [target for target in task.notify if target not in silent]
    problems = _send(layout, task, targets, alert.kind, alert.kind, alert.message)
    if not targets or len(problems) < len(targets):
        problems += _write_mark(layout, task.name, alert)
    return problems


def close_problem(layout: Layout, task: Task) -> List[str]:
    """Notify all targets that the problems of notify_alert() are solved, unless the task is still failing or overdue.

    The end of a run closes an overdue alert. Return a sentence for each notification that could not be sent.
    """
    if _read_mark(layout, task.name, "problem") is None:
        return []
    _remove_mark(layout, task.name, "problem")
    if _is_failing(layout, task) or _read_mark(layout, task.name, "overdue") is not None:
        return []
    return _send(layout, task, task.notify, "recovered", "success", "The problems of this task are solved.")


def close_removed(layout: Layout, task: Task) -> List[str]:
    """Notify all targets that the alert of a removed task has ended, if there is one."""
    marks = [kind for kind in ("overdue", "problem") if _read_mark(layout, task.name, kind) is not None]
    for kind in marks:
        _remove_mark(layout, task.name, kind)
    if not marks and not _is_failing(layout, task):
        return []
    text = "The task was removed from this host while it had a problem. No further notifications follow."
    return _send(layout, task, task.notify, "recovered", "removed", text)


def _is_failing(layout: Layout, task: Task) -> bool:
    records = load_records(layout, task.name, NOTIFICATION_RUNS)
    return find_last_alarm((run.state, run.reason) for run in records) == "failed"


def _send(layout: Layout, task: Task, targets: Sequence[str], kind: str, state: str, message: str) -> List[str]:
    event = Event(kind=kind, task=task.name, host=socket.gethostname(), state=state, message=message)
    chosen = [index for index, target in enumerate(task.notify) if target in targets]
    return [problem for index in chosen for problem in _send_to(layout, task, index, event)]


def _locate_marks(layout: Layout, task: str, kind: str) -> Tuple[str, str]:
    """Return the paths of a file that exists while an alert is active. The second one is for a full disk."""
    return f"{layout.task_state_dir(task)}/{kind}", f"{layout.run_dir}/alerts/{task}.{kind}"


def _read_mark(layout: Layout, task: str, kind: str) -> Optional[str]:
    for path in reversed(_locate_marks(layout, task, kind)):
        with contextlib.suppress(OSError):
            text = read_text(path)
            if text is not None:
                return text.strip()
    return None


def _write_mark(layout: Layout, task: str, alert: Alert) -> List[str]:
    kept, volatile = _locate_marks(layout, task, alert.kind)
    content = (alert.key + "\n").encode()
    try:
        make_directory(layout.task_state_dir(task))
        atomic_write(kept, content)
    except (CloudsyncError, OSError):
        try:
            make_directory(layout.run_dir)
            make_directory(os.path.dirname(volatile))
            atomic_write(volatile, content)
        except (CloudsyncError, OSError) as error:
            return [f"Cannot write {volatile}: {error}. The notifications of task {task} are repeated."]
    return []


def _remove_mark(layout: Layout, task: str, kind: str) -> None:
    for path in _locate_marks(layout, task, kind):
        with contextlib.suppress(OSError):
            remove(path)


def _send_to(layout: Layout, task: Task, index: int, event: Event) -> List[str]:
    """Send ``event`` to one target of the task. A target that starts a program needs the helper in a sandbox."""
    target = parse_target(task.notify[index])
    if event.kind not in target.takes:
        return []
    if target.kind not in COMMAND_KINDS or not helper.is_needed():
        # Mail and TLS take a tenth of the start of a run, and most runs send nothing.
        from ..notify.send import send

        return send(target, event, real_host=layout.is_real_host)
    try:
        request = {"do": "notify", "task": task.name, "target": index, "event": asdict(event)}
        problems: List[str] = helper.ask(request, lambda _line: None)["problems"]
        return problems
    except CloudsyncError as error:
        return [error.message]


def _notify(layout: Layout, task: Task, record: Record, earlier: Sequence[Record], tail: Sequence[str]) -> List[str]:
    before = find_last_alarm((run.state, run.reason) for run in earlier)
    if _read_mark(layout, task.name, "overdue") is not None:
        before = "overdue"
    facts = collect_facts(task, record)
    problems: List[str] = []
    for index, target in enumerate(map(parse_target, task.notify)):
        kinds = select_events(before, record.state, record.reason, target.pings)
        if record.kind == "drill" and target.pings:
            # A check that expects the runs of the task must not take a drill for one of them.
            kinds = [kind for kind in kinds if kind == "failed"]
        for kind in kinds:
            event = Event(
                kind=kind,
                host=socket.gethostname(),
                last_lines=tuple(tail),
                **{name: facts[name] for name in EVENT_FACTS},
            )
            problems += _send_to(layout, task, index, event)
    if find_alarm(record.state, record.reason):
        _remove_mark(layout, task.name, "overdue")
    return problems
