# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each directory that a run uses is full, read-only, or a link to nowhere: one sentence names it, and nothing is lost.

The next run after the repair succeeds by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from harness import documents_task, text_tree, write_tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
NEW = {**FILES, "new.txt": "new"}


@contextlib.contextmanager
def full(path):
    """Replace the directory by a copy on a small file system without free space."""
    kept = path.with_name(path.name + ".kept")
    shutil.copytree(path, kept, symlinks=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "cloudsync-test", str(path)], check=True)
    try:
        shutil.copytree(kept, path, symlinks=True, dirs_exist_ok=True)
        with open(path / "filler", "wb", buffering=0) as stream, contextlib.suppress(OSError):
            while True:
                stream.write(b"x" * 4096)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextlib.contextmanager
def read_only(path):
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(path)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextlib.contextmanager
def dangling(path):
    away = path.with_name(path.name + ".away")
    path.rename(away)
    path.symlink_to("/nowhere/at/all")
    try:
        yield
    finally:
        path.unlink()
        away.rename(path)


DAMAGES = {
    full: ("is full", ("No space left on device", "disk is full")),
    read_only: ("is read-only", ("Read-only file system",)),
    dangling: ("is a link to a directory that does not exist", ("is a link to a directory that does not exist",)),
}
# For each directory: how the page calls it, where the record or the check names it, and for each damage the end of the
# run. Without an entry, the run succeeds.
PLACES = {
    "config": ("/etc/cloudsync", {dangling: ("not started", "other", 1)}),
    "state": ("/var/lib/cloudsync", {}),
    "log": ("/var/log/cloudsync", {}),
    "run": (
        "/run/cloudsync",
        {full: ("failed", "disk_full", 1), read_only: ("failed", "other", 1), dangling: ("failed", "other", 1)},
    ),
    "target": (
        "The destination of a pull",
        {full: ("failed", "disk_full", 1), read_only: ("failed", "other", 1), dangling: ("failed", "not_found", 3)},
    ),
}
HEARD = {
    "config": "`cloudsync check`, notification",
    "state": "`cloudsync check`, notification",
    "log": "the message of the run, `cloudsync check`, notification",
    "run": "the record, `cloudsync check`, notification",
    "target": "the record, `cloudsync check`, notification",
}


def locate(machine, place):
    layout = machine.layout
    folders = {"config": layout.config_dir, "state": layout.state_dir, "log": layout.log_dir, "run": layout.run_dir}
    return pathlib.Path(folders.get(place, machine.data / "documents"))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("place", PLACES)
def test_a_damaged_directory_is_named_and_the_next_run_after_its_repair_succeeds(
    machine, store, bucket, place, damage, reliability
):
    source, target, path = bucket / "documents", machine.data / "documents", locate(machine, place)
    write_tree(source, FILES)
    target.mkdir()
    machine.declare([store], [documents_task(machine, bucket, "pull")])
    before = machine.run("documents")["id"]
    write_tree(source, NEW)
    called, ends = PLACES[place]
    fault, words = DAMAGES[damage]
    state, reason, code = ends.get(damage, ("success", "", 0))

    with damage(path):
        answer = machine.cloudsync("run", "documents", "--json")
        checked, shown = machine.cloudsync("check"), machine.cloudsync("status")
        assert "Traceback" not in answer.err + checked.err + shown.err
        assert (answer.code, answer.json["reason"]) == (code, reason), answer
        record = {"state": "not started", **answer.json}
        assert record["state"] == state
        message = record["message"]
        assert "\n" not in message and "cloudsync failed" not in message
        if state != "success" or place == "log":
            assert str(path) in message
        assert checked.code == 1
        lines = [line.lower() for line in checked.out.splitlines() if str(path) in line]
        assert any(word.lower() in line for line in lines for word in words), checked
        assert (shown.code == 0) == (state != "not started"), shown
        if state == "not started":
            assert str(path) in shown.err and words[0] in shown.err
        else:
            assert machine.history("documents")[0]["id"] == record["id"]
    assert FILES.items() <= text_tree(target).items()

    again = machine.run("documents")
    assert text_tree(target) == text_tree(source) == NEW
    assert machine.cloudsync("check").code == 0
    wanted = [again["id"], *([record["id"]] if "id" in record else []), before]
    assert [run["id"] for run in machine.history("documents")] == wanted
    assert "Traceback" not in json.dumps(record)
    reliability.add(f"{called} {fault}.", record, heard=HEARD[place])


def test_a_push_on_a_read_only_state_directory_succeeds(machine, store, bucket):
    write_tree(machine.data / "documents", FILES)
    machine.declare([store], [documents_task(machine, bucket)])
    machine.run("documents")
    with read_only(locate(machine, "state")):
        machine.run("documents")
