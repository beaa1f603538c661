# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: the shard of a host in a group of the inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: shard
author:
  - skyhaul contributors (@skyhaul)
short_description: Find the shard of a host in a group
version_added: 1.1.0
description:
  - Returns the position of a host in a group, and the number of hosts there, for the option
    O(skyhaul.cloudsync.task#module:shard) of a task.
  - The role P(skyhaul.cloudsync.sync_tasks#role) has the result in the variable C(cloudsync_shard).
positional: group, host
options:
  _input:
    description:
      - The variable C(groups) of Ansible.
    type: dict
    required: true
  group:
    description:
      - Name of the group. All of its hosts have the same file system.
    type: str
    required: true
  host:
    description:
      - Name of the host in the inventory.
    type: str
    required: true
seealso:
  - module: skyhaul.cloudsync.task
"""

EXAMPLES = r"""
- name: Let each host of the group transfer its part of a data set
  skyhaul.cloudsync.task:
    name: dataset
    credential: offsite
    direction: push
    mode: sync
    path: /mnt/shared/dataset
    remote_path: backup/dataset
    shard: "{{ groups | skyhaul.cloudsync.shard('storage', inventory_hostname) }}"
  # => {"index": 0, "count": 3} on the first of three hosts
"""

RETURN = r"""
_value:
  description:
    - The keys C(index), from 0, and C(count).
  type: dict
"""

from typing import Any, Callable, Dict, Mapping, Sequence

from ansible.errors import AnsibleFilterError


def find_shard(groups: Mapping[str, Sequence[str]], group: str, host: str) -> Dict[str, int]:
    """Return the shard of ``host``. Raises AnsibleFilterError if the host is not in the group."""
    if not group:
        raise AnsibleFilterError("cloudsync_shard_group is not set. Set it to the group whose hosts share a source.")
    if group not in groups:
        raise AnsibleFilterError(f"The inventory has no group {group!r}. Use a group whose hosts share a source.")
    hosts = list(groups[group])
    if host not in hosts:
        raise AnsibleFilterError(f"Host {host} is not in the group {group!r}, whose hosts share a source.")
    return {"index": hosts.index(host), "count": len(hosts)}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {"shard": find_shard}
