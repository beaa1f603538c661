# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refresh a token that can be used once many times, by concurrent runs, under kills, on a full disk, with a new seed.

The stored token is always the newest that the provider accepts. If a kill falls between the answer of the provider and
the save of rclone, the new token exists nowhere. Then the operator learns of it before the next run.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time
from contextlib import contextmanager, nullcontext

import fake_gcs
import pytest
from harness import scale, wait_for, write_tree
from killing import MOST_STEPS, build_step_killer, kill, wait_for_release

TASKS = ("up", "more")
LOST = "The login of credential cloud is lost"
UNSAVED = "The refreshed token of credential cloud is not saved yet"


class Account(fake_gcs.Cloud):
    """``before_answer``: called when a token was replaced, before the answer."""

    before_answer = None

    def rotate(self, refresh_token):
        tokens = super().rotate(refresh_token)
        if tokens and self.before_answer:
            self.before_answer()
        return tokens

    def log_in_again(self):
        """Accept a new login, and return its token."""
        self.refresh_token = f"REFRESH-LOGIN-{self.refreshes}"
        return json.dumps({**json.loads(self.first_token()), "refresh_token": self.refresh_token})


@pytest.fixture(name="cloud")
def fixture_cloud():
    return Account()


@pytest.fixture(name="busy")
def fixture_busy(machine, cloud):
    """A machine with two pushes on one credential, and a folder of credentials that can be filled."""
    pathlib.Path(machine.layout.credentials_dir).mkdir(mode=0o700, parents=True)
    is_root = os.geteuid() == 0
    if is_root:
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", machine.layout.credentials_dir]
        subprocess.run(mount, check=True)
    try:
        with fake_gcs.serving(cloud) as port:
            machine.declared = fake_gcs.credential(port, cloud)
            machine.tasks = [
                {
                    "name": name,
                    "credential": "cloud",
                    "direction": "push",
                    "path": str(machine.data / name),
                    "remote_path": "bkt/" + name,
                    "transfers": 1,
                    "retries": 0,
                }
                for name in TASKS
            ]
            for name in TASKS:
                write_tree(machine.data / name, {f"{number}.txt": str(number) for number in range(5)})
            machine.declare([machine.declared], machine.tasks)
            yield machine
    finally:
        if is_root:
            subprocess.run(["umount", machine.layout.credentials_dir], check=True)


@contextmanager
def full(machine):
    """Fill the disk of the credentials."""
    filler = pathlib.Path(machine.layout.credentials_dir, "filler")
    with open(filler, "wb", buffering=0) as stream, pytest.raises(OSError, match="No space"):
        while True:
            stream.write(b"x" * 1024)
    try:
        yield
    finally:
        filler.unlink()


def stored_token(machine):
    return json.loads(machine.stored("cloud").merge_secrets()["token"])["refresh_token"]


def exists_somewhere(machine, token):
    """Return whether the token is in the store, or in a file that rclone has written completely."""
    live = [path for use in machine.live() for path in use.rglob("rclone.conf*")]
    return stored_token(machine) == token or any(f'"{token}"' in path.read_text() for path in live)


def log_in_again(machine, cloud):
    token = cloud.log_in_again()
    machine.declared = {**machine.declared, "secrets": {**machine.declared["secrets"], "token": token}}
    machine.declare([machine.declared])
    assert machine.cloudsync("verify", "cloud").code == 0
    assert not [line for line in machine.cloudsync("check").out.splitlines() if line.startswith(LOST)]


def settle(machine, cloud):
    """Recover as systemd does after a kill. Return whether the kill has lost the login, which has to be told."""
    kept = exists_somewhere(machine, cloud.refresh_token)
    for task in TASKS:
        assert machine.cloudsync("sweep", task).code == 0
    if kept:
        assert stored_token(machine) == cloud.refresh_token
        assert not machine.live()
        return False
    assert LOST in machine.cloudsync("check").out
    return True


def start_some(machine, chance, tracing):
    """Start runs, a verify and a listing at the same time."""
    prefix = build_step_killer(chance.randint(1, MOST_STEPS)) if tracing else []
    command = machine.layout.command
    words = [[*prefix, command, "run", "up"], [command, "run", "more"]]
    words += chance.sample([[command, "verify", "cloud"], [command, "run", "up", "--dry-run"]], 1)
    chance.shuffle(words)
    return [
        subprocess.Popen(
            each, env=machine.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for each in words
    ]


def end(runs):
    for run in runs:
        run.communicate(timeout=60)


@pytest.mark.soak
def test_the_stored_token_is_always_the_newest_that_the_provider_accepts(busy, cloud, new_rounds):
    rounds = new_rounds("tokens", ["runner", "rclone", "both", "step", "step", "none"])
    losses = 0
    while cloud.refreshes < scale(20, 200):
        victim, chance = next(rounds)
        rejected = cloud.rejected
        fills = os.geteuid() == 0 and chance.random() < 0.25
        with full(busy) if fills else nullcontext():
            runs = start_some(busy, chance, victim == "step")
            # A playbook that still contains the first token.
            assert not busy.declare([busy.declared]).changed
            if victim in ("runner", "rclone", "both"):
                time.sleep(chance.uniform(0, 2))
                kill(chance.choice(runs), victim)
            if not fills and chance.random() < 0.25:
                assert busy.module("seed", state="rotated")["changed"]
            end(runs)
            wait_for_release(busy, *TASKS)
        if settle(busy, cloud):
            losses += 1
            log_in_again(busy, cloud)
        else:
            assert cloud.rejected == rejected, victim
    assert b"REFRESH" not in b"".join(busy.left_behind().values())
    print(f"{cloud.refreshes} refreshes, {losses} unavoidable new logins")


def test_a_lost_login_is_told_before_the_next_run(busy, cloud, reliability):
    """The kill falls between the answer of the provider and the save of rclone."""
    busy.run("up")
    time.sleep(cloud.lifetime + 1)
    run = busy.start("up")

    def die():
        kill(run, "both")

    cloud.before_answer = die
    run.communicate()
    cloud.before_answer = None
    wait_for_release(busy, "up")
    assert not exists_somewhere(busy, cloud.refresh_token)

    assert busy.cloudsync("sweep", "up").code == 0

    assert LOST in busy.cloudsync("check").out
    record = busy.history("up")[0]
    assert (record["state"], record["reason"]) == ("aborted", "interrupted")
    assert LOST in record["message"] and "Authorize the credential again" in record["message"]
    log_in_again(busy, cloud)
    busy.run("up")
    assert stored_token(busy) == cloud.refresh_token
    reliability.add(
        "The runner and rclone are killed after the provider has replaced a single-use refresh token, and before the "
        "new one is saved.",
        record,
        heard="the notification of the killed run and `cloudsync check`, before the next run",
        lost="the login, which you have to authorize again",
    )


def test_rclone_alone_is_killed_before_it_saves_a_token(busy, cloud):
    busy.run("up")
    time.sleep(cloud.lifetime + 1)
    run = busy.start("up")
    cloud.before_answer = lambda: kill(run, "rclone")
    record = busy.ended(run, 1)
    cloud.before_answer = None
    assert LOST in record["message"]
    assert LOST in busy.cloudsync("check").out
    log_in_again(busy, cloud)
    busy.run("up")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_on_a_full_disk_a_transfer_goes_on_and_the_next_one_begins_with_its_token(busy, cloud, reliability):
    busy.run("up")
    with full(busy):
        time.sleep(cloud.lifetime + 1)
        record = busy.run("up")
        assert UNSAVED in record["message"] and "No space left on device" in record["message"]
        assert UNSAVED in busy.cloudsync("check").out
        assert stored_token(busy) != cloud.refresh_token
        time.sleep(cloud.lifetime + 1)
        assert UNSAVED in busy.run("more")["message"]
        time.sleep(cloud.lifetime + 1)
        seen = cloud.refreshes
        cloud.delay = 1.0
        write_tree(busy.data / "up", {"new.txt": "new"})
        run = busy.start("up")
        wait_for(lambda: cloud.refreshes > seen and exists_somewhere(busy, cloud.refresh_token), "rclone's save")
        kill(run, "both")
        cloud.delay = 0.0
        run.communicate()
        wait_for_release(busy, "up")
    assert busy.cloudsync("verify", "cloud").code == 0
    assert cloud.rejected == 0
    assert stored_token(busy) == cloud.refresh_token
    assert not busy.live()
    assert "up: aborted" in busy.cloudsync("check").out
    busy.run("up")
    assert busy.cloudsync("check").code == 0
    reliability.add(
        "/etc is full while a token is refreshed.",
        record,
        heard="the message of the run and `cloudsync check`",
    )
