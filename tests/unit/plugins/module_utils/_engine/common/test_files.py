# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import files
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError


def mode(path):
    return stat.S_IMODE(os.stat(str(path)).st_mode)


def test_a_write_replaces_the_whole_file_and_sets_its_mode(tmp_path):
    path = tmp_path / "file"
    path.write_text("long old content")
    path.chmod(0o644)

    files.atomic_write(str(path), b"new")

    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert os.listdir(str(tmp_path)) == ["file"]


def test_the_umask_has_no_say(tmp_path):
    before = os.umask(0o077)
    try:
        files.atomic_write(str(tmp_path / "unit"), b"", 0o644)
        files.make_directory(str(tmp_path / "open"), 0o755)
    finally:
        os.umask(before)

    assert mode(tmp_path / "unit") == 0o644
    assert mode(tmp_path / "open") == 0o755


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("old")

    def no_space(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        files.atomic_write(str(path), b"new")

    assert path.read_text() == "old"
    assert os.listdir(str(tmp_path)) == ["file"]


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_the_return(tmp_path, monkeypatch):
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


def test_a_directory_gets_its_mode_and_its_new_parents_theirs(tmp_path):
    files.make_directory(str(tmp_path / "a" / "b"))
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o755, 0o700)

    files.make_directory(str(tmp_path / "x" / "y"), 0o700, 0o700)
    assert (mode(tmp_path / "x"), mode(tmp_path / "x" / "y")) == (0o700, 0o700)


def test_a_directory_that_is_too_open_is_closed(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)

    files.make_directory(str(tmp_path / "open"))

    assert mode(tmp_path / "open") == 0o700


def test_a_file_where_a_directory_should_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CloudsyncError, match="file is in the way: it must be a directory"):
        files.make_directory(str(tmp_path / "file"))


def test_what_is_not_there_is_none_or_false_and_no_error(tmp_path):
    path = str(tmp_path / "nothing" / "here")

    assert files.read_text(path) is None
    assert files.read_json(path) is None
    assert files.read_versioned(path, 1) is None
    assert files.read_object(path, 1, "task", "a", ()) is None
    assert files.remove(path) is False
    assert files.list_names(path) == []


def test_names_are_sorted_and_temporary_files_are_none(tmp_path):
    for name in ("b.json", "a.json", ".c.json.x1", ".d.json", "e.txt"):
        (tmp_path / name).write_text("{}")

    assert files.list_names(str(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"null", b'{"schema": 1', b"\xff\xfe{}"])
def test_a_file_that_is_not_a_json_object_is_named_and_kept(tmp_path, content):
    path = tmp_path / "nightly.json"
    path.write_bytes(content)

    with pytest.raises(files.Damaged) as caught:
        files.read_json(str(path))

    assert str(path) in caught.value.message
    assert "edited or cut short" in caught.value.message
    assert path.read_bytes() == content


@pytest.mark.parametrize("schema", ["", '"schema": 0', '"schema": "1"', '"schema": true', '"schema": null'])
def test_a_file_without_a_schema_number_is_not_ours(tmp_path, schema):
    path = tmp_path / "nightly.json"
    path.write_text("{" + schema + "}")

    with pytest.raises(files.Damaged, match="has no schema number"):
        files.read_versioned(str(path), 1)


def test_an_older_schema_is_read_and_a_newer_one_refused_by_name(tmp_path):
    path = tmp_path / "nightly.json"
    path.write_text('{"schema": 2}')

    assert files.read_versioned(str(path), 3) == {"schema": 2}
    with pytest.raises(CloudsyncError, match=r"nightly.json has schema 2, written by a newer.* up to 1") as caught:
        files.read_versioned(str(path), 1)

    assert not isinstance(caught.value, files.Damaged)
    assert path.read_text() == '{"schema": 2}'


def test_an_object_that_lacks_a_part_or_has_another_name_is_refused(tmp_path):
    path = tmp_path / "b.json"
    path.write_text('{"schema": 1, "name": "a"}')

    with pytest.raises(files.Damaged, match=r"b.json lacks credential, path: it was edited"):
        files.read_object(str(path), 1, "task", "b", ("name", "path", "credential"))
    with pytest.raises(files.Damaged, match=r"b.json holds the task 'a': it was copied or renamed"):
        files.read_object(str(path), 1, "task", "b", ("name",))
    assert files.read_object(str(path), 1, "task", "a", ("name",)) == {"schema": 1, "name": "a"}
