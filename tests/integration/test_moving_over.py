# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users of TrueNAS ask for or stumble over, where no other test shows what happens here."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess

import pytest
from harness import KEY, KEY_ID, PASSWORD, SALT, SLOW, alive, text_tree, write_tree

FILES = {"a.txt": "alpha", "deep/er/b.txt": "beta"}
CONFIG = """
[store]
type = s3
provider = Other
endpoint = {endpoint}
access_key_id = {key_id}
secret_access_key = {key}
[crypt]
type = crypt
remote = store:{bucket}
password = {password}
password2 = {salt}
"""


@pytest.fixture(name="push")
def fixture_push(machine, bucket, store):
    """The options of a push of FILES, whose credential is there."""
    write_tree(machine.data / "documents", FILES)
    machine.declare([store])
    return {
        "name": "documents",
        "credential": "store",
        "direction": "push",
        "path": str(machine.data / "documents"),
        "remote_path": bucket.name + "/documents",
    }


@pytest.mark.parametrize("how", ["absent", "purge"])
def test_a_task_that_is_removed_does_not_run_on(machine, push, how):
    write_tree(machine.data / "documents", {"big.bin": b"x" * 20_000_000})
    told = f'echo "$CLOUDSYNC_STATE" > {machine.data}/told'
    machine.declare([], [{**push, "bandwidth": SLOW, "hooks": {"failure": told}}])
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    rclone = machine.rclone_of(run)[0]
    if how == "absent":
        removed = {"name": "documents", "state": "absent"}
        machine.module("task", _ansible_check_mode=True, **removed)
        assert run.poll() is None
        result = machine.module("task", **removed)
    else:
        result = machine.module("host_config", credentials=[], tasks=[], purge=True, purge_all=True)
    assert "was removed while its run" in str(result["warnings"])
    record = machine.ended(run, 143)
    assert (record["state"], record["reason"]) == ("aborted", "stopped")
    assert (machine.data / "told").read_text() == "aborted\n"
    assert not alive(rclone)
    assert not machine.live()


def test_what_rclone_encrypted_elsewhere_is_adopted(machine, bucket, push, store, rclone):
    """Its root is the bucket's, so the encryption's is; a folder in it is chosen by ``include``."""

    def obscured(plain):
        return subprocess.run([rclone, "obscure", "-"], input=plain, capture_output=True, text=True, check=True).stdout

    config = machine.root / "rclone.conf"
    config.write_text(
        CONFIG.format(
            endpoint=store["attributes"]["endpoint"],
            key_id=KEY_ID,
            key=KEY,
            bucket=bucket.name,
            password=obscured(PASSWORD),
            salt=obscured(SALT),
        )
    )
    subprocess.run([rclone, "--config", config, "copy", machine.data / "documents", "crypt:theirs"], check=True)
    subprocess.run([rclone, "--config", config, "copy", machine.data / "documents", "crypt:others"], check=True)
    config.unlink()
    pull = {
        **push,
        "direction": "pull",
        "path": str(machine.data / "back"),
        "remote_path": bucket.name,
        "include": ["/theirs/**"],
        "encryption": {"password": PASSWORD, "salt": SALT},
    }
    machine.declare([], [pull])
    machine.run("documents")
    assert text_tree(machine.data / "back") == {"theirs/" + name: content for name, content in FILES.items()}


def test_modes_come_back_where_the_provider_keeps_them(machine, push):
    copies = machine.root / "copies"
    source = pathlib.Path(push["path"], "a.txt")
    source.chmod(0o640)
    task = {**push, "credential": "disk", "remote_path": str(copies), "rclone_args": ["--metadata"]}
    machine.declare([{"name": "disk", "provider": "local"}], [task])
    machine.run("documents")
    machine.module("run", reverse_of="documents", path=str(machine.data / "back"), rclone_args=["--metadata"])
    restored = (machine.data / "back" / "a.txt").stat()
    assert stat.S_IMODE(restored.st_mode) == 0o640
    assert (restored.st_uid, restored.st_mtime) == (os.geteuid(), source.stat().st_mtime)


def test_the_ways_into_snapshots_are_not_transferred(machine, bucket, push):
    hidden = [".zfs/snapshot/daily/a.txt", "deep/.zfs/snapshot/daily/b.txt", ".cloudsync-snapshots/x/a.txt"]
    write_tree(machine.data / "documents", dict.fromkeys(hidden, "again"))
    write_tree(bucket / "documents", {"stale.txt": "stale"})
    machine.declare([], [{**push, "mode": "sync", "guards": {"max_delete": 1}}])
    machine.run("documents")
    assert text_tree(bucket / "documents") == FILES
