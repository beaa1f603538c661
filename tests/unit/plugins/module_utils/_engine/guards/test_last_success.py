# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.mounts import parse_mountinfo
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.guards.last_success import (
    describe_now,
    load_last_success,
    save_last_success,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.hashes import hash_file
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.hashes.hashes import count_missing
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import places
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer.source_names import build_names

S3 = Credential("offsite", "s3", attributes={"endpoint": "https://s3.example.com"})
PATHS = [f"folder {number % 7}/ä{number}" for number in range(100)]


@pytest.fixture
def said():
    return []


@pytest.fixture
def load(layout, said):
    return lambda now: load_last_success(layout, now, "nightly", said.append)


@pytest.fixture
def save(layout, said):
    return lambda task, success, last=None: save_last_success(layout, task, success, last, said.append)


def test_a_success_is_remembered(make_task, load, save, said, layout):
    task = make_task(mode="sync")
    now = describe_now(task, S3)
    assert load(now) is None
    save(task, replace(now, names=build_names(PATHS)))
    assert load(now) == replace(now, is_synced=True, names=build_names(reversed(PATHS)))
    assert os.stat(layout.task_state_dir("nightly") + "/last-success").st_mode & 0o777 == 0o600
    assert said == []


def test_a_copy_does_not_replace_what_a_sync_left(make_task, load, save):
    copy, sync = make_task(mode="copy"), make_task(mode="sync")
    now = describe_now(copy, S3)
    save(copy, now)
    assert load(now).is_synced is False
    save(sync, replace(describe_now(sync, S3), names=build_names(PATHS)), load(now))
    save(copy, now, load(now))
    assert load(now).is_synced and load(now).names == build_names(PATHS)


@pytest.mark.parametrize(
    "changed",
    [
        {"direction": "pull"},
        {"path": "/srv/other"},
        {"remote_path": "bucket/other"},
        {"encryption": {"password": "x"}},
    ],
)
def test_a_success_is_forgotten_if_the_source_or_the_destination_is_another_one(make_task, load, save, changed):
    task = make_task(mode="sync")
    save(task, describe_now(task, S3))
    assert load(describe_now(make_task(mode="sync", **changed), S3)) is None
    assert load(describe_now(task, replace(S3, attributes={"endpoint": "https://elsewhere"}))) is None
    assert load(describe_now(task, replace(S3, secrets={"secret_access_key": "a new one"}))) is not None
    assert load(describe_now(make_task(mode="copy", retries=9, exclude=["x"]), S3)) is not None


def test_other_filters_select_other_names(make_task):
    made = {describe_now(make_task(**more), S3).selection for more in ({}, {"exclude": ["a"]}, {"include": ["a"]})}
    assert len(made) == 3


def test_a_damaged_file_is_no_success_and_is_said(make_task, load, save, said, layout):
    task = make_task(mode="sync")
    now = describe_now(task, S3)
    save(task, replace(now, names=build_names(PATHS)))
    path = layout.task_state_dir("nightly") + "/last-success"
    with open(path, "rb") as stream:
        sound = stream.read()
    dice = random.Random(7)
    for _time in range(200):
        at = dice.randrange(len(sound))
        damaged = dice.choice([sound[:at], sound[:at] + bytes([sound[at] ^ 1 << dice.randrange(8)]) + sound[at + 1 :]])
        with open(path, "wb") as stream:
            stream.write(damaged)
        del said[:]
        found = load(now)
        assert found is None or found.names == build_names(PATHS), at
        if found is None and said:
            assert f"{path} is damaged" in said[0]


def test_a_full_disk_is_said(make_task, save, said, monkeypatch):
    def fail(*_all):
        raise OSError(28, "No space left on device", "/var/lib/cloudsync")

    monkeypatch.setattr(hash_file, "atomic_write", fail)
    task = make_task(mode="sync")
    save(task, describe_now(task, S3))
    assert said[0].startswith("The success could not be remembered, so the next run may be refused: /var/lib/cloudsync")


def test_the_volume_is_the_file_system_and_the_path_in_it(make_task, monkeypatch):
    mounts = [
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
        "2 1 8:17 / /srv/data rw - xfs /dev/sdb1 rw",
    ]
    volumes = []
    for text in ("\n".join(mounts), mounts[0]):
        parsed = parse_mountinfo(text)
        monkeypatch.setattr(places, "read_mounts", lambda parsed=parsed: parsed)
        volumes.append(describe_now(make_task(), S3).volume)
    assert volumes == ["xfs:", "ext4:/srv/data"]


def test_missing_names_are_counted():
    def count(before, now):
        return count_missing(build_names(before).files, build_names(now).files)

    assert count(PATHS, PATHS) == 0
    assert count(PATHS, []) == 100
    assert count([], PATHS) == 0
    assert count(PATHS, [*PATHS[:93], "x", "y"]) == 7
    assert len(build_names(PATHS).folders) == 7
