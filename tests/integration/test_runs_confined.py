# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rclone writes nothing outside of the folders of its task, whatever another user plants there."""

from __future__ import annotations

import os
import pathlib
import pwd

import pytest
from harness import text_tree, write_tree

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.commands.confine import find_version

needs_landlock = pytest.mark.skipif(not find_version(), reason="this kernel has no Landlock")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture(name="inbox")
def fixture_inbox(machine):
    """A folder of another user."""
    path = machine.data / "inbox"
    path.mkdir()
    os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    return path


@pytest.fixture(name="pull")
def fixture_pull(bucket, inbox):
    return {
        "name": "fetch",
        "credential": "store",
        "direction": "pull",
        "path": str(inbox),
        "remote_path": bucket.name + "/in",
        "retries": 0,
    }


@needs_landlock
@needs_root
def test_a_pull_writes_nothing_through_a_link_in_its_destination(machine, bucket, store, inbox, pull, reliability):
    write_tree(bucket / "in", {"planted/evil.json": "{}", "honest/file": "good"})
    outcome = machine.declare([store], [pull])
    tasks = pathlib.Path(machine.layout.tasks_dir)
    before = os.listdir(tasks)
    (inbox / "planted").symlink_to(tasks)

    record = machine.run("fetch", 1, "other")

    assert os.listdir(tasks) == before
    assert "permission denied" in record["message"]
    (warning,) = [text for text in outcome.warnings if "nobody" in text]
    assert "Set the task's user" in warning
    reliability.add(
        "A user plants a symbolic link in the destination of a pull.",
        record,
        heard="a failed run, and a warning at the declaration",
    )
    (inbox / "planted").unlink()
    machine.run("fetch")
    assert text_tree(inbox) == {"planted/evil.json": "{}", "honest/file": "good"}


@needs_root
def test_a_pull_is_refused_if_another_user_can_point_its_path_anywhere(machine, bucket, store, inbox, pull):
    write_tree(bucket / "in", {"evil.json": "{}"})
    machine.declare([store], [{**pull, "path": str(inbox / "target")}])
    (inbox / "target").symlink_to(machine.layout.tasks_dir)
    os.chown(inbox / "target", NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)
    before = os.listdir(machine.layout.tasks_dir)

    record = machine.run("fetch", 3, "usage")

    assert "symbolic link 'target' of user nobody" in record["message"]
    assert os.listdir(machine.layout.tasks_dir) == before


def test_a_pull_keeps_private_what_was_private(machine, bucket, store, pull, inbox):
    write_tree(bucket / "in", {"secret.txt": "new", "folder/other.txt": "new"})
    write_tree(inbox, {"secret.txt": "old and longer"})
    (inbox / "secret.txt").chmod(0o600)
    machine.declare([store], [pull])

    machine.run("fetch")

    assert text_tree(inbox)["secret.txt"] == "new"
    modes = {path.name: path.stat().st_mode & 0o777 for path in inbox.rglob("*")}
    assert modes == {"secret.txt": 0o600, "folder": 0o700, "other.txt": 0o600}


def test_missing_folders_are_created_and_everything_else_stays_read_only(machine, bucket, store, pull):
    write_tree(bucket / "in", {"a": "newer"})
    target, kept = machine.data / "new" / "deep" / "target", machine.data / "kept" / "here"
    write_tree(target, {"a": "old"})
    task = {**pull, "mode": "sync", "path": str(target), "keep_deleted": {"path": str(kept)}}
    disk = {"name": "disk", "provider": "local"}
    copy = {**pull, "name": "copy", "credential": "disk", "direction": "push", "path": str(target)}
    machine.declare([store, disk], [task, {**copy, "remote_path": str(machine.data / "disk" / "copy")}])

    machine.run("fetch")
    machine.run("copy")

    assert text_tree(target) == text_tree(machine.data / "disk" / "copy") == {"a": "newer"}
    assert list(text_tree(kept).values()) == ["old"]
