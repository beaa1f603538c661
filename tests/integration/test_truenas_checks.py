# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks that TrueNAS runs on its own Cloud Sync, with their numbers, against real servers.

Those that another test shows already are in that test's name; tests/truenas.md lists them all.
"""

from __future__ import annotations

import os
import pathlib
import pwd
import stat
from contextlib import redirect_stderr, redirect_stdout

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from harness import PASSWORD, SALT, SECRET, SLOW, free_port, s3_credential, serving, text_tree, write_tree

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.cli import control, run, show
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.cli import main as command
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.truenas_names import (
    STORJ_OPTIONS,
)

FILES = {"a.txt": "alpha", "deep/er/b.txt": "beta"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture(name="push")
def fixture_push(machine, bucket, store):
    """The options of a push of ``machine.data / "documents"``, whose credential is there."""
    machine.declare([store])
    (machine.data / "documents").mkdir()
    return {
        "name": "documents",
        "credential": "store",
        "direction": "push",
        "path": str(machine.data / "documents"),
        "remote_path": bucket.name + "/documents",
    }


@pytest.fixture(name="ftp")
def fixture_ftp(machine, rclone):
    """The credential ``there`` for an FTP server, and the folder that it serves."""
    served = machine.root / "served"
    served.mkdir()
    with serving(rclone, "ftp", served, "--user", "u", "--pass", SECRET) as port:
        login = {
            "name": "there",
            "provider": "FTP",
            "attributes": {"host": "127.0.0.1", "port": port, "user": "u"},
            "secrets": {"pass": SECRET},
        }
        machine.declare([login])
        yield served


def openssh(key):
    """Its private part as text, and its public part as one line."""
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
    line, short = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    private = key.private_bytes(pem, form, serialization.NoEncryption()).decode()
    return private, key.public_key().public_bytes(line, short).decode()


@pytest.fixture(name="sftp")
def fixture_sftp(machine, rclone):
    """A function that declares the credential ``there`` for an SFTP server, with a key or a password; its files."""
    (host, known), (key, allowed) = (openssh(Ed25519PrivateKey.generate()) for _which in range(2))
    files = {"host": host, "authorized": allowed + "\n", "served/": ""}
    write_tree(machine.root / "sftp", files)
    (machine.root / "sftp" / "host").chmod(0o600)
    options = ["--key", machine.root / "sftp" / "host", "--authorized-keys", machine.root / "sftp" / "authorized"]
    with serving(rclone, "sftp", machine.root / "sftp" / "served", "--user", "u", "--pass", SECRET, *options) as port:
        write_tree(machine.root, {"etc/ssh/ssh_known_hosts": f"[127.0.0.1]:{port} {known}\n"})

        def declare(login):
            secrets = {"key": {"key_pem": key}, "password": {"pass": SECRET}}[login]
            attributes = {"host": "127.0.0.1", "port": port, "user": "u"}
            machine.declare([{"name": "there", "provider": "SFTP", "attributes": attributes, "secrets": secrets}])
            return machine.root / "sftp" / "served"

        yield declare


def refusal(machine, options):
    """Why the module ``task`` does not take them; nothing is stored then."""
    result = machine.module("task", **options)
    assert result.get("failed"), result
    assert machine.module("task_info")["tasks"] == []
    return result["msg"]


def test_a1_only_what_is_included_arrives(machine, bucket, push):
    write_tree(push["path"], {"office/a": "1", "work/b": "2", "work/deep/c": "3", "games/d": "4", "fun": "5"})
    machine.declare([], [{**push, "include": ["/office/**", "/work/**"]}])
    machine.run("documents")
    assert text_tree(bucket / "documents") == {"office/a": "1", "work/b": "2", "work/deep/c": "3"}
    listed = machine.module("remote_info", task="documents")
    assert sorted(entry["name"] for entry in listed["entries"]) == ["office", "work"]


def test_a6_a_link_to_a_folder_arrives_as_a_folder(machine, bucket, push):
    write_tree(machine.data / "elsewhere", {"c.txt": "gamma"})
    pathlib.Path(push["path"], "link").symlink_to(machine.data / "elsewhere")
    machine.declare([], [{**push, "follow_symlinks": True}])
    machine.run("documents")
    assert text_tree(bucket / "documents") == {"link/c.txt": "gamma"}


def test_a7_five_files_at_a_time(machine, bucket, push):
    files = {f"{number}.bin": "x" * 100_000 for number in range(6)}
    write_tree(push["path"], files)
    machine.declare([], [{**push, "transfers": 5, "bandwidth": SLOW}])
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    words = machine.rclone_of(run)[1]
    assert words[words.index("--transfers") + 1] == "5"
    assert machine.ended(run, 0)["transfers"] == 6
    assert text_tree(bucket / "documents") == files


@pytest.mark.parametrize(("kind", "direction"), [("ftp", "push"), ("ftp", "pull"), ("s3", "push")])
def test_a25_a_server_that_is_down_is_a_failure_and_no_success(machine, push, kind, direction):
    write_tree(push["path"], FILES)
    login = s3_credential(free_port(), "down")
    if kind == "ftp":
        attributes = {"host": "127.0.0.1", "port": free_port(), "user": "u"}
        login = {"name": "down", "provider": "FTP", "attributes": attributes, "secrets": {"pass": SECRET}}
    hooks = {kind: f"touch {machine.data}/{kind}" for kind in ("success", "failure")}
    machine.declare([login], [{**push, "direction": direction, "credential": "down", "hooks": hooks}])
    record = machine.run("documents", 1, "network")
    assert "connection refused" in record["message"]
    assert (machine.data / "failure").exists()
    assert not (machine.data / "success").exists()
    machine.plan("documents", 1, "network")


@pytest.mark.parametrize("password", ["", None])
def test_a29_an_encryption_without_a_password(machine, push, password):
    sentence = "encryption.password is required if encryption is set."
    assert sentence in refusal(machine, {**push, "encryption": {"password": password}})


def test_a30_limits_of_bandwidth_out_of_order(machine, push):
    slots = [{"time": "10:00", "limit": "1M"}, {"time": "01:00", "limit": "off"}]
    assert "bandwidth[1].time is 01:00, which is not after 10:00" in refusal(machine, {**push, "bandwidth": slots})


def test_a31_a_snapshot_of_a_pull(machine, push):
    assert "snapshot is only allowed for push tasks" in refusal(
        machine, {**push, "direction": "pull", "snapshot": "auto"}
    )


def test_a32_a_snapshot_of_a_move(machine, push):
    assert "snapshot is not allowed with mode move" in refusal(machine, {**push, "mode": "move", "snapshot": "auto"})


def test_a34_a_push_to_http(machine, push):
    machine.declare([{"name": "web", "provider": "HTTP", "attributes": {"url": "http://127.0.0.1:9"}}])
    sentence = "Provider http is read-only. A task can pull from it but cannot push to it."
    assert sentence in refusal(machine, {**push, "credential": "web"})


def test_a37_ftp_has_folders_and_no_buckets(machine, ftp):
    write_tree(ftp, FILES)
    entries = machine.module("remote_info", credential="there")["entries"]
    assert {entry["name"]: (entry["is_dir"], entry["is_bucket"]) for entry in entries} == {
        "a.txt": (False, False),
        "deep": (True, False),
    }


def test_a37_a_push_makes_the_bucket_that_is_missing(machine, bucket, push):
    write_tree(push["path"], FILES)
    machine.declare([], [{**push, "remote_path": bucket.name + "-new/documents"}])
    machine.run("documents")
    assert text_tree(bucket.parent / (bucket.name + "-new")) == {
        "documents/" + name: text for name, text in FILES.items()
    }


def as_nobody(machine, *arguments):
    """Return the exit code of the command for a user who is not root, and its output.

    In a fork, because that user may not be able to read the interpreter or the collection.
    """
    assert control and run and show, "imported before the fork: the command imports its verbs when it needs them"
    nobody = pwd.getpwnam("nobody")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.environ.update(machine.environment)
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            with open(writing, "w") as said, redirect_stdout(said), redirect_stderr(said):
                code = command.main(list(arguments))
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading) as stream:
        said = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


@needs_root
@pytest.mark.parametrize("arguments", [["status", "documents"], ["run", "documents"], ["verify", "store"]])
def test_a40_nobody_but_root_sees_changes_or_runs_a_task(machine, push, arguments):
    machine.declare([], [{**push, "hooks": {"before": f"touch {machine.data}/hook"}}])
    for folder in (machine.layout.config_dir, machine.layout.state_dir + "/documents"):
        if os.path.exists(folder):
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
            assert os.stat(folder).st_uid == 0
    before = machine.left_behind()
    code, said = as_nobody(machine, *arguments)
    assert code == 2
    assert "Permission denied. Run this as root" in said
    assert machine.left_behind() == before
    assert not (machine.data / "hook").exists()


def test_a43_a_secret_that_is_declared_anew_is_the_stored_one(machine, store):
    machine.declare([{**store, "secrets": {**store["secrets"], "access_key_id": "another"}}])
    assert machine.stored("store").merge_secrets()["access_key_id"] == "another"
    assert machine.module("credential", **store)["changed"]
    assert machine.stored("store").merge_secrets() == store["secrets"]
    assert machine.cloudsync("verify", "store").code == 0


def test_a46_a_task_changes_its_direction(machine, bucket, push):
    write_tree(bucket / "documents", FILES)
    assert machine.module("task", **push)["changed"]
    assert machine.module("task", **{**push, "direction": "pull"})["changed"]
    assert machine.module("task_info", name="documents")["tasks"][0]["direction"] == "pull"
    machine.run("documents")
    assert text_tree(push["path"]) == FILES


def test_a47_a_pull_from_s3_yields_the_content(machine, bucket, push):
    write_tree(bucket / "documents", FILES)
    machine.declare([], [{**push, "direction": "pull", "mode": "copy"}])
    assert machine.run("documents")["transfers"] == 2
    assert text_tree(push["path"]) == FILES


def test_a48_a_restore_is_a_task_that_can_be_run_and_removed(machine, push):
    write_tree(push["path"], FILES)
    machine.declare([], [push])
    machine.run("documents")
    restore = {"name": "back", "reverse_of": "documents", "path": str(machine.data / "back")}
    declared = machine.module("task", **restore)
    assert (declared["task"]["direction"], declared["task"]["enabled"]) == ("pull", False)
    machine.run("back")
    assert text_tree(machine.data / "back") == FILES
    assert machine.module("task", name="back", state="absent")["changed"]
    assert [task["name"] for task in machine.module("task_info")["tasks"]] == ["documents"]


def test_a50_no_view_has_a_secret_in_it(machine, push, store):
    write_tree(push["path"], FILES)
    hidden = {"encryption": {"password": PASSWORD, "salt": SALT}, "notify": ["https://example.com/" + SECRET]}
    machine.declare([], [{**push, **hidden}])
    machine.run("documents")
    views = [machine.module(name) for name in ("credential_info", "task_info")]
    views += [machine.module("credential", **store), machine.module("task", **push, **hidden)]
    views += [machine.module("run", task="documents")]
    views += [machine.cloudsync(verb, "--json").json for verb in ("list", "status", "check")]
    views += [machine.cloudsync(verb, "documents", "--json").json for verb in ("status", "history", "logs")]
    for view in views:
        assert SECRET not in str({**view, "invocation": None} if isinstance(view, dict) else view)
    assert views[0]["credentials"][0]["secrets"] == ["access_key_id", "secret_access_key"]


@pytest.mark.parametrize("login", ["key", "password"])
def test_a54_a55_a56_sftp_is_pushed_to_listed_and_pulled_from(machine, push, sftp, login):
    served = sftp(login)
    task = {**push, "credential": "there", "remote_path": "dir"}
    back = {**task, "name": "back", "direction": "pull", "path": str(machine.data / "back")}
    write_tree(push["path"], {"file": "test"})
    machine.declare([], [task, back])
    machine.run("documents")
    assert text_tree(served) == {"dir/file": "test"}
    listed = machine.module("remote_info", credential="there", path="dir")["entries"]
    assert [(entry["name"], entry["size"]) for entry in listed] == [("file", 4)]
    machine.run("back")
    assert text_tree(machine.data / "back") == {"file": "test"}


def test_a57_storj_there_and_back(machine, bucket, push, store):
    """With all that STORJ_IX implies but its endpoint, which must use TLS."""
    settings = {**STORJ_OPTIONS, "endpoint": store["attributes"]["endpoint"]}
    login = {**store, "name": "storj", "attributes": settings}
    task = {**push, "credential": "storj", "mode": "sync", "guards": {"max_delete": 1}}
    machine.declare([login], [task])
    assert machine.cloudsync("verify", "storj").code == 0
    buckets = machine.module("remote_info", credential="storj")["entries"]
    assert (bucket.name, True) in [(entry["name"], entry["is_bucket"]) for entry in buckets]
    write_tree(bucket / "documents", {"stale.txt": "stale"})
    write_tree(push["path"], {"testfile.txt": "test"})
    machine.run("documents")
    assert text_tree(bucket / "documents") == {"testfile.txt": "test"}
    listed = machine.module("remote_info", credential="storj", path=push["remote_path"])["entries"]
    assert [(entry["name"], entry["size"]) for entry in listed] == [("testfile.txt", 4)]
    back = {**task, "name": "back", "direction": "pull", "path": str(machine.data / "back")}
    machine.declare([], [back])
    machine.run("back")
    assert text_tree(machine.data / "back") == {"testfile.txt": "test"}


def test_a64_a_seed_that_others_could_read_is_closed_by_the_next_rotation(machine):
    os.chmod(machine.layout.seed, 0o644)
    os.chmod(machine.layout.config_dir, 0o755)
    assert machine.module("seed", state="rotated")["changed"]
    assert stat.S_IMODE(os.stat(machine.layout.seed).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(machine.layout.config_dir).st_mode) == 0o700
