# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.skyhaul.cloudsync.plugins.filter.task_previews import FilterModule

task_previews = FilterModule().filters()["task_previews"]
NIGHTLY = {"preset": "daily", "timezone": "Asia/Tokyo"}


def task(**more):
    starts = ["2027-02-01T00:00:00+09:00"]
    return {"name": "docs", "enabled": True, "schedule": NIGHTLY, "next": starts, **more}


def test_a_task_has_its_expression_its_english_and_the_hosts_own_starts():
    assert task_previews([task()]) == {
        "docs": [
            "0 0 * * *  At 00:00 every day, Asia/Tokyo",
            "OnCalendar=*-*-* 00:00:00 Asia/Tokyo",
            "Mon 2027-02-01 00:00 +0900  (2027-01-31 15:00 UTC)",
        ]
    }


def test_a_task_that_does_not_start_by_itself_says_why():
    assert task_previews([task(schedule=None)])["docs"] == ["It has no schedule. Start it manually."]
    assert (
        task_previews([task(enabled=False, next=[])])["docs"][-1] == "It is disabled. Start it manually, or enable it."
    )


@pytest.mark.parametrize("wrong", [None, 7, ["docs"], [{}]])
def test_what_is_no_task_is_refused(wrong):
    with pytest.raises(AnsibleFilterError, match="task_info"):
        task_previews(wrong)


def test_a_schedule_of_a_later_version_is_refused_in_a_sentence():
    with pytest.raises(AnsibleFilterError, match="minute"):
        task_previews([task(schedule={"cron": "61 * * * *"})])
