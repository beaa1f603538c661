# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.skyhaul.cloudsync.plugins.filter.to_oncalendar import FilterModule

to_oncalendar = FilterModule().filters()["to_oncalendar"]


def test_a_schedule_becomes_its_expressions():
    assert to_oncalendar("*/15 8-18 * * mon-fri") == ["Mon..Fri *-*-* 08..18:00..45/15:00"]
    assert to_oncalendar({"preset": "weekly", "timezone": "Europe/Berlin"}) == ["Sun *-*-* 00:00:00 Europe/Berlin"]


def test_what_is_wrong_is_said_in_a_sentence():
    with pytest.raises(AnsibleFilterError, match='minute is "61"'):
        to_oncalendar("61 * * * *")
