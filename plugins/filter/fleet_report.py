# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: what the hosts of a fleet answered, as a report."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_report
author:
  - skyhaul contributors (@skyhaul)
short_description: Turn the tasks of many hosts into one report
version_added: 1.0.0
description:
  - Turns what M(skyhaul.cloudsync.task_info) returned on each host of a play into totals, rows, and one HTML page.
  - The page needs nothing from elsewhere and runs no script. Every text that a host gave is escaped in it.
  - A host that was unreachable, or where the module failed, is listed with the reason.
  - The role P(skyhaul.cloudsync.report#role) collects the answers, and writes the report to files.
options:
  _input:
    description:
      - Host names, each with the registered result of M(skyhaul.cloudsync.task_info) for that host.
      - An empty result stands for a host that was not asked.
    type: dict
    required: true
  title:
    description:
      - The heading of the page.
    type: str
    default: Cloud sync
seealso:
  - module: skyhaul.cloudsync.task_info
"""

EXAMPLES = r"""
- name: See how the tasks are doing
  skyhaul.cloudsync.task_info:
  register: found
  ignore_unreachable: true
  failed_when: false

- name: Tell the fleet's state in a sentence
  ansible.builtin.debug:
    msg: "{{ (dict(ansible_play_hosts_all | zip(answers)) | skyhaul.cloudsync.fleet_report).data.summary }}"
  run_once: true
  vars:
    answers: "{{ ansible_play_hosts_all | map('extract', hostvars, 'found') }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
  contains:
    data:
      description: The report as data.
      type: dict
      contains:
        schema:
          description: The version of this structure.
          type: int
          sample: 1
        generated:
          description: When the report was made, as ISO 8601 in UTC.
          type: str
          sample: "2027-01-31T07:00:00+00:00"
        summary:
          description: The totals in a sentence.
          type: str
          sample: "12 tasks on 5 hosts: 1 in trouble, 11 fine."
        totals:
          description:
            - How many C(hosts) there are, how many of them gave no answer (C(silent)), how many C(tasks) there are, how
              many of them are at each level (C(problem), C(running), C(pending), C(fine), C(disabled)), and how many of
              the problems are C(failed) and how many C(overdue). A task can be both.
          type: dict
        hosts:
          description:
            - The hosts, those without an answer first, as dictionaries of C(host), C(state) (V(answered),
              V(unreachable), V(failed), V(not_asked)), C(message) and C(tasks), the number of its tasks.
          type: list
          elements: dict
        tasks:
          description:
            - The tasks, the worst first, as dictionaries of C(host), C(task), C(description), C(level), C(enabled),
              C(state), C(reason), C(message), C(direction), C(mode), C(schedule), C(started), C(ended), C(duration) in
              seconds, C(percent), C(bytes), C(transfers), C(deletes), C(errors), C(next), C(overdue_since) and C(log).
            - Of a run under way, C(bytes) and the counts are those so far.
          type: list
          elements: dict
    html:
      description: The report as one HTML page.
      type: str
"""

import datetime
from typing import Any, Callable, Dict, Mapping

from ansible.errors import AnsibleFilterError

from ..plugin_utils._report.fleet import fleet
from ..plugin_utils._report.page import page


def fleet_report(answers: Any, title: str = "Cloud sync") -> Dict[str, Any]:
    """See DOCUMENTATION; AnsibleFilterError says what is wrong with the input."""
    if not isinstance(answers, Mapping) or not all(isinstance(answer, Mapping) for answer in answers.values()):
        raise AnsibleFilterError("fleet_report takes a dictionary of host names, each with a registered result.")
    data = fleet(answers, datetime.datetime.now(datetime.timezone.utc))
    return {"data": data, "html": page(data, title)}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """By name."""
        return {"fleet_report": fleet_report}
