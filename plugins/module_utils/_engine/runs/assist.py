# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Do what a sandboxed run asks for: the other end of commands/helper.py, outside of the sandbox."""

from __future__ import annotations

import json
import os
import select
from typing import Any, Callable, Dict, Iterator, Mapping

from ..commands import helper
from ..common.errors import CloudsyncError, system_error, usage_error
from ..config.task_store import load_task
from ..config.tasks import Task
from ..host import Host
from ..notify.events import Event
from ..notify.send import send
from ..notify.targets import COMMAND_KINDS, parse_target
from ..snapshots import snapshot as snapshots
from . import finish
from .records import Record

CHUNK_BYTES = 65536


class Channel:
    """The connection to the run, as the standard input and output of this process."""

    def __init__(self, source: int = 0, sink: int = 1) -> None:
        self._source = source
        self._sink = sink
        self._lines = self._read_lines()
        self._ended = False

    def _read_lines(self) -> Iterator[Dict[str, Any]]:
        rest = b""
        while True:
            chunk = os.read(self._source, CHUNK_BYTES)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from map(json.loads, lines)

    def receive(self) -> Dict[str, Any]:
        """Wait for a JSON object. Return an empty one if the run has ended."""
        return next(self._lines, {})

    def is_stopped(self) -> bool:
        """Return whether the run has asked for the end of the command, or has ended."""
        self._ended = self._ended or bool(select.select([self._source], [], [], 0)[0])
        return self._ended

    def answer(self, **content: Any) -> None:
        """Send a JSON object. The end of a run is noticed by is_stopped()."""
        left = json.dumps(content).encode() + b"\n"
        try:
            while left:
                left = left[os.write(self._sink, left) :]
        except OSError:
            self._ended = True

    def say(self, line: str) -> None:
        self.answer(line=line)


def serve(host: Host, channel: Channel) -> None:
    """Do one request, and answer it."""
    request = channel.receive()
    try:
        verb = VERBS.get(str(request.get("do")))
        if verb is None:
            raise usage_error("A helper is started only by cloudsync-helper.socket, for a run in a unit.")
        channel.answer(**verb(host, load_task(host.layout, host.seed, request["task"]), request, channel))
    except CloudsyncError as error:
        channel.answer(reason=error.reason, message=error.message)
    except OSError as error:
        channel.answer(reason="other", message=system_error(error).message)


def _run_hook(host: Host, task: Task, request: Mapping[str, Any], channel: Channel) -> Dict[str, Any]:
    record = Record(**request["record"])
    finish.run_one_hook(host.layout, task, record, request["kind"], channel.say, channel.is_stopped)
    return {"place": helper.identify(task.path)}


def _hold_snapshot(host: Host, task: Task, request: Mapping[str, Any], channel: Channel) -> Dict[str, Any]:
    """Take a snapshot, and remove it when the run no longer needs it, or has ended."""
    failed = ""
    try:
        with snapshots.take_snapshot(task, request["run"], host.layout, channel.say) as path:
            channel.answer(path=path, place=helper.identify(path))
            failed = channel.receive().get("failed", "stopped")
            if failed:
                raise CloudsyncError(failed, "")
    except CloudsyncError as error:
        if error.message:  # else it is that of the run, which knows it
            raise
    return {}


def _sweep_snapshots(host: Host, task: Task, _request: Mapping[str, Any], _channel: Channel) -> Dict[str, Any]:
    return {"problems": snapshots.sweep(task, host.layout)}


def _notify(host: Host, task: Task, request: Mapping[str, Any], _channel: Channel) -> Dict[str, Any]:
    target = parse_target(task.notify[request["target"]])
    if target.kind not in COMMAND_KINDS:
        raise usage_error(f"A notification of kind {target.kind} needs no helper.")
    event = Event(**{**request["event"], "last_lines": tuple(request["event"]["last_lines"])})
    return {"problems": send(target, event, real_host=host.layout.is_real_host)}


VERBS: Dict[str, Callable[[Host, Task, Mapping[str, Any], Channel], Dict[str, Any]]] = {
    "hook": _run_hook,
    "snapshot": _hold_snapshot,
    "sweep": _sweep_snapshots,
    "notify": _notify,
}
