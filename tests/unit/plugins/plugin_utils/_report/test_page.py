# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as text. tests/integration/test_report_page.py opens it in a browser."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser

from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._reasons import REASONS
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.fleet import build_fleet
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.page import FOLDER, SCRIPTS, render_page

NOW = datetime.datetime(2027, 1, 31, 12, 0, tzinfo=datetime.timezone.utc)
EVIL = '</td></style></script><script>alert("1")</script>\' {0} \u2028 {{ 7 * 7 }} &amp;'
LONGEST_SCRIPT = 300


def task(text="", report=None, **status):
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
        "credential": "store" + text,
        "path": "/srv/" + text,
        "remote_path": "bucket/" + text,
        "schedule_text": text,
        "run": run,
        "progress": None,
        "next": "2027-02-02T15:00:00+01:00",
        "overdue_since": None,
        "stalled_since": None,
    }
    return {"name": "docs" + text, "description": text, "status": {**base, **status}, "report": report}


class Outline(HTMLParser):
    """Tags, attributes and texts; every tag that opens has to close in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self._open = [], [], {}, []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "input"):
            self._open.append((tag, dict(attrs).get("id", tag)))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        if self._open:
            name = self._open[-1][1]
            self.texts[name] = self.texts.get(name, "") + data


def render(answers, title="Cloud sync"):
    return render_page(build_fleet(answers.items(), NOW), title)


def read_data(text):
    """Return the data of the page, and the bytes of the runs."""
    texts = Outline(text).texts
    data, runs = (zlib.decompress(base64.b64decode(texts[name])) for name in ("data", "runs"))
    return json.loads(data), runs


def test_the_page_has_every_task_with_all_that_matters():
    report = {
        "account": "s3 minio:9000",
        "last_success": "2027-01-30T09:00:00Z",
        "failing_since": "2027-01-31T07:55:00Z",
        "runs": [
            ["failed", "auth", "2027-01-31T08:55:00Z", 300, 0],
            ["success", "", "2027-01-30T08:55:00Z", 300, 1000000],
        ],
        "starts": [f"2027-01-31T{hour}:00:00Z" for hour in range(13, 19)],
        "log": ["one", "two"],
    }
    content, runs = read_data(render({"web1": {"tasks": [task(report=report)]}}))
    columns, strings = content["columns"], content["strings"]
    assert [strings[columns[name][0]] for name in ("host", "task", "state", "reason", "account", "log_end")] == [
        "web1",
        "docs",
        "failed",
        "auth",
        "s3 minio:9000",
        "one\ntwo",
    ]
    assert columns["last_success"] == [-27 * 3600] and columns["failing_since"] == [-(4 * 3600 + 300)]
    assert columns["started"] == [-(3 * 3600 + 300)] and columns["duration"] == [300]
    assert columns["starts"] == [[-6, 60, 60]]
    assert content["outcomes"] == [["failed", "auth"], ["success", ""]]
    assert list(runs[:4]) == [0, 1, 0, 1440 >> 8], "the outcomes, then the high bytes of the minutes"
    length, size = runs[6], runs[9]
    assert abs(content["steps"][0] ** (length - 1) / 300 - 1) < 0.03
    assert abs(content["steps"][1] ** (size - 1) / 1000000 - 1) < 0.08
    assert content["remedies"] == {"auth": REASONS["auth"].remedy}


def test_text_from_hosts_and_from_the_operator_is_never_markup():
    answers = {
        "web" + EVIL: {"tasks": [task(EVIL), task(state=EVIL, message="")]},
        "gone" + EVIL: {"unreachable": True, "msg": EVIL},
        "bare" + EVIL: {"tasks": []},
    }
    harmless = Outline(render({"web": {"tasks": [task("x"), task("x")]}, "gone": {}, "bare": {"tasks": []}}))
    attacked = Outline(render(answers, title=EVIL))
    assert attacked.tags == harmless.tags
    assert [name for name, _value in attacked.attributes] == [name for name, _value in harmless.attributes]
    assert attacked.texts["h1"] == EVIL
    content, _runs = read_data(render(answers))
    assert "docs" + EVIL in content["strings"] and ["gone" + EVIL, "unreachable", EVIL, 0, []] in content["hosts"]


def test_it_loads_nothing_and_runs_only_its_own_script():
    text = render({"web": {"tasks": [task()]}})
    parsed = Outline(text)
    assert not {"link", "img", "iframe", "a"} & set(parsed.tags)
    assert not {"src", "href", "style", "onclick"} & {name for name, _value in parsed.attributes}
    assert "url(" not in text and "@import" not in text and "https://" not in text
    digest = base64.b64encode(hashlib.sha256(parsed.texts["script"].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}';" in text
    for call in ("innerHTML", "eval(", "fetch(", "document.write", "insertAdjacentHTML"):
        assert call not in parsed.texts["script"], call


def test_it_is_made_for_light_dark_narrow_screens_and_paper():
    text = render({"web": {"tasks": [task()]}})
    for part in ("prefers-color-scheme: dark", "max-width: 52rem", "@media print", 'name="viewport"'):
        assert part in text


def test_the_summary_is_there_without_scripts():
    texts = Outline(render({"web": {"tasks": [task()]}, "gone": {"unreachable": True, "msg": "No route"}})).texts
    assert "1 task on 2 hosts: 1 with problems. No answer from 1 host." in texts["p"]
    assert "This page needs JavaScript." in texts["p"]


def test_the_scripts_are_short_files():
    assert sorted(SCRIPTS) == sorted(path.name for path in FOLDER.glob("*.js"))
    for name in SCRIPTS:
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert len(text.splitlines()) < LONGEST_SCRIPT, name
        assert not re.search(r"</?script|<!--", text), name


def test_a_fleet_with_many_reasons_stays_within_a_byte_for_each():
    runs = [["failed", f"reason{number}", "2027-01-31T08:55:00Z", 1, 1] for number in range(400)]
    content, packed = read_data(render({"web": {"tasks": [task(report={"runs": runs})]}}))
    assert len(content["outcomes"]) == 256 and len(packed) == 5 * 400 and max(packed[:400]) == 255
