# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.skyhaul.cloudsync.plugins.filter.shard import FilterModule

find_shard = FilterModule().filters()["shard"]
GROUPS = {"storage": ["a", "b", "c"], "web": ["d"]}


def test_each_host_of_a_group_has_a_shard_of_its_own():
    assert [find_shard(GROUPS, "storage", host) for host in "abc"] == [
        {"index": index, "count": 3} for index in range(3)
    ]


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("", "cloudsync_shard_group is not set."),
        ("storag", "The inventory has no group 'storag'."),
        ("web", "Host a is not in the group 'web'"),
    ],
)
def test_a_group_without_the_host_is_refused(group, said):
    with pytest.raises(AnsibleFilterError, match=said):
        find_shard(GROUPS, group, "a")
