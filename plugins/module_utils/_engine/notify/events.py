# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Decide which events of a run are due, and word them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, List, Tuple

HEADLINES = {
    "failed": "Cloud sync task {task} failed on {host}",
    "recovered": "Cloud sync task {task} works again on {host}",
    "overdue": "Cloud sync task {task} is overdue on {host}",
    "started": "Cloud sync task {task} started on {host}",
    "succeeded": "Cloud sync task {task} succeeded on {host}",
}


@dataclass(frozen=True)
class Event:
    """What happened: ``kind`` is failed, recovered, overdue, started or succeeded. It is sent as it is: no secrets."""

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
        """One line."""
        return HEADLINES[self.kind].format(task=self.task, host=self.host)

    @property
    def text(self) -> str:
        """All of it for a person to read."""
        facts = [("run", self.run_id), ("state", self.state), ("reason", self.reason)]
        lines = [self.message] if self.message else []
        lines += [f"{name}: {value}" for name, value in facts if value]
        if self.last_lines:
            lines += ["", "The last lines of the log:", *self.last_lines]
        return "\n".join(lines) or self.headline


def find_alarm(state: str, reason: str) -> str:
    """What a run that ended like this stands for: "failed", "success", or "" when it says nothing of the kind.

    A stop that somebody asked for is no failure; being killed is.
    """
    if state == "aborted":
        return "" if reason == "stopped" else "failed"
    return state if state in ("failed", "success", "overdue") else ""


def find_last_alarm(history: Iterable[Tuple[str, str]]) -> str:
    """The state that the last notice told of: "failed", "success" or "" (none yet).

    ``history``: (state, reason) of the runs before this one, newest first. Runs that were stopped or skipped neither
    raise an alarm nor clear one.
    """
    return next((told for told in (find_alarm(*one) for one in history) if told), "")


def select_events(previous_state: str, new_state: str, reason: str = "", pings: bool = False) -> List[str]:
    """The kinds of events that are due when a run (``new_state``, ``reason``) follows ``previous_state``.

    ``previous_state`` is what find_last_alarm() says, or "overdue" when that was told last. Once per change: a second
    failure is silent until a success came between. A target that ``pings`` hears of every run instead.
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
