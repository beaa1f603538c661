# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import (
    EXIT_FAILED,
    EXIT_REFUSED,
    EXIT_SUCCESS,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.stop_signal import StopFlag
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.dry_run import make_dry_run
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import load_records

PRESENT = json.dumps([{"Path": name, "Size": 5, "IsDir": False} for name in ("x", "y")])


@pytest.fixture
def dry_run(scripted_host, scripted, tmp_path):
    """Make a dry run and check that it leaves nothing behind."""

    def call(task):
        made = make_dry_run(scripted_host, task, StopFlag(), lambda _text: None)
        assert load_records(scripted_host.layout, "nightly") == []
        assert not (tmp_path / "hook").exists()
        live = scripted_host.layout.run_dir + "/live"
        assert not os.path.isdir(live) or os.listdir(live) == []
        return made

    scripted.on("lsjson", f"case \"$*\" in *--stat*) exit 3;; esac; echo '{PRESENT}'")
    scripted.replay("sync", "dry_run_sync")
    return call


def test_a_dry_run_gives_a_plan_and_runs_no_hook(dry_run, store_task, scripted, tmp_path):
    made = dry_run(store_task(mode="sync", hooks={"before": f"touch {tmp_path}/hook"}, guards={"max_delete": "3"}))
    assert made.refusal is None and made.exit_code == EXIT_SUCCESS
    plan = made.to_dict()["plan"]
    assert [entry["path"] for entry in plan["copy"]] == ["a", "d/b"]
    assert [(entry["path"], entry["size"]) for entry in plan["delete"]] == [("old/z", 0), ("x", 5), ("y", 5)]
    assert plan["present"] == 2
    called = (scripted.folder / "called").read_text().splitlines()
    assert [line for line in called if " sync " in line and "--dry-run" not in line] == []


def test_the_plan_is_shown_if_a_guard_refuses_it(dry_run, store_task):
    made = dry_run(store_task(mode="sync", guards={"max_delete": "0"}))
    assert (made.to_dict()["reason"], made.exit_code) == ("max_delete", EXIT_REFUSED)
    assert made.plan is not None and len(made.plan.delete) == 3


def test_no_plan_is_made_if_an_earlier_guard_refuses(dry_run, store_task, scripted, tmp_path):
    made = dry_run(store_task(mode="sync", path=str(tmp_path / "nowhere")))
    assert (made.to_dict()["reason"], made.exit_code) == ("not_found", EXIT_REFUSED)
    assert made.plan is None
    assert made.to_dict()["plan"]["copy"] == []
    assert scripted.commands() == []


def test_an_empty_source_refuses_and_no_plan_is_made(dry_run, store_task, scripted):
    scripted.on("lsf", "exit 0")
    made = dry_run(store_task(mode="sync"))
    assert (made.to_dict()["reason"], made.exit_code, made.plan) == ("empty_source", EXIT_REFUSED, None)
    assert "sync" not in scripted.commands()


def test_an_rclone_that_fails_is_an_error_and_no_plan(dry_run, store_task, scripted):
    scripted.on("sync", "echo broken >&2; exit 7")
    made = dry_run(store_task(mode="sync"))
    assert made.plan is None and made.exit_code == EXIT_FAILED
    assert made.to_dict()["message"]
