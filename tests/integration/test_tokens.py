# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A refreshed token is data: it reaches the encrypted store at once, and nothing that happens afterwards loses it.

The cloud here accepts each refresh token once; whoever comes with an old one is out for good.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal

import fake_gcs
import pytest
from harness import text_tree, wait_for, write_tree


@pytest.fixture(name="cloud")
def fixture_cloud():
    made = fake_gcs.Cloud()
    yield made
    made.open.set()


@pytest.fixture(name="cloudy")
def fixture_cloudy(machine, cloud):
    """The machine, with the credential ``cloud`` and a push of ten files, ``up``."""
    with fake_gcs.serving(cloud) as port:
        write_tree(machine.data / "up", {f"{number}.txt": str(number) for number in range(10)})
        machine.declared = fake_gcs.credential(port, cloud)
        machine.up = {
            "name": "up",
            "credential": "cloud",
            "direction": "push",
            "path": str(machine.data / "up"),
            "remote_path": "bkt/up",
            "transfers": 1,
            "retries": 0,
        }
        machine.declare([machine.declared], [machine.up])
        yield machine


def stored_token(machine):
    """The refresh token to log in with now, from the encrypted store."""
    return json.loads(machine.stored("cloud").merge_secrets()["token"])["refresh_token"]


def test_a_refreshed_token_is_in_the_store_after_a_run_and_the_next_run_uses_it(cloudy, cloud):
    assert stored_token(cloudy) == "REFRESH-0"
    cloudy.run("up")
    assert cloud.refreshes >= 1
    assert stored_token(cloudy) == cloud.refresh_token
    cloudy.run("up")
    assert cloud.rejected == 0
    assert stored_token(cloudy) == cloud.refresh_token
    assert b"REFRESH" not in b"".join(cloudy.left_behind().values())


def test_a_token_reaches_the_store_while_the_run_goes_on(cloudy, cloud):
    cloud.delay = 0.5
    run = cloudy.start("up")
    wait_for(lambda: cloud.refreshes >= 1 and stored_token(cloudy) != "REFRESH-0", "the new token in the store")
    assert run.poll() is None
    cloud.delay = 0.0
    cloudy.ended(run, 0)
    assert stored_token(cloudy) == cloud.refresh_token


@pytest.mark.parametrize("victim", ["runner", "rclone", "both"])
def test_a_token_survives_a_kill(cloudy, cloud, victim):
    cloud.delay = 1.0
    run = cloudy.start("up")
    rclone = wait_for(lambda: cloud.objects and cloudy.rclone_of(run), "a transfer")[0]
    live = cloudy.live()[0]
    # Between its refresh and the next look of the runner.
    seen = cloud.refreshes
    wait_for(lambda: cloud.refreshes > seen, "a refresh")
    wait_for(lambda: cloud.refresh_token in (live / "rclone" / "rclone.conf").read_text(), "rclone's own save")
    if victim in ("rclone", "both"):
        os.kill(rclone, signal.SIGKILL)
    if victim in ("runner", "both"):
        run.kill()
    run.communicate()
    cloud.delay = 0.0
    cloudy.run("up")
    assert cloud.rejected == 0
    assert stored_token(cloudy) == cloud.refresh_token
    assert len(cloud.objects) == 10
    assert not cloudy.live()


def test_two_runs_on_one_credential_take_turns_and_neither_loses_the_token(cloudy, cloud):
    cloud.open.clear()
    write_tree(cloudy.data / "more", {f"{number}.txt": str(number) for number in range(10)})
    more = {**cloudy.up, "name": "more", "path": str(cloudy.data / "more"), "remote_path": "bkt/more"}
    cloudy.declare([cloudy.declared], [cloudy.up, more])
    first = cloudy.start("up")
    wait_for(cloud.uploading.is_set, "a transfer")
    second = cloudy.start("more")
    # Every run begins as waiting; the message says for what.
    wait_for(lambda: "credential cloud" in cloudy.status("more")["message"], "the wait for the turn")
    cloud.open.set()
    assert cloudy.ended(first, 0)["ended"] <= cloudy.ended(second, 0)["ended"]
    assert len(cloud.objects) == 20
    assert cloud.rejected == 0
    assert stored_token(cloudy) == cloud.refresh_token


def test_a_run_that_waits_for_its_turn_can_be_stopped(cloudy, cloud):
    cloud.open.clear()
    more = {**cloudy.up, "name": "more", "remote_path": "bkt/more"}
    cloudy.declare([cloudy.declared], [cloudy.up, more])
    first = cloudy.start("up")
    wait_for(cloud.uploading.is_set, "a transfer")
    second = cloudy.start("more")
    wait_for(lambda: "credential cloud" in cloudy.status("more")["message"], "the wait for the turn")
    cloudy.cloudsync("stop", "more")
    assert cloudy.ended(second, 143)["reason"] == "stopped"
    cloud.open.set()
    cloudy.ended(first, 0)


def test_declaring_the_first_token_again_changes_nothing_and_keeps_the_new_one(cloudy, cloud):
    cloudy.run("up")
    assert not cloudy.declare([cloudy.declared]).changed
    result = cloudy.module("credential", **cloudy.declared)
    assert result["changed"] is False, result
    assert stored_token(cloudy) == cloud.refresh_token
    cloudy.run("up")
    assert cloud.rejected == 0


def test_a_token_declared_anew_wins_also_while_a_run_refreshes_the_old_one(cloudy, cloud):
    cloud.delay = 0.5
    run = cloudy.start("up")
    wait_for(lambda: cloud.objects, "a transfer")
    anew = json.dumps({**json.loads(cloud.first_token()), "refresh_token": "REFRESH-NEW"})
    secrets = {**cloudy.declared["secrets"], "token": anew}
    assert cloudy.declare([{**cloudy.declared, "secrets": secrets}]).changed
    cloud.delay = 0.0
    cloudy.ended(run, 0)
    assert stored_token(cloudy) == "REFRESH-NEW"


def test_verifying_and_listing_keep_the_token(cloudy, cloud):
    assert cloudy.cloudsync("verify", "cloud").code == 0
    assert cloud.refreshes == 1
    assert stored_token(cloudy) == cloud.refresh_token
    result = cloudy.module("credential", verify=True, **cloudy.declared)
    assert not result.get("failed"), result
    listed = cloudy.module("remote_info", credential="cloud", path="bkt")
    assert not listed.get("failed"), listed
    cloudy.plan("up")
    cloudy.run("up")
    assert cloud.rejected == 0
    assert stored_token(cloudy) == cloud.refresh_token


def test_a_token_that_is_no_longer_accepted_says_what_to_do(cloudy, cloud, reliability):
    cloud.refresh_token = "REFRESH-OTHER"
    record = cloudy.run("up", 1, "auth")
    assert "Log in again" in record["message"]
    heard = "the run fails, notification, `cloudsync check`"
    reliability.add("The provider no longer accepts the refresh token.", record, heard)


def test_a_pull_comes_back_the_same(cloudy):
    cloudy.run("up")
    down = {**cloudy.up, "name": "down", "direction": "pull", "path": str(cloudy.data / "down")}
    cloudy.declare([cloudy.declared], [down])
    cloudy.run("down")
    assert text_tree(cloudy.data / "down") == text_tree(cloudy.data / "up")


def test_a_token_that_can_not_be_saved_is_kept_until_it_can(cloudy, cloud, reliability):
    """Without the seed nothing can be encrypted; the only copy of the token must not go."""
    cloud.delay = 0.5
    run = cloudy.start("up")
    wait_for(lambda: cloud.objects, "a transfer")
    seed = pathlib.Path(cloudy.layout.seed)
    aside = seed.with_name("aside")
    seed.rename(aside)
    seen = cloud.refreshes
    wait_for(lambda: cloud.refreshes > seen, "a refresh")
    cloud.delay = 0.0
    record = json.loads(run.communicate()[0])
    aside.rename(seed)
    cloudy.run("up")
    assert cloud.rejected == 0
    assert stored_token(cloudy) == cloud.refresh_token
    assert not cloudy.live()
    fault = "The seed is lost while a single-use refresh token is replaced."
    reliability.add(fault, record, heard="the message of the run and `cloudsync check`")
