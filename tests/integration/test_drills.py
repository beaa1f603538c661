# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restore drills: each kind of damage at the destination fails and names the files, and an intact copy passes."""

from __future__ import annotations

import os
import pathlib
import shutil
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from controller import Controller
from doorman import Doorman, guarding
from harness import PASSWORD, SLOW, documents_task, read_tree, s3_credential, wait_for, write_tree

FILES = {
    "a.txt": "alpha",
    "b.txt": "gamma",
    "letters/january.odt": "dear" * 100,
    "letters/june.odt": "hello" * 100,
    "deep/er/c.bin": b"\0\1\2" * 50_000,
}
CRYPT = {"password": PASSWORD}
GUIDE = pathlib.Path(__file__).parents[2] / "docs" / "getting-data-back.md"


def drill(machine, code=0, reason="", *words):
    """Drill the task documents, check exit code and reason, and return the record."""
    answer = machine.cloudsync("drill", "documents", "--json", *words)
    assert answer.code == code, answer
    assert (answer.json["reason"], answer.json["kind"]) == (reason, "drill"), answer
    assert not scratch(machine).exists()
    return answer.json


def scratch(machine):
    return pathlib.Path(machine.layout.drill_scratch("documents", ""))


@pytest.fixture(name="copy", params=["plain", "crypt"])
def fixture_copy(request, machine):
    """A machine whose task has pushed FILES to a folder that the test can change, and that folder."""
    write_tree(machine.data / "documents", FILES)
    copy = machine.data / "copy"
    copy.mkdir()
    encryption = CRYPT if request.param == "crypt" else None
    declare(machine, encryption=encryption)
    machine.run("documents")
    return copy


def declare(machine, **options):
    task = {
        "name": "documents",
        "credential": "disk",
        "direction": "push",
        "mode": "sync",
        "path": str(machine.data / "documents"),
        "remote_path": str(machine.data / "copy"),
        "drill": {},
        **options,
    }
    machine.declare([{"name": "disk", "provider": "local"}], [task])


def test_an_intact_copy_passes_and_nothing_is_changed(machine, copy):
    kept = f"{machine.layout.state_dir}/documents/"
    before = {path: content for path, content in machine.left_behind().items() if path.startswith(kept)}
    there, source = read_tree(copy), read_tree(machine.data / "documents")
    record = drill(machine)
    assert record["message"] == (
        "Restored 5 of 5 files (147.4 KiB). Equal to the source: 5. All 5 files of the last successful run are there."
    )
    assert (record["task"], record["transfers"]) == ("drill-documents", 5)
    assert (read_tree(copy), read_tree(machine.data / "documents")) == (there, source)
    assert {path: text for path, text in machine.left_behind().items() if path.startswith(kept)} == before
    assert machine.history("drill-documents") == [record]
    assert [run["kind"] for run in machine.history("documents")] == ["run"]
    machine.run("documents")


def find(copy, name):
    """Return the file of the copy that contains ``name``, by its size, also if it is encrypted."""
    size = len(FILES[name])
    sizes = (size, size + 32 + 16 * -(-size // 65536))
    return next(path for path in sorted(copy.rglob("*")) if path.is_file() and path.stat().st_size in sizes)


def rewrite(path, content):
    """Replace the content of a file, which keeps its time."""
    then = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(then, then))


def delete(copy):
    find(copy, "letters/june.odt").unlink()


def empty(copy):
    rewrite(find(copy, "letters/june.odt"), b"")


def truncate(copy):
    path = find(copy, "deep/er/c.bin")
    rewrite(path, path.read_bytes()[:70_000])


def flip_a_byte(copy):
    path = find(copy, "deep/er/c.bin")
    content = path.read_bytes()
    rewrite(path, content[:100_000] + bytes([content[100_000] ^ 1]) + content[100_001:])


def swap(copy):
    size = find(copy, "a.txt").stat().st_size
    first, second = (path for path in copy.rglob("*") if path.is_file() and path.stat().st_size == size)
    ours, theirs = first.read_bytes(), second.read_bytes()
    rewrite(first, theirs)
    rewrite(second, ours)


def replace_by_text(copy):
    path = find(copy, "deep/er/c.bin")
    rewrite(path, b"Hello! " * (path.stat().st_size // 7) + b"!" * (path.stat().st_size % 7))


def fill_with_zeros(copy):
    path = find(copy, "deep/er/c.bin")
    rewrite(path, bytes(path.stat().st_size))


def remove_a_folder(copy):
    shutil.rmtree(find(copy, "letters/june.odt").parent)


def empty_the_destination(copy):
    for path in copy.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def rename_as_ransomware_does(copy):
    for path in [path for path in copy.rglob("*") if path.is_file()]:
        path.rename(path.with_name(path.name + ".locked"))


C, ALL = ["deep/er/c.bin"], sorted(FILES)
DAMAGES = [
    (delete, "The provider deletes a file of the copy", "Missing", ["letters/june.odt"]),
    (empty, "A file of the copy is emptied", "", ["letters/june.odt"]),
    (truncate, "A file of the copy is truncated", "With another size than the unchanged source", C),
    (flip_a_byte, "One byte of a file of the copy changes, but not its size and time", "", C),
    (swap, "Two files of the copy are swapped", "With different content", ["a.txt", "b.txt"]),
    (replace_by_text, "A file of the copy is replaced by a text of the same size and time", "", C),
    (fill_with_zeros, "A file of the copy is filled with zeros", "", C),
    (remove_a_folder, "A folder of the copy is removed", "Missing", ["letters/january.odt", "letters/june.odt"]),
    (empty_the_destination, "The whole copy is removed", "Missing", ALL),
    (rename_as_ransomware_does, "Every file of the copy is renamed", "", ALL),
]


@pytest.mark.parametrize(
    ("damage", "fault", "kind", "names"), DAMAGES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_damaged_copy_fails_and_the_files_are_named(machine, copy, reliability, damage, fault, kind, names):
    encrypted = not (copy / "a.txt").exists()
    damage(copy)
    all_closed = encrypted and damage is rename_as_ransomware_does
    record = drill(machine, 1, "crypt_password" if all_closed else "drill")
    assert record["state"] == "failed"
    assert record["message"].startswith("The copy is damaged."), record
    for name in names:
        assert name in record["message"], record
    for name in set(FILES) - set(names):
        assert name not in record["message"], record
    assert kind in record["message"], record
    named = [line for line in machine.log("drill-documents").splitlines() if " damaged: " in line]
    assert {line.partition(" damaged: ")[2] for line in named} >= set(names)
    what = f"{fault}{' (encrypted)' if encrypted else ''}. A drill restores a sample."
    reliability.add(what, record, heard="failed drill, `check`, notification", lost="nothing: the source is intact")


@contextmanager
def pushed_to_s3(machine, s3_server, bucket, files, **options):
    """Push ``files`` to a bucket, and yield the proxy that sees the requests, and the sizes of the answers."""
    write_tree(machine.data / "documents", files)
    sizes = []

    def weigh(_request, status, headers, body):
        sizes.append(len(body))
        return status, headers, body

    counter = Doorman(rewrite=weigh)
    with guarding(counter, s3_server[0]) as port:
        machine.declare([s3_credential(port)], [documents_task(machine, bucket, **options)])
        machine.run("documents")
        counter.seen.clear()
        sizes.clear()
        yield counter, sizes


def count_requests(counter):
    """Return the numbers of listings, and of requests for one object by their command."""
    return Counter("LIST" if "prefix=" in each.path else each.command for each in counter.seen)


@pytest.mark.parametrize(
    ("encryption", "folders", "requests"),
    [
        (None, 1, {"LIST": 2, "HEAD": 22, "GET": 20}),
        (None, 10, {"LIST": 11, "HEAD": 22, "GET": 20}),
        (CRYPT, 1, {"LIST": 2, "HEAD": 24, "GET": 21}),
    ],
    ids=["one folder", "ten folders", "encrypted"],
)
def test_a_drill_over_a_thousand_objects_costs_what_the_guide_says(
    machine, s3_server, bucket, encryption, folders, requests
):
    files = {f"{number % folders}/{number:04}": b"x" * 100 for number in range(1000)}
    with pushed_to_s3(machine, s3_server, bucket, files, encryption=encryption, drill={}) as (counter, sizes):
        record = drill(machine)
        assert count_requests(counter) == requests
        assert (record["bytes"], record["transfers"]) == (20 * 100, 20)
        assert 200_000 < sum(sizes) < 400_000
        if encryption is None:
            listed = f"| 1,000 in {'one folder' if folders == 1 else 'ten folders'} | {requests['LIST']} |"
            assert listed in GUIDE.read_text(encoding="utf-8")


def test_a_damaged_object_in_a_bucket_fails(machine, s3_server, bucket):
    with pushed_to_s3(machine, s3_server, bucket, FILES, drill={}):
        drill(machine)
        rewrite(bucket / "documents" / "letters" / "june.odt", b"HELLO" * 100)
        assert "letters/june.odt" in drill(machine, 1, "drill")["message"]
        shutil.rmtree(bucket / "documents")
        assert "Missing: 5 files" in drill(machine, 1, "drill")["message"]


def test_another_password_and_names_in_clear_are_found(machine, reliability):
    write_tree(machine.data / "documents", FILES)
    (machine.data / "copy").mkdir()
    declare(machine, encryption=CRYPT)
    machine.run("documents")
    write_tree(machine.data / "copy", {"plain.txt": "not encrypted"})
    record = drill(machine, 1, "drill")
    assert "With a name that cannot be decrypted: 1 file (plain.txt)." in record["message"]
    heard = "failed drill, `check`, notification"
    reliability.add("Somebody puts a file into an encrypted copy. A drill restores a sample.", record, heard=heard)
    empty_the_destination(machine.data / "copy")
    declare(machine, encryption={"password": PASSWORD + "-other"})
    machine.run("documents")
    declare(machine, encryption=CRYPT)
    record = drill(machine, 1, "crypt_password")
    assert "Missing: 5 files (a.txt, " in record["message"]
    reliability.add("The copy is encrypted with another password. A drill restores a sample.", record, heard=heard)


def test_a_file_that_changed_since_the_last_run_is_not_damage(machine, copy):
    source = machine.data / "documents"
    (source / "a.txt").write_text("newer than the copy")
    (source / "b.txt").unlink()
    (source / "new.txt").write_text("not pushed yet")
    encrypted = not (copy / "a.txt").exists()
    by = "the authentication of the encryption" if encrypted else "the provider's checksum or size"
    assert drill(machine)["message"] == (
        "Restored 5 of 5 files (147.4 KiB). Equal to the source: 3. "
        f"Compared with {by} only, because the source has changed: 2. All 5 files of the last successful run are there."
    )


def test_the_names_are_unknown_before_the_first_run_with_drills(machine):
    write_tree(machine.data / "documents", FILES)
    (machine.data / "copy").mkdir()
    declare(machine, drill=None)
    machine.run("documents")
    (machine.data / "copy" / "a.txt").unlink()
    said = "Missing files cannot be found before the next successful run of the task."
    assert said in drill(machine)["message"]
    empty_the_destination(machine.data / "copy")
    drill(machine, 1, "not_found")
    declare(machine)
    machine.run("documents")
    assert "All 5 files" in drill(machine)["message"]
    declare(machine, drill=None)
    machine.run("documents")
    assert said in drill(machine)["message"]


def test_a_sample_is_limited_by_its_count_and_by_its_size(machine, copy):
    assert drill(machine, 0, "", "--files", "2")["transfers"] == 2
    encryption = CRYPT if not (copy / "a.txt").exists() else None
    declare(machine, encryption=encryption, drill={"max_bytes": "1K"})
    record = drill(machine)
    assert (record["transfers"], record["bytes"]) == (4, 910)
    assert "Never restored, because they are larger than drill.max_bytes: 1 file." in record["message"]
    plan = machine.cloudsync("run", "drill-documents", "--dry-run", "--json").json["plan"]
    assert plan["totals"]["copy"] == {"files": 4, "bytes": 910}
    assert not scratch(machine).exists()


def test_a_killed_drill_leaves_no_file(machine, copy):
    write_tree(machine.data / "documents", {"big": b"x" * 3_000_000})
    encryption = CRYPT if not (copy / "a.txt").exists() else None
    machine.run("documents")
    declare(machine, encryption=encryption, bandwidth=SLOW, limits={"max_stall": 0})
    running = machine.start("drill-documents")
    wait_for(lambda: any(path.is_file() for path in scratch(machine).rglob("*")), "the first restored file")
    assert scratch(machine).stat().st_mode & 0o777 == 0o700
    assert machine.status("documents")["drill"]["state"] == "running"
    running.kill()
    running.wait()
    assert scratch(machine).exists()
    # The unit of the drill sweeps after every end. After a reboot, the next run of the task does it.
    words = ("run", "documents") if encryption else ("sweep", "drill-documents")
    wait_for(lambda: machine.cloudsync(*words) and not scratch(machine).exists(), "an empty disk")
    machine.cloudsync("sweep", "drill-documents")
    assert machine.history("drill-documents")[0]["reason"] == "interrupted"
    assert machine.status("documents")["state"] == "success"


def test_a_stopped_drill_leaves_no_file(machine, copy):
    write_tree(machine.data / "documents", {"big": b"x" * 3_000_000})
    encryption = CRYPT if not (copy / "a.txt").exists() else None
    machine.run("documents")
    declare(machine, encryption=encryption, bandwidth=SLOW)
    running = machine.start("drill-documents")
    wait_for(lambda: any(path.is_file() for path in scratch(machine).rglob("*")), "the first restored file")
    assert machine.cloudsync("stop", "drill-documents").code == 0
    assert machine.ended(running, 143)["reason"] == "stopped"
    assert not scratch(machine).exists()


def test_the_last_proven_restore_is_shown_and_a_failed_drill_is_a_problem(machine, copy):
    assert machine.status("documents")["drill"]["last_proven"] is None
    assert "never" in machine.cloudsync("status").out
    proven = drill(machine)["ended"]
    assert machine.cloudsync("check").code == 0
    delete(copy)
    drill(machine, 1, "drill")
    shown = machine.status("documents")
    assert (shown["state"], shown["drill"]["state"], shown["drill"]["last_proven"]) == ("success", "failed", proven)
    assert ", failed (drill)" in machine.cloudsync("status").out
    assert "last proven restore: 2" in machine.cloudsync("status", "documents").out
    checked = machine.cloudsync("check")
    assert checked.code == 1
    assert checked.out.startswith("drill-documents: failed: drill: The copy is damaged. Missing: 1 file (letters/june")
    (found,) = machine.module("task_info", name="documents")["tasks"]
    assert found["status"]["drill"]["reason"] == "drill"


def test_a_drill_that_did_not_start_is_overdue(machine, copy):
    declare(machine, drill={"schedule": {"preset": "hourly"}}, encryption=None if (copy / "a.txt").exists() else CRYPT)
    timer = pathlib.Path(machine.layout.unit_dir, "cloudsync@drill-documents.timer")
    assert machine.cloudsync("check").code == 0
    long_ago = time.time() - 86400
    os.utime(timer, (long_ago, long_ago))
    assert "drill-documents: overdue: no run has started since" in machine.cloudsync("check").out
    drill(machine)
    assert machine.cloudsync("check").code == 0


def test_the_units_of_a_drill_come_and_go_with_its_option(machine, copy):
    encryption = CRYPT if not (copy / "a.txt").exists() else None

    def list_units():
        return sorted(path.name for path in pathlib.Path(machine.layout.unit_dir).glob("*drill-documents*"))

    with_schedule = {"schedule": {"cron": "0 3 * * sun"}, "scratch": str(machine.data / "scratch")}
    declare(machine, encryption=encryption, drill=with_schedule)
    assert list_units() == ["cloudsync@drill-documents.service.d", "cloudsync@drill-documents.timer"]
    drop_in = pathlib.Path(machine.layout.unit_dir, "cloudsync@drill-documents.service.d", "50-task.conf").read_text()
    assert f'ReadWritePaths="-{machine.data}/scratch"' in drop_in
    assert machine.cloudsync("gate", "drill-documents").code == 0
    assert (machine.data / "scratch" / ".cloudsync-drill-documents").is_dir()
    assert machine.cloudsync("drill", "documents").code == 0
    assert list((machine.data / "scratch").iterdir()) == []
    assert machine.cloudsync("check").code == 0
    declare(machine, encryption=encryption, drill=None)
    assert list_units() == []
    declare(machine, encryption=encryption, drill=with_schedule)
    machine.declare(absent_tasks=["documents"])
    assert list_units() == []


def test_what_has_no_copy_cannot_be_drilled(machine, copy):
    declare(machine, drill=None, mode="move", encryption=None)
    answer = machine.cloudsync("drill", "documents", "--json")
    assert (answer.code, answer.json["reason"]) == (2, "usage")
    assert answer.json["message"].startswith("Task documents leaves no copy of its source")
    assert machine.cloudsync("drill", "none").code == 2
    assert machine.cloudsync("drill", "documents", "--files", "x").code == 2


def test_the_module_runs_and_plans_a_drill_as_a_task(machine, copy):
    planned = machine.module("run", task="drill-documents", dry_run=True)
    assert (planned["changed"], len(planned["plan"]["copy"])) == (False, 5)
    assert machine.module("run", task="drill-documents")["run"]["kind"] == "drill"
    delete(copy)
    failed = machine.module("run", task="drill-documents")
    assert (failed["failed"], failed["reason"]) == (True, "drill")
    other = machine.module("run", task="drill-documents", reverse_of="documents", path=str(machine.data / "other"))
    assert "drill-documents is the drill of a task." in other["msg"]


def test_the_playbook_drills_all_hosts_and_names_the_damaged_one(new_machine, tmp_path):
    machines = {name: new_machine() for name in ("good", "damaged")}
    for machine in machines.values():
        write_tree(machine.data / "documents", FILES)
        (machine.data / "copy").mkdir()
        declare(machine)
        machine.run("documents")
    (machines["damaged"].data / "copy/a.txt").unlink()
    controller = Controller(tmp_path)
    controller.inventory(**{name: {"cloudsync_root": str(machine.root)} for name, machine in machines.items()})

    planned = controller.play("drill", "--check", cloudsync_task="documents")
    assert "restore and compare 5 files" in planned
    said = controller.play("drill", code=2, cloudsync_task="documents")

    assert "success: Restored 5 of 5 files" in said
    assert "The copy is damaged. Missing: 1 file (a.txt)." in said
    assert machines["good"].status("documents")["drill"]["state"] == "success"
    assert machines["damaged"].status("documents")["drill"]["reason"] == "drill"
