# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.flock import wait_lock
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.locks.hold import locate_task_lock
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import login_problems
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.live_config import locate_turn
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.live_uses import sweep_live
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records, recovery
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.log import RunLog
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record


@pytest.fixture
def killed(layout):
    """Leave what a run leaves that was killed while rclone worked."""

    def leave(number=1):
        run_id = f"20261122T{number:06d}Z-abcdef"
        log = RunLog(layout, "nightly", run_id)
        log.say("copy a")
        log.close()
        record = Record(run_id, "nightly", "running", "2026-11-22T00:00:00Z", log=log.path)
        records.save_record(layout, record)
        records.hold_run(layout, "nightly", run_id).release()
        return record

    return leave


@pytest.fixture
def hooks(tmp_path):
    said = tmp_path / "hooks"
    names = ("before", "success", "failure", "always")
    made = dict.fromkeys(names, f"echo $CLOUDSYNC_HOOK $CLOUDSYNC_RUN_ID $CLOUDSYNC_STATE $CLOUDSYNC_REASON >> {said}")
    return made, lambda: said.read_text().splitlines() if said.exists() else []


def stored(layout, record):
    return records._load(f"{layout.task_state_dir('nightly')}/runs/{record.id}.json")


def test_a_killed_run_is_closed_with_its_failure_and_always_hooks(scripted_host, layout, store_task, killed, hooks):
    task = store_task(hooks=hooks[0])
    record = killed()
    said = []

    recovery.sweep(scripted_host, task, said.append)

    closed = stored(layout, record)
    assert (closed.state, closed.reason) == ("aborted", "interrupted")
    assert closed.ended and closed.message
    assert hooks[1]() == [f"{kind} {record.id} aborted interrupted" for kind in ("failure", "always")]
    assert len(said) == 1 and record.id in said[0]
    assert os.listdir(f"{layout.run_dir}/locks/runs/nightly") == []


def test_a_killed_run_is_closed_once(scripted_host, store_task, killed, hooks):
    task = store_task(hooks=hooks[0])
    killed()
    recovery.sweep(scripted_host, task, print)
    recovery.sweep(scripted_host, task, print)
    assert len(hooks[1]()) == 2


def test_killed_runs_are_closed_oldest_first(scripted_host, store_task, killed, hooks):
    task = store_task(hooks=hooks[0])
    second, first = killed(2), killed(1)
    recovery.sweep(scripted_host, task, print)
    assert [line.split()[1] for line in hooks[1]()] == [first.id, first.id, second.id, second.id]


def test_an_active_run_is_not_closed(scripted_host, layout, store_task, killed, hooks):
    task = store_task(hooks=hooks[0])
    record = killed()
    alive = records.hold_run(layout, "nightly", record.id)
    recovery.sweep(scripted_host, task, print)
    assert stored(layout, record).state == "running" and hooks[1]() == []
    records.drop_run(alive)


def test_a_hook_that_fails_is_added_to_the_message(scripted_host, layout, store_task, killed):
    task = store_task(hooks={"failure": "echo no mail; exit 3"})
    record = killed()
    recovery.sweep(scripted_host, task, print)
    closed = stored(layout, record)
    assert closed.reason == "interrupted"
    assert "exit code 3" in closed.message and "no mail" in closed.message


def test_after_the_unit_has_ended_a_killed_run_is_closed(scripted_host, layout, store_task, killed):
    store_task()
    record = killed()
    recovery.sweep_dead_runs(scripted_host, "nightly")
    assert stored(layout, record).state == "aborted"


def test_while_another_run_holds_the_task_nothing_is_swept(scripted_host, layout, store_task, killed):
    store_task()
    record = killed()
    with wait_lock(locate_task_lock(layout, "nightly")):
        recovery.sweep_dead_runs(scripted_host, "nightly")
    assert stored(layout, record).state == "running"


def test_live_configurations_of_killed_runs_are_removed(layout):
    directory = layout.run_dir + "/live/R1"
    os.makedirs(directory)
    with open(directory + "/rclone.conf", "w", encoding="utf-8") as stream:
        stream.write("[remote]\ntype = s3\n")
    sweep_live(layout)
    assert os.listdir(layout.run_dir + "/live") == []


REJECTED = "couldn't fetch token: invalid_grant: maybe token expired?"
LOST = "Authorize the credential again before the next run"


@pytest.mark.parametrize(
    "script, said",
    [
        ("true", None),
        (f'echo "{REJECTED}" >&2; exit 1', LOST),
        ('echo "dial tcp: lookup api.example.com: no such host" >&2; exit 1', "may be lost"),
    ],
)
def test_the_recovery_tests_a_login_that_the_kill_may_have_lost(
    scripted_host, scripted, layout, store_task, killed, script, said
):
    task, record = store_task(), killed()
    login_problems.mark_doubt(layout, "offsite")
    scripted.on("lsf", script)

    recovery.sweep(scripted_host, task, print)

    assert (said or "Run the task again") in stored(layout, record).message
    assert [said in problem for problem in login_problems.list_live_problems(layout)] == ([True] if said else [])


def test_no_login_is_tested_without_a_doubt_or_during_another_use(scripted_host, scripted, layout):
    assert recovery.try_login(scripted_host, "offsite") == ""
    login_problems.mark_doubt(layout, "offsite")
    with wait_lock(locate_turn(layout, "offsite")):
        assert recovery.try_login(scripted_host, "offsite") == ""
    assert not (scripted.folder / "called").exists()
    scripted.on("lsf", "true")
    recovery.try_logins(scripted_host)
    assert login_problems.list_doubts(layout) == []
