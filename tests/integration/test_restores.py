# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get data back with the command: restore, ls and versions. Wrong input gets a sentence, and changes nothing."""

from __future__ import annotations

import os
import subprocess

import pytest
from controller import Controller
from harness import PASSWORD, documents_task, read_tree, serving, text_tree, wait_for, write_tree

FILES = {"a.txt": "alpha", "letters/january.odt": "dear", "letters/june.odt": "hello", "deep/er/b.txt": "beta"}
WHEN = 1700000000
RUN = "20260101T020000Z-4f09aa"
NEAREST = "The nearest names are"


@pytest.fixture(name="site")
def fixture_site(machine, bucket, store):
    """A machine whose encrypted task has pushed FILES, and keeps what it deletes."""
    write_tree(machine.data / "documents", FILES)
    for path in FILES:
        os.utime(machine.data / "documents" / path, (WHEN, WHEN))
    task = documents_task(
        machine, bucket, encryption={"password": PASSWORD}, keep_deleted={"path": bucket.name + "/documents/.kept"}
    )
    machine.declare([store], [task])
    machine.run("documents")
    return machine


def restore(machine, *words, code=0, reason=""):
    """Restore the task documents, check exit code and reason, and return the answer."""
    answer = machine.cloudsync("restore", "documents", *words, "--json")
    assert answer.code == code, answer
    assert answer.json["reason"] == reason, answer
    return answer.json


def test_a_restore_brings_back_files_and_times_and_says_what_was_compared(site):
    target = site.data / "new" / "restored"
    record = restore(site, "--to", str(target))
    assert text_tree(target) == FILES
    assert (target / "a.txt").stat().st_mtime == WHEN
    assert record["message"] == "4 files transferred (18 B). Verified: the sizes are equal."
    assert site.history("restore-documents")[0]["id"] == record["id"]
    assert restore(site, "--to", str(target), code=3, reason="usage")["message"].startswith(
        f"Target {target} is not em"
    )


def test_one_file_and_one_folder_come_back_with_their_paths(site):
    target = site.data / "restored"
    restore(site, "--to", str(target), "--path", "letters", "--path", "/a.txt")
    assert text_tree(target) == {path: FILES[path] for path in FILES if not path.startswith("deep")}


def test_the_source_is_restored_only_when_that_is_said(site):
    source = site.data / "documents"
    (source / "letters/june.odt").unlink()
    (source / "a.txt").write_text("newer than the copy")
    said = restore(site, "--to", str(source), code=2, reason="usage")["message"]
    assert said == f"{source} is the source of task documents. To restore to it, use --to-source."
    restore(site, "--to-source", code=3, reason="usage")
    restore(site, "--to-source", "--overwrite", "--path", "letters")
    assert text_tree(source) == {**FILES, "a.txt": "newer than the copy"}


def test_a_dry_run_shows_the_plan_and_creates_nothing(site):
    target = site.data / "restored"
    plan = restore(site, "--to", str(target), "--dry-run")["plan"]
    assert plan["totals"]["copy"] == {"files": 4, "bytes": 18}
    assert not target.exists()


def test_wrong_input_gets_a_sentence_and_creates_nothing(site):
    target = site.data / "restored"
    for words, code, reason, said in (
        (
            ["--path", "leters"],
            3,
            "not_found",
            "Nothing at the provider matches /leters. The nearest names are: letters",
        ),
        (["--path", "letters/juni.odt"], 3, "not_found", "The nearest names are: letters/june.odt"),
        (["--at", "2999-01-01"], 2, "usage", "at is 2999-01-01, which is in the future."),
        (["--at", "2020-01-01"], 3, "not_found", "The past of this task is known since 20"),
        (["--at", "yesterday"], 2, "usage", "at is 'yesterday'. Use a time such as 2027-01-31T02:30:00+01:00"),
    ):
        assert said in restore(site, "--to", str(target), *words, code=code, reason=reason)["message"]
        assert not target.exists()


def test_a_target_must_not_overlap_the_source_and_must_be_a_folder(site):
    source = site.data / "documents"
    said = restore(site, "--to", str(source / "old"), code=2, reason="usage")["message"]
    assert f"Target {source}/old is inside {source}, the source of task documents." in said
    assert f"contains {source}" in restore(site, "--to", str(site.data), code=2, reason="usage")["message"]
    restore(site, "--to", str(source / "a.txt"), code=2, reason="usage")
    (site.data / "file").write_text("x")
    restore(site, "--to", str(site.data / "file"), code=3, reason="not_found")
    assert "--to DIR, or --to-source" in restore(site, code=2, reason="usage")["message"]


def test_a_killed_restore_continues_in_its_folder(site, bucket):
    write_tree(site.data / "documents", {"big": b"x" * 3_000_000, **FILES})
    site.declare([], [documents_task(site, bucket, encryption={"password": PASSWORD}, bandwidth=[])])
    site.run("documents")
    site.declare(
        [],
        [documents_task(site, bucket, encryption={"password": PASSWORD}, bandwidth=[{"time": "00:00", "limit": "1M"}])],
    )
    target = site.data / "restored"
    running = subprocess.Popen(
        [site.layout.command, "restore", "documents", "--to", str(target)],
        env=site.environment,
        stdout=subprocess.DEVNULL,
    )
    wait_for(lambda: target.is_dir() and any(target.rglob("*")), "the first file")
    running.kill()
    running.wait()
    assert read_tree(target) != read_tree(site.data / "documents")
    restore(site, "--to", str(target))
    assert read_tree(target) == read_tree(site.data / "documents")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_restore_that_does_not_fit_is_refused_before_it_begins(site):
    (site.data / "documents" / "sparse").touch()
    os.truncate(site.data / "documents" / "sparse", 1 << 20)
    site.run("documents")
    small = site.data / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=True)
    try:
        said = restore(site, "--to", str(small / "restored"), code=3, reason="disk_full")["message"]
        assert said.startswith("The restore needs 1.0 MiB, but the file system of")
        assert not (small / "restored").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_the_past_is_listed_and_the_versions_of_a_file_are_known(site):
    first = site.history("documents")[0]["id"]
    source = site.data / "documents"
    (source / "a.txt").write_text("alpha, changed")
    (source / "letters/june.odt").unlink()
    (source / "new.txt").write_text("new")
    second = site.run("documents")["id"]
    (source / "a.txt").write_text("alpha, changed again")
    site.run("documents")

    def names(*words):
        answer = site.cloudsync("ls", "documents", *words, "--json")
        assert answer.code == 0, answer
        return [entry["path"] for entry in answer.json["entries"]]

    assert names("--recurse", "--at", first) == [
        "a.txt", "deep", "deep/er", "deep/er/b.txt", "letters", "letters/january.odt", "letters/june.odt"
    ]  # fmt: skip
    assert names("letters", "--at", second) == ["january.odt"]
    listed = site.module("remote_info", task="documents", path="letters", at=second)["entries"]
    assert [(entry["path"], entry["size"]) for entry in listed] == [("january.odt", 4)]
    assert "new.txt" in names("--at", second) and "new.txt" in names()
    versions = site.cloudsync("versions", "documents", "a.txt", "--json").json
    assert [(version["source"], version["size"]) for version in versions] == [
        ("current", 20),
        ("keep_deleted", 14),
        ("keep_deleted", 5),
    ]
    target = site.data / "restored"
    restore(site, "--to", str(target), "--path", "a.txt", "--at", versions[2]["at"])
    assert text_tree(target) == {"a.txt": "alpha"}
    answer = site.cloudsync("versions", "documents", "letters/januari.odt", "--json")
    assert (answer.code, answer.json["reason"]) == (1, "not_found")
    assert (
        "have a file 'letters/januari.odt'. The nearest names are: letters/january.odt. List the"
        in (answer.json["message"])
    )
    for file in ("b.txt", "no/such/folder"):
        answer = site.cloudsync("versions", "documents", file, "--json")
        assert (answer.code, answer.json["reason"]) == (1, "not_found")


def test_the_nearest_names_for_a_restore_of_the_past_are_those_of_that_moment(site):
    first = site.history("documents")[0]["id"]
    source = site.data / "documents"
    (source / "letters/june.odt").rename(source / "letters/juni-moved.odt")
    write_tree(source, {"letters/junior/new.odt": "new"})
    site.run("documents")
    target = site.data / "restored"
    words = ("--to", str(target), "--path", "letters/juni.odt", "--at", first)
    said = restore(site, *words, code=3, reason="not_found")["message"]
    assert "The nearest names are: letters/june.odt" in said and "juni-moved" not in said
    assert "junior" not in said, "neither a file nor a folder that did not exist then"
    assert not target.exists()


def test_a_pull_is_not_restored_and_a_task_without_a_past_says_how_to_get_one(machine, bucket, store):
    machine.declare([store], [documents_task(machine, bucket, "pull")])
    said = restore(machine, "--to", str(machine.data / "x"), code=2, reason="usage")["message"]
    assert "Task documents pulls, so the provider has the original" in said
    said = restore(machine, "--to-remote", code=2, reason="usage")["message"]
    assert "To upload that copy, declare a task that pushes it." in said
    machine.declare([], [documents_task(machine, bucket)])
    said = restore(machine, "--to-remote", code=2, reason="usage")["message"]
    assert "Task documents pushes, so the provider has the copy" in said


def test_the_past_of_a_task_that_keeps_none_is_refused_with_what_to_set(machine, bucket, store, rclone, tmp_path):
    machine.declare([store], [documents_task(machine, bucket)])
    said = restore(machine, "--to", str(machine.data / "x"), "--at", RUN, code=2, reason="usage")["message"]
    assert said.startswith(f"at is the run {RUN}, but the provider's versions have a time only.")
    with serving(rclone, "webdav", tmp_path) as port:
        other = {"name": "other", "provider": "webdav", "attributes": {"url": f"http://127.0.0.1:{port}"}}
        machine.declare([other], [documents_task(machine, bucket, credential="other")])
        said = restore(machine, "--to", str(machine.data / "x"), "--at", "2026-01-01", code=2, reason="usage")[
            "message"
        ]
        assert "it has no keep_deleted, and provider webdav has no versions of files" in said
        assert "Set keep_deleted for the future." in said
        listed = machine.cloudsync("ls", "documents", "--at", "2026-01-01", "--json")
        assert (listed.code, listed.json["message"]) == (2, said)


def test_a_listing_of_what_is_not_there_gets_a_sentence(site):
    last = site.history("documents")[0]["id"]
    for words, code, said in (
        (["leters"], 1, "Task documents has nothing at 'leters'. The nearest names are: letters"),
        (["letters/juni.odt"], 1, "The nearest names are: letters/june.odt"),
        (["no/such/folder/at/all"], 1, "Task documents has nothing at 'no/such/folder/at/all'."),
        (
            ["leters", "--at", last],
            1,
            f"Task documents had nothing at 'leters' at {last}. {NEAREST}: letters",
        ),
        (["--at", "2999-01-01"], 2, "at is 2999-01-01, which is in the future."),
        (["--at", "2020-01-01"], 1, "The past of this task is known since 20"),
    ):
        answer = site.cloudsync("ls", "documents", *words, "--json")
        assert answer.code == code and said in answer.json["message"], answer


def test_the_playbook_restores_a_group_and_a_host_without_the_task_fails_alone(site, new_machine, tmp_path):
    other = new_machine()
    controller = Controller(tmp_path)
    controller.inventory(
        **{
            name: {"cloudsync_root": str(machine.root), "cloudsync_to": str(machine.data / "restored")}
            for name, machine in {"good": site, "empty": other}.items()
        }
    )
    planned = controller.play("recover", "--check", "--limit", "good", cloudsync_task="documents")
    assert "copy 4, overwrite 0 files" in planned
    assert not (site.data / "restored").exists()

    said = controller.play("recover", code=2, cloudsync_task="documents", cloudsync_include=["/letters/**"])

    assert "success: 2 files transferred" in said
    assert text_tree(site.data / "restored") == {path: FILES[path] for path in FILES if path.startswith("letters")}
    assert "reverse_of is 'documents', but this task does not exist on this host." in said
