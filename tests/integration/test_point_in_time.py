# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every past state of a task with keep_deleted comes back byte for byte, after random histories with killed runs."""

from __future__ import annotations

import os
import random
import shutil
import time
from contextlib import ExitStack, contextmanager
from pathlib import PurePath

import places
import pytest
from harness import PASSWORD, SECRET, SLOW, documents_task, read_tree, scale, serving, wait_for, write_tree
from sftp_server import serving_sftp

NAMES = (
    "a.txt",
    "b",
    "folder/c",
    "folder/deep/d",
    "with space ",
    "star*[x]{y}",
    "back\\slash",
    "zwei\nZeilen",
    "ä",
    "folder/e",
    "f#1",
    "g.json",
)


@pytest.fixture(name="place", params=["s3", "sftp-crypt", "webdav-crypt"])
def fixture_place(request, machine, rclone, tmp_path):
    """Declare a credential for a server, and return what a task with keep_deleted needs to use it."""
    if request.param == "s3":
        machine.declare([request.getfixturevalue("store")])
        bucket = request.getfixturevalue("bucket")
        return {**documents_task(machine, bucket), "keep_deleted": {"path": bucket.name + "/kept"}}
    stack = ExitStack()
    request.addfinalizer(stack.close)
    credential = stack.enter_context(_serving(rclone, request.param.partition("-")[0], tmp_path / "server"))
    machine.declare([{**credential, "name": "store"}])
    kept = {"path": "backups/documents/.kept"}
    return documents_task(machine, PurePath("backups"), encryption={"password": PASSWORD}, keep_deleted=kept)


@contextmanager
def _serving(rclone, kind, folder):
    if kind == "sftp":
        with serving_sftp(rclone, folder) as server:
            yield server.credential(known_hosts=server.known("ed25519"))
        return
    folder.mkdir()
    with serving(rclone, kind, folder, "--user", "u", "--pass", SECRET) as port:
        attributes = {"url": f"http://127.0.0.1:{port}", "vendor": "rclone", "user": "u"}
        yield {"provider": kind, "attributes": attributes, "secrets": {"pass": SECRET}}


def change(chance, folder, names, number):
    """Create, change, delete or rename a few files."""
    for _change in range(chance.randint(1, 4)):
        path = folder / chance.choice(names)
        kind = chance.choice(("write", "write", "delete", "rename"))
        if kind == "write" or not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{number} " + "x" * chance.randint(0, 2000))
            os.utime(path, (1700000000 + number * 10, 1700000000 + number * 10))
        elif kind == "delete":
            path.unlink()
        else:
            target = folder / chance.choice(names)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)


@pytest.mark.soak
def test_every_past_state_comes_back_byte_for_byte(machine, place):
    chance = random.Random(26)
    folder = machine.data / "documents"
    # No S3 server here keeps them all: rclone gives a line break back as ␊, moto refuses it, SeaweedFS takes a
    # backslash for a slash. Encrypted names have neither.
    names = [name for name in NAMES if "\n" not in name or "encryption" in place]
    write_tree(folder, {"a.txt": "0", "folder/c": "0"})
    machine.declare([], [{**place, "guards": {"max_delete": "100%"}, "user": "root"}])
    states = {}
    for number in range(scale(4, 30)):
        if chance.random() < 0.3:
            killed = machine.start("documents")
            time.sleep(chance.uniform(0.2, 1.2))
            killed.kill()
            killed.wait()
        states[machine.run("documents")["id"]] = read_tree(folder)
        change(chance, folder, names, number + 1)
    for run, state in states.items():
        target = machine.data / "restored"
        answer = machine.cloudsync("restore", "documents", "--to", str(target), "--at", run, "--json")
        if not state:
            assert (answer.code, answer.json["reason"]) == (3, "not_found"), answer
            continue
        assert answer.code == 0, answer
        assert read_tree(target) == state, run
        shutil.rmtree(target)


def test_the_past_after_a_killed_run_has_what_that_run_created_and_not_what_it_deleted(machine, bucket, store):
    folder = machine.data / "documents"
    write_tree(folder, {"a.txt": "first", "gone.txt": "first"})
    kept = {**documents_task(machine, bucket), "keep_deleted": {"path": bucket.name + "/kept"}}
    machine.declare([store], [kept])
    machine.run("documents")
    (folder / "gone.txt").unlink()
    write_tree(folder, {"new.txt": "second", "big": b"x" * 2**22})
    machine.declare([], [{**kept, "bandwidth": SLOW}])
    killed = machine.start("documents")
    wait_for((bucket / "documents" / "new.txt").exists, "the new file")
    killed.kill()
    killed.wait()
    # As if rclone had been killed a little later: deletions come last.
    place = next((bucket / "kept").iterdir()) / machine.history("documents")[0]["id"]
    place.mkdir()
    (bucket / "documents" / "gone.txt").rename(place / "gone.txt")
    machine.declare([], [kept])
    (folder / "big").unlink()
    second, state = machine.run("documents")["id"], read_tree(folder)
    write_tree(folder, {"gone.txt": "third"})
    machine.run("documents")
    target = machine.data / "restored"
    assert machine.cloudsync("restore", "documents", "--to", str(target), "--at", second).code == 0
    assert read_tree(target) == state


def test_a_run_without_keep_deleted_ends_the_past_and_the_past_before_it_is_refused(machine, bucket, store):
    folder = machine.data / "documents"
    write_tree(folder, {"a.txt": "first", "b.txt": "first"})
    kept = {**documents_task(machine, bucket), "keep_deleted": {"path": bucket.name + "/kept"}}
    machine.declare([store], [kept])
    first = machine.run("documents")["id"]
    machine.declare([], [documents_task(machine, bucket)])
    (folder / "b.txt").unlink()
    (folder / "a.txt").write_text("nothing kept the first one")
    machine.run("documents")
    machine.declare([], [kept])
    (folder / "a.txt").write_text("third, and longer than the others")
    third = machine.run("documents")["id"]
    target = machine.data / "restored"
    answer = machine.cloudsync("restore", "documents", "--to", str(target), "--at", first, "--json")
    assert (answer.code, answer.json["reason"]) == (3, "not_found"), answer
    assert f"(run {third})" in answer.json["message"]
    assert machine.cloudsync("restore", "documents", "--to", str(target), "--at", third).code == 0
    assert read_tree(target) == read_tree(folder)


def test_the_versions_of_a_bucket_bring_back_a_past_state(machine, moto_port, bucket_name):
    server = places.s3(moto_port, "key", SECRET)
    machine.declare([{**server.credential, "name": "store"}])
    made = machine.module("bucket", credential="store", name=bucket_name, versioning="enabled")
    assert made["changed"], made
    folder = machine.data / "documents"
    write_tree(folder, {"a.txt": "first", "gone/b.txt": "first"})
    task = documents_task(machine, PurePath(bucket_name), encryption={"password": PASSWORD})
    machine.declare([], [task])
    first = machine.run("documents")
    state = read_tree(folder)
    until = time.time() + 2
    wait_for(lambda: time.time() > until, "another second")
    (folder / "a.txt").write_text("second, longer")
    shutil.rmtree(folder / "gone")
    machine.run("documents")
    target = machine.data / "restored"
    answer = machine.cloudsync("restore", "documents", "--to", str(target), "--at", first["ended"], "--json")
    assert answer.code == 0, answer
    assert "Restored the versions that the provider has for" in answer.json["message"]
    assert read_tree(target) == state
    by_run = machine.cloudsync("restore", "documents", "--to", str(target) + "-2", "--at", first["id"], "--json")
    assert (by_run.code, by_run.json["reason"]) == (2, "usage"), by_run
    assert "Use the time at which the run ended (cloudsync history documents)" in by_run.json["message"]
    versions = machine.cloudsync("versions", "documents", "a.txt", "--json").json
    assert [(version["source"], version["size"]) for version in versions] == [("current", 14), ("provider", 5)]
    listed = machine.module("remote_info", task="documents", recurse=True, at=first["ended"])["entries"]
    assert {"a.txt", "gone/b.txt"} == {
        entry["path"] for entry in listed if not entry["is_dir"] and not entry["name"].startswith(".cloudsync-")
    }
