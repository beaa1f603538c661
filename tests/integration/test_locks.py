# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that would get into each other's way take turns, or one of them is skipped."""

from __future__ import annotations

import pathlib

import pytest
from harness import SLOW, wait_for, write_tree


@pytest.fixture(name="yard")
def fixture_yard(machine, bucket, store):
    """The machine, with a function that declares tasks; each begins with a hook that waits for a file of its name."""
    (machine.data / "tree" / "inner").mkdir(parents=True)
    write_tree(machine.data / "tree", {"a.txt": "a", "inner/b.txt": "b"})
    write_tree(machine.data / "other", {"c.txt": "c"})
    attributes = {**store["attributes"], "endpoint": store["attributes"]["endpoint"] + "/", "region": "other"}
    twin = {**store, "name": "twin", "attributes": attributes}
    disk = {"name": "disk", "provider": "local"}

    def declare(name, **options):
        held = f"touch {machine.data}/{name}.began; until test -e {machine.data}/{name}.go; do sleep 0.05; done"
        task = {
            "name": name,
            "credential": "store",
            "direction": "push",
            "path": str(machine.data / "tree"),
            "remote_path": f"{bucket.name}/{name}",
            "hooks": {"before": held},
        }
        machine.declare([store, twin, disk], [{**task, **options}])

    machine.task = declare
    machine.release = lambda name: pathlib.Path(machine.data, name + ".go").touch()
    return machine


def held(yard, name):
    """A run that is under way until it is released."""
    run = yard.start(name)
    wait_for(pathlib.Path(yard.data, name + ".began").exists, "the start of " + name)
    return run


def test_a_task_that_runs_is_skipped(yard, reliability):
    yard.task("first")
    run = held(yard, "first")
    record = yard.run("first", 75, "locked")
    assert record["state"] == "skipped"
    assert "another run of task first is active" in record["message"]
    assert yard.status("first")["state"] == "running"
    yard.release("first")
    assert yard.ended(run, 0)["state"] == "success"
    assert yard.status("first")["state"] == "success"
    assert yard.cloudsync("check").code == 0
    reliability.add("A task is started while it is active.", record, heard="the record, and its notifications")


def test_a_task_that_runs_is_waited_for_when_asked(yard):
    yard.task("first", on_overlap="wait")
    run = held(yard, "first")
    second = yard.start("first")
    wait_for(lambda: "waiting" in [record["state"] for record in yard.history("first")], "a run that waits")
    yard.release("first")
    assert yard.ended(run, 0)["id"] < yard.ended(second, 0)["id"]


@pytest.mark.parametrize(
    ("first", "second", "conflict"),
    [
        ({"direction": "push"}, {"direction": "push"}, ""),
        ({"direction": "pull", "path": "tree/inner"}, {"direction": "push", "path": "tree"}, "writes"),
        ({"direction": "push", "path": "tree"}, {"direction": "pull", "path": "tree/inner"}, "reads"),
        ({"mode": "move", "path": "tree/inner"}, {"mode": "copy", "path": "tree"}, "writes"),
        ({"direction": "pull", "path": "tree"}, {"direction": "push", "path": "other"}, ""),
        ({"remote": "place"}, {"remote": "place/in/it", "credential": "twin", "path": "other"}, "writes remote"),
        (
            {"remote": "place/in"},
            {"remote": "place", "credential": "twin", "direction": "pull", "path": "other"},
            "remote",
        ),
        ({"remote": "place"}, {"remote": "place2", "credential": "twin", "path": "other"}, ""),
    ],
)
def test_paths_are_read_by_many_and_written_by_one(yard, bucket, first, second, conflict):
    write_tree(bucket, {"first/x.txt": "x", "second/x.txt": "x", "place/in/it/x.txt": "x"})
    for name, options in (("first", first), ("second", second)):
        local = {"path": str(yard.data / options["path"])} if "path" in options else {}
        remote = {"remote_path": f"{bucket.name}/{options['remote']}"} if "remote" in options else {}
        rest = {key: value for key, value in options.items() if key not in ("path", "remote")}
        yard.task(name, **{**rest, **local, **remote})
    run = held(yard, "first")
    yard.release("second")
    if conflict:
        assert conflict in yard.run("second", 75, "locked")["message"]
    else:
        yard.run("second")
    yard.release("first")
    yard.ended(run, 0)


def test_a_path_behind_a_link_is_the_same_path(yard):
    (yard.data / "link").symlink_to(yard.data / "tree")
    yard.task("first", direction="pull", path=str(yard.data / "link"), guards={"empty_source": "allow"})
    yard.task("second")
    run = held(yard, "first")
    yard.run("second", 75, "locked")
    yard.release("first")
    yard.ended(run, 0)


def test_a_remote_on_this_host_is_the_local_path(yard):
    yard.task("first")
    yard.task("second", credential="disk", path=str(yard.data / "other"), remote_path=str(yard.data / "tree" / "inner"))
    run = held(yard, "first")
    assert f"task first reads {yard.data}/tree" in yard.run("second", 75, "locked")["message"]
    yard.release("first")
    yard.ended(run, 0)


def test_a_run_that_waits_can_be_stopped(yard):
    yard.task("first", mode="move")
    yard.task("second", on_overlap="wait")
    run = held(yard, "first")
    second = yard.start("second")
    yard.wait_for_state("second", "waiting")
    assert "waiting: task first writes " in yard.status("second")["message"]
    assert yard.cloudsync("stop", "second").code == 0
    assert yard.ended(second, 143)["reason"] == "stopped"
    assert yard.status("first")["state"] == "running"
    yard.release("first")
    yard.ended(run, 0)


def test_a_killed_run_blocks_nobody(yard, bucket):
    yard.task("first", mode="move", hooks={}, bandwidth=SLOW)
    write_tree(yard.data / "tree", {"big.bin": b"x" * 20000000})
    run = yard.start("first")
    yard.wait_for_bytes("first")
    run.kill()
    run.wait()
    yard.task("second", hooks={}, on_overlap="wait")
    yard.run("second")
    assert (bucket / "second" / "big.bin").exists()
