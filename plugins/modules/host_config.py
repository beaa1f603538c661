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

from ..module_utils._arguments import credential_spec, task_spec
from ..module_utils._engine.converge import Wanted, converge
from ..module_utils._engine.host import Host
from ..module_utils._face import run_module, with_diff


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Converge the whole host in one call."""
    wanted = Wanted(
        credentials=module.params["credentials"], tasks=module.params["tasks"], purge=module.params["purge"]
    )
    outcome = converge(host, wanted, module.check_mode)
    result = {
        "changed": outcome.changed,
        "credentials": list(outcome.credentials.values()),
        "tasks": list(outcome.tasks.values()),
        "warnings": outcome.warnings,
    }
    return with_diff(module, result, outcome.before, outcome.after)


def main() -> None:
    run_module(
        {
            "credentials": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": credential_spec(),
                "no_log": False,
            },
            "tasks": {"type": "list", "elements": "dict", "default": [], "options": task_spec()},
            "purge": {"type": "bool", "default": False},
        },
        answer,
    )


if __name__ == "__main__":
    main()
