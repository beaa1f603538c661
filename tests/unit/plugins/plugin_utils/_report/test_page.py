# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from html.parser import HTMLParser

from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.fleet import build_report
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.page import render_page

NOW = datetime.datetime(2027, 1, 31, 12, 0, tzinfo=datetime.timezone.utc)
EVIL = '</td></style><script>alert("1")</script>\' {0} {{ 7 * 7 }} &amp;'


def task(text="", **status):
    """A failed task with ``text`` wherever a host can put one."""
    run = {
        "started": "2027-01-31T08:55:00Z",
        "ended": "2027-01-31T09:00:00Z",
        "bytes": 3 * 1024 * 1024,
        "transfers": 12,
        "deletes": 3,
        "errors": 1,
        "log": "/var/log/" + text,
    }
    base = {
        "enabled": True,
        "state": "failed",
        "reason": "auth" + text,
        "message": "The provider refused the login." + text,
        "direction": "push" + text,
        "mode": "sync" + text,
        "schedule_text": text,
        "run": run,
        "progress": None,
        "next": "2027-02-02T15:00:00+01:00",
        "overdue_since": None,
        "stalled_since": None,
    }
    return {"name": "docs" + text, "description": text, "status": {**base, **status}}


class Outline(HTMLParser):
    """Tags, attributes and texts; every tag that opens has to close in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self._open = [], [], [], []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())


def outline(answers, title="Cloud sync"):
    return Outline(render_page(build_report(answers, NOW), title))


def test_a_task_is_one_line_with_all_that_matters():
    texts = outline({"web1": {"tasks": [task()]}}).texts
    after = texts[texts.index("web1") :]
    assert after == [
        "web1",
        "docs",
        "push sync",
        "failed",
        "auth",
        "The provider refused the login.",
        "Log: /var/log/",
        "2027-01-31 08:55",
        "3 h 5 min ago",
        "5 min",
        "3.0 MiB",
        "12 files, 3 deleted",
        "2027-02-02 14:00",
        "in 2 d 2 h",
    ]


def test_text_from_hosts_and_from_the_operator_is_never_markup():
    answers = {
        "web" + EVIL: {"tasks": [task(EVIL), task(state=EVIL, message="")]},
        "gone" + EVIL: {"unreachable": True, "msg": EVIL},
        "bare" + EVIL: {"tasks": []},
    }
    harmless = outline({"web": {"tasks": [task("x"), task("x")]}, "gone": {}, "bare": {"tasks": []}})
    attacked = outline(answers, title=EVIL)
    assert set(attacked.tags) == set(harmless.tags)
    assert {name for name, _value in attacked.attributes} == {name for name, _value in harmless.attributes}
    assert attacked.texts.count(EVIL) >= 3
    for text in ("web" + EVIL, "docs" + EVIL, "bare" + EVIL, "gone" + EVIL):
        assert text in attacked.texts


def test_it_loads_nothing_and_runs_nothing():
    text = render_page(build_report({"web": {"tasks": [task()]}}, NOW), "Cloud sync")
    parsed = Outline(text)
    assert not {"script", "link", "img", "iframe", "a"} & set(parsed.tags)
    assert not {"src", "href", "style", "onclick"} & {name for name, _value in parsed.attributes}
    assert any("default-src 'none'" in (value or "") for _name, value in parsed.attributes)
    assert "url(" not in text and "@import" not in text and "http://" not in text and "https://" not in text


def test_it_is_made_for_light_dark_and_narrow_screens():
    text = render_page(build_report({"web": {"tasks": [task()]}}, NOW), "Cloud sync")
    assert "prefers-color-scheme: dark" in text
    assert "max-width: 76rem" in text
    assert 'name="viewport"' in text


def test_the_totals_stand_at_the_top_and_the_silent_hosts_before_the_tasks():
    answers = {"web": {"tasks": [task()]}, "gone": {"unreachable": True, "msg": "No route to host"}}
    texts = outline(answers).texts
    assert "1 task on 2 hosts: 1 with problems. No answer from 1 host." in texts
    assert texts.index("failed") < texts.index("gone") < texts.index("No route to host") < texts.index("docs")


def test_what_the_state_does_not_tell_stands_beside_it():
    texts = outline({"web": {"tasks": [task(reason="", overdue_since="2027-01-30T02:30:00+01:00")]}}).texts
    assert "failed, overdue" in texts and "since 2027-01-30 01:30" in texts
    progress = {"bytes": 1, "total_bytes": 3, "transfers": 0, "deletes": 0, "errors": 0}
    texts = outline({"web": {"tasks": [task(state="running", reason="", enabled=False, progress=progress)]}}).texts
    assert "running 33%" in texts and "disabled" in texts
    assert "in 2 d 2 h" not in texts, "a disabled task does not start"


def test_a_fleet_without_tasks_says_so():
    texts = outline({"web": {"tasks": []}}).texts
    assert "No host has a task." in texts and "Hosts without a task" in texts


def test_the_last_proven_restore_is_shown_with_the_failure_of_the_last_drill():
    drill = {"task": "drill-docs", "state": "failed", "last_proven": "2027-01-30T12:00:00Z"}
    problems = [{"name": "failed", "task": "drill-docs", "message": "drill: The copy is damaged."}]
    answer = {"tasks": [task(state="success", reason="", message="fine", drill=drill)], "problems": problems}
    report = build_report({"web": answer}, NOW)
    assert (report["tasks"][0]["level"], report["tasks"][0]["last_proven"]) == ("problem", "2027-01-30T12:00:00+00:00")
    assert report["hosts"][0]["problems"] == []
    texts = outline({"web": answer}).texts
    assert "Last proven restore" in texts
    assert "2027-01-30 12:00" in texts
    assert "1 d ago, failed" in texts
    assert any("drill failed: drill: The copy is damaged." in text for text in texts)
    never = task(drill={**drill, "last_proven": None, "state": "pending"})
    assert "never" in outline({"web": {"tasks": [never]}}).texts
