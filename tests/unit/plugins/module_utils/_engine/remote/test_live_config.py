# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.accounts import find_account
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
    """Save as rclone does: replace the file by a new one."""
    with open(config.path + ".new", "w") as stream:
        stream.write(render(content(token).sections))
    os.rename(config.path + ".new", config.path)


def token_of(layout):
    return credential_store.load_credential(layout, load_seed(layout), "drive").merge_secrets()["token"]


def dies(config):
    """Release the lock, as the kernel does after SIGKILL."""
    config._lock.release()


def uses(layout):
    return os.listdir(layout.run_dir + "/live")


def test_the_configuration_is_closed_to_everybody_and_gone_afterwards(layout, opened):
    assert stat.S_IMODE(os.stat(opened.path).st_mode) == 0o600
    for folder in (opened.directory, os.path.dirname(opened.directory), layout.run_dir + "/live", layout.run_dir):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    with open(opened.path) as stream:
        assert stream.read() == render(content().sections)

    opened.close()

    assert uses(layout) == []


def test_nothing_is_saved_if_nothing_was_refreshed(layout, opened):
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


def test_a_newly_declared_token_is_not_overwritten_by_a_refreshed_one(layout, seed, opened):
    other = '{"access_token":"new"}'
    credential_store.save_credential(layout, seed, Credential("drive", "drive", secrets={"token": other}))

    rclone_saves(opened, SECOND)
    opened.close()

    assert token_of(layout) == other


def test_an_unsaved_credential_is_not_saved(layout):
    with live.open_live(layout, "unsaved", False, "R1", content) as config:
        rclone_saves(config, SECOND)
        assert not config.save_back()

    assert credential_store.list_credentials(layout) == ["drive"]
    assert uses(layout) == []


@pytest.mark.parametrize("half_saved", ["rclone.conf.old", "rclone.conf.old.1234", "rclone.conf1234"])
def test_a_token_that_a_killed_rclone_saved_half_is_found(layout, opened, half_saved):
    rclone_saves(opened, SECOND)
    os.rename(opened.path, f"{opened.directory}/{half_saved}")
    assert not opened.save_back()
    dies(opened)

    assert live.sweep_live(layout) == []

    assert token_of(layout) == SECOND
    assert uses(layout) == []


def test_the_newer_of_two_half_saved_files_is_used(layout, opened):
    for age, name, token in ((9, "rclone.conf.old", FIRST), (5, "rclone.conf1234", SECOND)):
        rclone_saves(opened, token)
        os.rename(opened.path, f"{opened.directory}/{name}")
        os.utime(f"{opened.directory}/{name}", (10000 - age, 10000 - age))
    dies(opened)

    live.sweep_live(layout)

    assert token_of(layout) == SECOND


def test_an_empty_configuration_does_not_change_the_token(layout, opened):
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


def test_a_configuration_in_use_is_not_swept(layout, opened):
    rclone_saves(opened, SECOND)

    assert live.sweep_live(layout) == []

    assert uses(layout) == ["R1"]
    assert token_of(layout) == FIRST
    opened.close()


def test_an_rclone_that_outlived_its_runner_keeps_its_configuration(layout, opened):
    inherited = [os.dup(descriptor) for descriptor in opened.descriptors]
    dies(opened)

    live.sweep_live(layout)
    assert uses(layout) == ["R1"]

    for descriptor in inherited:
        os.close(descriptor)
    live.sweep_live(layout)
    assert uses(layout) == []


@pytest.mark.parametrize("left", [(), ("lock",), ("lock", "baseline.conf")])
def test_a_use_that_was_killed_at_its_start_is_removed(layout, left):
    folder = layout.run_dir + "/live/R0"
    os.makedirs(folder)
    for name in left:
        with open(f"{folder}/{name}", "w"):
            pass

    assert live.sweep_live(layout) == []
    assert uses(layout) == []


def test_a_token_that_cannot_be_saved_is_kept_until_it_can(layout, seed, opened):
    rclone_saves(opened, SECOND)
    dies(opened)
    save_seed(layout, make_seed())

    problems = live.sweep_live(layout)

    assert len(problems) == 1
    assert os.path.dirname(opened.directory) in problems[0]
    assert "is not in the seed of this host" in problems[0]
    save_seed(layout, seed)
    assert live.sweep_live(layout) == []
    assert token_of(layout) == SECOND
    assert uses(layout) == []


def test_a_token_that_cannot_be_saved_at_the_end_is_saved_by_the_next_use(layout, opened, monkeypatch):
    rclone_saves(opened, SECOND)

    def no_space(*_arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(live, "save_refreshed", no_space)
        with pytest.raises(OSError, match="No space"):
            opened.close()
        problems = live.sweep_live(layout)
        assert "No space left on device" in problems[0]

    assert not is_held(layout.run_dir + "/live/R1/lock")
    assert live.sweep_live(layout) == []
    assert token_of(layout) == SECOND


def test_a_token_is_saved_after_a_rotation_of_the_seed_during_the_run(layout, seed, opened):
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


def test_a_use_that_fails_at_its_start_leaves_nothing(layout):
    path = live.locate_turn(layout, "drive")

    def wrong():
        raise CloudsyncError("undecryptable", "no")

    with pytest.raises(CloudsyncError, match="no"):
        live.open_live(layout, "drive", True, "R1", wrong, wait_lock(path))

    assert uses(layout) == []
    assert not is_held(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_another_user_owns_the_configuration(layout):
    with live.open_live(layout, "drive", True, "R1", content, user="nobody") as config:
        assert os.stat(config.path).st_uid == os.stat(config.directory).st_uid != 0
        use = os.path.dirname(config.directory)
        assert os.stat(use).st_uid == os.stat(use + "/lock").st_uid == os.stat(use + "/baseline.conf").st_uid == 0
        assert stat.S_IMODE(os.stat(use).st_mode) == 0o700
    with pytest.raises(CloudsyncError, match="User 'cloudsync-none' does not exist on this host"):
        live.open_live(layout, "drive", True, "R2", content, user="cloudsync-none")
    assert uses(layout) == []


@pytest.fixture
def foreign(layout):
    """The live configuration of a task whose user is nobody."""
    return live.open_live(layout, "drive", True, "R1", content, user="nobody")


def act_as_nobody(action):
    """Call ``action`` in a process of the user nobody."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            account = find_account("nobody")
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
            action()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def plant_link(directory, target):
    os.unlink(f"{directory}/rclone.conf")
    os.symlink(target, f"{directory}/rclone.conf")


def plant_fifo(directory, _target):
    os.unlink(f"{directory}/rclone.conf")
    os.mkfifo(f"{directory}/rclone.conf")


def plant_directory(directory, _target):
    os.unlink(f"{directory}/rclone.conf")
    os.mkdir(f"{directory}/rclone.conf")


def plant_half_saved_link(directory, target):
    os.unlink(f"{directory}/rclone.conf")
    os.symlink(target, f"{directory}/rclone.conf.old")


def plant_large_file(directory, _target):
    with open(f"{directory}/rclone.conf", "w") as stream:
        stream.write(render(content(THIRD).sections) + "# " + "x" * live.MOST_BYTES)


def plant_binary_file(directory, _target):
    with open(f"{directory}/rclone.conf", "wb") as stream:
        stream.write(render(content(THIRD).sections).encode() + b"# \xff")


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
@pytest.mark.parametrize(
    "plant",
    [plant_link, plant_fifo, plant_directory, plant_half_saved_link, plant_large_file, plant_binary_file],
)
@pytest.mark.parametrize("killed", [False, True])
def test_root_reads_nothing_that_the_user_of_a_task_planted(layout, foreign, tmp_path, plant, killed):
    secret = tmp_path / "of-another-run.conf"
    secret.write_text(render(content(SECOND).sections))
    secret.chmod(0o600)
    plant_as_nobody = os.open(foreign.directory, os.O_RDONLY | os.O_DIRECTORY)
    act_as_nobody(lambda: plant(f"/proc/self/fd/{plant_as_nobody}", str(secret)))
    os.close(plant_as_nobody)
    if killed:
        dies(foreign)
        assert live.sweep_live(layout) == []
    else:
        foreign.close()
    assert token_of(layout) == FIRST
    assert uses(layout) == []
    assert secret.exists()


@pytest.mark.parametrize("line", ["token = %(password)s", "nonsense"])
def test_a_line_that_no_configuration_can_hold_or_that_cannot_be_parsed_is_not_saved(layout, opened, line):
    with open(opened.path, "w") as stream:
        stream.write(f"[remote]\ntype = drive\n{line}\n")
    opened.close()
    assert token_of(layout) == FIRST
    assert uses(layout) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_a_hard_link_to_a_file_of_somebody_else_is_not_read(layout, foreign, tmp_path):
    secret = tmp_path / "of-another-run.conf"
    secret.write_text(render(content(SECOND).sections))
    os.unlink(foreign.path)
    os.link(str(secret), foreign.path)
    foreign.close()
    assert token_of(layout) == FIRST


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_the_user_of_a_task_can_neither_reach_nor_replace_the_lock(layout, foreign):
    descriptor = os.open(foreign.directory, os.O_RDONLY | os.O_DIRECTORY)

    def attack():
        for action in (
            lambda: os.listdir(f"/proc/self/fd/{descriptor}/.."),
            lambda: os.open(f"/proc/self/fd/{descriptor}/../lock", os.O_RDONLY),
            lambda: os.rename(f"/proc/self/fd/{descriptor}", "/tmp/cloudsync-moved"),
        ):
            try:
                action()
            except OSError:
                continue
            raise AssertionError(action)

    act_as_nobody(attack)
    os.close(descriptor)
    foreign.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_the_token_that_rclone_of_another_user_refreshed_is_saved_and_nothing_else(layout, foreign):
    text = render({live.REMOTE: {"type": "drive", "token": SECOND, "root_folder_id": "elsewhere"}})

    def save():
        with open(f"/proc/self/fd/{descriptor}/rclone.conf.new", "w") as stream:
            stream.write(text)
        os.rename(f"/proc/self/fd/{descriptor}/rclone.conf.new", f"/proc/self/fd/{descriptor}/rclone.conf")

    descriptor = os.open(foreign.directory, os.O_RDONLY | os.O_DIRECTORY)
    act_as_nobody(save)
    os.close(descriptor)
    foreign.close()
    stored = credential_store.load_credential(layout, load_seed(layout), "drive")
    assert stored.refreshed == {"token": SECOND}


def test_references_in_the_live_configuration_are_not_expanded(layout, opened):
    with open(opened.path, "w") as stream:
        stream.write("[remote]\ntype = drive\na = " + "%(b)s" * 20000 + "\nb = " + "x" * 2000 + "\ntoken = t\n")
    opened.close()
    assert token_of(layout) == "t"
