#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: fleet_report
author:
  - skyhaul contributors (@skyhaul)
short_description: Collect the state of hosts, and write the report of a fleet
version_added: 1.1.0
description:
  - The role P(skyhaul.cloudsync.report#role) uses this action. Use the role, unless you need other steps in between.
  - Without O(answers), the action collects the state of the tasks of the host, as M(skyhaul.cloudsync.task_info) does.
    The result is packed, because Ansible keeps the results of all hosts in memory.
  - With O(answers), the action writes the page and the data on the control node.
options:
  answers:
    description:
      - Dictionary of host names, each with the registered result of this action, or of M(skyhaul.cloudsync.task_info).
      - An empty result means that the host was not asked.
    type: dict
  directory:
    description:
      - Directory on the control node for C(index.html) and C(report.json). It is created if it is missing.
      - Required with O(answers).
    type: path
  title:
    description:
      - Heading of the page.
    type: str
    default: Cloud sync
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
attributes:
  action:
    description: The action runs on the control node.
    support: full
  check_mode:
    description: In check mode, no file is written.
    support: full
  diff_mode:
    description: Returns details of changes in diff mode.
    support: none
seealso:
  - module: skyhaul.cloudsync.task_info
  - plugin: skyhaul.cloudsync.fleet_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Collect the state of the tasks
  skyhaul.cloudsync.fleet_report:
  register: found
  ignore_unreachable: true
  failed_when: false

- name: Write the report
  skyhaul.cloudsync.fleet_report:
    answers: "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'found'))) }}"
    directory: /srv/www/cloudsync
  run_once: true
"""

RETURN = r"""
packed:
  description: The packed state of the host.
  returned: success, without O(answers)
  type: str
summary:
  description: The totals in one or two sentences.
  returned: with O(answers)
  type: str
  sample: "12 tasks on 5 hosts: 1 with problems, 11 fine."
page:
  description: Path of the page.
  returned: with O(answers)
  type: str
  sample: /srv/www/cloudsync/index.html
data:
  description: Path of the data.
  returned: with O(answers)
  type: str
  sample: /srv/www/cloudsync/report.json
"""
