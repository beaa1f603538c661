#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
"""

EXAMPLES = r"""
"""

RETURN = r"""
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import task_spec
from ..module_utils._engine.converge import Wanted, converge
from ..module_utils._engine.host import Host
from ..module_utils._face import given, run_module, with_diff


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Converge the one task and its units."""
    name = module.params["name"]
    present = module.params["state"] == "present"
    wanted = Wanted(tasks=[given(module, task_spec())]) if present else Wanted(absent_tasks=[name])
    outcome = converge(host, wanted, module.check_mode)
    result = {"changed": outcome.changed, "task": outcome.tasks.get(name, {}), "warnings": outcome.warnings}
    return with_diff(module, result, outcome.before["tasks"].get(name, {}), outcome.after["tasks"].get(name, {}))


def main() -> None:
    run_module(dict(task_spec(), state={"type": "str", "choices": ["present", "absent"], "default": "present"}), answer)


if __name__ == "__main__":
    main()
