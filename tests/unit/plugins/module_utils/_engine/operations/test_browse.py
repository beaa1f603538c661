# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import browse
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.browse import Where

FOLDER = {"Path": "photos", "Name": "photos", "Size": -1, "IsDir": True, "ModTime": "2026-11-22T00:00:00Z"}
FILE = {"Path": "photos/a.jpg", "Name": "a.jpg", "Size": 7, "IsDir": False, "ModTime": "2026-11-22T01:00:00Z"}
OFFSITE = Credential(
    "offsite", "s3", attributes={"provider": "Minio", "endpoint": "https://s3.example.com"}, secrets={}
)
SKIPPED = '{"level":"notice","msg":"Skipping undecryptable file name: not a multiple of blocksize","object":"%s"}'


@pytest.fixture
def listing(scripted):
    """Let rclone list these entries."""

    def answer(*entries, errors=(), code=0):
        (scripted.folder / "out").write_text(json.dumps(entries) if entries else "[]")
        (scripted.folder / "err").write_text("".join(line + "\n" for line in errors))
        scripted.on("lsjson", f"cat {scripted.folder}/err >&2; cat {scripted.folder}/out; exit {code}")

    return answer


def called(scripted):
    """Return the last listing."""
    return [line for line in (scripted.folder / "called").read_text().splitlines() if " lsjson " in line][-1]


def test_a_listing_has_folders_and_files(scripted_host, listing, scripted):
    listing(FOLDER, FILE)
    found = browse.browse(scripted_host, OFFSITE, True, Where("bucket/dir"), recurse=True)
    assert [(e["path"], e["size"], e["is_dir"], e["is_bucket"]) for e in found.entries] == [
        ("photos", -1, True, False),
        ("photos/a.jpg", 7, False, False),
    ]
    assert found.entries[1]["modified"] == "2026-11-22T01:00:00Z"
    assert " --recursive " in called(scripted) and called(scripted).endswith(" -- remote:bucket/dir")


def test_at_the_top_of_an_object_store_folders_are_buckets(scripted_host, listing):
    listing(FOLDER)
    assert browse.browse(scripted_host, OFFSITE, True, Where()).entries[0]["is_bucket"]


def test_the_live_configuration_is_removed_also_after_an_error(scripted_host, listing, layout):
    listing(code=1, errors=["broken"])
    with pytest.raises(CloudsyncError):
        browse.browse(scripted_host, OFFSITE, True, Where("bucket"))
    assert os.listdir(layout.run_dir + "/live") == []


def test_names_that_can_not_be_decrypted_are_listed_apart(scripted_host, listing, make_task):
    encryption = make_task(encryption={"password": "a-crypt-password"}).encryption
    listing(FILE, errors=[SKIPPED % "plain.txt"])
    found = browse.browse(scripted_host, OFFSITE, True, Where("", "bucket/data", encryption))
    assert (len(found.entries), found.undecryptable) == (1, ["plain.txt"])


def test_if_no_name_can_be_decrypted_the_password_is_wrong(scripted_host, listing, make_task):
    encryption = make_task(encryption={"password": "a-crypt-password"}).encryption
    listing(errors=[SKIPPED % "one", SKIPPED % "two"])
    with pytest.raises(CloudsyncError, match="None of the 2 names") as caught:
        browse.browse(scripted_host, OFFSITE, True, Where("", "bucket/data", encryption))
    assert caught.value.reason == "crypt_password"


def test_a_verify_returns_none_or_what_is_wrong(scripted_host, listing, scripted):
    listing(FOLDER)
    assert browse.verify(scripted_host, OFFSITE, True) is None
    scripted.replay("lsjson", "auth_list_s3bad")
    error = browse.verify(scripted_host, OFFSITE, True)
    assert error is not None and error.reason == "auth"


def test_an_unsaved_credential_is_checked_before_rclone_is_asked(scripted_host, scripted):
    unsaved = {"provider": "s3", "attributes": {"endpont": "https://s3.example.com"}, "secrets": {}}
    with pytest.raises(CloudsyncError, match="endpoint"):
        browse.browse_with(scripted_host, None, unsaved, Where(), False)
    assert scripted.commands() == []


def test_a_task_is_listed_below_its_remote_path(scripted_host, listing, scripted, store_task):
    store_task()
    listing(FILE)
    browse.browse_task(scripted_host, "nightly", "/photos/", False)
    assert called(scripted).endswith(" -- remote:bucket/data/photos")
