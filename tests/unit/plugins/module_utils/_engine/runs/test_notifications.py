# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.notify import send as sending
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import notifications
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.notifications import Alert
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record, save_record

MAIL, PING = "mailto:ops@example.com", "healthchecks+https://hc-ping.com/an-uuid"
OTHER = "mailto:second@example.com"


class Sent(list):
    """The notifications that were sent, as (address, kind). Those to ``broken`` addresses fail."""

    broken = ()
    events = ()

    def __call__(self, target, event, real_host):
        if event.kind not in target.takes:
            return []
        if target.address in self.broken:
            return [f"cannot reach {target.address}"]
        self.append((target.kind, event.kind))
        self.events = (*self.events, event)
        return []


@pytest.fixture
def sent(monkeypatch):
    found = Sent()
    monkeypatch.setattr(sending, "send", found)
    return found


def record(state, reason="", number=1, **fields):
    return Record(f"20261122T{number:06d}Z-abcdef", "nightly", state, "2026-11-22T00:00:00Z", reason=reason, **fields)


FAILED, SUCCESS, STOPPED = record("failed", "network"), record("success"), record("aborted", "stopped")


def overdue(layout, task, slot):
    return notifications.notify_alert(layout, task, Alert("overdue", slot, f"No run has started since {slot}."))


@pytest.fixture
def end(layout, make_task, sent):
    """Notify of the end of a run; return what is sent."""

    def call(ended, *earlier, notify=(MAIL,), tail=()):
        del sent[:]
        notifications.notify_end(layout, make_task(notify=list(notify)), ended, earlier, tail)
        return list(sent)

    return call


def test_a_start_pings_only_the_targets_that_take_pings(layout, make_task, sent):
    said = []
    notifications.notify_start(layout, make_task(notify=[MAIL, PING]), record("running"), said.append)
    assert sent == [("healthchecks", "started")] and said == []


def test_a_ping_that_fails_is_logged(layout, make_task, sent):
    sent.broken = ("https://hc-ping.com/an-uuid",)
    said = []
    notifications.notify_start(layout, make_task(notify=[PING]), record("running"), said.append)
    assert len(said) == 1 and said[0].startswith("cannot reach ")


def test_a_failure_is_sent_once_until_the_task_succeeds(end):
    assert end(FAILED) == [("mail", "failed")]
    assert end(FAILED, FAILED) == []
    assert end(FAILED, STOPPED, FAILED) == []
    assert end(SUCCESS, FAILED) == [("mail", "recovered")]
    assert end(FAILED, SUCCESS, FAILED) == [("mail", "failed")]


def test_a_success_without_a_failure_before_and_a_stop_send_nothing(end):
    assert end(SUCCESS) == end(SUCCESS, SUCCESS) == end(STOPPED) == end(STOPPED, FAILED) == []


def test_every_end_pings(end):
    assert end(FAILED, FAILED, notify=(PING,)) == [("healthchecks", "failed")]
    assert end(SUCCESS, SUCCESS, notify=(PING,)) == [("healthchecks", "succeeded")]


def test_a_drill_pings_only_its_failures_because_the_check_expects_the_runs_of_the_task(layout, make_task, sent, end):
    drill = record("running", kind="drill")
    notifications.notify_start(layout, make_task(notify=[PING]), drill, lambda _text: None)
    assert sent == []
    assert end(drill._replace(state="success"), notify=(PING,)) == []
    failed = drill._replace(state="failed", reason="drill")
    assert end(failed, failed, notify=(PING,)) == [("healthchecks", "failed")]


def test_an_event_has_the_facts_of_the_run_and_its_last_lines(end, sent):
    end(record("failed", "network", 7, message="No route."), tail=["one", "two"])
    (event,) = sent.events
    assert (event.task, event.run_id, event.state, event.reason) == (
        *("nightly", "20261122T000007Z-abcdef", "failed", "network"),
    )
    assert (event.message, event.last_lines) == ("No route.", ("one", "two"))
    assert event.host


def test_an_overdue_task_is_sent_once_a_slot(layout, make_task, sent):
    task = make_task(notify=[MAIL])
    for slot in ("2026-11-22T01:00:00+00:00", "2026-11-22T01:00:00+00:00", "2026-11-23T01:00:00+00:00"):
        assert overdue(layout, task, slot) == []
    assert sent == [("mail", "overdue")] * 2
    assert "2026-11-23T01:00:00+00:00" in sent.events[1].message


def test_an_overdue_task_of_which_nobody_could_be_notified_is_tried_again(layout, make_task, sent):
    task, slot = make_task(notify=[MAIL, OTHER]), "2026-11-22T01:00:00+00:00"
    sent.broken = ("ops@example.com", "second@example.com")
    assert len(overdue(layout, task, slot)) == 2
    sent.broken = ("ops@example.com",)
    assert len(overdue(layout, task, slot)) == 1
    sent.broken = ()
    assert overdue(layout, task, slot) == []
    assert sent == [("mail", "overdue")]


def test_the_first_success_after_an_overdue_notification_is_a_recovery(layout, make_task, sent, end):
    overdue(layout, make_task(notify=[MAIL]), "2026-11-22T01:00:00+00:00")
    assert end(STOPPED, SUCCESS) == []
    assert end(SUCCESS, STOPPED, SUCCESS) == [("mail", "recovered")]
    assert end(SUCCESS, SUCCESS) == []


def test_a_problem_is_sent_once_and_its_end_too_whatever_runs_end(layout, make_task, sent, end):
    task, alert = make_task(notify=[MAIL]), Alert("problem", "timer", "nightly: timer: stopped")
    assert notifications.notify_alert(layout, task, alert) == notifications.notify_alert(layout, task, alert) == []
    assert sent == [("mail", "problem")]
    assert end(SUCCESS, SUCCESS) == []
    assert notifications.notify_alert(layout, task, alert) == [] and sent == []
    assert notifications.close_problem(layout, task) == notifications.close_problem(layout, task) == []
    assert sent == [("mail", "recovered")]


def test_the_end_of_a_problem_is_no_recovery_of_a_task_that_fails(layout, make_task, sent):
    task = make_task(notify=[MAIL])
    save_record(layout, FAILED)
    notifications.notify_alert(layout, task, Alert("problem", "timer", "stopped"))
    notifications.close_problem(layout, task)
    assert sent == [("mail", "problem")]


def test_a_silent_target_gets_no_alert(layout, make_task, sent):
    task = make_task(notify=[MAIL, PING])
    assert notifications.notify_alert(layout, task, Alert("problem", "rclone", "gone"), {MAIL}) == []
    assert sent == []


def test_an_alert_is_remembered_although_the_state_cannot_be_written(layout, make_task, sent):
    task = make_task(notify=[MAIL])
    pathlib.Path(layout.state_dir).parent.mkdir(parents=True)
    pathlib.Path(layout.state_dir).write_text("not a directory")
    for _time in range(2):
        assert notifications.notify_alert(layout, task, Alert("problem", "directory", "read-only")) == []
    assert sent == [("mail", "problem")]


@pytest.mark.parametrize("cause", ["failed", "overdue", "problem"])
def test_the_alert_of_a_removed_task_is_closed_and_says_why(layout, make_task, sent, cause):
    task = make_task(notify=[MAIL])
    assert notifications.close_removed(layout, task) == [] and sent == []
    if cause == "failed":
        save_record(layout, FAILED)
    else:
        notifications.notify_alert(layout, task, Alert(cause, "x", "x"))
        del sent[:]
    assert notifications.close_removed(layout, task) == []
    (event,) = sent.events[-1:]
    assert (event.kind, event.state, event.headline) == (
        *("recovered", "removed"),
        f"Cloud sync task nightly was removed from {event.host}",
    )
    assert "was removed from this host" in event.message
