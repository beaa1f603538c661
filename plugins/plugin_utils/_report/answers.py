# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Pack the answer of a host while it waits for the others: Ansible keeps the results of all hosts in memory."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any, Dict, Mapping

KEY = "packed"
OF_TASKS = ("name", "description", "shard", "status", "report")


def pack_answer(result: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the result of ``task_info`` with what the report needs, as one text. A failure has its message."""
    if "tasks" not in result:
        return dict(result)
    tasks = [{key: task[key] for key in OF_TASKS if key in task} for task in result["tasks"]]
    text = json.dumps({"tasks": tasks, "problems": result.get("problems")}, separators=(",", ":"))
    return {"changed": False, KEY: base64.b64encode(zlib.compress(text.encode())).decode()}


def unpack_answer(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the result that pack_answer() packed."""
    if KEY not in result:
        return result
    found: Dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(result[KEY])))
    return found
