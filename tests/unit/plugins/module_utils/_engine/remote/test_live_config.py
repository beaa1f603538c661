# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.flock import is_held, wait_lock
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import credential_store
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.seed import (
    load_seed,
    make_seed,
    save_seed,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.conf_file import render
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import live_config as live

FIRST, SECOND, THIRD = (f'{{"access_token":"A{number}","refresh_token":"R{number}"}}' for number in (1, 2, 3))
CRYPT = {"type": "crypt", "remote": "remote:x", "password": "obscured"}


@pytest.fixture(autouse=True)
def drive(layout, seed):
    credential_store.save_credential(layout, seed, Credential("drive", "drive", secrets={"token": FIRST}))


def content(token=FIRST):
    return live.Content({live.REMOTE: {"type": "drive", "token": token}, live.CRYPT: CRYPT})


@pytest.fixture
def opened(layout):
    return live.open_live(layout, "drive", True, "R1", content)


def rclone_saves(config, token):
    """As rclone does: a new file takes the place of the old one."""
    with open(config.path + ".new", "w") as stream:
        stream.write(render(content(token).sections))
    os.rename(config.path + ".new", config.path)


def token_of(layout):
    return credential_store.load_credential(layout, load_seed(layout), "drive").merge_secrets()["token"]


def dies(config):
    """All that the kernel does for a runner that gets SIGKILL."""
    config._lock.release()


def uses(layout):
    return os.listdir(layout.run_dir + "/live")


def test_the_configuration_is_closed_to_everybody_and_gone_afterwards(layout, opened):
    assert stat.S_IMODE(os.stat(opened.path).st_mode) == 0o600
    for folder in (opened.directory, os.path.dirname(opened.directory), layout.run_dir):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    with open(opened.path) as stream:
        assert stream.read() == render(content().sections)

    opened.close()

    assert uses(layout) == []


def test_nothing_is_saved_when_nothing_was_refreshed(layout, opened):
    before = credential_store.read_credential(layout, "drive")

    assert not opened.save_back()
    rclone_saves(opened, FIRST)
    assert not opened.save_back()
    opened.close()

    assert credential_store.read_credential(layout, "drive") == before


def test_a_refreshed_token_is_saved_while_rclone_runs_each_time(layout, opened):
    rclone_saves(opened, SECOND)
    assert opened.save_back()
    assert token_of(layout) == SECOND
    assert not opened.save_back()

    rclone_saves(opened, THIRD)
    opened.close()
    assert token_of(layout) == THIRD


def test_a_token_that_was_declared_meanwhile_wins(layout, seed, opened):
    other = '{"access_token":"new"}'
    credential_store.save_credential(layout, seed, Credential("drive", "drive", secrets={"token": other}))

    rclone_saves(opened, SECOND)
    opened.close()

    assert token_of(layout) == other


def test_a_credential_that_is_in_no_store_is_not_put_there(layout):
    with live.open_live(layout, "unsaved", False, "R1", content) as config:
        rclone_saves(config, SECOND)
        assert not config.save_back()

    assert credential_store.list_credentials(layout) == ["drive"]
    assert uses(layout) == []


@pytest.mark.parametrize("half_saved", ["rclone.conf.old", "rclone.conf.old.1234", "rclone.conf1234"])
def test_a_token_that_rclone_had_saved_only_half_when_it_was_killed_is_found(layout, opened, half_saved):
    rclone_saves(opened, SECOND)
    os.rename(opened.path, f"{opened.directory}/{half_saved}")
    assert not opened.save_back()
    dies(opened)

    assert live.sweep_live(layout) == []

    assert token_of(layout) == SECOND
    assert uses(layout) == []


def test_of_two_half_saved_files_the_newer_one_counts(layout, opened):
    for age, name, token in ((9, "rclone.conf.old", FIRST), (5, "rclone.conf1234", SECOND)):
        rclone_saves(opened, token)
        os.rename(opened.path, f"{opened.directory}/{name}")
        os.utime(f"{opened.directory}/{name}", (10000 - age, 10000 - age))
    dies(opened)

    live.sweep_live(layout)

    assert token_of(layout) == SECOND


def test_an_empty_configuration_loses_nothing(layout, opened):
    with open(opened.path, "w"):
        pass
    opened.close()

    assert token_of(layout) == FIRST


def test_whoever_comes_next_saves_what_a_killed_run_left_and_removes_it(layout, opened):
    rclone_saves(opened, SECOND)
    dies(opened)

    assert live.sweep_live(layout) == []

    assert token_of(layout) == SECOND
    assert uses(layout) == []


def test_what_is_in_use_is_left_alone(layout, opened):
    rclone_saves(opened, SECOND)

    assert live.sweep_live(layout) == []

    assert uses(layout) == ["R1"]
    assert token_of(layout) == FIRST
    opened.close()


def test_a_rclone_that_outlived_its_runner_keeps_its_configuration(layout, opened):
    inherited = [os.dup(descriptor) for descriptor in opened.descriptors]
    dies(opened)

    live.sweep_live(layout)
    assert uses(layout) == ["R1"]

    for descriptor in inherited:
        os.close(descriptor)
    live.sweep_live(layout)
    assert uses(layout) == []


@pytest.mark.parametrize("left", [(), ("lock",), ("lock", "baseline.conf")])
def test_a_use_that_was_killed_while_it_began_is_removed(layout, left):
    folder = layout.run_dir + "/live/R0"
    os.makedirs(folder)
    for name in left:
        with open(f"{folder}/{name}", "w"):
            pass

    assert live.sweep_live(layout) == []
    assert uses(layout) == []


def test_a_token_that_can_not_be_saved_stays_until_it_can(layout, seed, opened):
    rclone_saves(opened, SECOND)
    dies(opened)
    save_seed(layout, make_seed())

    problems = live.sweep_live(layout)

    assert len(problems) == 1
    assert opened.directory in problems[0]
    assert "which this host's seed lacks" in problems[0]
    save_seed(layout, seed)
    assert live.sweep_live(layout) == []
    assert token_of(layout) == SECOND
    assert uses(layout) == []


def test_a_token_that_can_not_be_saved_at_the_end_is_left_to_the_next_one(layout, opened, monkeypatch):
    rclone_saves(opened, SECOND)

    def no_space(*_arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(live, "save_refreshed", no_space)
        with pytest.raises(OSError, match="No space"):
            opened.close()
        problems = live.sweep_live(layout)
        assert "No space left on device" in problems[0]

    assert not is_held(opened.directory + "/lock")
    assert live.sweep_live(layout) == []
    assert token_of(layout) == SECOND


def test_a_token_is_saved_after_the_seed_was_rotated_during_the_run(layout, seed, opened):
    both = seed.add_primary()
    credential_store.save_credential(layout, both, credential_store.load_credential(layout, seed, "drive"))
    save_seed(layout, both.drop_former_keys())

    rclone_saves(opened, SECOND)
    opened.close()

    assert token_of(layout) == SECOND


def test_the_turn_ends_with_the_use(layout):
    path = live.locate_turn(layout, "drive")
    config = live.open_live(layout, "drive", True, "R1", content, wait_lock(path))
    assert is_held(path)
    assert len(config.descriptors) == 2
    config.close()
    assert not is_held(path)


def test_a_use_that_can_not_begin_leaves_nothing(layout):
    path = live.locate_turn(layout, "drive")

    def wrong():
        raise CloudsyncError("undecryptable", "no")

    with pytest.raises(CloudsyncError, match="no"):
        live.open_live(layout, "drive", True, "R1", wrong, wait_lock(path))

    assert uses(layout) == []
    assert not is_held(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_another_user_owns_the_configuration_or_is_named_when_there_is_none(layout):
    with live.open_live(layout, "drive", True, "R1", content, user="nobody") as config:
        assert os.stat(config.path).st_uid == os.stat(config.directory).st_uid != 0
        assert os.stat(config.directory + "/lock").st_uid == 0
    with pytest.raises(CloudsyncError, match="The user 'cloudsync-none' does not exist on this host"):
        live.open_live(layout, "drive", True, "R2", content, user="cloudsync-none")
    assert uses(layout) == []
