# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that happen once, of a task that nobody declared."""

from __future__ import annotations

import pathlib

import pytest
from harness import PASSWORD, SECRET, SLOW, text_tree, write_tree

FILES = {"a.txt": "alpha", "deep/er/b.txt": "beta"}


@pytest.fixture(name="once")
def fixture_once(machine, bucket, store):
    """The options of a one-time push, whose source is there."""
    machine.declare([store])
    write_tree(machine.data / "documents", FILES)
    return {
        "credential": "store",
        "direction": "push",
        "path": str(machine.data / "documents"),
        "remote_path": bucket.name + "/once",
    }


def kept_tasks(machine):
    return machine.module("task_info")["tasks"]


def test_a16_a_run_with_inline_options_transfers_and_keeps_no_task(machine, bucket, once):
    result = machine.module("run", **once)
    assert result["changed"] and result["run"]["state"] == "success", result
    assert (result["run"]["task"], result["run"]["transfers"]) == ("onetime", 2)
    assert text_tree(bucket / "once") == FILES
    assert kept_tasks(machine) == []
    assert machine.cloudsync("list", "--json").json == []
    assert "a.txt" in pathlib.Path(result["run"]["log"]).read_text()
    assert machine.history("onetime")[0]["id"] == result["run"]["id"]


def test_the_data_of_a_task_comes_back_with_two_options(machine, bucket, once):
    machine.declare([], [{**once, "name": "documents", "mode": "sync", "encryption": {"password": PASSWORD}}])
    machine.run("documents")
    restored = machine.data / "restored"
    result = machine.module("run", reverse_of="documents", path=str(restored))
    assert result["run"]["state"] == "success", result
    assert text_tree(restored) == FILES
    assert [task["name"] for task in kept_tasks(machine)] == ["documents"]


def test_a_restore_deletes_nothing_and_overwrites_nothing_unless_it_is_told_to(machine, once):
    machine.declare([], [{**once, "name": "documents", "mode": "sync"}])
    machine.run("documents")
    restored = machine.data / "restored"
    write_tree(restored, {"other.txt": "precious", "a.txt": "newer than the copy"})
    told = {"reverse_of": "documents", "path": str(restored)}
    refused = machine.module("run", **told)
    assert refused["reason"] == "usage" and f"Target {restored} is not empty." in refused["msg"]
    assert text_tree(restored) == {"other.txt": "precious", "a.txt": "newer than the copy"}
    assert machine.module("run", overwrite=True, **told)["run"]["deletes"] == 0
    assert text_tree(restored) == {**FILES, "other.txt": "precious"}
    assert "only copies, and deletes nothing" in machine.module("run", mode="sync", **told)["msg"]


def test_a_later_start_by_name_does_not_let_another_one_join(machine, once):
    write_tree(machine.data / "documents", {"big": b"x" * 4_000_000})
    machine.module("run", state="started", bandwidth=SLOW, on_overlap="skip", **once)
    machine.wait_for_bytes("onetime")
    assert machine.cloudsync("run", "onetime").code == 75
    again = machine.module("run", **{**once, "remote_path": once["remote_path"] + "-other"})
    assert again["failed"] and again["reason"] == "locked"
    machine.module("run", task="onetime", state="stopped")


def test_a_kept_task_takes_the_name_of_a_one_time_run_for_good(machine, once):
    machine.module("run", task="docs", **once)
    machine.declare([], [{**once, "name": "docs", "mode": "sync"}])
    machine.declare([], [], absent_tasks=["docs"])
    answer = machine.module("run", task="docs")
    assert answer["failed"] and "Task docs does not exist on this host" in answer["msg"]


def test_its_secrets_are_ciphertext_and_gone_from_every_answer(machine, once):
    options = {**once, "encryption": {"password": PASSWORD}, "notify": ["https://example.com/" + SECRET]}
    for more in ({"dry_run": True}, {}):
        assert SECRET not in str(machine.module("run", **options, **more))
    assert not [path for path, content in machine.left_behind().items() if SECRET.encode() in content]


def test_a_dry_run_tells_the_plan_and_leaves_nothing(machine, bucket, once):
    before = machine.left_behind()
    result = machine.module("run", dry_run=True, **once)
    assert result["plan"]["totals"]["copy"] == {"files": 2, "bytes": 9}
    assert not (bucket / "once").exists()
    assert {path for path in machine.left_behind() if "/locks/" not in path} == {
        path for path in before if "/locks/" not in path
    }


def test_it_can_be_watched_and_stopped_by_its_name(machine, bucket, once):
    write_tree(machine.data / "documents", {"big": b"x" * 4_000_000})
    started = machine.module("run", task="upgrade", state="started", bandwidth=SLOW, **once)
    assert started["changed"] and started["run"]["task"] == "upgrade"
    machine.wait_for_bytes("upgrade")
    assert [status["task"] for status in machine.cloudsync("status", "--json").json] == ["upgrade"]
    again = machine.module("run", task="upgrade", **once)
    assert again["failed"] and again["reason"] == "locked" and "is active" in again["msg"]
    stopped = machine.module("run", task="upgrade", state="stopped")
    assert stopped["changed"]
    assert (stopped["run"]["state"], stopped["run"]["reason"]) == ("aborted", "stopped")
    assert machine.cloudsync("status", "--json").json == []


def test_a35_its_hooks_run(machine, once):
    witness = machine.data / "witness"
    machine.module("run", hooks={"success": f'echo "$CLOUDSYNC_TASK $CLOUDSYNC_STATE" > {witness}'}, **once)
    assert witness.read_text() == "onetime success\n"


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"task": "kept"}, "Task kept exists on this host. Run it without other options, or use another name for"),
        ({"credential": "stor"}, "Credential stor does not exist on this host. Existing credentials: store."),
        ({"transfers": -1}, "Task onetime is invalid: transfers is -1. Use a whole number, 0 or more."),
        ({"provider_options": {"chunk": "5Mi"}}, "Task onetime is invalid: The provider s3 has no option 'chunk'."),
        ({"state": "stopped"}, "With state=stopped, set only the option task. Remove the other options of a task."),
        ({"reverse_of": "kept", "path": None}, "reverse_of needs path. Set path to the folder to restore to."),
        ({"reverse_of": "nowhere"}, "Task onetime is invalid: reverse_of is 'nowhere', but this task does not exist"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_happens(machine, once, options, sentence):
    machine.declare([], [{**once, "name": "kept"}])
    before = machine.left_behind()
    result = machine.module("run", **{**once, **options})
    assert result["failed"] and result["reason"] == "usage"
    assert sentence in result["msg"]
    assert machine.left_behind().keys() == before.keys()


def test_a_check_before_the_credential_is_there_says_that_it_can_not_tell(machine, once):
    result = machine.module("run", _ansible_check_mode=True, **{**once, "credential": "later"})
    assert result["changed"]
    assert "Credential later does not exist on this host yet, so no plan was made" in str(result["warnings"])
