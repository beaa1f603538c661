# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.locks import path_claims as claims
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.locks.path_claims import (
    Claim,
    drop_claim,
    try_claim,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.places import Place


def reads(path, account="local"):
    return Claim(Place(account, path), write=False)


def writes(path, account="local"):
    return Claim(Place(account, path), write=True)


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        (reads("/a"), reads("/a"), False),
        (reads("/a"), writes("/a"), True),
        (writes("/a"), writes("/a"), True),
        (reads("/a"), writes("/a/b/c"), True),
        (reads("/a/b/c"), writes("/a"), True),
        (writes("/a"), writes("/ab"), False),
        (writes("/a/b"), writes("/a/c"), False),
        (writes("/"), reads("/a"), True),
        (writes("/a"), writes("/a", "s3 endpoint=x"), False),
        (reads("/a", "s3 endpoint=x"), writes("/a/b", "s3 endpoint=x"), True),
        (writes("/a", "s3 endpoint=x"), writes("/a", "s3 endpoint=y"), False),
    ],
)
def test_claims_conflict_if_one_writes_and_one_tree_contains_the_other(one, other, conflict):
    assert one.conflicts_with(other) is conflict
    assert other.conflicts_with(one) is conflict


def test_the_second_claim_is_told_who_is_in_the_way(layout):
    held, _none = try_claim(layout, "nightly", "R1", [reads("/srv"), writes("/bucket", "s3")])

    refused, conflict = try_claim(layout, "restore", "R2", [writes("/srv/data")])

    assert refused is None
    assert conflict.task == "nightly"
    assert conflict.claim.describe() == "reads /srv"
    drop_claim(held)
    lock, conflict = try_claim(layout, "restore", "R2", [writes("/srv/data")])
    assert conflict is None
    drop_claim(lock)


def test_a_claim_of_a_remote_tree_is_described_as_remote():
    assert writes("/bucket/a", "s3 endpoint=x").describe() == "writes remote /bucket/a"


def test_a_claim_on_the_part_of_a_filesystem_is_described_by_its_path(layout):
    bound = Claim(Place("local 8:1", "/data"), write=True, shown="/mnt/data")
    held, _none = try_claim(layout, "nightly", "R1", [writes("/mnt/data"), bound])

    _none, conflict = try_claim(layout, "restore", "R2", [reads("/srv/data"), reads("/data", "local 8:1")])

    assert conflict.claim.describe() == "writes /mnt/data"
    drop_claim(held)


def test_the_claim_of_a_run_of_an_older_version_counts(layout):
    held, _none = try_claim(layout, "nightly", "R1", [])
    held.write(json.dumps({"task": "nightly", "claims": [["local", "/srv", True]]}))

    _none, conflict = try_claim(layout, "restore", "R2", [reads("/srv/data")])

    assert conflict.claim.describe() == "writes /srv"
    drop_claim(held)


def test_two_readers_may_claim_the_same_path(layout):
    one, _none = try_claim(layout, "a", "R1", [reads("/srv")])
    two, conflict = try_claim(layout, "b", "R2", [reads("/srv/data")])

    assert conflict is None
    drop_claim(one)
    drop_claim(two)


def test_a_dropped_claim_leaves_no_file(layout):
    lock, _none = try_claim(layout, "nightly", "R1", [writes("/srv")])
    drop_claim(lock)
    drop_claim(lock)

    assert os.listdir(layout.run_dir + "/locks/claims") == []


@pytest.mark.parametrize("content", ["", "{", json.dumps({"task": "dead", "claims": [["local", "/srv", True]]})])
def test_the_claim_of_a_killed_run_is_removed_whatever_its_content(layout, content):
    folder = layout.run_dir + "/locks/claims"
    os.makedirs(folder)
    with open(folder + "/dead.R0.json", "w") as stream:
        stream.write(content)

    lock, conflict = try_claim(layout, "nightly", "R1", [writes("/srv")])

    assert conflict is None
    assert os.listdir(folder) == ["nightly.R1.json"]
    drop_claim(lock)


def test_a_claim_lasts_as_long_as_the_rclone_of_a_killed_runner(layout):
    lock, _none = try_claim(layout, "nightly", "R1", [writes("/srv")])
    rclone = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[lock.descriptor])
    lock.release()  # all that is left of a runner that gets SIGKILL
    try:
        refused, conflict = try_claim(layout, "restore", "R2", [reads("/srv")])
        assert (refused, conflict.task) == (None, "nightly")
    finally:
        rclone.kill()
        rclone.wait()

    lock, conflict = try_claim(layout, "restore", "R2", [reads("/srv")])
    assert conflict is None
    drop_claim(lock)


def test_a_claim_whose_file_cannot_be_written_is_not_held(layout, monkeypatch):
    def no_space(_lock, _text):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(claims.Lock, "write", no_space)
        with pytest.raises(OSError, match="No space"):
            try_claim(layout, "nightly", "R1", [writes("/srv")])

    lock, conflict = try_claim(layout, "restore", "R2", [writes("/srv")])
    assert conflict is None
    drop_claim(lock)
