# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Decide which events of a run to send, and write their texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, List, Tuple

HEADLINES = {
    "failed": "Cloud sync task {task} failed on {host}",
    "recovered": "Cloud sync task {task} works again on {host}",
    "overdue": "Cloud sync task {task} is overdue on {host}",
    "problem": "Cloud sync task {task} has a problem on {host}",
    "started": "Cloud sync task {task} started on {host}",
    "succeeded": "Cloud sync task {task} succeeded on {host}",
}
REMOVED = "Cloud sync task {task} was removed from {host}"


@dataclass(frozen=True)
class Event:
    """An event. ``kind`` is failed, recovered, overdue, problem, started or succeeded. It is sent unchanged.

    It must therefore contain no secrets. The ``state`` "removed" is that of a task whose alert ends by its removal.
    """

    kind: str
    task: str
    host: str
    run_id: str = ""
    state: str = ""
    reason: str = ""
    message: str = ""
    last_lines: Tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The event in one line."""
        return (REMOVED if self.state == "removed" else HEADLINES[self.kind]).format(task=self.task, host=self.host)

    @property
    def text(self) -> str:
        """All facts of the event as text."""
        facts = [("run", self.run_id), ("state", self.state), ("reason", self.reason)]
        lines = [self.message] if self.message else []
        lines += [f"{name}: {value}" for name, value in facts if value]
        if self.last_lines:
            lines += ["", "The last lines of the log:", *self.last_lines]
        return "\n".join(lines) or self.headline


def find_alarm(state: str, reason: str) -> str:
    """Return "failed", "success" or "overdue" for the end of a run, "" if the end is neither a failure nor a success.

    A killed run has failed. A run that a user stopped has not.
    """
    if state == "aborted":
        return "" if reason == "stopped" else "failed"
    return state if state in ("failed", "success", "overdue") else ""


def find_last_alarm(history: Iterable[Tuple[str, str]]) -> str:
    """Return the state of the last notification: "failed", "success" or "" (none yet).

    ``history``: (state, reason) of the earlier runs, newest first. A stopped or skipped run changes no alarm.
    """
    return next((alarm for alarm in (find_alarm(*one) for one in history) if alarm), "")


def select_events(previous_state: str, new_state: str, reason: str = "", pings: bool = False) -> List[str]:
    """Return the kinds of events to send when a run (``new_state``, ``reason``) follows ``previous_state``.

    ``previous_state`` is the result of find_last_alarm(), or "overdue" if that was the last notification. Events are
    sent once per change: repeated failures send none until a run succeeds. A target that ``pings`` gets all runs.
    """
    new = find_alarm(new_state, reason)
    if pings:
        kinds = {"success": ["succeeded"], "failed": ["failed"]}
        return ["started"] if new_state == "running" else kinds.get(new, [])
    if not new or new == previous_state:
        return []
    if new == "success":
        return ["recovered"] if previous_state in ("failed", "overdue") else []
    return [new]
