# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed as seeds
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed_passphrase as wrapping
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import (
    load_credential,
    read_credential,
    save_credential,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import read_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import (
    load_task,
    save_onetime,
    save_task,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping import seed as seed_states

PASSPHRASE = "correct horse battery"
OFFSITE = Credential("offsite", "drive", secrets={"token": "T1"}, refreshed={"token": "T2"})
SECOND = Credential("second", "s3", attributes={"region": "eu"}, secrets={"secret_access_key": "S"})
CRYPT = {"password": "crypt password", "salt": "crypt salt"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(wrapping, "COST", 2**4)


@pytest.fixture
def converge(layout):
    def call(state="present", passphrase="", wrapped="", backup=False, check_mode=False):
        return seed_states.converge_seed(layout, state, passphrase, wrapped, backup, check_mode)

    return call


@pytest.fixture
def stored(layout, seed, make_task):
    """Store objects with secrets in all places."""
    task = make_task(encryption=CRYPT, notify=["https://hooks.example.net/secret"])
    for credential in (OFFSITE, SECOND):
        save_credential(layout, seed, credential)
    save_task(layout, seed, task)
    return task


def everything(layout, task):
    ring = seeds.load_seed(layout)
    return (
        load_credential(layout, ring, "offsite") == OFFSITE
        and load_credential(layout, ring, "second") == SECOND
        and load_task(layout, ring, "nightly") == task
    )


def keys_in_use(layout):
    texts = [
        *read_credential(layout, "offsite")["secrets"].values(),
        *read_credential(layout, "offsite")["refreshed"].values(),
        *read_credential(layout, "second")["secrets"].values(),
        *(read_task(layout, "nightly")["encryption"][key] for key in CRYPT),
        *(target["target"] for target in read_task(layout, "nightly")["notify"]),
    ]
    return {text.split(":")[1] for text in texts}


def test_present_creates_a_seed_once(layout, converge):
    first = converge()
    second = converge()

    assert (first.before, first.changed, second.changed) == ({}, True, False)
    assert first.after == second.after
    primary = seeds.load_seed(layout).primary
    assert first.after == first.seed == {"primary": primary, "key_ids": [primary], "bound": "none"}


@pytest.mark.parametrize("state", ["present", "rotated"])
def test_check_mode_reports_the_change_of_the_seed_and_writes_nothing(layout, converge, state):
    assert converge(state, check_mode=True).changed
    assert not os.path.exists(layout.root)


@pytest.mark.usefixtures("stored")
def test_a_new_seed_is_refused_while_objects_of_a_lost_seed_exist(layout, converge):
    os.unlink(layout.seed)

    for state in ("present", "rotated"):
        with pytest.raises(CloudsyncError) as caught:
            converge(state)
        assert caught.value.reason == "undecryptable"
        assert "encrypted with it: credential offsite, credential second, task nightly" in caught.value.message
        assert "state=restored" in caught.value.message
    assert not os.path.exists(layout.seed)


def test_rotated_encrypts_everything_with_a_new_key_and_removes_the_old_one(layout, seed, stored, converge):
    outcome = converge("rotated")

    assert outcome.changed
    assert outcome.reencrypted == {"credentials": 2, "tasks": 1}
    assert list(seeds.load_seed(layout).keys) == outcome.after["key_ids"] != [seed.primary]
    assert keys_in_use(layout) == {outcome.after["primary"]}
    assert everything(layout, stored)


def test_a_rotation_includes_the_tasks_of_one_time_runs(layout, seed, stored, converge):
    save_onetime(layout, seed, replace(stored, name="onetime"))
    save_onetime(layout, seeds.make_seed(), replace(stored, name="unreadable"))

    assert converge("rotated").reencrypted == {"credentials": 2, "tasks": 1}

    ring = seeds.load_seed(layout)
    assert load_task(layout, ring, "onetime").encryption == stored.encryption
    assert everything(layout, stored)


def test_a_rotation_in_check_mode_changes_no_file(layout, seed, stored, converge):
    before = read_credential(layout, "offsite"), read_task(layout, "nightly")

    foreseen = converge("rotated", check_mode=True)
    assert foreseen.changed and foreseen.reencrypted == {"credentials": 2, "tasks": 1}
    assert seeds.load_seed(layout) == seed
    assert (read_credential(layout, "offsite"), read_task(layout, "nightly")) == before
    assert everything(layout, stored)


class PowerCutError(BaseException):
    """The process was killed in the middle of a call."""


@pytest.mark.parametrize("survived", range(6))
def test_a_rotation_killed_between_two_writes_loses_nothing_and_the_next_one_completes_it(
    layout, stored, converge, monkeypatch, survived
):
    left = [survived]

    def dying(write):
        def step(*arguments):
            if left[0] == 0:
                raise PowerCutError
            left[0] -= 1
            write(*arguments)

        return step

    with monkeypatch.context() as patched:
        for step in ("save_seed", "save_credential", "save_task"):
            patched.setattr(seed_states, step, dying(getattr(seed_states, step)))
        if survived < 5:  # the ring, two credentials, the task, the ring
            with pytest.raises(PowerCutError):
                converge("rotated")
        else:
            converge("rotated")

    assert everything(layout, stored)
    assert not converge("present").changed
    outcome = converge("rotated")
    assert everything(layout, stored)
    assert keys_in_use(layout) == set(outcome.after["key_ids"]) == {outcome.after["primary"]}


def test_a_rotation_with_an_undecryptable_object_changes_nothing(layout, seed, stored, converge):
    save_credential(layout, seeds.make_seed(), SECOND)

    for check_mode in (True, False):
        with pytest.raises(CloudsyncError, match="is not in the seed of this host"):
            converge("rotated", check_mode=check_mode)

    assert seeds.load_seed(layout) == seed
    assert load_task(layout, seed, "nightly") == stored


def test_a_backup_restores_a_lost_seed(layout, seed, stored, converge):
    wrapped = converge(passphrase=PASSPHRASE, backup=True).wrapped
    os.unlink(layout.seed)

    outcome = converge("restored", PASSPHRASE, wrapped)

    assert outcome.changed
    assert seeds.load_seed(layout) == seed
    assert everything(layout, stored)
    assert not converge("restored", PASSPHRASE, wrapped).changed


def test_a_backup_is_merged_into_a_newer_seed(layout, seed, stored, converge):
    wrapped = converge(passphrase=PASSPHRASE, backup=True).wrapped
    newer = seeds.make_seed()
    seeds.save_seed(layout, newer)
    save_credential(layout, newer, SECOND)

    outcome = converge("restored", PASSPHRASE, wrapped)

    assert (outcome.after["primary"], outcome.after["key_ids"]) == (
        newer.primary,
        sorted([seed.primary, newer.primary]),
    )
    assert everything(layout, stored)


def test_a63_a_backup_replaces_a_damaged_seed_whose_file_is_kept(layout, seed, stored, converge):
    wrapped = converge(passphrase=PASSPHRASE, backup=True).wrapped
    with open(layout.seed, "w") as stream:
        stream.write('{"schema": 1, "keys"')
    with pytest.raises(CloudsyncError, match="is damaged: it is not a JSON object"):
        converge("rotated")

    assert converge("restored", PASSPHRASE, wrapped, check_mode=True).changed
    assert converge("restored", PASSPHRASE, wrapped).changed

    assert everything(layout, stored)
    kept = [name for name in os.listdir(layout.config_dir) if name.startswith("seed.damaged-")]
    with open(f"{layout.config_dir}/{kept[0]}") as stream:
        assert stream.read() == '{"schema": 1, "keys"'


def test_a_seed_of_a_newer_version_is_not_replaced(layout, seed, converge):
    wrapped = converge(passphrase=PASSPHRASE, backup=True).wrapped
    with open(layout.seed, "w") as stream:
        stream.write('{"schema": 99}')

    with pytest.raises(CloudsyncError, match="written by a newer version of cloudsync"):
        converge("restored", PASSPHRASE, wrapped)

    with open(layout.seed) as stream:
        assert stream.read() == '{"schema": 99}'
    assert seed.primary not in os.listdir(layout.config_dir)


def test_another_key_with_the_same_id_is_refused(layout, seed, converge):
    wrapped = wrapping.wrap_seed(seeds.Seed({seed.primary: b"x" * 32}, seed.primary), PASSPHRASE)

    with pytest.raises(CloudsyncError, match=f"have different keys with the id {seed.primary}"):
        converge("restored", PASSPHRASE, wrapped)


def test_a_short_passphrase_is_refused_before_anything_is_changed(layout, converge):
    for check_mode in (True, False):
        with pytest.raises(CloudsyncError, match="The passphrase is too short"):
            converge(passphrase="short", backup=True, check_mode=check_mode)
    assert not os.path.exists(layout.seed)


def test_a_backup_after_a_rotation_contains_the_new_key(layout, stored, converge):
    outcome = converge("rotated", PASSPHRASE, backup=True)

    assert wrapping.unwrap_seed(outcome.wrapped, PASSPHRASE) == seeds.load_seed(layout)
    assert everything(layout, stored)
