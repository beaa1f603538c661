# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What triggered a start, also if systemd has forgotten it."""

from __future__ import annotations

import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import trigger

UNIT = {"INVOCATION_ID": "abc"}


@pytest.fixture(name="elapsed")
def fixture_elapsed(monkeypatch):
    """A timer that elapsed some seconds ago, None for never."""
    ago = []

    def list_timers(name):
        assert name == "cloudsync@www.timer"
        if isinstance(ago[0], Exception):
            raise ago[0]
        return [{"unit": name, "last": None if ago[0] is None else int((time.time() - ago[0]) * 1000000)}]

    monkeypatch.setattr(trigger, "is_running", lambda _layout: True)
    monkeypatch.setattr(trigger, "list_timers", list_timers)
    return ago.append


@pytest.mark.parametrize(
    ("ago", "environ", "found"),
    [
        (2, UNIT, True),
        (2, {}, False),
        (60, UNIT, False),
        (None, UNIT, False),
        (CloudsyncError("other", "no bus"), UNIT, False),
        (60, {**UNIT, "TRIGGER_UNIT": "cloudsync@www.timer"}, True),
    ],
)
def test_a_timer_that_has_just_elapsed_has_started_the_unit(layout, elapsed, ago, environ, found):
    elapsed(ago)
    assert ("TRIGGER_UNIT" in trigger.recall_trigger(layout, "www", environ)) == found
