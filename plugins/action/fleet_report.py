# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action: collect the state of a host for the report, or write the report. The module of this name documents it."""

from __future__ import annotations

import datetime
import pathlib
from typing import Any, Dict, Mapping, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._report.answers import pack_answer, unpack_answer
from ..plugin_utils._report.files import DATA, PAGE, write_report
from ..plugin_utils._report.fleet import build_fleet

ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "answers": {"type": "dict"},
    "directory": {"type": "path"},
    "title": {"type": "str", "default": "Cloud sync"},
}


class ActionModule(ActionBase):
    """The action fleet_report. Its first part runs in a process of each host, so it packs the answer there."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return the packed answer of the host, or the summary and the path of the page."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(ARGUMENTS, required_together=[["answers", "directory"]])
        if options["answers"] is None:
            module = "skyhaul.cloudsync.task_info"
            answer = self._execute_module(module_name=module, module_args={"report": True}, task_vars=task_vars)
            return {**result, **pack_answer(answer)}
        return {**result, **self._write(options)}

    def _write(self, options: Mapping[str, Any]) -> Dict[str, Any]:
        folder = pathlib.Path(options["directory"])
        answers = ((host, unpack_answer(answer)) for host, answer in options["answers"].items())
        fleet = build_fleet(answers, datetime.datetime.now(datetime.timezone.utc))
        if not self._task.check_mode:
            try:
                write_report(fleet, options["title"], folder)
            except OSError as error:
                raise AnsibleActionFail(f"Cannot write the report to {folder}: {error.strerror}.") from error
        return {"changed": True, "summary": fleet.summary, "page": str(folder / PAGE), "data": str(folder / DATA)}
