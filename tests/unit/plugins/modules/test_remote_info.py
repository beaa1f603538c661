# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

LISTING = [
    {"Path": "a.txt", "Name": "a.txt", "Size": 6, "MimeType": "", "ModTime": "2027-01-31T02:30:04Z", "IsDir": False},
    {"Path": "folder", "Name": "folder", "Size": -1, "MimeType": "", "ModTime": "2027-01-31T02:30:04Z", "IsDir": True},
]


@pytest.fixture
def listed(host):
    host.rclone.answers("lsjson", json.dumps(LISTING))
    return host


def test_a_stored_credential_lists_a_path(listed, offsite):
    listed.ok("credential", offsite)
    result = listed.ok("remote_info", {"credential": "offsite", "path": "bucket/x"})
    assert not result["changed"]
    assert result["path"] == "bucket/x"
    assert result["entries"][0] == {
        "path": "a.txt",
        "name": "a.txt",
        "size": 6,
        "is_dir": False,
        "is_bucket": False,
        "modified": "2027-01-31T02:30:04Z",
    }
    assert any(line.endswith(" -- remote:bucket/x") for line in listed.rclone.commands())


def test_folders_at_the_top_of_an_object_store_are_buckets(listed, offsite):
    listed.ok("credential", offsite)
    assert [entry["is_bucket"] for entry in listed.ok("remote_info", {"credential": "offsite"})["entries"]] == [
        False,
        True,
    ]


def test_an_unsaved_credential_is_not_stored(listed, offsite):
    before = listed.files()
    given = {key: offsite[key] for key in ("provider", "attributes", "secrets")}
    assert listed.ok("remote_info", dict(given, recurse=True), check=True)["entries"]
    assert "--recursive" in listed.rclone.commands()[-1]
    assert listed.files() == before


def test_a_listing_leaves_no_file_in_the_run_directory(listed, offsite):
    listed.ok("credential", offsite)
    listed.ok("remote_info", {"credential": "offsite"})
    assert list((listed.root / "run/cloudsync/live").iterdir()) == []


def test_a_refused_login_is_a_failure_with_the_reason(host, offsite):
    host.ok("credential", offsite)
    host.rclone.replays("lsjson", "auth_list_s3bad")
    result = host.run("remote_info", {"credential": "offsite"})
    assert result["failed"]
    assert result["reason"] == "auth"
    assert list((host.root / "run/cloudsync/live").iterdir()) == []


@pytest.mark.parametrize(
    "options, message",
    [
        ({"credential": "nothing"}, "Credential nothing does not exist on this host. Existing credentials: none."),
        ({"provider": "s33"}, "There is no provider 's33'. Did you mean 's3'?"),
        ({}, "one of the following is required: task, credential, provider"),
        ({"credential": "x", "provider": "s3"}, "parameters are mutually exclusive: task|credential|provider"),
    ],
)
def test_invalid_options_are_refused(host, options, message):
    assert host.refused("remote_info", options).startswith(message)


@pytest.mark.parametrize(
    "options, warning",
    [
        ({"credential": "offsite"}, "Credential offsite does not exist on this host yet, so nothing was listed."),
        ({"task": "documents"}, "Task documents does not exist on this host yet."),
    ],
)
def test_check_mode_without_the_declaration_returns_an_empty_list(bare_host, options, warning):
    result = bare_host.ok("remote_info", options, check=True)
    assert result["entries"] == []
    assert result["warnings"] == [warning]


def test_check_mode_without_rclone_returns_an_empty_list(host, offsite, monkeypatch):
    host.ok("credential", offsite)
    monkeypatch.setenv("PATH", "/nonexistent")
    result = host.ok("remote_info", {"credential": "offsite"}, check=True)
    assert result["entries"] == []
    assert result["warnings"] == ["rclone is not installed yet, so nothing was listed."]


def test_the_settings_of_a_bucket_are_returned_or_explained(listed, offsite):
    listed.ok("credential", offsite)
    listed.rclone.answers("backend", '"Enabled"')
    result = listed.ok("remote_info", {"credential": "offsite", "path": "bucket/x"})
    assert (result["versioning"], result["lifecycle"], result["object_lock"]) == ("enabled", None, None)
    assert result["unknown"] == {
        "lifecycle": "rclone cannot read the lifecycle rules of a bucket at the provider s3.",
        "object_lock": "rclone cannot read the object lock of a bucket at the provider s3.",
    }
    assert listed.rclone.commands()[-1].endswith(" -- remote:bucket")
    listed.rclone.replays("backend", "auth_list_s3bad")
    result = listed.ok("remote_info", {"credential": "offsite", "path": "bucket/x"})
    assert result["versioning"] is None
    assert "refused the login" in result["unknown"]["versioning"]
    top = listed.ok("remote_info", {"credential": "offsite"})["unknown"]
    assert top == dict.fromkeys(("versioning", "lifecycle", "object_lock"), "The path is in no bucket.")
    elsewhere = listed.ok("remote_info", {"provider": "local", "path": "/srv"})["unknown"]
    assert elsewhere["versioning"] == "The provider local has no buckets."
