# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: turn the tasks of many hosts into one report."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_report
author:
  - skyhaul contributors (@skyhaul)
short_description: Turn the tasks of many hosts into one report
version_added: 1.0.0
description:
  - Turns the results of M(skyhaul.cloudsync.task_info) on the hosts of a play into totals, rows, and one HTML page.
  - The page loads no external content. Every text from a host is escaped.
  - The page shows past runs and coming starts if the results are those of O(skyhaul.cloudsync.task_info#module:report).
  - A host that was unreachable, or where the module failed, is listed with the reason.
  - The role P(skyhaul.cloudsync.report#role) collects the results and writes the report to files.
options:
  _input:
    description:
      - Dictionary of host names, each with the registered result of M(skyhaul.cloudsync.task_info) for that host.
      - An empty result means that the host was not asked.
    type: dict
    required: true
  title:
    description:
      - Heading of the page.
    type: str
    default: Cloud sync
seealso:
  - module: skyhaul.cloudsync.task_info
"""

EXAMPLES = r"""
- name: Read the state of the tasks
  skyhaul.cloudsync.task_info:
  register: found
  ignore_unreachable: true
  failed_when: false

- name: Show a summary of the fleet
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
          description: The time of the report, in ISO 8601 and UTC.
          type: str
          sample: "2027-01-31T07:00:00+00:00"
        summary:
          description: The totals in one or two sentences.
          type: str
          sample: "12 tasks on 5 hosts: 1 with problems, 11 fine."
        totals:
          description:
            - The number of C(hosts), of hosts that did not answer (C(silent)), of C(tasks), of tasks at each level
              (C(problem), C(running), C(pending), C(fine), C(disabled)), and of C(failed) and C(overdue) tasks among
              the problems. A task can be both.
          type: dict
        hosts:
          description:
            - The hosts as dictionaries of C(host), C(state) (V(answered), V(unreachable), V(failed), V(not_asked)),
              C(message), C(tasks), the number of its tasks, and C(problems), sentences about problems of the whole
              host. Hosts that did not answer come first.
          type: list
          elements: dict
        tasks:
          description:
            - The tasks, problems first, as dictionaries of C(host), C(task), C(description), C(level), C(enabled),
              C(state), C(reason), C(message), C(direction), C(mode), C(schedule), C(started), C(ended), C(duration) in
              seconds, C(percent), C(bytes), C(transfers), C(deletes), C(errors), C(next), C(overdue_since), C(log),
              C(last_proven), C(drill_state), C(credential), C(account), C(path), C(remote_path), C(shard),
              C(last_success), C(failing_since), C(log_end), the last lines of the log of a failure, and
              C(shared_with), tasks of other hosts with the same destination.
            - While a run is active, C(bytes) and the counts are those so far.
          type: list
          elements: dict
    html:
      description: The report as one HTML page.
      type: str
"""

import datetime
from typing import Any, Callable, Dict, Mapping

from ansible.errors import AnsibleFilterError

from ..plugin_utils._report.fleet import build_data, build_fleet
from ..plugin_utils._report.page import render_page


def fleet_report(answers: Any, title: str = "Cloud sync") -> Dict[str, Any]:
    """Return the report, as in RETURN. Raises AnsibleFilterError for an invalid input."""
    if not isinstance(answers, Mapping) or not all(isinstance(answer, Mapping) for answer in answers.values()):
        raise AnsibleFilterError("The input of fleet_report must be a dictionary of host names and registered results.")
    fleet = build_fleet(answers.items(), datetime.datetime.now(datetime.timezone.utc))
    return {"data": build_data(fleet), "html": render_page(fleet, title)}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {"fleet_report": fleet_report}
