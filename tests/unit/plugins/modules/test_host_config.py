# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest


@pytest.fixture
def declared(host, offsite, source):
    """Provide two credentials and two tasks, of which one reverses the other."""
    return {
        "credentials": [
            offsite,
            {"name": "b2", "provider": "b2", "attributes": {"account": "x"}, "secrets": {"key": host.secret("b2-key")}},
        ],
        "tasks": [
            {
                "name": "push",
                "credential": "offsite",
                "direction": "push",
                "mode": "sync",
                "path": source,
                "remote_path": "bucket/data",
                "schedule": {"preset": "daily"},
                "encryption": {"password": host.secret("crypt-word")},
                "notify": ["ntfy+https://ntfy.example.com/" + host.secret("topic-secret")],
            },
            {"name": "restore", "reverse_of": "push", "path": "/srv/restored"},
        ],
    }


def test_one_call_declares_a_whole_host(host, declared):
    result = host.ok("host_config", declared)
    assert result["changed"]
    assert [credential["name"] for credential in result["credentials"]] == ["offsite", "b2"]
    assert [task["name"] for task in result["tasks"]] == ["push", "restore"]
    assert result["tasks"][1]["direction"] == "pull"
    assert result["diff"]["before"] == {
        "credentials": {"offsite": {}, "b2": {}},
        "tasks": {"push": {}, "restore": {}},
    }


def test_a_second_application_changes_nothing(host, declared):
    host.ok("host_config", declared)
    before = host.files()
    result = host.ok("host_config", dict(declared, purge=True))
    assert not result["changed"]
    assert host.files() == before


def test_check_mode_predicts_the_changes_and_writes_nothing(host, declared):
    before = host.files()
    predicted = host.ok("host_config", declared, check=True)
    assert host.files() == before
    assert host.ok("host_config", declared) == predicted


def test_check_mode_works_before_the_runner_is_installed(bare_host):
    bare_host.rclone.program.unlink()
    declared = {
        "credentials": [{"name": "c", "provider": "b2", "attributes": {"account": "a"}, "secrets": {"key": "k-e-y"}}],
        "tasks": [{"name": "t", "credential": "c", "direction": "push", "path": "/srv/x", "remote_path": "bucket/x"}],
    }
    # Other places of the machine that runs the tests may have an rclone.
    (bare_host.root / "usr/local/lib/cloudsync").mkdir(parents=True)
    (bare_host.root / "usr/local/lib/cloudsync/rclone").symlink_to("/nowhere/rclone")
    before = bare_host.files()
    result = bare_host.ok("host_config", declared, check=True)
    assert result["changed"]
    assert result["warnings"] == ["rclone is not installed yet, so provider options were not checked."]
    assert bare_host.files() == before


def test_undeclared_objects_are_kept_without_purge(host, declared):
    host.ok("host_config", declared)
    assert not host.ok("host_config", {"credentials": declared["credentials"][:1]})["changed"]
    assert len(host.ok("credential_info")["credentials"]) == 2


def test_purge_removes_undeclared_objects(host, declared):
    host.ok("host_config", declared)
    fewer = {"credentials": declared["credentials"][:1], "tasks": declared["tasks"][:1], "purge": True}
    predicted = host.ok("host_config", fewer, check=True)
    result = host.ok("host_config", fewer)
    assert result == predicted
    assert result["diff"]["before"]["credentials"]["b2"]["provider"] == "b2"
    assert result["diff"]["after"]["credentials"]["b2"] == {}
    assert result["diff"]["after"]["tasks"]["restore"] == {}
    assert [name for name in host.files() if "b2" in name or "restore" in name] == []


def test_purge_with_empty_lists_removes_everything(host, declared):
    host.ok("host_config", declared)
    empty = {"credentials": [], "tasks": [], "purge": True}
    for check in (True, False):
        message = host.refused("host_config", empty, check)
        assert message.startswith("purge would remove everything: credential ")
        assert "Nothing was changed. To remove everything, also set purge_all: true" in message
    assert host.ok("host_config", {**empty, "purge_all": True})["changed"]
    assert not host.ok("host_config", empty)["changed"]
    assert [name for name in host.files() if "/purged/" not in name] == ["etc/cloudsync/seed"]


@pytest.mark.parametrize("missing", ["credentials", "tasks"])
def test_purge_with_a_list_that_was_never_declared_removes_nothing(host, declared, missing):
    host.ok("host_config", declared)
    options = {"credentials": [], "tasks": [], "purge": True, "purge_all": True}
    del options[missing]
    message = host.refused("host_config", options)
    assert f"but {missing} is not set. Nothing was changed." in message


def test_purge_does_not_remove_the_credential_of_a_declared_task(host, declared):
    host.ok("host_config", declared)
    fewer = {"credentials": declared["credentials"][1:], "tasks": declared["tasks"], "purge": True}
    assert host.refused("host_config", fewer) == (
        "Credential offsite is used by tasks push and restore. Remove the tasks, or change their credential, before "
        "you remove it. Nothing was changed."
    )


def test_one_invalid_object_changes_nothing(host, declared):
    declared["tasks"][1]["path"] = "relative"
    message = host.refused("host_config", declared)
    assert message == "Task restore is invalid: path is 'relative'. Use an absolute path, such as /srv/data."


@pytest.mark.parametrize("kind", ["credentials", "tasks"])
def test_a_name_that_is_declared_twice_is_refused(host, declared, kind):
    declared[kind].append(declared[kind][0])
    message = host.refused("host_config", declared)
    name = declared[kind][0]["name"]
    assert message == f"{kind[:-1].capitalize()} {name} is declared twice. Declare it once. Nothing was changed."


@pytest.mark.parametrize("word", ["true", "push", "s3", "2", "daily"])
def test_a_secret_that_is_an_ordinary_word_does_not_mask_the_result(host, declared, word):
    declared["credentials"][1]["secrets"] = {"key": word}
    assert host.ok("host_config", declared)["changed"] is True
    result = host.ok("host_config", declared)
    assert result["changed"] is False
    assert len(result["tasks"]) == 2
    assert result["diff"]["before"] == result["diff"]["after"]


def test_a_task_with_reverse_of_follows_its_original(host, declared):
    host.ok("host_config", declared)
    declared["tasks"][0].update(exclude=["*.tmp"], schedule={"preset": "hourly", "spread": 600})
    result = host.ok("host_config", declared)
    assert result["tasks"][1]["exclude"] == ["*.tmp"]
    units = {name: task["units"]["timer"] for name, task in result["diff"]["after"]["tasks"].items()}
    assert "OnCalendar=*-*-* *:00:00\n" in units["push"]
    assert "RandomizedDelaySec=600s\n" in units["push"]
    assert units["restore"] is None
