# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run transfers, and how it tells of it."""

from __future__ import annotations

import os
import pathlib

import pytest
from harness import PASSWORD, SECRET, SLOW, read_tree, serving, text_tree, write_tree

FILES = {"a.txt": "alpha", "deep/er/b.txt": "beta"}


def task(bucket, machine, **options):
    declared = {
        "name": "documents",
        "credential": "store",
        "direction": "push",
        "path": str(machine.data / "documents"),
        "remote_path": bucket.name + "/documents",
    }
    return {**declared, **options}


@pytest.fixture(name="sides")
def fixture_sides(machine, bucket, store):
    """Source and destination by direction, and a function that declares the task."""
    local, remote = machine.data / "documents", bucket / "documents"

    def make(direction, **options):
        machine.declare([store], [task(bucket, machine, direction=direction, **options)])
        return (local, remote) if direction == "push" else (remote, local)

    return make


@pytest.mark.parametrize("direction", ["push", "pull"])
@pytest.mark.parametrize("mode", ["sync", "copy", "move"])
def test_each_mode_leaves_both_sides_as_its_name_says(machine, sides, direction, mode):
    source, destination = sides(direction, mode=mode, guards={"max_delete": 1})
    write_tree(source, FILES)
    write_tree(destination, {"a.txt": "old", "stale.txt": "stale"})
    record = machine.run("documents")
    stale = {} if mode == "sync" else {"stale.txt": "stale"}
    assert text_tree(destination) == {**FILES, **stale}
    assert text_tree(source) == ({} if mode == "move" else FILES)
    assert (record["state"], record["transfers"], record["bytes"], record["errors"]) == ("success", 2, 9, 0)
    assert record["deletes"] == {"sync": 1, "copy": 0, "move": record["deletes"]}[mode]
    assert record["exit_code"] == 0
    assert record["started"] <= record["ended"]
    assert "a.txt" in pathlib.Path(record["log"]).read_text()


def test_a_second_run_has_nothing_to_do(machine, sides):
    source, _destination = sides("push", mode="sync")
    write_tree(source, FILES)
    machine.run("documents")
    assert machine.run("documents")["message"] == "Nothing had to be transferred."


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_exclude_wins_over_include_and_what_is_excluded_is_not_deleted(machine, sides, direction):
    source, destination = sides(
        direction, mode="sync", include=["*.txt"], exclude=["secret*"], guards={"max_delete": 1}
    )
    write_tree(source, {"a.txt": "a", "secret.txt": "s", "b.bin": "b"})
    write_tree(destination, {"kept.bin": "k", "gone.txt": "g"})
    machine.run("documents")
    assert text_tree(destination) == {"a.txt": "a", "kept.bin": "k"}


@pytest.mark.parametrize("wanted", [True, False])
def test_empty_folders_go_along_when_asked_for(machine, store, rclone, wanted):
    write_tree(machine.data / "documents", {"a.txt": "a", "void/": ""})
    (machine.root / "served").mkdir()
    with serving(rclone, "webdav", machine.root / "served", "--user", "u", "--pass", SECRET) as port:
        credential = {
            "name": "dav",
            "provider": "webdav",
            "attributes": {"url": f"http://127.0.0.1:{port}", "vendor": "other", "user": "u"},
            "secrets": {"pass": SECRET},
        }
        declared = task(pathlib.Path("x"), machine, credential="dav", remote_path="d", create_empty_dirs=wanted)
        machine.declare([credential], [declared])
        machine.run("documents")
    assert (machine.root / "served" / "d" / "void").is_dir() is wanted


@pytest.mark.parametrize("followed", [True, False])
def test_links_are_followed_when_asked_for_and_else_left_out(machine, sides, followed):
    source, destination = sides("push", mode="sync", follow_symlinks=followed)
    write_tree(source, {"a.txt": "a"})
    (source / "link.txt").symlink_to("a.txt")
    machine.run("documents")
    assert text_tree(destination) == ({"a.txt": "a", "link.txt": "a"} if followed else {"a.txt": "a"})


def test_options_limits_and_transfers_are_in_force(machine, sides):
    options = {"chunk_size": "6Mi", "fast_list": True, "checkers": 2, "tpslimit": 50}
    arguments = ["--checkers=3"]
    source, _destination = sides("push", transfers=1, bandwidth=SLOW, provider_options=options, rclone_args=arguments)
    write_tree(source, {f"{number}.bin": os.urandom(400000) for number in range(8)})
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    words = machine.rclone_of(run)[1]
    assert words[words.index("--transfers") + 1] == "1"
    assert words[words.index("--bwlimit") + 1] == "00:00,256K"
    section = (machine.live()[0] / "rclone" / "rclone.conf").read_text()
    assert "chunk_size = 6Mi\n" in section
    assert "checkers" not in section
    assert {"--fast-list=true", "--tpslimit=50"} < set(words)
    # The last one counts.
    assert words.index("--checkers=2") < words.index("--checkers=3")
    assert machine.status("documents")["progress"]["speed"] < 2 * 256 * 1024
    assert machine.cloudsync("stop", "documents").code == 0
    machine.ended(run, 143)


@pytest.mark.parametrize(
    ("kind", "options", "credential"),
    [
        (
            "webdav",
            ["--user", "u", "--pass", SECRET],
            {"provider": "webdav", "attributes": {"url": "http://127.0.0.1:{0}", "vendor": "other", "user": "u"}},
        ),
        (
            "sftp",
            ["--user", "u", "--pass", SECRET],
            {
                "provider": "sftp",
                "attributes": {"host": "127.0.0.1", "port": "{0}", "user": "u", "known_hosts": "none"},
            },
        ),
        (
            "ftp",
            ["--user", "u", "--pass", SECRET],
            {"provider": "ftp", "attributes": {"host": "127.0.0.1", "port": "{0}", "user": "u"}},
        ),
    ],
    ids=["webdav", "sftp", "ftp"],
)
def test_encrypted_there_and_back_over_each_protocol(machine, rclone, kind, options, credential):
    served = machine.root / "served"
    served.mkdir()
    write_tree(machine.data / "documents", FILES)
    with serving(rclone, kind, served, *options) as port:
        attributes = {key: value.format(port) for key, value in credential["attributes"].items()}
        login = {"name": "there", "secrets": {"pass": SECRET}, **credential, "attributes": attributes}
        push = {
            "name": "push",
            "credential": "there",
            "direction": "push",
            "mode": "sync",
            "path": str(machine.data / "documents"),
            "remote_path": "d",
            "encryption": {"password": PASSWORD},
        }
        back = {**push, "name": "back", "direction": "pull", "path": str(machine.data / "back")}
        machine.declare([login], [push, back])
        assert machine.cloudsync("verify", "there").code == 0
        machine.run("push")
        machine.run("back")
    assert text_tree(machine.data / "back") == FILES
    assert not [name for name, content in read_tree(served).items() if "a.txt" in name or b"alpha" in content]


def test_an_unreadable_answer_of_the_provider_has_a_reason(machine, bucket, store, reliability):
    wrong = {**store, "secrets": {**store["secrets"], "secret_access_key": "wrong"}}
    machine.declare([wrong], [task(bucket, machine)])
    write_tree(machine.data / "documents", FILES)
    record = machine.run("documents", 1, "auth")
    assert "cloudsync verify" in record["message"]
    assert machine.cloudsync("verify", "store").code == 1
    reliability.add(
        "The secret key of a credential is wrong.", record, "the run fails, notification, `cloudsync check`"
    )


def is_data(path):
    """Whether a stored file is not the canary, whose encrypted content has 120 bytes."""
    return path.stat().st_size != 120


@pytest.mark.parametrize("kind", ["ftp", "webdav"])
@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD}], ids=["plain", "encrypted"])
def test_damaged_content_is_found_where_the_provider_has_no_checksums(machine, rclone, kind, encryption, reliability):
    served = machine.root / "served"
    served.mkdir()
    write_tree(machine.data / "documents", FILES)
    with serving(rclone, kind, served, "--user", "u", "--pass", SECRET) as port:
        attributes = {
            "ftp": {"host": "127.0.0.1", "port": str(port), "user": "u"},
            "webdav": {"url": f"http://127.0.0.1:{port}", "vendor": "other", "user": "u"},
        }[kind]
        login = {"name": "there", "provider": kind, "attributes": attributes, "secrets": {"pass": SECRET}}
        options = {"credential": "there", "remote_path": "d", "verify_after": "checksum", "encryption": encryption}
        machine.declare([login], [task(served, machine, **{k: v for k, v in options.items() if v})])
        record = machine.run("documents")
        assert record["message"].endswith("Verified: the contents, read from both sides, are equal.")
        damaged = next(path for path in (served / "d").rglob("*") if path.is_file() and is_data(path))
        times, content = damaged.stat(), damaged.read_bytes()
        damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(damaged, ns=(times.st_atime_ns, times.st_mtime_ns))
        record = machine.run("documents", 1, "other")
        assert "missing or different" in record["message"]
    if encryption is None:
        reliability.add(f"A byte of a file is damaged at the destination ({kind}).", record, heard="verify_after")


@pytest.mark.parametrize("verified", ["none", "size"])
def test_an_object_that_rclone_skips_is_named_and_fails_a_verified_run(machine, sides, verified, reliability):
    source, destination = sides("push", verify_after=verified)
    twins = ["caf\u00e9.txt", "cafe\u0301.txt"]
    write_tree(source, {"a.txt": "a", twins[0]: "composed", twins[1]: "decomposed"})
    record = machine.run("documents") if verified == "none" else machine.run("documents", 1, "other")
    assert "1 object was skipped: caf" in record["message"]
    assert len(text_tree(destination)) == 2
    if verified != "none":
        reliability.add("Two names differ only in their Unicode form.", record, heard="verify_after")
