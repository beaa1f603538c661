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

from ..module_utils._engine.host import Host
from ..module_utils._engine.status import task_details
from ..module_utils._engine.task_store import list_tasks
from ..module_utils._face import run_module


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """The public views, with state, past and coming runs."""
    names = [module.params["name"]] if module.params["name"] else list_tasks(host.layout)
    details = [task_details(host.layout, name, module.params["runs"], module.params["next"]) for name in names]
    return {"changed": False, "tasks": details}


def main() -> None:
    run_module(
        {"name": {"type": "str"}, "runs": {"type": "int", "default": 1}, "next": {"type": "int", "default": 1}},
        answer,
    )


if __name__ == "__main__":
    main()
