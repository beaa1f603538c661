# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health.problem import Problem
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health.watch import notify_problems
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.notify import send as sending

MAIL = "mailto:ops@example.com"
RCLONE = Problem("rclone", "", "rclone is not installed.")
TIMER = Problem("timer", "one", "cloudsync@one.timer is inactive.")
OVERDUE = Problem("overdue", "one", "no run has started since S", "S")
FAILED = Problem("failed", "one", "auth: Refused.")


@pytest.fixture
def sent(host, layout, seed, make_task, monkeypatch):
    """The notifications of the tasks one and two, which have the same target."""
    found = []
    monkeypatch.setattr(sending, "send", lambda _target, event, real_host: found.append(event) or [])
    for name in ("one", "two"):
        save_task(layout, seed, make_task(name=name, notify=[MAIL]))
    save_task(layout, seed, make_task(name="off", notify=[MAIL], enabled=False))
    return found


def kinds(sent):
    return [(event.kind, event.task) for event in sent]


def test_a_problem_of_the_host_is_sent_once_to_a_target_of_several_tasks(host, sent):
    assert notify_problems(host, [RCLONE]) == notify_problems(host, [RCLONE]) == []
    assert kinds(sent) == [("problem", "one")]
    assert "rclone: rclone is not installed." in sent[0].message


def test_a_problem_of_a_task_is_sent_for_that_task_and_its_end_too(host, sent):
    notify_problems(host, [TIMER])
    notify_problems(host, [TIMER])
    notify_problems(host, [])
    assert kinds(sent) == [("problem", "one"), ("recovered", "one")]


def test_an_overdue_task_is_sent_apart_and_a_failed_run_not_again(host, sent):
    notify_problems(host, [OVERDUE, FAILED])
    notify_problems(host, [OVERDUE._replace(since="T"), FAILED])
    assert kinds(sent) == [("overdue", "one"), ("overdue", "one")]


def test_a_task_that_cannot_be_read_is_a_failure_and_hides_no_other(host, sent, layout):
    os.truncate(layout.task("one"), 5)
    (failure,) = notify_problems(host, [RCLONE])
    assert failure.startswith("one: cannot send notifications: ") and layout.task("one") in failure
    assert kinds(sent) == [("problem", "two")]
