# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No task deletes its own source, or the files of another task, by whatever name they are reached."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest
from harness import KEY, KEY_ID, PASSWORD, SECRET, s3_credential, serving, text_tree, write_tree

FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
LOCAL = {"name": "there", "provider": "local"}
REFUSED = 3
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


@contextlib.contextmanager
def bound(folder, point):
    """Mount ``folder`` a second time at ``point``."""
    point.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", str(folder), str(point)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)


def task(machine, **options):
    return {
        "name": "documents",
        "credential": "there",
        "direction": "push",
        "path": str(machine.data / "documents"),
        "guards": {"allow_root": True, "max_delete": "100%"},
        **options,
    }


def refused(machine, credential, options, word):
    """Check that the module host_config refuses the task, and that nothing is stored."""
    result = machine.module("host_config", credentials=[credential], tasks=[task(machine, **options)])
    assert (result.get("failed"), result.get("reason")) == (True, word), result
    assert not machine.cloudsync("list", "--json").json
    return result["msg"]


@pytest.mark.parametrize(
    ("mode", "path", "remote", "kept"),
    [
        ("move", "documents", "documents", None),
        ("copy", "documents", "documents/deep", None),
        ("sync", "documents", "", None),
        ("sync", "link", "documents", None),
        ("sync", "documents", "copy", "documents/old"),
    ],
)
@pytest.mark.parametrize("direction", ["push", "pull"])
def test_a_task_that_writes_into_its_own_source_is_not_declared(machine, direction, mode, path, remote, kept):
    write_tree(machine.data / "documents", FILES)
    (machine.data / "link").symlink_to("documents")
    ends = {"path": str(machine.data / path), "remote_path": str(machine.data / remote)}
    if direction == "pull":
        ends = {"path": ends["remote_path"], "remote_path": ends["path"]}
    keep = {"keep_deleted": {"path": str(machine.data / kept)}} if kept else {}
    message = refused(machine, LOCAL, {"direction": direction, "mode": mode, **ends, **keep}, "same_place")
    assert "Task documents is invalid" in message
    assert str(machine.data) in message


@needs_root
@pytest.mark.parametrize("mode", ["move", "sync"])
def test_a_destination_that_becomes_the_source_is_refused_by_each_run(machine, mode):
    write_tree(machine.data / "documents", FILES)
    other = machine.data / "other"
    machine.declare([LOCAL], [task(machine, mode=mode, remote_path=str(other))])
    with bound(machine.data / "documents", other):
        machine.plan("documents", REFUSED, "same_place")
        record = machine.run("documents", REFUSED, "same_place")
        assert record["message"].endswith(" Nothing was changed.")
    with bound(machine.data, other):
        machine.run("documents", REFUSED, "same_place")
    assert text_tree(machine.data / "documents") == FILES
    machine.run("documents")
    assert text_tree(other) == FILES


@contextlib.contextmanager
def reached(rclone, kind, folder):
    """Serve ``folder``, and yield the credential for it."""
    login = {"user": "u", "pass": SECRET}
    if kind == "s3":
        with serving(rclone, "s3", folder, "--auth-key", f"{KEY_ID},{KEY}", "--dir-cache-time", "50ms") as port:
            yield s3_credential(port, "there")
    elif kind == "http":
        with serving(rclone, "http", folder, "--dir-cache-time", "50ms") as port:
            yield {"name": "there", "provider": "http", "attributes": {"url": f"http://127.0.0.1:{port}"}}
    else:
        options = ["--dir-cache-time", "50ms"]
        with serving(rclone, kind, folder, "--user", "u", "--pass", SECRET, *options) as port:
            server = {"url": f"http://127.0.0.1:{port}"} if kind == "webdav" else {"host": "localhost", "port": port}
            more = {"known_hosts": "none"} if kind == "sftp" else {"vendor": "other"} if kind == "webdav" else {}
            attributes = {**server, **more, "user": login["user"]}
            yield {"name": "there", "provider": kind, "attributes": attributes, "secrets": {"pass": SECRET}}


def everything(machine):
    return {name: text for name, text in text_tree(machine.data).items() if not name.startswith("other/")}


@pytest.mark.parametrize(
    ("kind", "direction", "mode", "path", "remote"),
    [
        ("sftp", "push", "move", "documents", "documents"),
        ("sftp", "push", "sync", "documents", ""),
        ("sftp", "pull", "sync", "documents", "documents"),
        ("sftp", "pull", "sync", "", "documents"),
        ("ftp", "push", "move", "documents", "documents"),
        ("webdav", "push", "sync", "documents", ""),
        ("webdav", "push", "move", "link", "documents"),
        ("http", "pull", "sync", "", "documents"),
        ("s3", "push", "move", "documents", "documents"),
        ("s3", "pull", "sync", "documents", "documents"),
    ],
)
def test_a_server_that_serves_the_local_path_is_found_out(
    machine, rclone, kind, direction, mode, path, remote, reliability
):
    write_tree(machine.data, {**{f"documents/{name}": text for name, text in FILES.items()}, "mine/c.txt": "c"})
    (machine.data / "link").symlink_to("documents")
    options = {"direction": direction, "mode": mode, "remote_path": remote}
    before = everything(machine)
    with reached(rclone, kind, machine.data) as credential:
        machine.declare([credential], [task(machine, path=str(machine.data / path), **options)])
        record = machine.run("documents", REFUSED, "same_place")
    assert everything(machine) == before
    assert record["message"].endswith(" Nothing was changed.")
    name = f"{kind.upper()} server"
    reliability.add(f"A {mode} is declared between a folder and a {name} that serves it.", record, "the run fails")


def test_an_encrypted_push_onto_itself_is_found_out(machine, rclone):
    write_tree(machine.data / "documents", {"a.bin": "alpha", "deep/b.bin": "beta"})
    with reached(rclone, "sftp", machine.data) as credential:
        encryption = {"password": PASSWORD, "filenames": "off", "directory_names": False}
        options = {"mode": "sync", "remote_path": "documents", "encryption": encryption}
        machine.declare([credential], [task(machine, **options)])
        record = machine.cloudsync("run", "documents", "--json")
    assert record.code == REFUSED, record
    assert text_tree(machine.data / "documents") == {"a.bin": "alpha", "deep/b.bin": "beta"}


@pytest.mark.parametrize(
    ("kind", "direction", "mode"),
    [
        ("sftp", "push", "sync"),
        ("sftp", "pull", "move"),
        ("webdav", "push", "move"),
        ("webdav", "pull", "sync"),
        ("s3", "push", "sync"),
        ("ftp", "pull", "sync"),
    ],
)
def test_two_folders_are_two_folders_and_a_probe_that_a_kill_left_is_removed(machine, rclone, kind, direction, mode):
    there = machine.data / "other" / "bucket"
    here = machine.data / "documents"
    source, destination = (here, there) if direction == "push" else (there, here)
    write_tree(source, FILES)
    write_tree(destination, {"gone.txt": "gone"})
    probed = source if (direction, mode) == ("push", "move") else destination
    write_tree(probed, {".cloudsync-probe": "left by a kill"})
    with reached(rclone, kind, machine.data / "other") as credential:
        machine.declare([credential], [task(machine, direction=direction, mode=mode, remote_path="bucket")])
        plan = machine.plan("documents")
        record = machine.run("documents")
    deletes = 1 if mode == "sync" else 0
    assert len(plan["copy"]) == 2
    assert (record["transfers"], record["deletes"]) == (2, deletes) if mode == "sync" else record["transfers"] == 2
    kept = {} if mode == "sync" else {"gone.txt": "gone"}
    assert text_tree(destination) == {**FILES, **kept}
    assert text_tree(source) == ({} if mode == "move" else FILES)
