# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.skyhaul.cloudsync.plugins.filter.fleet_report import FilterModule

fleet_report = FilterModule().filters()["fleet_report"]


def test_the_data_and_the_page_say_the_same():
    report = fleet_report({"web": {"tasks": []}, "gone": {"unreachable": True, "msg": "No route"}}, title="Night & day")
    assert report["data"]["totals"]["silent"] == 1
    assert report["data"]["summary"] in report["html"]
    assert "<h1>Night &amp; day</h1>" in report["html"]


@pytest.mark.parametrize("wrong", [None, [], "web", {"web": []}, {"web": None}])
def test_what_is_no_result_is_refused(wrong):
    with pytest.raises(AnsibleFilterError, match="dictionary of host names"):
        fleet_report(wrong)
