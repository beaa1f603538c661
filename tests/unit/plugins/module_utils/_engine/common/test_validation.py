# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.validation import parse_duration


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0),
        (90, 90),
        ("90", 90),
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("2D", 172800),
        ("1w", 604800),
        ("1h1h", 7200),
    ],
)
def test_parse_duration_returns_seconds(value, seconds):
    assert parse_duration("spread", value) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5h", "h", "1h30", "5 min", "1y", 1.5, True, None, "1h-5m"])
def test_parse_duration_refuses_an_invalid_value_and_names_the_option(value):
    with pytest.raises(CloudsyncError) as caught:
        parse_duration("limits.max_duration", value)

    assert caught.value.message == (
        f"limits.max_duration is {value!r}. Use a number of seconds, or a duration such as 90s, 10m or 1h30m."
    )
