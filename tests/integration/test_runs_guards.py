# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards refuse before anything is touched, on push and pull alike."""

from __future__ import annotations

import os
import subprocess

import pytest
from harness import documents_task, text_tree, write_tree

FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
OTHERS = {"a.txt": "old", "mine.txt": "mine"}
REFUSED = 3
HEARD = "the run is refused, notification, `cloudsync check`"


@pytest.fixture(name="sides")
def fixture_sides(request, bucket, store):
    """A function that declares the task and gives the machine, the source and the destination, with OTHERS in it."""
    wanted = "each_machine" if "each_machine" in request.fixturenames else "machine"
    machine = request.getfixturevalue(wanted)
    local, remote = machine.data / "documents", bucket / "documents"

    def make(direction, **options):
        machine.declare([store], [documents_task(machine, bucket, direction, **options)])
        source, destination = (local, remote) if direction == "push" else (remote, local)
        write_tree(destination, OTHERS)
        return machine, source, destination

    return make


def refused(machine, destination, reason, expected=None):
    """By a dry run and by a run, which leaves the destination as it was; the record."""
    machine.plan("documents", REFUSED, reason)
    record = machine.run("documents", REFUSED, reason)
    assert text_tree(destination) == (OTHERS if expected is None else expected)
    assert (record["state"], record["transfers"], record["deletes"]) == ("failed", 0, 0)
    assert record["message"].endswith(".")
    return record


def test_a20_a_push_from_a_missing_folder(sides, reliability):
    machine, source, destination = sides("push", mode="copy")
    record = refused(machine, destination, "not_found")
    assert str(source) in record["message"]
    reliability.add("The source of a push does not exist.", record, HEARD)


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_a21_a_path_that_is_a_file(sides, direction):
    machine, _source, destination = sides(direction, path="/etc/hostname")
    refused(machine, destination, "not_found")


@pytest.mark.usefixtures("each_machine")
@pytest.mark.parametrize(("direction", "mode"), [("push", "sync"), ("pull", "sync"), ("push", "move")])
def test_an_empty_source(sides, direction, mode, reliability):
    machine, source, destination = sides(direction, mode=mode)
    source.mkdir()
    record = refused(machine, destination, "empty_source")
    assert "guards.empty_source" in record["message"]
    reliability.add(f"The source of a {direction} ({mode}) is empty.", record, HEARD)


@pytest.mark.usefixtures("each_machine")
def test_a11_a_copy_from_a_folder_that_is_not_there(sides, reliability):
    machine, _source, destination = sides("pull", mode="copy")
    record = refused(machine, destination, "not_found")
    assert "does not exist at the provider, or is empty" in record["message"]
    reliability.add("The remote folder of a pull (copy) does not exist.", record, HEARD)


@pytest.mark.parametrize("mode", ["copy", "sync"])
def test_a10_a_pull_of_what_is_a_file(sides, mode, bucket):
    machine, _source, destination = sides("pull", mode=mode, remote_path=bucket.name + "/single.txt")
    write_tree(bucket, {"single.txt": "alone"})
    assert "is a file, but a task needs a folder" in refused(machine, destination, "not_found")["message"]


def test_a_copy_from_a_folder_that_may_be_empty(sides):
    machine, _source, destination = sides("pull", mode="copy", guards={"empty_source": "allow"})
    machine.run("documents")
    assert text_tree(destination) == OTHERS


@pytest.mark.usefixtures("each_machine")
def test_a_pull_from_a_prefix_that_is_not_there(sides, reliability):
    machine, _source, destination = sides("pull")
    record = refused(machine, destination, "empty_source")
    reliability.add("The remote folder of a pull (sync) does not exist.", record, HEARD)


def test_a_copy_from_an_empty_source_does_nothing_and_is_no_failure(sides):
    machine, source, destination = sides("push", mode="copy")
    source.mkdir()
    machine.run("documents")
    assert text_tree(destination) == OTHERS


def test_an_empty_source_that_is_allowed_empties_the_destination(sides):
    machine, source, destination = sides("push", guards={"empty_source": "allow", "max_delete": "100%"})
    source.mkdir()
    assert machine.run("documents")["deletes"] == 2
    assert text_tree(destination) == {}


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_an_include_that_matches_nothing(sides, direction, reliability):
    machine, source, destination = sides(direction, include=["*.nothing"])
    write_tree(source, FILES)
    record = refused(machine, destination, "empty_source")
    reliability.add(f"The filters of a {direction} (sync) match no file.", record, HEARD)


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_a14_a_folder_that_is_not_mounted(sides, direction, machine, reliability):
    machine, source, destination = sides(direction, guards={"mounted": str(machine.data)})
    write_tree(source, FILES)
    record = refused(machine, destination, "not_mounted")
    assert str(machine.data) in record["message"]
    reliability.add(f"The volume in guards.mounted of a {direction} is not mounted.", record, HEARD)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_folder_that_is_mounted(sides, machine):
    mounted = machine.data
    machine, source, destination = sides("push", guards={"mounted": str(mounted), "max_delete": 1})
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(mounted)], check=True)
    try:
        write_tree(source, FILES)
        machine.run("documents")
        assert text_tree(destination) == FILES
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


@pytest.mark.parametrize(("direction", "marker"), [("push", ".marker"), ("pull", ".marker"), ("pull", "deep/.marker")])
def test_a_marker_that_is_missing(sides, direction, marker, reliability):
    machine, source, destination = sides(direction, guards={"marker": marker, "max_delete": 1})
    write_tree(source, FILES)
    record = refused(machine, destination, "marker_missing")
    assert marker in record["message"]
    reliability.add(f"The marker file {marker} of a {direction} is missing.", record, HEARD)
    write_tree(source, {marker: ""})
    machine.run("documents")
    assert text_tree(destination) == {**FILES, marker: ""}


@pytest.mark.usefixtures("each_machine")
@pytest.mark.parametrize(("direction", "limit"), [("push", "2"), ("pull", "2"), ("push", "66%")])
def test_more_deletions_than_allowed_delete_and_copy_nothing(sides, direction, limit, reliability):
    machine, source, destination = sides(direction, guards={"max_delete": limit})
    write_tree(source, {"new.txt": "new", "a.txt": "newer"})
    full = {**OTHERS, "second.txt": "2", "third.txt": "3", "fourth.txt": "4", "fifth.txt": "5"}
    write_tree(destination, full)
    record = refused(machine, destination, "max_delete", full)
    assert "5 of the 6 files" in record["message"]
    reliability.add(f"A {direction} (sync) would delete more than guards.max_delete: {limit} allows.", record, HEARD)


@pytest.mark.parametrize(("direction", "limit"), [("push", "1"), ("pull", "50%")])
def test_as_many_deletions_as_allowed(sides, direction, limit):
    machine, source, destination = sides(direction, guards={"max_delete": limit})
    write_tree(source, {"new.txt": "new", "a.txt": "newer"})
    assert machine.run("documents")["deletes"] == 1
    assert text_tree(destination) == {"new.txt": "new", "a.txt": "newer"}


def test_a_count_is_not_exceeded_by_what_keep_deleted_moves(sides, bucket):
    kept = {"path": bucket.name + "/kept", "days": 1}
    machine, source, destination = sides("push", guards={"max_delete": 1}, keep_deleted=kept)
    write_tree(source, {"a.txt": "newer", "b.txt": "b"})
    machine.run("documents")
    assert text_tree(destination) == {"a.txt": "newer", "b.txt": "b"}


def test_a_sync_of_a_bucket_s_root_is_refused_when_it_is_declared(machine, bucket, store):
    task = {
        "name": "documents",
        "credential": "store",
        "direction": "push",
        "mode": "sync",
        "path": str(machine.data),
        "remote_path": bucket.name,
    }
    result = machine.module("host_config", credentials=[store], tasks=[task])
    assert result["failed"]
    assert "root of a bucket" in result["msg"]
    assert not machine.cloudsync("list", "--json").json
    machine.declare([store], [{**task, "guards": {"allow_root": True}}])
    write_tree(machine.data, FILES)
    machine.run("documents")
    assert text_tree(bucket) == FILES
