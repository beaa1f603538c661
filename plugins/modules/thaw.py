#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: thaw
author:
  - skyhaul contributors (@skyhaul)
short_description: Ask the provider to make the archived files of a task readable
version_added: 1.1.0
description:
  - Asks for the archived files of a task. These are in the classes Glacier or Deep Archive of S3, or in the access tier
    Archive of Azure, and cannot be read. A pull or a restore of such files fails as C(archived_object).
  - The module does not wait, because a provider needs hours. It asks only for files that the provider does not restore
    yet, so you can call it again.
  - Only for tasks whose credential has the provider V(s3) or V(azureblob).
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
attributes:
  check_mode:
    details: >-
      The provider is asked for nothing. Azure does not tell which blobs it restores already, so check mode counts all
      of them in RV(new).
  diff_mode:
    details: The diff contains RV(asked).
options:
  task:
    description:
      - Name of the task.
    type: str
    required: true
  path:
    description:
      - Files and folders to restore, relative to the remote path of the task. If they select no file, the module fails
        and names the nearest ones.
      - "Default: all files of the task."
    type: list
    elements: str
  days:
    description:
      - Number of days for which S3 keeps the readable copies. Azure moves the blobs to the access tier Hot, where they
        stay.
    type: int
    default: 7
  tier:
    description:
      - Speed of the restore. V(expedited) costs the most, and V(bulk) the least.
      - Azure has only V(standard) here.
    type: str
    choices: [standard, bulk, expedited]
    default: standard
seealso:
  - module: skyhaul.cloudsync.run
    description: Restores the files when they can be read.
"""

EXAMPLES = r"""
- name: Ask for all archived files of a task
  skyhaul.cloudsync.thaw:
    task: archive

- name: Ask for one folder, for a month
  skyhaul.cloudsync.thaw:
    task: archive
    path:
      - letters/2019
    days: 30
    tier: bulk
"""

RETURN = r"""
new:
  description: Files that the provider was asked for, or would be in check mode.
  returned: success
  type: dict
  contains:
    files:
      description: Number of files.
      type: int
      sample: 12
    bytes:
      description: Their size in bytes.
      type: int
      sample: 3565158
asked:
  description: Files that the provider restores already. They cannot be read yet.
  returned: success
  type: dict
  contains:
    files:
      description: Number of files.
      type: int
      sample: 0
    bytes:
      description: Their size in bytes.
      type: int
      sample: 0
reason:
  description: Reason of the failure, such as V(not_found), V(auth) or V(usage).
  returned: failure
  type: str
  sample: not_found
"""

from typing import Any, Dict, List, Sequence

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.common.stop_signal import StopFlag
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.browse import explain_untried_listing
from ..module_utils._engine.operations.thaw import Thaw, Wish, thaw
from ..module_utils._engine.restores.thaw import TIERS, Archived
from ..module_utils._module import add_diff, run_module


def ask_provider(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Ask for the archived files of a task."""
    given = module.params
    untried = explain_untried_listing(host, None, given["task"]) if module.check_mode else None
    if untried:
        none = _count([])
        return add_diff(module, {"changed": False, "new": none, "asked": none, "warnings": [untried]}, {}, {})
    wish = Wish(given["task"], given["path"] or (), given["tier"], given["days"])
    before: List[Thaw] = []
    found = thaw(host, wish, module.check_mode, StopFlag(), before.append)
    result = {"changed": bool(found.new), "new": _count(found.new), "asked": _count(found.asked)}
    return add_diff(module, result, _show(before[0]), _show(Thaw(found.asked + found.new, [])))


def _count(objects: Sequence[Archived]) -> Dict[str, int]:
    return {"files": len(objects), "bytes": sum(each.size for each in objects)}


def _show(found: Thaw) -> Dict[str, Any]:
    return {"asked": _count(found.asked)}


def main() -> None:
    run_module(
        {
            "task": {"type": "str", "required": True},
            "path": {"type": "list", "elements": "str"},
            "days": {"type": "int", "default": 7},
            "tier": {"type": "str", "choices": list(TIERS), "default": TIERS[0]},
        },
        ask_provider,
    )


if __name__ == "__main__":
    main()
