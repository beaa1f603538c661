# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import files
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError


def mode(path):
    return stat.S_IMODE(os.stat(str(path)).st_mode)


def test_atomic_write_replaces_the_whole_file_and_sets_its_mode(tmp_path):
    path = tmp_path / "file"
    path.write_text("long old content")
    path.chmod(0o644)

    files.atomic_write(str(path), b"new")

    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert os.listdir(str(tmp_path)) == ["file"]


def test_modes_do_not_depend_on_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        files.atomic_write(str(tmp_path / "unit"), b"", 0o644)
        files.make_directory(str(tmp_path / "open"), 0o755)
    finally:
        os.umask(before)

    assert mode(tmp_path / "unit") == 0o644
    assert mode(tmp_path / "open") == 0o755


def test_a_failed_write_keeps_the_old_file_and_no_temporary_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("old")

    def no_space(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        files.atomic_write(str(path), b"new")

    assert path.read_text() == "old"
    assert os.listdir(str(tmp_path)) == ["file"]


def test_atomic_write_syncs_the_file_before_the_rename_and_the_directory_after_it(tmp_path, monkeypatch):
    steps = []
    rename, fsync = os.rename, os.fsync
    monkeypatch.setattr(files.os, "rename", lambda *paths: (steps.append("rename"), rename(*paths)))
    monkeypatch.setattr(
        files.os,
        "fsync",
        lambda fd: (steps.append("directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file"), fsync(fd)),
    )

    files.atomic_write(str(tmp_path / "file"), b"content")

    assert steps == ["file", "rename", "directory"]


def leave_behind(directory, name, age):
    path = directory / name
    path.write_text("half")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def test_the_next_write_removes_what_killed_writes_left_in_the_directory(tmp_path):
    """Only files of our own pattern, which no living process is writing."""
    left = leave_behind(tmp_path, ".other.json.k2j4h5x_" + files.TEMPORARY, 120)
    new = leave_behind(tmp_path, ".a.json.k2j4h5x_" + files.TEMPORARY, 1)
    active = leave_behind(tmp_path, ".b.json.k2j4h5x_" + files.TEMPORARY, 120)
    foreign = [leave_behind(tmp_path, name, 999) for name in (".other.json.k2j4h5x_", "x" + files.TEMPORARY)]
    link = tmp_path / (".link" + files.TEMPORARY)
    link.symlink_to(foreign[0])
    os.utime(link, (1, 1), follow_symlinks=False)

    with open(active, "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        files.atomic_write(str(tmp_path / "file"), b"content")

    assert sorted(tmp_path.iterdir()) == sorted([new, active, *foreign, link, tmp_path / "file"])
    assert not left.exists()
    files.atomic_write(str(tmp_path / "file"), b"content")
    assert not active.exists()


def test_a_file_is_locked_while_it_is_written(tmp_path, monkeypatch):
    held = []

    def look(temporary, path):
        with open(temporary, "rb") as stream, pytest.raises(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.append(os.path.basename(temporary))
        replace(temporary, path)

    replace = os.rename
    monkeypatch.setattr(files.os, "rename", look)

    files.atomic_write(str(tmp_path / "file"), b"content")

    assert held[0].startswith(".file.") and held[0].endswith(files.TEMPORARY)


def test_make_directory_sets_the_modes_of_the_directory_and_its_new_parents(tmp_path):
    files.make_directory(str(tmp_path / "a" / "b"))
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o755, 0o700)

    files.make_directory(str(tmp_path / "x" / "y"), 0o700, 0o700)
    assert (mode(tmp_path / "x"), mode(tmp_path / "x" / "y")) == (0o700, 0o700)


def test_make_directory_corrects_the_mode_of_an_existing_directory(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)

    files.make_directory(str(tmp_path / "open"))

    assert mode(tmp_path / "open") == 0o700


def test_an_error_names_a_file_that_is_not_a_directory(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CloudsyncError, match="file is not a directory"):
        files.make_directory(str(tmp_path / "file"))


def test_a_missing_file_is_not_an_error(tmp_path):
    path = str(tmp_path / "nothing" / "here")

    assert files.read_text(path) is None
    assert files.read_json(path) is None
    assert files.read_versioned(path, 1) is None
    assert files.read_object(path, 1, "task", "a", ()) is None
    assert files.remove(path) is False
    assert files.list_names(path) == []


@pytest.mark.parametrize(
    ("block", "words"), [("file", "is not a directory"), ("link", "is a link to a directory that does not exist")]
)
@pytest.mark.parametrize("below", ["", "/tasks", "/tasks/deep"])
def test_a_directory_below_a_file_or_a_dangling_link_is_not_an_empty_one(tmp_path, block, words, below):
    blocked = tmp_path / "cloudsync"
    if block == "file":
        blocked.write_text("")
    else:
        blocked.symlink_to("/nowhere/at/all")
    path = str(blocked) + below

    for call in (files.list_names, files.make_directory):
        with pytest.raises(CloudsyncError, match=f"{blocked} {words}"):
            call(path)
    if block == "link":
        with pytest.raises(CloudsyncError, match=f"{blocked} {words}"):
            files.read_json(path + "/a.json")


def test_list_names_sorts_and_omits_temporary_files(tmp_path):
    for name in ("b.json", "a.json", ".c.json.x1", ".d.json", "e.txt"):
        (tmp_path / name).write_text("{}")

    assert files.list_names(str(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"null", b'{"schema": 1', b"\xff\xfe{}"])
def test_a_file_that_is_not_a_json_object_is_refused_by_name_and_kept(tmp_path, content):
    path = tmp_path / "nightly.json"
    path.write_bytes(content)

    with pytest.raises(files.Damaged) as caught:
        files.read_json(str(path))

    assert str(path) in caught.value.message
    assert "edited or truncated" in caught.value.message
    assert path.read_bytes() == content


@pytest.mark.parametrize("schema", ["", '"schema": 0', '"schema": "1"', '"schema": true', '"schema": null'])
def test_a_file_without_a_schema_number_is_refused(tmp_path, schema):
    path = tmp_path / "nightly.json"
    path.write_text("{" + schema + "}")

    with pytest.raises(files.Damaged, match="has no schema number"):
        files.read_versioned(str(path), 1)


def test_an_older_schema_is_read_and_a_newer_schema_is_refused_by_name(tmp_path):
    path = tmp_path / "nightly.json"
    path.write_text('{"schema": 2}')

    assert files.read_versioned(str(path), 3) == {"schema": 2}
    with pytest.raises(CloudsyncError, match=r"nightly.json has schema 2, written by a newer.* up to 1") as caught:
        files.read_versioned(str(path), 1)

    assert not isinstance(caught.value, files.Damaged)
    assert path.read_text() == '{"schema": 2}'


def test_an_incomplete_or_renamed_object_is_refused(tmp_path):
    path = tmp_path / "b.json"
    path.write_text('{"schema": 1, "name": "a"}')

    with pytest.raises(files.Damaged, match=r"b.json is damaged: credential, path missing. The file was edited"):
        files.read_object(str(path), 1, "task", "b", ("name", "path", "credential"))
    with pytest.raises(files.Damaged, match=r"b.json contains task a: the file was copied or renamed"):
        files.read_object(str(path), 1, "task", "b", ("name",))
    assert files.read_object(str(path), 1, "task", "a", ("name",)) == {"schema": 1, "name": "a"}


def test_a_write_to_a_full_disk_names_its_file(tmp_path, monkeypatch):
    def fails(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    path = str(tmp_path / "file")
    with pytest.raises(OSError) as caught:
        files.atomic_write(path, b"x")
    assert caught.value.filename == path
