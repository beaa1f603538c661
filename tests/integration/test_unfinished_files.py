# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The unfinished files of stopped and killed runs: removed by the next run, never counted, never transferred."""

from __future__ import annotations

import os
import time

import pytest
from harness import PASSWORD, SECRET, SLOW, documents_task, read_tree, serving, text_tree, write_tree
from killing import kill, wait_for_release

BIG = {"d/big.bin": b"x" * 20000000}
SMALL = {"a.txt": "alpha"}
# Files of somebody else that look similar.
SIMILAR = {"b.partial": "b", "b.12345678.partial": "b", "b.12345678.cloudsync-12345": "b", "c.cloudsync-12345": "c"}


def kill_during_transfer(machine, victim="both"):
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    assert kill(run, victim)
    run.wait()
    wait_for_release(machine, "documents")


def find_unfinished(folder):
    return [name for name in read_tree(folder) if "big.bin." in name]


def test_a_pull_removes_the_unfinished_files_of_killed_runs_and_no_others(machine, bucket, store, reliability):
    documents = machine.data / "documents"
    write_tree(bucket / "documents", {**BIG, **SMALL})
    write_tree(documents, SIMILAR)
    options = {"direction": "pull", "mode": "copy", "retries": 0}
    machine.declare([store], [documents_task(machine, bucket, **options, bandwidth=SLOW)])
    kill_during_transfer(machine)
    assert len(find_unfinished(documents)) == 1
    # The name of an unfinished file depends on the content.
    write_tree(bucket / "documents", {"d/big.bin": b"new"})
    copy = documents_task(machine, bucket, name="copy", remote_path=bucket.name + "/copy")
    machine.declare([store], [documents_task(machine, bucket, **options), copy])
    machine.run("copy")
    assert set(read_tree(bucket / "copy")) == set(SIMILAR) - {"b.12345678.cloudsync-12345"} | set(SMALL)
    record = machine.run("documents")
    assert text_tree(documents) == {**SIMILAR, **SMALL, "d/big.bin": "new"}
    assert (record["transfers"], record["deletes"]) == (1, 0)
    assert "removed 1 unfinished file of earlier runs" in machine.log("documents")
    reliability.add(
        "SIGKILL ends a pull in the middle of a file.", machine.history("documents")[1], heard="cloudsync check"
    )


@pytest.mark.parametrize("victim", ["stop", "both"])
def test_a_sync_to_ftp_ends_at_once_and_the_next_one_succeeds(machine, rclone, victim):
    served = machine.root / "served"
    served.mkdir()
    write_tree(machine.data / "documents", BIG)
    with serving(rclone, "ftp", served, "--user", "u", "--pass", SECRET) as port:
        attributes = {"host": "127.0.0.1", "port": str(port), "user": "u"}
        login = {"name": "there", "provider": "ftp", "attributes": attributes, "secrets": {"pass": SECRET}}
        options = {"credential": "there", "remote_path": "d", "retries": 0, "encryption": {"password": PASSWORD}}
        machine.declare([login], [documents_task(machine, served, **options, bandwidth=SLOW)])
        if victim == "stop":
            run = machine.start("documents")
            machine.wait_for_bytes("documents")
            began = time.monotonic()
            assert machine.cloudsync("stop", "documents").code == 0
            assert machine.ended(run, 143)["exit_code"] == 143
            assert time.monotonic() - began < 5
        else:
            kill_during_transfer(machine)
            assert len(read_tree(served)) > 1
        machine.declare([login], [documents_task(machine, served, **options)])
        record = machine.run("documents")
        assert (record["transfers"], record["deletes"]) == (1, 0)
        assert record["message"].startswith("1 file transferred (19.1 MiB).")
        # The canary, the owner mark and the file.
        assert len(read_tree(served)) == 3


OLDER = """#!/bin/sh
case "$*" in
*version*) {rclone} "$@" | sed 's/^rclone v.*/rclone v1.64.2/' ;;
*) exec {rclone} "$@" ;;
esac
"""


@pytest.fixture(name="older")
def fixture_older(new_machine, rclone, tmp_path):
    """Return a machine whose rclone says that it is 1.64, so that it gets no ``--partial-suffix``."""
    program = tmp_path / "rclone"
    program.write_text(OLDER.format(rclone=os.path.realpath(rclone)))
    program.chmod(0o755)
    return new_machine(program)


@pytest.mark.parametrize("mode", ["copy", "sync"])
def test_without_marked_names_a_pull_completes_the_file_of_a_killed_run(older, bucket, store, reliability, mode):
    write_tree(bucket / "documents", {**BIG, **SMALL})
    older.declare([store], [documents_task(older, bucket, "pull", mode=mode, retries=0, bandwidth=SLOW)])
    kill_during_transfer(older)
    documents = older.data / "documents"
    assert set(read_tree(documents)) <= {*BIG, *SMALL}
    older.declare([store], [documents_task(older, bucket, "pull", mode=mode, retries=0)])
    record = older.run("documents")
    assert record["deletes"] == 0
    assert read_tree(documents) == {"d/big.bin": BIG["d/big.bin"], "a.txt": b"alpha"}
    reliability.add(f"SIGKILL ends a pull ({mode}) of rclone 1.64.", older.history("documents")[1], "cloudsync check")


def test_without_marked_names_a_sync_to_ftp_completes_the_file_of_a_killed_run(older, rclone):
    served = older.root / "served"
    served.mkdir()
    write_tree(older.data / "documents", BIG)
    with serving(rclone, "ftp", served, "--user", "u", "--pass", SECRET) as port:
        attributes = {"host": "127.0.0.1", "port": str(port), "user": "u"}
        login = {"name": "there", "provider": "ftp", "attributes": attributes, "secrets": {"pass": SECRET}}
        options = {"credential": "there", "remote_path": "d", "retries": 0}
        older.declare([login], [documents_task(older, served, **options, bandwidth=SLOW)])
        kill_during_transfer(older)
        older.declare([login], [documents_task(older, served, **options)])
        assert older.run("documents")["deletes"] == 0
    assert read_tree(served)["d/d/big.bin"] == BIG["d/big.bin"]
    assert find_unfinished(served) == []
