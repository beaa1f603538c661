# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import json
import os
import pathlib
import stat
import subprocess
import sys
from dataclasses import replace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.accounts import find_account
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.files import TEMPORARY
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.flock import is_held
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.stop_signal import StopFlag
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import credential_store
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.seed import (
    load_seed,
    make_seed,
    save_seed,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.conf_file import parse, render
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import live_config as live
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import (
    live_uses,
    login_problems,
    refreshed,
)

FIRST, SECOND, THIRD = (f'{{"access_token":"A{number}","refresh_token":"R{number}"}}' for number in (1, 2, 3))
CRYPT = {"type": "crypt", "remote": "remote:x", "password": "obscured"}


@pytest.fixture(autouse=True)
def drive(layout, seed):
    credential_store.save_credential(layout, seed, DRIVE)


DRIVE = Credential("drive", "drive", secrets={"token": FIRST})


def content(token=FIRST):
    return live.Content({refreshed.REMOTE: {"type": "drive", "token": token}, live.CRYPT: CRYPT})


def build(credential):
    """Return the content for ``credential``, as open.py does."""
    return content(credential.merge_secrets()["token"])


def open_use(layout, use_id="R1", credential=DRIVE, **more):
    return live.open_live(layout, credential, True, use_id, build, **more)


@pytest.fixture
def opened(layout):
    return open_use(layout)


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
    with live.open_live(layout, replace(DRIVE, name="unsaved"), False, "R1", build) as config:
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

    assert live_uses.sweep_live(layout) == live_uses.Swept([], [])

    assert token_of(layout) == SECOND
    assert uses(layout) == []


def test_the_newer_of_two_half_saved_files_is_used(layout, opened):
    for age, name, token in ((9, "rclone.conf.old", FIRST), (5, "rclone.conf1234", SECOND)):
        rclone_saves(opened, token)
        os.rename(opened.path, f"{opened.directory}/{name}")
        os.utime(f"{opened.directory}/{name}", (10000 - age, 10000 - age))
    dies(opened)

    live_uses.sweep_live(layout)

    assert token_of(layout) == SECOND


def test_an_empty_configuration_does_not_change_the_token(layout, opened):
    with open(opened.path, "w"):
        pass
    opened.close()

    assert token_of(layout) == FIRST


def test_whoever_comes_next_saves_what_a_killed_run_left_and_removes_it(layout, opened):
    rclone_saves(opened, SECOND)
    dies(opened)

    assert live_uses.sweep_live(layout) == live_uses.Swept([], [])

    assert token_of(layout) == SECOND
    assert uses(layout) == []


def test_a_configuration_in_use_is_not_swept(layout, opened):
    rclone_saves(opened, SECOND)

    assert live_uses.sweep_live(layout) == live_uses.Swept([], [])

    assert uses(layout) == ["R1"]
    assert token_of(layout) == FIRST
    opened.close()


def test_an_rclone_that_outlived_its_runner_keeps_its_configuration(layout, opened):
    inherited = [os.dup(descriptor) for descriptor in opened.descriptors]
    dies(opened)

    live_uses.sweep_live(layout)
    assert uses(layout) == ["R1"]

    for descriptor in inherited:
        os.close(descriptor)
    live_uses.sweep_live(layout)
    assert uses(layout) == []


@pytest.mark.parametrize("left", [(), ("lock",), ("lock", ".known.json.k2j4h5x_" + TEMPORARY)])
def test_a_use_that_was_killed_at_its_start_is_removed(layout, left):
    folder = layout.run_dir + "/live/R0"
    os.makedirs(folder)
    for name in left:
        with open(f"{folder}/{name}", "w"):
            pass

    assert live_uses.sweep_live(layout) == live_uses.Swept([], [])
    assert uses(layout) == []


def test_a_token_that_cannot_be_saved_is_kept_until_it_can(layout, seed, opened):
    rclone_saves(opened, SECOND)
    dies(opened)
    save_seed(layout, make_seed())

    problems = live_uses.sweep_live(layout).problems

    assert len(problems) == 1
    assert os.path.dirname(opened.directory) in problems[0]
    assert "is not in the seed of this host" in problems[0]
    save_seed(layout, seed)
    assert live_uses.sweep_live(layout) == live_uses.Swept([], [])
    assert token_of(layout) == SECOND
    assert uses(layout) == []


def test_a_token_is_saved_after_a_rotation_of_the_seed_during_the_run(layout, seed, opened):
    both = seed.add_primary()
    credential_store.save_credential(layout, both, credential_store.load_credential(layout, seed, "drive"))
    save_seed(layout, both.drop_former_keys())

    rclone_saves(opened, SECOND)
    opened.close()

    assert token_of(layout) == SECOND


@pytest.fixture
def single_use(layout, seed):
    """A credential whose refresh token can be used only once, with an access token that has expired."""
    made = Credential("box", "box", secrets={"token": build_token(1)})
    credential_store.save_credential(layout, seed, made)
    return made


def build_token(number, expiry="2020-01-01T00:00:00.123456789+02:00"):
    return json.dumps({"access_token": f"A{number}", "refresh_token": f"R{number}", "expiry": expiry})


def stored_box(layout):
    return credential_store.load_credential(layout, load_seed(layout), "box").merge_secrets()["token"]


def live_token(config):
    return parse(pathlib.Path(config.path).read_text())["remote"]["token"]


def test_the_turn_ends_with_the_use(layout, single_use):
    path = live.locate_turn(layout, "box")
    config = open_use(layout, credential=single_use)
    assert is_held(path)
    # The file of filters, the lock of the use, and the turn.
    assert len(config.descriptors) == 3
    config.close()
    assert not is_held(path)


def test_a_use_that_fails_at_its_start_leaves_nothing(layout, single_use):
    def wrong(_credential):
        raise CloudsyncError("undecryptable", "no")

    with pytest.raises(CloudsyncError, match="no"):
        live.open_live(layout, single_use, True, "R1", wrong)

    assert not os.path.exists(layout.run_dir + "/live")
    assert not is_held(live.locate_turn(layout, "box"))


def test_a_use_begins_with_the_token_that_the_use_before_it_left_at_its_death(layout, single_use):
    """The use before it is killed while this one waits for its turn, so nobody has swept."""
    first = open_use(layout, "R1", single_use)
    announced, opened = [], []

    def say(text):
        announced.append(text)
        rclone_saves(first, build_token(2))
        first._lock.release()
        first._turn.release()

    opened.append(open_use(layout, "R2", single_use, stop=StopFlag(), say=say))

    assert "credential box is in use" in announced[0]
    assert live_token(opened[0]) == build_token(2)
    assert stored_box(layout) == build_token(2)
    assert uses(layout) == ["R2"]


NAMES = ("rclone.conf", "rclone.conf.old123", "rclone.conf456")


@pytest.mark.parametrize("newest", NAMES)
@pytest.mark.parametrize("killed", ["rclone", "both"])
def test_the_newest_of_all_files_is_saved_before_any_is_removed(layout, opened, newest, killed):
    for name in NAMES:
        rclone_saves(opened, SECOND if name == newest else FIRST)
        os.rename(opened.path, f"{opened.directory}/{name}.moved")
    for name in NAMES:
        os.rename(f"{opened.directory}/{name}.moved", f"{opened.directory}/{name}")
        age = 1 if name == newest else 100
        os.utime(f"{opened.directory}/{name}", (10000 - age, 10000 - age))

    if killed == "rclone":
        opened.close()
    else:
        dies(opened)
        live_uses.sweep_live(layout)

    assert token_of(layout) == SECOND
    assert uses(layout) == []


@pytest.mark.parametrize("cut", [0, 5, 30, 60, 1000])
def test_a_half_written_file_is_passed_over(layout, opened, cut):
    rclone_saves(opened, SECOND)
    with open(opened.directory + "/rclone.conf77", "w") as stream:
        stream.write(render(content(THIRD).sections)[:cut])

    opened.close()

    assert token_of(layout) == (THIRD if cut == 1000 else SECOND)


def test_after_a_kill_of_rclone_alone_the_next_command_has_the_newest_token(layout, opened):
    rclone_saves(opened, SECOND)
    os.rename(opened.path, opened.directory + "/rclone.conf77")

    opened.note_end(-9, True)

    assert live_token(opened) == SECOND
    assert token_of(layout) == SECOND
    opened.close()


@pytest.fixture
def full(monkeypatch):
    """Make /etc full while the list is not empty."""
    made = []
    write = credential_store.write_json

    def fails(path, content):
        if made:
            raise OSError(errno.ENOSPC, "No space left on device", path)
        write(path, content)

    monkeypatch.setattr(credential_store, "write_json", fails)
    return made


def test_a_use_goes_on_while_its_token_cannot_be_saved_and_saves_it_as_soon_as_it_can(
    layout, opened, full, monkeypatch
):
    monkeypatch.setattr(live, "RETRY_SECONDS", 0)
    full.append(True)
    rclone_saves(opened, SECOND)
    assert not opened.save_back()
    assert "No space left on device" in opened.problem and "a reboot loses it" in opened.problem
    assert login_problems.list_live_problems(layout) == [opened.problem]

    full.clear()
    assert opened.save_back()

    assert opened.problem == ""
    assert token_of(layout) == SECOND
    assert login_problems.list_live_problems(layout) == []
    opened.close()


@pytest.mark.parametrize("died", [False, True])
def test_the_next_use_begins_with_the_token_that_could_not_be_saved(layout, single_use, full, died):
    full.append(True)
    first = open_use(layout, "R1", single_use)
    rclone_saves(first, build_token(2))
    if died:
        dies(first)
        first._turn.release()
    else:
        first.close()
        assert "No space left" in first.problem

    second = open_use(layout, "R2", single_use)
    assert live_token(second) == build_token(2)
    assert uses(layout) == ["R2"]
    assert "R2" in login_problems.list_live_problems(layout)[0]
    rclone_saves(second, build_token(3))
    second.close()
    third = open_use(layout, "R3", single_use)
    assert live_token(third) == build_token(3)
    assert stored_box(layout) == build_token(1)

    full.clear()
    third.close()

    assert stored_box(layout) == build_token(3)
    assert uses(layout) == [] and login_problems.list_live_problems(layout) == []


def test_a_token_declared_anew_is_used_although_an_older_one_could_not_be_saved(layout, seed, single_use, full):
    full.append(True)
    first = open_use(layout, "R1", single_use)
    rclone_saves(first, build_token(2))
    first.close()
    full.clear()
    anew = replace(single_use, secrets={"token": build_token(9)})
    credential_store.save_credential(layout, seed, anew)

    second = open_use(layout, "R2", single_use)

    assert live_token(second) == build_token(9)
    second.close()
    assert stored_box(layout) == build_token(9)
    assert uses(layout) == []


def test_a_kill_between_any_two_steps_of_a_save_loses_no_later_token(layout, opened, monkeypatch):
    """The store has the second token, but the list of the use may not say so. Then rclone refreshes again, and dies."""
    rclone_saves(opened, SECOND)
    with monkeypatch.context() as patched:
        patched.setattr(refreshed, "save_refreshed", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            opened.save_back()
    credential_store.save_refreshed(layout, "drive", [{"token": FIRST}], {"token": SECOND})
    rclone_saves(opened, THIRD)
    dies(opened)

    live_uses.sweep_live(layout)

    assert token_of(layout) == THIRD


@pytest.mark.parametrize("expiry, doubtful", [("2020-01-01T00:00:00Z", True), ("2999-01-01T00:00:00Z", False)])
@pytest.mark.parametrize("victim", ["rclone", "both"])
def test_a_login_that_a_kill_may_have_lost_is_a_problem_until_the_provider_accepts_it(
    layout, single_use, expiry, doubtful, victim
):
    config = open_use(layout, "R1", single_use)
    rclone_saves(config, build_token(2, expiry))
    if victim == "rclone":
        config.note_end(-9, True)
        config.close()
    else:
        dies(config)
        config._turn.release()
        live_uses.sweep_live(layout)
    assert login_problems.list_doubts(layout) == (["box"] if doubtful else [])
    assert bool(login_problems.list_live_problems(layout)) is doubtful

    config = open_use(layout, "R2", single_use)
    config.note_end(0, False)
    assert login_problems.list_doubts(layout) == (["box"] if doubtful else [])
    config.note_end(0, True)
    assert login_problems.list_doubts(layout) == []
    config.close()


STRESS = """
import os, sys
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import live_config, live_uses

layout, number = Layout(sys.argv[1]), sys.argv[2]
credential = Credential("drive", "drive")
content = live_config.Content({"remote": {"type": "drive", "token": "t"}})
for count in range(150):
    if number == "0" or count % 3 == 0:
        found = live_uses.sweep_live(layout)
        assert found.problems == [], found
    use = live_config.open_live(layout, credential, False, f"R{number}-{count}", lambda _credential: content)
    if count % 10 == 9:
        os.close(use.descriptors[0])  # as a kill
        continue
    use.close()
    assert use.problem == "", use.problem
"""


def test_uses_that_end_and_sweeps_at_the_same_time_do_not_disturb_each_other(layout):
    command = [sys.executable, "-c", STRESS, layout.root]
    parents = str(pathlib.Path(live.__file__).parents[7])
    running = [
        subprocess.Popen([*command, str(number)], env={"PYTHONPATH": parents, "PATH": "/usr/bin:/bin"}, stderr=-1)
        for number in range(4)
    ]
    for process in running:
        assert process.communicate(timeout=120)[1] == b""
        assert process.returncode == 0
    live_uses.sweep_live(layout)
    assert uses(layout) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_another_user_owns_the_configuration(layout):
    with open_use(layout, user="nobody") as config:
        assert os.stat(config.path).st_uid == os.stat(config.directory).st_uid != 0
        use = os.path.dirname(config.directory)
        assert os.stat(use).st_uid == os.stat(use + "/lock").st_uid == os.stat(use + "/known.json").st_uid == 0
        assert stat.S_IMODE(os.stat(use).st_mode) == 0o700
    with pytest.raises(CloudsyncError, match="User 'cloudsync-none' does not exist on this host"):
        open_use(layout, "R2", user="cloudsync-none")
    assert uses(layout) == []


@pytest.fixture
def foreign(layout):
    """The live configuration of a task whose user is nobody."""
    return open_use(layout, user="nobody")


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
        stream.write(render(content(THIRD).sections) + "# " + "x" * refreshed.MOST_BYTES)


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
        assert live_uses.sweep_live(layout) == live_uses.Swept([], [])
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
    text = render({refreshed.REMOTE: {"type": "drive", "token": SECOND, "root_folder_id": "elsewhere"}})

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
