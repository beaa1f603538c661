# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source that goes away during a run: on a real file system that is really unmounted."""

from __future__ import annotations

import subprocess

import pytest
from harness import text_tree, write_tree

BEFORE = {f"folder{at % 3}/file{at}.txt": f"before {at} " + "x" * 20000 for at in range(20)}
AFTER = {name: text.replace("before", "after") for name, text in BEFORE.items()}


def unmount(path):
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture(name="volume")
def fixture_volume(machine):
    """A mounted file system, and the marker that a guard may ask for."""
    path = machine.data / "volume"
    path.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "cloudsync-test", str(path)], check=True)
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=False, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "guards", [{}, {"marker": "folder0/file0.txt"}, {"mounted": True}, {"max_delete": "5%"}, {"max_delete": "3"}]
)
@pytest.mark.parametrize("mode", ["sync", "move"])
def test_a_source_that_is_unmounted_during_a_push_deletes_nothing(
    machine, volume, bucket, store, mode, guards, reliability
):
    if "mounted" in guards:
        guards = {"mounted": str(volume)}
    task = {
        "name": "documents",
        "credential": "store",
        "direction": "push",
        "mode": mode,
        "path": str(volume),
        "remote_path": bucket.name + "/documents",
        "transfers": 1,
        "bandwidth": [{"time": "00:00", "limit": "200k"}],
        "guards": guards,
        "hooks": {"before": "true"},
    }
    machine.declare([store], [task])
    destination = bucket / "documents"
    write_tree(destination, BEFORE)
    write_tree(volume, AFTER)
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    unmount(volume)
    out, err = run.communicate(timeout=60)
    assert set(text_tree(destination)) == set(BEFORE), (out, err)
    record = machine.history("documents")[0]
    assert record["state"] == "success", record
    assert text_tree(destination) == AFTER
    reliability.add(f"The volume of a push ({mode}) is unmounted during the transfer.", record, "the next run fails")

    machine.cloudsync("run", "documents")
    after = machine.history("documents")[0]
    assert after["state"] == "failed"
    assert text_tree(destination) == AFTER
