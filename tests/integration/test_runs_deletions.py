# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a sync may delete by default: compared with the last success of the task on this host."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest
from harness import PASSWORD, documents_task, read_tree, text_tree, write_tree

REFUSED = 3
MANY = {f"folder{at % 3}/file{at}.txt": f"content {at}" for at in range(20)}
FEW = {"keep.txt": "keep", "photos/2025/a.jpg": "a", "photos/2026/b.jpg": "b"}


@pytest.fixture(name="site")
def fixture_site(machine, bucket, store):
    """The machine, and a function that declares the task ``documents`` and returns its source and destination."""

    def declare(direction="push", **options):
        local, remote = machine.data / "documents", bucket / "documents"
        machine.declare([store], [documents_task(machine, bucket, direction, **options)])
        return (local, remote) if direction == "push" else (remote, local)

    machine.task = declare
    return machine


def refused(site, destination, reason, *words):
    """Check that a dry run and a run are refused and change nothing. Return the record."""
    before = read_tree(destination)
    site.plan("documents", REFUSED, reason)
    record = site.run("documents", REFUSED, reason)
    assert read_tree(destination) == before
    assert (record["transfers"], record["deletes"]) == (0, 0)
    for word in words:
        assert word in record["message"], record
    return record


def synced(site, files, direction="push", **options):
    """Write ``files`` to the source and sync them. Return the source and the destination."""
    source, destination = site.task(direction, **options)
    write_tree(source, files)
    site.run("documents")
    assert text_tree(destination) == files
    return source, destination


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_a_stray_file_in_place_of_the_data_deletes_nothing(site, direction, reliability):
    source, destination = synced(site, MANY, direction)
    shutil.rmtree(source)
    write_tree(source, {".keep": ""})
    record = refused(site, destination, "max_delete", "would delete 20 of the 20 files")
    reliability.add(f"The source of a {direction} (sync) loses all files but one.", record, "the run is refused")
    site.task(direction, guards={"max_delete": "100%"})
    assert site.run("documents")["deletes"] == 20
    assert text_tree(destination) == {".keep": ""}


def test_a_renamed_folder_is_in_doubt_and_half_of_the_files_may_go(site):
    source, destination = synced(site, MANY)
    for folder in ("folder0", "folder1"):
        (source / folder).rename(source / ("new " + folder))
    refused(site, destination, "max_delete", "would delete 14 of the 20 files")
    (source / "new folder1").rename(source / "folder1")
    assert site.run("documents")["deletes"] == 7
    assert len(read_tree(destination)) == 20


def test_a_push_that_deletes_little_lists_the_destination_once(site):
    source, destination = synced(site, MANY)
    (source / "folder0/file0.txt").unlink()
    assert site.run("documents")["deletes"] == 1
    # Foreign files are not known, so rclone's own limit ends the run, and the next one makes a plan.
    foreign = {f"foreign{at}.txt": "x" for at in range(40)}
    write_tree(destination, foreign)
    record = site.run("documents", 1, "max_delete")
    assert record["deletes"] <= 10
    refused(site, destination, "max_delete", "would delete ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_source_that_is_not_mounted_deletes_not_even_a_few_files(site, reliability):
    source = site.data / "documents"
    source.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(source)], check=True)
    try:
        _source, destination = synced(site, FEW)
    finally:
        subprocess.run(["umount", str(source)], check=True)
    write_tree(source, {".keep": ""})
    record = refused(site, destination, "source_changed", "another volume")
    reliability.add("The volume of a push (sync) is not mounted, and a stray file is there.", record, "refused")
    # A volume that was replaced by a copy is no change.
    write_tree(source, FEW)
    site.run("documents")
    (source / "keep.txt").unlink()
    site.run("documents")
    assert "keep.txt" not in read_tree(destination)


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_a_host_that_was_installed_anew_deletes_nothing(site, direction, reliability):
    source, destination = synced(site, FEW, direction)
    shutil.rmtree(site.layout.state_dir)
    pathlib.Path(site.layout.machine_id).write_text("another\n")
    shutil.rmtree(source)
    write_tree(source, {"index.html": "It works!"})
    if direction == "push":
        record = refused(site, destination, "foreign", "cloudsync adopt documents")
    else:
        words = ("has no record of a successful sync", "set guards.max_delete for one run", "use mode copy")
        record = refused(site, destination, "max_delete", *words)
    reliability.add(f"A {direction} (sync) runs on a reinstalled host.", record, "the run is refused")
    # The data comes back, and a pull has to be told nothing.
    shutil.rmtree(source)
    write_tree(source, FEW)
    if direction == "push":
        assert site.cloudsync("adopt", "documents").code == 0
    site.run("documents")
    (source / "keep.txt").unlink()
    site.run("documents")
    assert set(read_tree(destination)) == set(FEW) - {"keep.txt"}


def test_a_task_that_gets_another_destination_deletes_nothing_there(site, bucket):
    synced(site, FEW)
    write_tree(bucket / "other", {"theirs.txt": "theirs"})
    site.task(remote_path=bucket.name + "/other")
    refused(site, bucket / "other", "max_delete", "has no record of a successful sync")


def test_a_first_sync_that_failed_is_continued_although_a_file_is_gone(site):
    source, destination = site.task(transfers=1, rclone_args=["--max-transfer=50K"])
    write_tree(source, {name: text * 2000 for name, text in MANY.items()})
    site.run("documents", 1, "max_duration")
    copied = sorted(read_tree(destination))
    assert copied
    (source / copied[0]).unlink()
    site.task()
    site.run("documents")
    assert set(read_tree(destination)) == set(MANY) - {copied[0]}


@pytest.mark.parametrize("guards", [{}, {"max_delete": "100%"}])
def test_a_folder_that_moved_away_and_is_a_link_now_is_kept_at_the_destination(site, guards, reliability):
    source, destination = synced(site, FEW, guards=guards)
    (source / "photos").rename(site.data / "another disk")
    (source / "photos").symlink_to(site.data / "another disk")
    record = refused(site, destination, "source_changed", "changed to a symbolic link: photos.")
    reliability.add("A folder of a push (sync) becomes a symbolic link.", record, "the run is refused")
    site.task(exclude=["/photos", "/photos/**"], guards=guards)
    site.run("documents")
    assert text_tree(destination) == FEW
    site.task(follow_symlinks=True, guards=guards)
    site.run("documents")
    assert text_tree(destination) == FEW


@pytest.mark.parametrize("filenames", ["standard", "off"])
def test_an_encrypted_destination_is_refused_by_a_task_without_encryption(site, filenames, reliability):
    source, destination = site.task(encryption={"password": PASSWORD, "filenames": filenames})
    write_tree(source, FEW)
    site.run("documents")
    for mode in ("copy", "sync", "move"):
        site.task(mode=mode)
        record = refused(site, destination, "crypt_password", "the task has no encryption")
    reliability.add("A task loses its encryption.", record, "the run is refused")
    local = site.data / "documents"
    for mode in ("copy", "sync"):
        site.task("pull", mode=mode)
        refused(site, local, "crypt_password", "the task has no encryption")


def test_plain_files_are_refused_by_a_task_with_encryption(site):
    _source, destination = synced(site, FEW)
    site.task(encryption={"password": PASSWORD})
    refused(site, destination, "crypt_password")


def test_two_tasks_may_share_the_folder_for_deleted_files(site, bucket):
    expired = "20200101T000000Z-abcdef/x.txt"
    host = os.uname().nodename
    old = {f"documents@{host}/{expired}": "mine", f"archive@{host}/{expired}": "theirs", f"documents@x/{expired}": "x"}
    write_tree(bucket / "kept", old)
    synced(site, FEW, keep_deleted={"path": bucket.name + "/kept", "days": 7})
    left = text_tree(bucket / "kept")
    assert left.pop(f"documents@{host}/history.json")
    assert sorted(left.values()) == ["theirs", "x"]


@pytest.mark.parametrize("direction", ["push", "pull"])
@pytest.mark.usefixtures("each_machine")
def test_kept_files_are_counted_as_in_the_plan(request, bucket, store, direction):
    machine = request.getfixturevalue("each_machine")
    local, remote = machine.data / "documents", bucket / "documents"
    kept = bucket.name + "/kept" if direction == "push" else str(machine.data / "kept")
    options = {"keep_deleted": {"path": kept, "days": 1}, "guards": {"max_delete": 1}}
    machine.declare([store], [documents_task(machine, bucket, direction, **options)])
    source, destination = (local, remote) if direction == "push" else (remote, local)
    write_tree(destination, {"overwritten.txt": "old", "gone.txt": "gone"})
    write_tree(source, {"overwritten.txt": "newer", "new.txt": "new"})
    totals = {name: total["files"] for name, total in machine.plan("documents")["totals"].items()}
    assert totals == {"copy": 1, "overwrite": 1, "delete": 1}
    record = machine.run("documents")
    assert (record["transfers"], record["deletes"]) == (2, 1)
    assert record["message"].startswith("2 files transferred (") and "1 file deleted" in record["message"]
    assert len(list(pathlib.Path(bucket if direction == "push" else machine.data, "kept").rglob("*.txt"))) == 2
