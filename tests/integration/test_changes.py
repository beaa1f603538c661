# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run on S3 compares only the files that may have changed: one request for each of them, and not for each file."""

from __future__ import annotations

import os
import pathlib
import random
from collections import Counter

import places
import pytest
from doorman import Doorman, guarding
from harness import PASSWORD, documents_task, read_tree, s3_credential, scale, text_tree, write_tree

FILES = {f"folder{at % 3}/file{at}.txt": f"content {at}" for at in range(30)}


class Site:
    """A machine with the task ``documents``, and a proxy that sees its requests."""

    def __init__(self, machine, bucket, doorman, port):
        self.machine, self.bucket, self.doorman, self.port = machine, bucket, doorman, port
        self.source, self.destination = machine.data / "documents", bucket / "documents"

    def declare(self, **options):
        self.machine.declare([s3_credential(self.port)], [documents_task(self.machine, self.bucket, **options)])

    def run(self, *outcome):
        """Run the task, and return its requests by kind."""
        self.doorman.seen.clear()
        self.record = self.machine.run("documents", *outcome)
        return Counter(map(kind_of, self.doorman.seen))

    def settle(self, files):
        """Write ``files``, and run until they are known to be equal."""
        write_tree(self.source, files)
        self.run()
        self.run()


def kind_of(request):
    """Return ``file`` for a request about one file of the task."""
    path, _mark, query = request.path.partition("?")
    if ".cloudsync-" in path:
        return "mark"
    if request.command == "GET" and "prefix" in query:
        return "list"
    return "file" if "/documents/" in path else "bucket"


@pytest.fixture(name="site")
def fixture_site(machine, bucket, s3_server):
    doorman = Doorman()
    with guarding(doorman, s3_server[0]) as port:
        yield Site(machine, bucket, doorman, port)


def test_a_run_without_changes_lists_the_destination_and_asks_for_no_file(site):
    site.declare()
    site.settle(FILES)
    requests = site.run()
    assert not requests["file"], requests
    assert requests["list"] == 1 + 3, requests  # one for each folder
    assert site.record["message"] == "Nothing had to be transferred."


def test_a_limit_of_deletions_costs_no_more_requests_without_a_change(site):
    site.declare()
    site.settle(FILES)
    without = site.run()
    site.declare(guards={"max_delete": "10%"})
    assert site.run() == without


def test_a_limit_of_deletions_is_a_share_of_all_files(site):
    site.declare(guards={"max_delete": "10%"})
    site.settle(FILES)
    for at in range(3):
        (site.source / f"folder{at}/file{at}.txt").unlink()
    site.run()
    assert site.record["deletes"] == 3
    for at in range(3, 6):
        (site.source / f"folder{at % 3}/file{at}.txt").unlink()
    site.run(3, "max_delete")
    assert "would delete 3 of the 27 files" in site.record["message"]


@pytest.mark.parametrize("guards", [{}, {"max_delete": "10%"}], ids=["", "max_delete"])
def test_only_the_changed_files_are_compared(site, guards):
    site.declare(guards=guards)
    site.settle(FILES)
    write_tree(site.source, {"folder0/file0.txt": "changed 0", "folder1/new.txt": "new"})
    os.utime(site.source / "folder0/file0.txt")
    (site.source / "folder2/file2.txt").unlink()
    requests = site.run()
    assert (site.record["transfers"], site.record["deletes"]) == (2, 1)
    assert read_tree(site.destination) == read_tree(site.source)
    assert requests["file"] < 15, requests


@pytest.mark.parametrize("age", [100, -100])
def test_a_file_of_the_same_size_with_any_other_time_is_transferred(site, age):
    site.declare()
    site.settle(FILES)
    path = site.source / "folder0/file0.txt"
    write_tree(site.source, {"folder0/file0.txt": "Content 0"})
    os.utime(path, (path.stat().st_mtime + age,) * 2)
    site.run()
    assert site.record["transfers"] == 1
    assert read_tree(site.destination) == read_tree(site.source)


def test_an_object_that_something_else_replaced_or_deleted_is_repaired(site):
    site.declare()
    site.settle(FILES)
    (site.destination / "folder0/file0.txt").write_text("damaged 0")
    site.run()
    assert site.record["transfers"] == 1
    (site.destination / "folder0/file0.txt").unlink()
    (site.destination / "folder0/stray.txt").write_text("stray")
    site.run()
    assert (site.record["transfers"], site.record["deletes"]) == (1, 1)
    assert read_tree(site.destination) == read_tree(site.source)


def test_a_copy_leaves_the_other_files_of_its_destination_alone(site):
    site.declare(mode="copy")
    site.settle(FILES)
    (site.destination / "stray.txt").write_text("stray")
    (site.source / "folder0/file0.txt").unlink()
    requests = site.run()
    assert not requests["file"], requests
    assert text_tree(site.destination) == {**FILES, "stray.txt": "stray"}


def test_a_file_that_was_uploaded_minutes_ago_is_compared_once_more(site):
    site.declare()
    write_tree(site.source, FILES)
    os.utime(site.source / "folder0/file0.txt")  # this server tells the time of the file as that of the upload
    site.run()
    site.run()
    assert site.run()["file"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"exclude": ["/folder2/**"]},
        {"rclone_args": ["--checksum"]},
        {"verify_after": "checksum"},
        {"keep_deleted": {"path": "kept"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_options_never_hide_a_difference(site, change):
    site.declare()
    site.settle(FILES)
    change = {name: {"path": site.bucket.name + "/kept"} if name == "keep_deleted" else change[name] for name in change}
    site.declare(**change)
    path = site.destination / "folder1/file1.txt"
    path.write_text("damaged 1")
    os.utime(path, (1700000000, 1700000000))
    site.run()
    assert text_tree(site.destination)["folder1/file1.txt"] == "content 1"


def test_a_damaged_memory_is_the_same_as_none(site):
    site.declare()
    site.settle(FILES)
    memory = pathlib.Path(site.machine.layout.task_state_dir("documents"), "known-files")
    for damage in (b"", b"{}\n", b"\0" * 100, memory.read_bytes()[:-1]):
        memory.write_bytes(damage)
        (site.destination / "folder0/file0.txt").write_text("damaged 0")
        site.run()
        assert "known-files is damaged" in pathlib.Path(site.record["log"]).read_text(), damage
        assert read_tree(site.destination) == read_tree(site.source), damage
        site.run()
        assert not site.run()["file"], damage


def test_a_name_with_a_line_break_is_transferred(machine, seaweed_port, bucket_name):
    """On another server: under load, rclone serve s3 sometimes loses such a name ("object not found")."""
    source = machine.data / "documents"
    task = {"name": "documents", "credential": "store", "direction": "push", "mode": "sync", "path": str(source)}
    store = {**places.seaweed(seaweed_port).credential, "name": "store"}
    machine.declare([store], [{**task, "remote_path": f"{bucket_name}/documents"}])
    machine.module("bucket", credential="store", name=bucket_name)
    names = {"folder0/line\nbreak.txt": "one", "folder0/line": "two", "break.txt": "three"}
    write_tree(source, {**FILES, **names})
    assert machine.run("documents")["transfers"] == len(FILES) + len(names)
    machine.run("documents")
    write_tree(source, {"folder0/line\nbreak.txt": "changed"})
    assert machine.run("documents")["transfers"] == 1
    (source / "folder0/line\nbreak.txt").unlink()
    record = machine.run("documents")
    assert (record["transfers"], record["deletes"]) == (0, 1)


@pytest.mark.soak
@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD}], ids=["plain", "crypt"])
def test_random_changes_at_both_sides_end_equal(site, encryption):
    chance = random.Random(f"changes {bool(encryption)}")
    site.declare(encryption=encryption, guards={"max_delete": "100%"} if chance.random() < 0.5 else {})
    names = [f"{folder}/{name}" for folder in "abc" for name in ("1", "2 ", "#3", "ü", ";4;5;6")]
    site.settle({name: name * 3 for name in names})
    for round_number in range(scale(8, 60)):
        for _change in range(chance.randint(0, 3)):
            _change_one(chance, site, chance.choice(names), bool(encryption), round_number)
        site.run()
        if encryption is None:
            assert read_tree(site.destination) == read_tree(site.source)
        else:
            compared = site.machine.module("run", task="documents", dry_run=True)
            assert compared["plan"]["totals"] == {
                kind: {"files": 0, "bytes": 0} for kind in ("copy", "overwrite", "delete")
            }


def _change_one(chance, site, name, is_encrypted, number):
    kind = chance.choice(("write", "write", "delete", "rename", "damage", "steal"))
    path = site.source / name
    if kind == "write" or not path.exists():
        write_tree(site.source, {name: chance.choice("xyz") * chance.randint(1, 3)})
        os.utime(path, (1600000000 + number * 10 + chance.randint(1, 9),) * 2)
    elif kind == "delete" and len(read_tree(site.source)) > 5:
        path.unlink()
    elif kind == "rename":
        path.rename(site.source / "a" / f"renamed {number}")
    elif not is_encrypted and (site.destination / name).exists():
        if kind == "damage":
            (site.destination / name).write_bytes(b"?" * (site.destination / name).stat().st_size)
        else:
            (site.destination / name).unlink()


def test_the_oldest_rclone_compares_all_files(new_machine, old_rclone, bucket, s3_server):
    machine = new_machine(old_rclone)
    with guarding(Doorman(), s3_server[0]) as port:
        site = Site(machine, bucket, Doorman(), port)
        site.declare()
        site.settle(FILES)
        (site.destination / "folder0/file0.txt").write_text("damaged 0")
        site.run()
    assert read_tree(site.destination) == read_tree(site.source)
