# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import time
from types import SimpleNamespace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.flock import is_held, wait_lock
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.stop_signal import StopFlag
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.binary import Rclone
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import session as sessions
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.session import Session

IGNORES_SIGTERM = "trap '' TERM; echo $$; while :; do sleep 0.05; done"


@pytest.fixture
def live(tmp_path):
    """A live configuration that counts how often it is saved back."""
    (tmp_path / "rclone.conf").write_text("[remote]\n")
    made = SimpleNamespace(path=str(tmp_path / "rclone.conf"), directory=str(tmp_path), arguments=("--fast-list",))
    made.descriptors, made.saves = (), []
    made.save_back = lambda: made.saves.append(time.monotonic())
    made.ends = []
    made.note_end = lambda *end: made.ends.append(end)
    return made


@pytest.fixture
def session(live, scripted):
    return Session(Rclone(str(scripted.program), (1, 75, 2)), live, grace=0.5)


def test_both_outputs_are_passed_on_without_empty_lines(session, scripted):
    scripted.on("copy", "echo out; echo; echo one >&2; echo >&2; printf two >&2; exit 9")
    errors, output = [], []
    ended = session.stream(["copy", "a", "b"], errors.append, output.append)
    assert (errors, output) == (["one", "two"], ["out"])
    assert (ended.exit_code, ended.stopped, ended.timed_out) == (9, False, False)


def test_rclone_gets_the_configuration_and_an_environment_built_from_nothing(session, scripted, live, monkeypatch):
    monkeypatch.setenv("RCLONE_CONFIG_PASS", "hunter2")
    scripted.on("version", 'echo "$config"; env')
    answer = session.query(["version"])
    config, *environment = answer.stdout.splitlines()
    assert config == live.path
    assert {line.split("=")[0] for line in environment} >= {"PATH", "HOME", "LANG"}
    assert "hunter2" not in answer.stdout
    assert (scripted.folder / "called").read_text() == (
        f"--config {live.path} --ask-password=false --use-json-log --stats=1s --stats-log-level=NOTICE --fast-list "
        "version\n"
    )


def test_refreshed_tokens_are_saved_while_rclone_runs_and_after_its_end(session, scripted, live):
    scripted.on("copy", "sleep 1")
    started = time.monotonic()
    session.stream(["copy"], print)
    assert len(live.saves) >= 3
    assert live.saves[0] - started < 1 <= live.saves[-1] - started


@pytest.mark.parametrize(
    "script, argument, end",
    [
        ("exit 0", "remote:bucket", (0, True)),
        ("exit 3", "crypt:", (3, True)),
        ("exit 0", "/srv/remote:bucket", (0, False)),
        ("kill -9 $$", "remote:", (-signal.SIGKILL, True)),
    ],
)
def test_the_live_configuration_learns_how_each_command_ended(session, scripted, live, script, argument, end):
    scripted.on("lsf", script)
    session.stream(["lsf", "--", argument], print)
    assert live.ends == [end]


@pytest.mark.parametrize(("command", "said"), [("lsjson", 2), ("rcat", 0)])
def test_a_silent_command_that_takes_long_is_said_again_and_again(live, scripted, monkeypatch, command, said):
    monkeypatch.setattr(sessions, "SAY_SECONDS", 0.4)
    lines = []
    session = Session(Rclone(str(scripted.program), (1, 75, 2)), live, say=lines.append)
    scripted.on(command, "sleep 1.7; echo []")
    session.query([command, "--recursive", "--", "remote:bucket/data"])
    assert len(lines) >= said and all(
        line.startswith("still active after ") and line.endswith(" s: rclone lsjson remote:bucket/data")
        for line in lines
    )


def test_a_stop_ends_rclone_with_sigterm(session, scripted):
    scripted.on("copy", "trap 'echo cleaned up >&2; exit 5' TERM; echo $$ >&2; while :; do sleep 0.05; done")
    lines = []
    session.stop = StopFlag()
    ended = session.stream(["copy"], lambda line: (lines.append(line), session.stop.request()))
    assert (ended.exit_code, ended.stopped, ended.timed_out) == (5, True, False)
    assert lines[1:] == ["cleaned up"]


def test_an_rclone_that_ignores_sigterm_is_killed_after_the_grace(session, scripted, is_alive):
    scripted.on("copy", IGNORES_SIGTERM)
    asked, pids = [], []

    def listen(line):
        pids.append(int(line))
        asked.append(time.monotonic())
        session.stop.request()

    ended = session.stream(["copy"], print, listen)
    assert 0.5 <= time.monotonic() - asked[0] < 5
    assert (ended.exit_code, ended.stopped) == (-signal.SIGKILL, True)
    assert not is_alive(pids[0])


def test_the_grace_of_rclone_is_ten_seconds(live, scripted):
    assert sessions.GRACE_SECONDS == 10
    assert Session(Rclone(str(scripted.program), (1, 75, 2)), live).grace == 10


def test_an_rclone_over_its_time_is_ended(session, scripted):
    scripted.on("copy", "exec sleep 60")
    ended = session.stream(["copy"], print, timeout=0.2)
    assert (ended.exit_code, ended.stopped, ended.timed_out) == (-signal.SIGTERM, False, True)


def test_a_helper_that_rclone_leaves_behind_does_not_hang_the_session(session, scripted):
    scripted.on("lsf", "sleep 60 & echo $!")
    started = time.monotonic()
    answer = session.query(["lsf"])
    os.kill(int(answer.stdout), signal.SIGKILL)
    assert time.monotonic() - started < 10


def test_rclone_holds_the_locks_of_the_run(session, scripted, tmp_path):
    path = str(tmp_path / "locks" / "nightly")
    lock = wait_lock(path)
    session.descriptors = (lock.descriptor,)
    scripted.on("copy", "echo up >&2; sleep 1")
    held = []

    def release(_line):
        lock.release()
        held.append(is_held(path))

    session.stream(["copy"], release)
    assert held == [True]
    assert not is_held(path)


def test_a_query_can_end_at_its_first_line(session, scripted):
    scripted.on("lsf", "echo first; exec sleep 60")
    assert session.query(["lsf"], first_line_only=True).stdout == "first"


def test_a_query_passes_its_input(session, scripted):
    scripted.on("rcat", "cat")
    assert session.query(["rcat"], stdin=b"canary").stdout == "canary"


def test_a_query_that_does_not_answer_in_time_is_a_network_error(session, scripted):
    scripted.on("lsf", "exec sleep 60")
    with pytest.raises(CloudsyncError, match="rclone lsf ") as caught:
        session.query(["lsf"], timeout=0.2)
    assert caught.value.reason == "network"


def test_a_stop_ends_a_query(session, scripted):
    scripted.on("lsf", "exec sleep 60")
    session.stop.request()
    with pytest.raises(CloudsyncError) as caught:
        session.query(["lsf"])
    assert caught.value.reason == "stopped"


def test_an_error_of_the_listener_ends_rclone(session, scripted, is_alive):
    scripted.on("copy", "echo $$; exec sleep 60")
    pids = []

    def fail(line):
        pids.append(int(line))
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        session.stream(["copy"], print, fail)
    assert not is_alive(pids[0])


def test_a_command_that_makes_no_progress_is_ended(live, scripted):
    scripted.on("lsjson", "sleep 30")
    session = Session(Rclone(str(scripted.program), (1, 75, 2)), live, grace=0.5, patience=0.5)
    assert session.stream(["lsjson"], print).stalled
    with pytest.raises(CloudsyncError, match="made no progress for 0 s") as error:
        session.query(["lsjson"])
    assert error.value.reason == "stalled"
