# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import notifications
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record

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
    monkeypatch.setattr(notifications, "send", found)
    return found


def record(state, reason="", number=1, **fields):
    return Record(f"20261122T{number:06d}Z-abcdef", "nightly", state, "2026-11-22T00:00:00Z", reason=reason, **fields)


FAILED, SUCCESS, STOPPED = record("failed", "network"), record("success"), record("aborted", "stopped")


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
        assert notifications.notify_overdue(layout, task, slot) == []
    assert sent == [("mail", "overdue")] * 2
    assert "2026-11-23T01:00:00+00:00" in sent.events[1].message


def test_an_overdue_task_of_which_nobody_could_be_notified_is_tried_again(layout, make_task, sent):
    task, slot = make_task(notify=[MAIL, OTHER]), "2026-11-22T01:00:00+00:00"
    sent.broken = ("ops@example.com", "second@example.com")
    assert len(notifications.notify_overdue(layout, task, slot)) == 2
    sent.broken = ("ops@example.com",)
    assert len(notifications.notify_overdue(layout, task, slot)) == 1
    sent.broken = ()
    assert notifications.notify_overdue(layout, task, slot) == []
    assert sent == [("mail", "overdue")]


def test_the_first_success_after_an_overdue_notification_is_a_recovery(layout, make_task, sent, end):
    notifications.notify_overdue(layout, make_task(notify=[MAIL]), "2026-11-22T01:00:00+00:00")
    assert end(STOPPED, SUCCESS) == []
    assert end(SUCCESS, STOPPED, SUCCESS) == [("mail", "recovered")]
    assert end(SUCCESS, SUCCESS) == []
