# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import flock
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.flock import is_held, wait_lock
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.stop_signal import StopFlag
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.locks import hold as locking
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.locks.path_claims import Claim
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.places import Place

OFFSITE = Credential("offsite", "s3", attributes={"endpoint": "https://s3.example.net", "region": "eu"})
PLACE = "s3 s3.example.net:443"


def uses(task, credential=OFFSITE):
    claims = locking.list_claims(task, credential)
    return {tuple(claim.place): claim.write for claim in claims if not claim.place.account.startswith("local ")}


def test_a_push_reads_its_path_and_writes_its_remote_path(make_task):
    assert uses(make_task()) == {("local", "/srv/data"): False, (PLACE, "/bucket/data"): True}


def test_a_pull_writes_its_path_and_reads_its_remote_path(make_task):
    assert uses(make_task(direction="pull")) == {("local", "/srv/data"): True, (PLACE, "/bucket/data"): False}


def test_a_move_writes_both(make_task):
    for direction in ("push", "pull"):
        assert set(uses(make_task(mode="move", direction=direction)).values()) == {True}


def test_keep_deleted_is_written_on_the_side_of_the_destination(make_task):
    assert uses(make_task(keep_deleted={"path": "bucket/old"}))[(PLACE, "/bucket/old")]
    assert uses(make_task(direction="pull", keep_deleted={"path": "/srv/old"}))[("local", "/srv/old")]


def test_two_paths_to_one_folder_are_the_same_claim(make_task, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)

    assert ("local", str(tmp_path)) in uses(make_task(path=str(tmp_path / "link")))
    assert (PLACE, "/bucket/data") in uses(make_task(remote_path="/bucket/data"))
    assert (PLACE, "/") in uses(make_task(remote_path=""))


def held(layout, task, said, run_id="R1", stop=None):
    claims = locking.list_claims(task, OFFSITE)
    return locking.hold_locks(layout, task, run_id, claims, stop or StopFlag(), said.append)


def test_the_locks_are_held_during_the_run(layout, make_task):
    path = locking.locate_task_lock(layout, "nightly")

    with held(layout, make_task(), []) as descriptors:
        assert len(descriptors) == 2
        assert is_held(path)
    assert not is_held(path)


def test_a_second_run_of_the_task_is_skipped(layout, make_task):
    second = held(layout, make_task(), [], "R2")

    refusal = pytest.raises(CloudsyncError)
    with held(layout, make_task(), []), refusal as caught:
        second.__enter__()

    assert caught.value.reason == "locked"
    assert caught.value.message == (
        "Skipped: another run of task nightly is active. The task runs at its next start. To wait instead, set "
        "on_overlap to wait."
    )


def test_a_run_skipped_for_a_path_in_use_releases_its_own_lock(layout, make_task):
    restore = held(layout, make_task(name="restore", direction="pull", path="/srv/data/sub"), [])

    with held(layout, make_task(), []), pytest.raises(CloudsyncError, match="task nightly reads /srv/data"), restore:
        pass

    assert not is_held(locking.locate_task_lock(layout, "restore"))


def test_one_that_waits_says_so_once_and_begins_when_it_can(layout, make_task, monkeypatch):
    said = []
    lock = wait_lock(locking.locate_task_lock(layout, "nightly"))
    turns = []
    monkeypatch.setattr(flock.time, "sleep", lambda _seconds: turns.append(1) or (len(turns) == 3 and lock.release()))

    with held(layout, make_task(on_overlap="wait"), said):
        pass

    assert said == ["waiting: another run of task nightly is active"]
    assert len(turns) == 3


def test_a_waiting_run_can_be_stopped(layout, make_task, monkeypatch):
    stop = StopFlag()
    monkeypatch.setattr(flock.time, "sleep", lambda _seconds: stop.request())

    second = held(layout, make_task(on_overlap="wait"), [], "R2", stop)

    refusal = pytest.raises(CloudsyncError)
    with held(layout, make_task(), []), refusal as caught:
        second.__enter__()

    assert caught.value.reason == "stopped"


def test_a_claim_of_the_root_conflicts_with_every_path():
    root, bucket = Place(PLACE, "/"), Place(PLACE, "/bucket")
    assert Claim(root, write=True).conflicts_with(Claim(bucket, write=False))
