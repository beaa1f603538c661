#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: runner
author:
  - skyhaul contributors (@skyhaul)
short_description: Install the program that performs runs on a host
version_added: 1.0.0
description:
  - Installs the engine (C(/usr/local/lib/cloudsync)), the command C(cloudsync) and the template unit
    C(cloudsync@.service) on a host. The files are the same as those of the module, so modules and command always have
    the same version.
  - Use the role P(skyhaul.cloudsync.runner#role), which also installs rclone, python3-cryptography and the seed.
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
attributes:
  diff_mode:
    details: The diff lists the files, and shows the text of the files that differ.
options:
  interpreter:
    description:
      - Python interpreter that runs the command. It needs Python 3.8 or newer and the library cryptography. The module
        refuses an interpreter that cannot run the command.
      - "Default: the interpreter of the existing command if it works, otherwise the interpreter that runs this module."
    type: path
  rclone:
    description:
      - Absolute path of the rclone to use. The link C(/usr/local/lib/cloudsync/rclone) points to this path.
      - "Default: the existing link. Without a link, the rclone in E(PATH) is used."
      - An empty value removes the link.
    type: path
  textfile_directory:
    description:
      - Absolute path of the directory of node_exporter's textfile collector. The host writes its metrics there, to
        C(cloudsync.prom), after each run and four times an hour. The directory is created if it does not exist.
      - "Default: the existing setting."
      - An empty value removes the setting and the file.
      - If E(CLOUDSYNC_ROOT) is set, the directory is below it.
    type: path
    version_added: 1.1.0
  state:
    description:
      - State of the runner. V(present) installs it. Each stored task gets its timer, if it is missing.
      - V(absent) stops all timers and runs, and removes the runner. The seed, credentials, tasks, records and logs are
        kept, so that V(present) brings everything back. The return value RV(left) lists what is kept.
    type: str
    choices: [present, absent]
    default: present
  delete_everything:
    description:
      - Whether O(state=absent) also deletes the seed, all credentials and tasks, all records and all logs. You cannot
        undo this. Without a backup of the seed, nobody can decrypt a backup of the credentials.
      - The files that the tasks transferred are never deleted, neither on the host nor at the provider.
    type: bool
    default: false
    version_added: 1.1.0
seealso:
  - module: skyhaul.cloudsync.seed
  - module: skyhaul.cloudsync.host_config
"""

EXAMPLES = r"""
- name: Install the runner with your own rclone
  skyhaul.cloudsync.runner:
    rclone: /opt/rclone/rclone
    interpreter: /usr/bin/python3

- name: Let the host write metrics for Prometheus
  skyhaul.cloudsync.runner:
    textfile_directory: /var/lib/prometheus/node-exporter

- name: Remove the runner
  skyhaul.cloudsync.runner:
    state: absent

- name: Remove the runner, the seed, the credentials, the tasks, the records and the logs
  skyhaul.cloudsync.runner:
    state: absent
    delete_everything: true
"""

RETURN = r"""
command:
  description: Path of the command.
  returned: success
  type: str
  sample: /usr/local/bin/cloudsync
engine:
  description: Directory of the engine.
  returned: success
  type: str
  sample: /usr/local/lib/cloudsync
left:
  description: Paths that the removal kept, and what they contain.
  returned: when O(state=absent)
  type: list
  elements: dict
  contains:
    path:
      description: Absolute path.
      type: str
      returned: success
    content:
      description: Content of the path.
      type: str
      returned: success
  sample:
    - path: /etc/cloudsync
      content: Seed, credentials and tasks
reason:
  description: Reason of the failure, such as V(usage).
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.common.errors import usage_error
from ..module_utils._engine.host import Host
from ..module_utils._install import Installation, converge_installation
from ..module_utils._module import add_diff, run_module
from ..module_utils._uninstall import converge_removal


def apply_runner(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Install the engine that this module was packed with, or remove it."""
    everything = module.params["delete_everything"]
    if module.params["state"] == "absent":
        outcome = converge_removal(host, everything, module.check_mode)
        result: Dict[str, Any] = {"left": outcome.left}
    elif everything:
        raise usage_error("delete_everything needs state=absent. Nothing was changed.")
    else:
        wanted = Installation(
            module.params["interpreter"], module.params["rclone"], module.params["textfile_directory"]
        )
        outcome = converge_installation(host, wanted, module.check_mode)
        result = {}
    result.update(changed=outcome.before != outcome.after, warnings=list(outcome.warnings))
    result.update(command=host.layout.command, engine=host.layout.engine_dir)
    return add_diff(module, result, outcome.before, outcome.after)


def main() -> None:
    run_module(
        {
            "interpreter": {"type": "path"},
            "rclone": {"type": "path"},
            "textfile_directory": {"type": "path"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "delete_everything": {"type": "bool", "default": False},
        },
        apply_runner,
    )


if __name__ == "__main__":
    main()
