# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

FILE = "etc/cloudsync/credentials/offsite.json"
PUBLIC = {
    "name": "offsite",
    "provider": "s3",
    "description": "an S3 server",
    "attributes": {"provider": "Minio", "endpoint": "https://s3.example.com", "access_key_id": "backup"},
    "secrets": ["secret_access_key", "session_token"],
}


def test_a_credential_is_stored_with_its_secrets_encrypted(host, offsite):
    result = host.ok("credential", offsite)
    assert result["changed"]
    assert result["credential"] == PUBLIC
    stored = host.read(FILE)
    assert stored["schema"] == 2
    assert all(text.startswith("cs1:") for text in stored["secrets"].values())
    path = str(host.root / FILE)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


def test_a_second_application_changes_nothing(host, offsite):
    host.ok("credential", offsite)
    before = host.files()
    result = host.ok("credential", offsite)
    assert not result["changed"]
    assert result["diff"]["before"] == result["diff"]["after"]
    assert host.files() == before


def test_check_mode_predicts_the_changes_and_writes_nothing(host, offsite):
    before = host.files()
    predicted = host.ok("credential", offsite, check=True)
    assert host.files() == before
    assert host.ok("credential", offsite) == predicted
    assert predicted["changed"]


def test_check_mode_works_before_the_runner_is_installed(bare_host):
    declared = {"name": "x", "provider": "b2", "attributes": {"account": "a"}, "secrets": {"key": "k-e-y"}}
    assert bare_host.ok("credential", declared, check=True)["changed"]
    assert bare_host.files() == {}


def test_the_diff_shows_before_and_after(host, offsite):
    host.ok("credential", offsite)
    diff = host.ok(
        "credential", dict(offsite, description="moved", attributes={**offsite["attributes"], "region": "eu"})
    )["diff"]
    assert diff["before"]["description"] == "an S3 server"
    assert diff["after"]["description"] == "moved"
    assert "region" not in diff["before"]["attributes"]
    assert diff["after"]["attributes"]["region"] == "eu"
    assert diff["before"]["secrets"] == diff["after"]["secrets"]


def test_a_changed_secret_is_a_change_that_the_diff_shows_without_the_value(host, offsite):
    host.ok("credential", offsite)
    other = dict(offsite, secrets=dict(offsite["secrets"], secret_access_key=host.secret("second-secret-key")))
    predicted = host.ok("credential", other, check=True)
    result = host.ok("credential", other)
    assert result == predicted
    assert result["changed"]
    assert result["diff"]["before"]["secrets"] == {"secret_access_key": "(set)", "session_token": "(set)"}
    assert result["diff"]["after"]["secrets"] == {"secret_access_key": "(new value)", "session_token": "(set)"}
    assert not host.ok("credential", other)["changed"]


def test_omitted_options_are_removed(host, offsite):
    host.ok("credential", offsite)
    fewer = dict(offsite, secrets={"secret_access_key": offsite["secrets"]["secret_access_key"]}, description=None)
    result = host.ok("credential", fewer)
    assert result["credential"]["secrets"] == ["secret_access_key"]
    assert result["credential"]["description"] == ""
    assert list(host.read(FILE)["secrets"]) == ["secret_access_key"]


def test_absent_removes_the_credential_without_a_seed(host, offsite):
    host.ok("credential", offsite)
    (host.root / "etc/cloudsync/seed").unlink()
    gone = {"name": "offsite", "state": "absent"}
    predicted = host.ok("credential", gone, check=True)
    assert (host.root / FILE).exists()
    result = host.ok("credential", gone)
    assert result == predicted
    assert result["changed"]
    assert result["credential"] == {}
    assert result["diff"]["before"]["provider"] == "s3"
    assert result["diff"]["after"] == {}
    assert not (host.root / FILE).exists()
    assert not host.ok("credential", gone)["changed"]


def test_a44_a_credential_in_use_is_not_removed(host, documents):
    host.ok("task", documents)
    host.ok("task", dict(documents, name="another", remote_path="backups/another"))
    message = host.refused("credential", {"name": "offsite", "state": "absent"})
    assert message == (
        "Credential offsite is used by tasks another and documents. Remove the tasks, or change their credential, "
        "before you remove it. Nothing was changed."
    )


@pytest.mark.parametrize(
    "option, value, stored",
    [
        ("force_path_style", True, "true"),
        ("upload_concurrency", 3, "3"),
        ("encoding", ["Slash", "Dot"], "Slash,Dot"),
        ("description", None, None),
    ],
)
def test_values_are_stored_in_the_format_of_rclone(host, offsite, option, value, stored):
    result = host.ok("credential", dict(offsite, attributes={**offsite["attributes"], option: value}))
    assert result["credential"]["attributes"].get(option) == stored


@pytest.mark.parametrize("word", ["true", "True", "s3", "1", "a"])
def test_a_secret_that_is_an_ordinary_word_does_not_mask_the_result(host, offsite, word):
    declared = dict(offsite, secrets={"secret_access_key": word})
    assert host.ok("credential", declared)["changed"] is True
    result = host.ok("credential", declared)
    assert result["changed"] is False
    assert list(result["credential"]) == list(PUBLIC)
    assert result["diff"]["before"] == result["diff"]["after"]


def test_verify_logs_in_after_the_credential_is_stored(host, offsite):
    host.rclone.answers("lsjson", "[]")
    result = host.ok("credential", dict(offsite, verify=True, verify_path="backups"))
    assert result["verified"] is True
    assert host.rclone.commands()[-1].endswith(" -- remote:backups")


def test_a_failed_login_says_that_the_credential_was_stored(host, offsite):
    host.rclone.replays("lsjson", "auth_list_s3bad")
    result = host.run("credential", dict(offsite, verify=True))
    assert result["failed"]
    assert result["changed"]
    assert result["verified"] is False
    assert result["reason"] == "auth"
    assert result["msg"].startswith("The login with credential offsite failed. The credential was stored. ")
    assert (host.root / FILE).exists()


def test_check_mode_without_rclone_does_not_report_a_login(bare_host):
    (bare_host.root / "usr/local/lib/cloudsync").mkdir(parents=True)
    (bare_host.root / "usr/local/lib/cloudsync/rclone").symlink_to("/nowhere/rclone")
    declared = {"name": "x", "provider": "b2", "attributes": {"account": "a"}, "secrets": {"key": "k-e-y"}}
    assert "verified" not in bare_host.ok("credential", dict(declared, verify=True), check=True)


def test_check_mode_verifies_the_declared_credential_without_storing_it(host, offsite):
    host.rclone.replays("lsjson", "auth_list_s3bad")
    result = host.run("credential", dict(offsite, verify=True), check=True)
    assert result["failed"]
    assert result["reason"] == "auth"
    assert "stored" not in result["msg"]
    assert not (host.root / FILE).exists()
