# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that cannot write a record fails with one sentence, which systemd passes to the journal."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
from harness import text_tree, write_tree

PLACES = {"state": "state_dir", "logs": "log_dir", "/run": "run_dir"}


@pytest.fixture(name="damage")
def fixture_damage(machine):
    """Replace a directory of the host by one in which nothing can be written."""
    mounted = []

    def call(place, how):
        path = getattr(machine.layout, PLACES[place])
        if how == "a dangling link":
            if os.path.isdir(path):
                os.rename(path, path + ".away")
            pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
            os.symlink("/nowhere/at/all", path)
            return
        os.makedirs(path, exist_ok=True)
        options = "ro" if how == "read-only" else "size=4k,nr_inodes=2"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "cloudsync-test", path], check=True)
        mounted.append(path)
        if how == "full":
            pathlib.Path(path, "filler").write_bytes(b"x" * 4096)

    yield call
    for path in mounted:
        subprocess.run(["umount", "--lazy", path], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize(
    ("place", "how"),
    [("state", "read-only"), ("logs", "a dangling link"), ("logs", "full"), ("/run", "full"), ("/run", "read-only")],
)
def test_a_run_without_a_place_for_its_record_fails_with_a_sentence(machine, bucket, store, damage, place, how):
    write_tree(machine.data / "in", {"a": "1"})
    task = {"name": "documents", "credential": "store", "direction": "push", "path": str(machine.data / "in")}
    machine.declare([store], [{**task, "remote_path": bucket.name + "/out"}])
    damage(place, how)

    answer = machine.cloudsync("run", "documents")

    assert answer.code != 0 or text_tree(bucket / "out") == {"a": "1"}
    assert "Traceback" not in answer.err
    if answer.code != 0:
        (record,) = machine.history("documents")
        assert record["state"] == "failed" and getattr(machine.layout, PLACES[place]) in record["message"]
        assert record["message"] in answer.out and answer.err == ""
