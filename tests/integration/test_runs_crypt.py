# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wrong crypt password is never a success, and never destroys anything."""

from __future__ import annotations

import os

import pytest
from harness import PASSWORD, SALT, SECRET, read_tree, text_tree, write_tree

FILES = {"a.txt": "alpha", "deep/b.txt": "beta", "empty.txt": ""}
HEARD = "the run fails, notification, `cloudsync check`"
CANARY = ".cloudsync-canary"
CONTENT = "cloudsync canary 1: this object tells whether the crypt password is right\n"
WRONG = SECRET + "-wrong"
MODES = ["standard", "obfuscate", "off"]


class Pair:
    """A push of ``source`` and a pull into ``back``, over the same encrypted folder ``remote``."""

    def __init__(self, machine, bucket, store):
        self.machine, self.store = machine, store
        self.source, self.back, self.remote = machine.data / "source", machine.data / "back", bucket / "d"

    def declare(self, encryption, **options):
        common = {
            "credential": "store",
            "mode": "sync",
            "remote_path": self.remote.parent.name + "/d",
            "encryption": encryption,
        }
        push = {"name": "push", "direction": "push", "path": str(self.source), **common, **options}
        pull = {"name": "pull", "direction": "pull", "path": str(self.back), **common, **options}
        self.machine.declare([self.store], [push, pull])


@pytest.fixture(name="pair")
def fixture_pair(request, bucket, store):
    """With FILES in its source."""
    wanted = "each_machine" if "each_machine" in request.fixturenames else "machine"
    made = Pair(request.getfixturevalue(wanted), bucket, store)
    write_tree(made.source, FILES)
    return made


@pytest.mark.usefixtures("each_machine")
@pytest.mark.parametrize("filenames", MODES)
def test_a_wrong_password_is_refused_on_push_and_pull(pair, filenames, reliability):
    right = {"password": PASSWORD, "salt": SALT, "filenames": filenames}
    pair.declare(right)
    pair.machine.run("push")
    stored = read_tree(pair.remote)
    write_tree(pair.back, {"local.txt": "precious"})
    pair.declare({**right, "password": WRONG})
    records = {name: pair.machine.run(name, 3, "crypt_password") for name in ("push", "pull")}
    pair.declare({**right, "salt": WRONG})
    pair.machine.plan("push", 3, "crypt_password")
    pair.machine.plan("pull", 3, "crypt_password")
    assert read_tree(pair.remote) == stored
    assert text_tree(pair.back) == {"local.txt": "precious"}
    pair.declare(right, guards={"max_delete": 1})
    pair.machine.run("pull")
    assert text_tree(pair.back) == FILES
    for name, record in records.items():
        reliability.add(f"The encryption password of a {name} (sync) is wrong.", record, HEARD)


@pytest.mark.usefixtures("each_machine")
@pytest.mark.parametrize("filenames", MODES)
def test_a_wrong_password_is_refused_where_there_is_no_canary_yet(pair, filenames, reliability):
    """What another tool has encrypted, or a cloudsync that could not write its canary."""
    right = {"password": PASSWORD, "filenames": filenames}
    pair.declare(right)
    pair.machine.run("push")
    before = read_tree(pair.remote)
    left = remove_canary(pair)
    assert len(left) == len(before) - 1
    pair.declare({**right, "password": WRONG})
    record = pair.machine.run("push", 3, "crypt_password")
    pair.machine.run("pull", 3, "crypt_password")
    assert read_tree(pair.remote) == left
    reliability.add("The encryption password is wrong, and the canary is missing.", record, HEARD)
    pair.declare(right)
    pair.machine.run("push")
    assert len(read_tree(pair.remote)) == len(before)


def remove_canary(pair):
    """Remove the canary, and return the other files."""
    for path in pair.remote.rglob("*"):
        # The canary is the only file of this size.
        if path.is_file() and path.stat().st_size == 48 + len(CONTENT):
            path.unlink()
    return read_tree(pair.remote)


def test_a_name_that_is_not_utf_8_does_not_look_like_a_wrong_password(pair):
    """It is the first name that a run without a canary tries to decrypt."""
    name = os.fsdecode(b"a\xe9t\xe9.txt")
    (pair.source / name).write_text("summer")
    (pair.source / "a.txt").unlink()
    pair.declare({"password": PASSWORD})
    pair.machine.run("push")
    remove_canary(pair)
    pair.machine.run("push")
    pair.machine.run("pull")
    assert (pair.back / name).read_text() == "summer"
    assert pair.machine.cloudsync("run", "pull", "--dry-run").code == 0


@pytest.mark.parametrize("filenames", MODES)
def test_a_push_with_encryption_over_plain_files_is_refused(pair, filenames):
    write_tree(pair.remote, {"plain.txt": "not encrypted at all, and long enough to be taken for it"})
    pair.declare({"password": PASSWORD, "filenames": filenames})
    pair.machine.run("push", 3, "crypt_password")
    assert list(text_tree(pair.remote)) == ["plain.txt"]


def test_the_canary_is_planted_once_and_is_no_part_of_what_is_transferred(pair):
    pair.declare({"password": PASSWORD, "filenames": "off"})
    pair.machine.run("push")
    canary = pair.remote / (CANARY + ".bin")
    planted = canary.stat().st_mtime_ns, canary.read_bytes()
    assert pair.machine.run("push")["deletes"] == 0
    assert (canary.stat().st_mtime_ns, canary.read_bytes()) == planted
    pair.machine.run("pull")
    assert text_tree(pair.back) == FILES
    assert pair.machine.plan("push")["present"] == 3


def test_a_dry_run_plants_no_canary(pair):
    pair.declare({"password": PASSWORD})
    assert [entry["path"] for entry in pair.machine.plan("push")["copy"]] == sorted(FILES)
    assert not pair.remote.exists()


def test_a_push_that_is_refused_plants_no_canary(pair):
    """max_delete lets nothing through, so nothing at all may change there."""
    pair.declare({"password": PASSWORD, "filenames": "off"}, guards={"max_delete": 0})
    pair.machine.run("push")
    (pair.remote / (CANARY + ".bin")).unlink()
    (pair.source / "a.txt").unlink()
    before = read_tree(pair.remote)
    pair.machine.run("push", 3, "max_delete")
    assert read_tree(pair.remote) == before


@pytest.mark.usefixtures("each_machine")
@pytest.mark.parametrize("name", ["foreign.txt", "0123456789abcdefghijklmnop"])
def test_a_foreign_object_among_encrypted_ones_deletes_nothing_on_a_pull(pair, name, reliability):
    pair.declare({"password": PASSWORD})
    pair.machine.run("push")
    write_tree(pair.remote, {name: "somebody else's"})
    write_tree(pair.back, {"local.txt": "precious"})
    record = pair.machine.run("pull", 3, "undecryptable")
    assert text_tree(pair.back)["local.txt"] == "precious"
    reliability.add("A foreign object is among the encrypted ones of a pull (sync).", record, HEARD)


@pytest.mark.parametrize("filenames", MODES)
def test_a_foreign_object_among_encrypted_ones_is_named_with_the_way_out(pair, filenames, reliability):
    pair.declare({"password": PASSWORD, "filenames": filenames, "directory_names": False}, retries=0)
    pair.machine.run("push")
    write_tree(pair.remote, {"deep/foreign.txt": "somebody else's"})
    (pair.source / "a.txt").unlink()
    record = pair.machine.run("push", 1, "undecryptable")
    assert "Files: deep/foreign.txt." in record["message"]
    assert "move it out of remote_path" in record["message"]
    # Nothing was deleted. The canary and the owner mark are there, too. If names are off, read_tree() knows the mark.
    assert len(read_tree(pair.remote)) == len(FILES) + (2 if filenames == "off" else 3)
    (pair.remote / "deep/foreign.txt").unlink()
    assert pair.machine.run("push")["deletes"] == 1
    reliability.add("A foreign object is among the encrypted ones of a push (sync).", record, HEARD)


def test_a_damaged_object_is_named(pair, reliability):
    pair.declare({"password": PASSWORD, "filenames": "off"})
    pair.machine.run("push")
    (pair.remote / "a.txt.bin").write_bytes(b"x" * 100)
    record = pair.machine.run("pull", 1, "undecryptable")
    assert "a.txt" in record["message"]
    assert "a.txt" not in text_tree(pair.back)
    reliability.add("An encrypted object is damaged at the provider.", record, HEARD)


@pytest.mark.parametrize("directory_names", [True, False])
def test_names_are_hidden_as_asked_for(pair, directory_names):
    pair.declare({"password": PASSWORD, "salt": SALT, "directory_names": directory_names})
    pair.machine.run("push")
    assert (pair.remote / "deep").is_dir() is not directory_names
    assert not [name for name in read_tree(pair.remote) if "a.txt" in name or "b.txt" in name]
    pair.machine.run("pull")
    assert text_tree(pair.back) == FILES
