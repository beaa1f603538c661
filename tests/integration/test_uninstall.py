# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner is removed from a host with runs, and installed again."""

from __future__ import annotations

import json
import pathlib
import signal

import pytest
from controller import Controller
from harness import SLOW, alive, wait_for, write_tree

UNITS = "etc/systemd/system"


@pytest.fixture(name="site")
def fixture_site(machine, bucket, store, rclone, tmp_path):
    """Return a control node for ``machine``, which has a scheduled task whose runs last for a minute."""
    control = Controller(tmp_path)
    own = {"cloudsync_rclone_install": "none", "cloudsync_rclone_path": rclone}
    control.inventory(web1={"cloudsync_root": str(machine.root), **own})
    write_tree(machine.data / "www", {"a": b"a" * 8_000_000})
    ended = f"echo $CLOUDSYNC_STATE $CLOUDSYNC_REASON >> {machine.data}/ended"
    task = {"name": "www", "credential": "store", "direction": "push", "remote_path": bucket.name + "/www"}
    task.update(path=str(machine.data / "www"), schedule={"preset": "daily"}, bandwidth=SLOW, hooks={"always": ended})
    machine.declare([store], [task])
    pathlib.Path(machine.layout.command).unlink()
    return control


def record_of(machine):
    """Return the newest record of the task from its file, without the command."""
    records = sorted(pathlib.Path(machine.layout.task_state_dir("www"), "runs").glob("*.json"))
    return json.loads(records[-1].read_text())


def test_the_role_stops_runs_removes_the_runner_and_brings_it_back(machine, site):
    site.play("site")
    units = sorted(path.name for path in (machine.root / UNITS).rglob("*") if not path.is_dir())
    assert "cloudsync@www.timer" in units
    run = machine.start("www")
    machine.wait_for_bytes("www")

    said = site.play("site", "--diff", cloudsync_state="absent")
    assert machine.ended(run, 143)["state"] == "aborted"
    record = record_of(machine)
    assert (record["state"], record["reason"]) == ("aborted", "stopped")
    assert (machine.data / "ended").read_text() == "aborted stopped\n"
    assert f"Run {record['id']} of task www was active. It was stopped." in " ".join(said.split())
    for kept in (machine.layout.config_dir, machine.layout.state_dir, machine.layout.log_dir):
        assert kept + ": " in said
    assert [path for path in (machine.root / UNITS).rglob("*") if not path.is_dir()] == []
    for gone in (machine.layout.command, machine.layout.engine_dir, machine.layout.run_dir):
        assert not pathlib.Path(gone).exists(), gone
    assert (machine.data / "www" / "a").exists()
    assert "changed=0" in site.play("site", cloudsync_state="absent")

    site.play("site")
    assert sorted(path.name for path in (machine.root / UNITS).rglob("*") if not path.is_dir()) == units
    assert "changed=0" in site.play("site")
    assert machine.cloudsync("history", "www", "--json").json[0]["id"] == record["id"]
    assert machine.plan("www")["totals"]["copy"]["files"] == 1


def test_a_removal_closes_the_record_of_a_killed_run(machine, site, rclone, reliability):
    machine.module("runner", rclone=rclone)
    run = machine.start("www")
    machine.wait_for_bytes("www")
    program = machine.rclone_of(run)[0]
    run.send_signal(signal.SIGKILL)
    run.wait()
    wait_for(lambda: not alive(program), "rclone ends")
    result = machine.module("runner", state="absent")
    assert not result.get("failed"), result
    record = record_of(machine)
    assert (record["state"], record["reason"]) == ("aborted", "interrupted")
    assert (machine.data / "ended").read_text() == "aborted interrupted\n"
    assert not pathlib.Path(machine.layout.run_dir).exists()
    reliability.add(
        "The runner is removed from a host where a run was killed before.", record, heard="the hooks and the record"
    )


def test_a_token_that_cannot_be_saved_outlives_the_removal(machine, site, rclone):
    machine.module("runner", rclone=rclone)
    use = pathlib.Path(machine.layout.run_dir, "live", "use")
    use.mkdir(parents=True)
    (use / "known.json").write_text("{")
    result = machine.module("runner", state="absent")
    assert (use / "known.json").exists()
    kept = {each["path"]: each["content"] for each in result["left"]}
    assert kept[machine.layout.run_dir] == "Refreshed tokens and records that could not be saved"
    assert not machine.module("runner", state="absent")["changed"]
    use.joinpath("known.json").unlink()
