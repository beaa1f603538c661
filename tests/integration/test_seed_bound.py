# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A seed that is bound to this machine, by the real systemd-creds."""

from __future__ import annotations

import json
import subprocess

import harness
import pytest

PASSPHRASE = harness.SECRET + "-passphrase"
HIDE_KEY = "mount -t tmpfs none /var/lib/systemd && exec {0}"


@pytest.fixture(name="bound")
def fixture_bound(new_machine, store, bucket):
    """A machine with a seed that is bound to this host, and a task that works."""
    machine = new_machine()
    answer = machine.module("seed", bound="host")
    if "msg" in answer and (
        "systemd-creds is not installed" in answer["msg"] or "systemd-creds failed" in answer["msg"]
    ):
        pytest.skip(answer["msg"])
    assert answer["changed"] and answer["seed"]["bound"] == "host", answer
    harness.write_tree(machine.data, {"a.txt": "a"})
    crypt = {"password": harness.PASSWORD}
    push = {"name": "www", "credential": "store", "direction": "push", "path": str(machine.data), "encryption": crypt}
    machine.declare([store], [{**push, "remote_path": bucket.name}])
    return machine


def content(machine):
    with open(machine.layout.seed) as stream:
        return json.load(stream)


def in_namespace(machine, script):
    """``cloudsync run www`` on a machine with other mounts."""
    command = f"{machine.layout.command} run www --json"
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script.format(command)],
        env={**machine.environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_everything_works_alike_and_no_key_is_on_the_disk(bound):
    assert sorted(content(bound)) == ["bound", "checksum", "schema", "sealed"]
    bound.run("www")
    assert bound.cloudsync("verify", "store").code == 0
    assert not bound.module("seed", bound="host")["changed"]
    assert not bound.module("seed")["changed"]
    keys = [part for part in json.dumps(bound.host.seed.to_dict()).split('"') if part.endswith("=")]
    assert keys and not [key for key in keys for text in bound.left_behind().values() if key.encode() in text]


def test_it_stays_bound_when_it_is_rotated_backed_up_and_restored(bound):
    assert bound.module("seed", state="rotated")["seed"]["bound"] == "host"
    backup = bound.module("backup", passphrase=PASSPHRASE)
    assert bound.module("backup", passphrase=PASSPHRASE, previous=backup["content"])["content"] == backup["content"]
    restored = bound.module("restore", content=backup["content"], passphrase=PASSPHRASE)
    assert (restored["changed"], restored["seed"]["bound"]) == (False, "host")
    assert "sealed" in content(bound)
    bound.run("www")


def test_the_binding_can_be_taken_away(bound):
    assert bound.module("seed", bound="none", _ansible_check_mode=True)["changed"]
    assert "sealed" in content(bound)
    assert bound.module("seed", bound="none")["seed"]["bound"] == "none"
    assert "keys" in content(bound)
    bound.run("www")


def test_a_host_whose_key_is_gone_says_so_and_is_restored_from_its_backup(bound):
    backup = bound.module("backup", passphrase=PASSPHRASE)["content"]
    sealed = content(bound)

    ended = in_namespace(bound, HIDE_KEY)
    if "mount:" in ended.stderr or "unshare:" in ended.stderr:
        pytest.skip("no mounts here: " + ended.stderr)
    record = json.loads(ended.stdout)
    assert (ended.returncode, record["reason"]) == (1, "undecryptable")
    assert "is bound (bound=host), and this host cannot open it. It was not changed." in record["message"]
    assert "Cause: systemd-creds failed: " in record["message"]
    assert content(bound) == sealed

    edited = {**sealed, "sealed": sealed["sealed"][:40]}
    with open(bound.layout.seed, "w") as stream:
        json.dump(edited, stream)
    for options in ({}, {"state": "rotated"}):
        assert "is damaged: it was edited or truncated." in bound.module("seed", **options)["msg"]
    assert content(bound) == edited
    restored = bound.module("restore", content=backup, passphrase=PASSPHRASE, bound="host")
    assert restored["seed"]["bound"] == "host"
    bound.run("www")
    (kept,) = (bound.root / "etc/cloudsync").glob("seed.damaged-*")
    assert json.loads(kept.read_text()) == edited


def test_a_tpm_that_is_not_there_is_refused(bound):
    before = content(bound)
    for check in (True, False):
        answer = bound.module("seed", bound="tpm2", _ansible_check_mode=check)
        if not answer.get("failed"):
            pytest.skip("there is a TPM here")
        assert answer["msg"].startswith("Cannot bind the seed with bound=tpm2. The seed was not changed. Cause: ")
        assert "Cause: systemd-creds failed: " in answer["msg"]
    assert content(bound) == before
