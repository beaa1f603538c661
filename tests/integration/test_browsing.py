# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at what is at a provider, also through a task's encryption."""

from __future__ import annotations

import pytest
from harness import PASSWORD, SALT, SECRET, write_tree

FILES = {"testfile.txt": "test", "deep/er/b.txt": "beta"}
ENCRYPTION = {"password": PASSWORD, "salt": SALT}


@pytest.fixture(name="pushed")
def fixture_pushed(machine, bucket, store):
    """A machine whose task ``documents`` has pushed FILES, encrypted."""
    write_tree(machine.data / "documents", FILES)
    task = {
        "name": "documents",
        "credential": "store",
        "direction": "push",
        "path": str(machine.data / "documents"),
        "remote_path": bucket.name + "/documents",
        "encryption": ENCRYPTION,
    }
    machine.declare([store], [task])
    machine.run("documents")
    return machine


def files(listing):
    assert not listing.get("failed"), listing
    return {entry["path"]: entry["size"] for entry in listing["entries"] if not entry["path"].startswith(".")}


def test_a13_names_are_decrypted_when_the_encryption_is_given(pushed, bucket):
    where = {"credential": "store", "path": bucket.name + "/documents"}
    closed = pushed.module("remote_info", **where)
    assert closed["entries"] and "testfile.txt" not in str(closed["entries"])
    assert files(pushed.module("remote_info", encryption=ENCRYPTION, **where)) == {"testfile.txt": 4, "deep": -1}
    assert SECRET not in str(pushed.module("remote_info", encryption=ENCRYPTION, **where))


def test_a_task_shows_what_it_has_at_its_provider(pushed):
    everything = pushed.module("remote_info", task="documents", recurse=True)
    assert files(everything) == {"testfile.txt": 4, "deep": -1, "deep/er": -1, "deep/er/b.txt": 4}
    assert files(pushed.module("remote_info", task="documents", path="deep/er")) == {"b.txt": 4}


def test_a_name_that_can_not_be_decrypted_is_told(pushed, bucket):
    write_tree(bucket / "documents", {"foreign.txt": "x"})
    listing = pushed.module("remote_info", task="documents")
    assert files(listing) == {"testfile.txt": 4, "deep": -1}
    assert listing["undecryptable"] == ["foreign.txt"]


def test_a_wrong_password_opens_no_name_and_says_so(pushed, bucket):
    listing = pushed.module(
        "remote_info", credential="store", path=bucket.name + "/documents", encryption={"password": SECRET + "-wrong"}
    )
    assert listing["failed"] and listing["reason"] == "crypt_password"
    assert f"names at '{bucket.name}/documents' can be decrypted" in listing["msg"]


def test_a12_a_missing_bucket_or_folder_is_an_error(pushed, tmp_path):
    listing = pushed.module("remote_info", credential="store", path="no-such-bucket")
    assert listing["failed"] and listing["reason"] == "not_found"
    listing = pushed.module("remote_info", provider="local", path=str(tmp_path / "nowhere"))
    assert listing["failed"] and listing["reason"] == "not_found"


def test_a41_a_login_is_verified_where_it_may_look(pushed, bucket):
    assert pushed.cloudsync("verify", "store", "--path", bucket.name).out == "credential store can log in\n"
    assert pushed.cloudsync("verify", "store", "--path", "no-such-bucket").code == 1
