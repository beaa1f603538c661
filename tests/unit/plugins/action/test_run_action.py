# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.action import run as action

RUN = {"id": "R1", "task": "www", "state": "running"}
ACTIVE = {"changed": True, "failed": True, "run": RUN, "progress": "42%", "msg": "is still running", "reason": "other"}
ENDED = {"changed": False, "run": {**RUN, "state": "success"}}


class Clock:
    """A clock in which each call of the module takes as long as it may wait."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture(name="play")
def fixture_play(monkeypatch):
    """Run the action with scripted answers of the module. The calls and the shown lines are attributes."""

    def play(answers, options, **task):
        clock = Clock()
        monkeypatch.setattr(action, "time", clock)
        monkeypatch.setattr(action.display, "display", play.shown.append)
        made = action.ActionModule.__new__(action.ActionModule)
        made._task = SimpleNamespace(args=options, **{"async_val": 0, "check_mode": False, **task})
        made._connection = SimpleNamespace(has_native_async=False)
        monkeypatch.setattr(action.ActionBase, "run", lambda *_all: {})

        def execute(_name, options, task_vars, wrap_async):
            play.calls.append((options, wrap_async))
            clock.now += options["timeout"] if isinstance(options.get("timeout"), int) else 0
            return answers.pop(0)

        made._execute_module = execute
        return made.run(task_vars={"inventory_hostname": "web1"})

    play.calls, play.shown = [], []
    return play


def test_a_short_run_is_one_call(play):
    assert play([{**ENDED, "changed": True}], {"task": "www"}) == {**ENDED, "changed": True}
    assert play.calls == [({"task": "www", "timeout": 30}, False)]
    assert play.shown == []


def test_the_progress_of_a_long_run_is_shown_and_its_change_is_kept(play):
    result = play([ACTIVE, {**ACTIVE, "progress": "84%"}, ENDED], {"task": "www", "transfers": 4})
    assert result == {**ENDED, "changed": True}
    assert play.shown == ["[web1] www: 42%", "[web1] www: 84%"]
    assert [options for options, _background in play.calls] == [
        {"task": "www", "transfers": 4, "timeout": 30},
        {"task": "www", "id": "R1", "timeout": 30},
        {"task": "www", "id": "R1", "timeout": 30},
    ]


def test_the_timeout_is_that_of_all_calls(play):
    result = play([ACTIVE, ACTIVE, ACTIVE], {"task": "www", "timeout": "70"})
    assert result["failed"]
    assert [options["timeout"] for options, _background in play.calls] == [30, 30, 10]


@pytest.mark.parametrize(
    "options",
    [{"state": "started"}, {"state": "stopped"}, {"dry_run": "yes"}, {"id": "R1", "timeout": 90}, {"timeout": "soon"}],
)
def test_other_calls_reach_the_module_unchanged(play, options):
    play([ACTIVE], {"task": "www", **options})
    assert play.calls == [({"task": "www", **options}, False)]


def test_check_mode_and_async_reach_the_module_unchanged(play):
    play([ACTIVE], {"task": "www"}, check_mode=True)
    play([{"started": 1}], {"task": "www"}, async_val=600)
    assert play.calls == [({"task": "www"}, False), ({"task": "www"}, True)]


def test_a_failed_run_is_not_awaited(play):
    failed = {"changed": True, "failed": True, "run": {**RUN, "state": "failed"}}
    assert play([failed], {"task": "www"}) == failed
    assert play([{"failed": True, "msg": "no such task"}], {"task": "wwww"})["msg"] == "no such task"
