# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.cli import tables
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.cli.terminal import GREEN, RED, Terminal

NARROW, WIDE = Terminal(), Terminal(200)

STATUS = {
    "task": "nightly",
    "direction": "push",
    "mode": "sync",
    "path": "/srv/data",
    "credential": "offsite",
    "remote_path": "bucket/data",
    "state": "failed",
    "reason": "auth",
    "message": "The login was refused.",
    "schedule_text": "Every day at 04:00",
    "enabled": True,
    "run": {"started": "2026-11-22T04:00:00Z", "transfers": 3, "bytes": 1536, "log": "/var/log/x.log"},
    "next": "2026-11-23T04:00:00+00:00",
    "progress": None,
    "overdue_since": None,
    "stalled_since": None,
    "drill": None,
}
PENDING = {
    **STATUS,
    "task": "a",
    "state": "pending",
    "reason": "",
    "message": "",
    "run": None,
    "next": None,
    "enabled": False,
}


@pytest.fixture(autouse=True)
def in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("moment", ["2026-11-22T04:00:05Z", "2026-11-22T05:00:05+01:00"])
def test_times_are_in_the_hosts_zone(moment):
    assert tables.format_local_time(moment) == "2026-11-22 04:00:05 UTC"
    assert tables.format_local_time(None) == tables.format_local_time("") == "-"


def test_the_state_is_shown_with_its_reason_or_progress():
    progress = {"bytes": 42, "total_bytes": 100}

    assert tables.format_state(STATUS) == "failed (auth)"
    assert tables.format_state({**PENDING, "overdue_since": "2026"}) == "pending, overdue"
    assert tables.format_state({**PENDING, "state": "running", "progress": progress}) == "running 42%"
    assert tables.format_state({**PENDING, "state": "running", "progress": {"bytes": 0, "total_bytes": 0}}) == "running"


def test_the_list_shows_direction_and_mode_in_one_column():
    assert tables.format_tasks([{**STATUS, "description": "Web pages"}], NARROW).splitlines() == [
        "TASK     DIRECTION    PATH       REMOTE               DESCRIPTION",
        "nightly  push (sync)  /srv/data  offsite:bucket/data  Web pages",
    ]


def test_the_status_table_shows_problems_first_each_with_its_message():
    message = "The login was refused. Check the credential. cloudsync verify offsite shows the error of the provider."
    assert tables.format_statuses([PENDING, {**STATUS, "message": message}], NARROW).splitlines() == [
        "TASK     DIRECTION    STATE          LAST RUN          NEXT RUN",
        "nightly  push (sync)  failed (auth)  2026-11-22 04:00  2026-11-23 04:00",
        "  The login was refused.",
        "a        push (sync)  pending        -                 disabled",
    ]


def test_an_overdue_task_a_stalled_run_and_a_failed_drill_are_problems():
    fine = {**STATUS, "state": "success", "reason": "", "message": "1 file transferred."}
    drill = {"state": "failed", "reason": "drill", "message": "2 files are damaged: a, b.", "last_proven": None}
    rows = [
        {**fine, "task": "fine"},
        {**fine, "task": "active", "state": "running"},
        {**fine, "task": "late", "overdue_since": "2026-11-22T04:00:00Z"},
        {**fine, "task": "slow", "state": "running", "stalled_since": "2026-11-22T04:00:00Z"},
        {**fine, "task": "bad", "drill": {**drill, "overdue_since": None}},
    ]
    lines = tables.format_statuses(rows, WIDE).splitlines()
    assert [line.split()[0] for line in lines[1:] if line[0] != " "] == ["late", "slow", "bad", "active", "fine"]
    assert lines[2] == "  No run has started since 2026-11-22 04:00:00 UTC."
    assert lines[4] == "  The run has shown no progress since 2026-11-22 04:00:00 UTC."
    assert lines[5].split()[-1] == "never"
    assert lines[6] == "  Drill: never, failed (drill): 2 files are damaged: a, b."


def test_every_table_fits_80_columns():
    long = {
        **STATUS,
        "task": "t" * 63,
        "path": "/srv/" + "p" * 80,
        "remote_path": "bucket/" + "r" * 80,
        "description": "d" * 80,
        "reason": "deletions_suppressed",
        "message": "m" * 200,
        "overdue_since": "2026-11-22T04:00:00Z",
        "drill": {"state": "success", "last_proven": "2026-11-20T04:00:00Z", "message": "", "overdue_since": None},
    }
    record = {
        "id": "20261122T040000Z-4f09aa",
        "started": "2026-11-22T04:00:00Z",
        "ended": "2026-11-24T05:30:00Z",
        "state": "failed",
        "reason": "deletions_suppressed",
        "transfers": 20000000,
        "bytes": 10**13,
        "deletes": 20000000,
        "errors": 20000000,
    }
    version = {"size": 10**13, "modified": "2026-11-22T04:00:00Z", "source": "version", "until": "2026-11-22T04:00:00Z"}
    for text in (
        tables.format_statuses([long], NARROW),
        tables.format_tasks([long], NARROW),
        tables.format_history([record], NARROW),
        tables.format_versions([{**version, "at": "20261122T040000Z-4f09aa"}], NARROW),
    ):
        assert max(map(len, text.splitlines())) <= 80
    assert "20261122T040000Z-4f09aa" in tables.format_history([record], NARROW)
    assert "failed (deletions_suppressed)" in tables.format_history([record], NARROW)
    assert "...rrr" in tables.format_tasks([long], NARROW)


def test_a_state_has_a_color_only_where_colors_are_shown():
    fine = {**STATUS, "state": "success", "reason": "", "message": ""}
    shown = tables.format_statuses([STATUS, fine], Terminal(has_colors=True))
    assert f"\x1b[{RED}mfailed (auth)\x1b[0m" in shown
    assert f"\x1b[{GREEN}msuccess      \x1b[0m" in shown
    assert "\x1b" not in tables.format_statuses([STATUS, fine], NARROW)


def test_the_details_of_a_task():
    assert tables.format_status_details(STATUS, NARROW).splitlines() == [
        "task       nightly",
        "direction  push (sync)  /srv/data -> offsite:bucket/data",
        "state      failed (auth)",
        "message    The login was refused.",
        "schedule   Every day at 04:00",
        "next run   2026-11-23 04:00:00 UTC",
        "last run   2026-11-22 04:00:00 UTC",
        "transfer   3 files, 1.5 KiB",
        "log        /var/log/x.log",
    ]
    assert "message" not in tables.format_status_details(PENDING, NARROW)
    assert "schedule   disabled" in tables.format_status_details(PENDING, NARROW)


def test_a_pull_is_shown_from_its_remote_to_its_path():
    lines = tables.format_status_details({**STATUS, "direction": "pull", "mode": "copy"}, NARROW).splitlines()
    assert lines[1] == "direction  pull (copy)  offsite:bucket/data -> /srv/data"


def test_the_last_line_of_a_run_says_state_reason_and_message():
    run = {"task": "www", "state": "success", "reason": "", "message": "1 file transferred (2 B)."}
    assert tables.format_end(run) == "cloudsync: www: success: 1 file transferred (2 B)."
    refused = {**run, "state": "failed", "reason": "auth", "message": "The login was refused."}
    assert tables.format_end(refused) == "cloudsync: www: failed (auth): The login was refused."


def test_the_history():
    record = {
        "id": "R1",
        "started": "2026-11-22T04:00:00Z",
        "ended": "2026-11-22T04:03:20Z",
        "state": "failed",
        "reason": "auth",
        "transfers": 3,
        "bytes": 1536,
        "deletes": 1,
        "errors": 2,
    }

    active = {**record, "state": "running", "reason": "", "ended": ""}
    assert tables.format_history([active, record], WIDE).splitlines() == [
        "RUN  STARTED           TOOK        STATE          FILES  SIZE     DELETED  ERRORS",
        "R1   2026-11-22 04:00  -           running        3      1.5 KiB  1        2",
        "R1   2026-11-22 04:00  3 min 20 s  failed (auth)  3      1.5 KiB  1        2",
    ]


def test_a_plan_shows_every_file_then_the_totals_then_the_refusal():
    plan = {
        "copy": [{"path": "new", "size": 3}],
        "overwrite": [],
        "delete": [{"path": "old", "size": 1536}],
        "totals": {
            "copy": {"files": 1, "bytes": 3},
            "overwrite": {"files": 0, "bytes": 0},
            "delete": {"files": 1, "bytes": 1536},
        },
        "notes": ["Old versions stay."],
    }

    lines = tables.format_plan({"plan": plan, "reason": "max_delete", "message": "Too many."}).splitlines()

    assert lines == [
        "copy      new  (3 B)",
        "delete    old  (1.5 KiB)",
        "plan: copy 1 file (3 B), overwrite 0 files (0 B), delete 1 file (1.5 KiB)",
        "note: Old versions stay.",
        "refused (max_delete): Too many.",
    ]
    assert len(tables.format_plan({"plan": plan, "reason": "", "message": ""}).splitlines()) == 4


EVIL = "a\n2026-11-22T04:00:00Z success\x1b[2J\x9b31m\u2028\tb"
SHOWN = r"a\n2026-11-22T04:00:00Z success\x1b[2J\x9b31m\u2028\tb"


def test_no_file_name_or_message_forges_a_line_or_controls_the_terminal():
    plan = {
        **{name: [{"path": EVIL, "size": 1}] for name in ("copy", "overwrite", "delete")},
        "totals": {name: {"files": 1, "bytes": 1} for name in ("copy", "overwrite", "delete")},
        "notes": [EVIL],
    }
    evil = {**STATUS, "path": EVIL, "description": EVIL, "message": EVIL}
    for output in (
        tables.format_plan({"plan": plan, "reason": "max_delete", "message": EVIL}),
        tables.format_tasks([evil], Terminal(1000)),
        tables.format_status_details(evil, NARROW),
        tables.format_end({"task": "nightly", "state": "failed", "reason": "auth", "message": EVIL}),
    ):
        assert SHOWN in output
        assert not set(output) & set("\x1b\x9b\u2028\t\r")
        assert "\n2026" not in output


def test_the_details_show_live_numbers_during_a_run():
    live = {"transfers": 7, "total_transfers": 9, "bytes": 2048, "total_bytes": 4096, "speed": 1024.0, "eta": 2}
    shown = tables.format_status_details({**STATUS, "state": "running", "reason": "", "progress": live}, NARROW)
    assert "transfer   50%, 2.0 KiB of 4.0 KiB, 1.0 KiB/s, 2 s left, 7 of 9 files" in shown


def test_a_terminal_gets_a_long_message_in_lines_and_a_pipe_in_one():
    long = {**STATUS, "message": "word " * 40}
    on_terminal = tables.format_status_details(long, Terminal(40, is_tty=True)).splitlines()
    assert max(map(len, on_terminal)) <= 40
    assert sum(line.startswith(" " * 11) for line in on_terminal) > 4
    assert ("message    " + "word " * 40) in tables.format_status_details(long, NARROW)
