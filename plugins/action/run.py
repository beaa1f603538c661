# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action: show the progress of a long run. The module of this name performs the run, and documents it."""

from __future__ import annotations

import time
from typing import Any, Dict, Optional

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._engine.runs.records import UNFINISHED

MODULE = "skyhaul.cloudsync.run"
SHOW_SECONDS = 30
DEFAULT_TIMEOUT = 86400

display = Display()


class ActionModule(ActionBase):
    """The action run. A module cannot show anything before its end, so the action calls it every SHOW_SECONDS."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return the result of the module. The time limit of the whole is the option ``timeout``."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        options, background = dict(self._task.args), self._task.async_val and not self._connection.has_native_async
        timeout = _read_timeout(options)
        if timeout is None or self._task.async_val or self._task.check_mode or not _waits_for_run(options):
            return {**result, **self._call(options, task_vars, background)}
        end = time.monotonic() + timeout
        answer = first = self._call({**options, "timeout": _limit(end)}, task_vars)
        while _is_unfinished(answer) and time.monotonic() < end:
            run = answer["run"]
            display.display(f"[{(task_vars or {}).get('inventory_hostname')}] {run['task']}: {answer['progress']}")
            answer = self._call({"task": run["task"], "id": run["id"], "timeout": _limit(end)}, task_vars)
        return {**result, **answer, "changed": first.get("changed", False)}

    def _call(self, options: Dict[str, Any], task_vars: Any, background: bool = False) -> Dict[str, Any]:
        return dict(self._execute_module(MODULE, options, task_vars=task_vars, wrap_async=background))


def _read_timeout(options: Dict[str, Any]) -> Optional[int]:
    """Return the option ``timeout``, None if it is not a number. The module then says so."""
    text = str(options.get("timeout", DEFAULT_TIMEOUT))
    return int(text) if text.isdigit() else None


def _waits_for_run(options: Dict[str, Any]) -> bool:
    is_plan = boolean(options.get("dry_run", False), strict=False)
    return options.get("state", "finished") == "finished" and not is_plan and not options.get("id")


def _limit(end: float) -> int:
    """Return how many seconds the next call may wait."""
    return max(min(SHOW_SECONDS, round(end - time.monotonic())), 0)


def _is_unfinished(answer: Dict[str, Any]) -> bool:
    return bool(answer.get("failed")) and (answer.get("run") or {}).get("state") in UNFINISHED
