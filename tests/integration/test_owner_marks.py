# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two hosts never delete each other's files at one destination, because a push that deletes leaves a mark there."""

from __future__ import annotations

import json
import shutil

import pytest
from doorman import Doorman, guarding
from harness import (
    PASSWORD,
    SALT,
    SECRET,
    SLOW,
    documents_task,
    read_tree,
    s3_credential,
    serving,
    text_tree,
    write_tree,
)

REFUSED = 3
MARK = ".cloudsync-owner"
FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
OTHER = {"c.txt": "gamma"}
PASSPHRASE = SECRET + "-passphrase"


@pytest.fixture(name="neighbor")
def fixture_neighbor(new_machine):
    """A second host, with another machine ID."""
    return new_machine()


@pytest.fixture(name="share")
def fixture_share(machine, neighbor, store, bucket):
    """Return a function that declares the same task on both hosts, each with its own files."""

    def declare(credential=store, **options):
        for host, files in ((machine, FILES), (neighbor, OTHER)):
            write_tree(host.data / "documents", files)
            host.declare([credential], [documents_task(host, bucket, **options)])

    return declare


def read_mark(folder):
    return json.loads((folder / MARK).read_text())


@pytest.fixture(name="sftp")
def fixture_sftp(rclone, tmp_path):
    folder = tmp_path / "sftp"
    folder.mkdir()
    with serving(rclone, "sftp", folder, "--user", "u", "--pass", SECRET) as port:
        secrets = {"pass": SECRET}
        attributes = {"host": "127.0.0.1", "port": port, "user": "u", "known_hosts": "none"}
        yield {"name": "store", "provider": "sftp", "attributes": attributes, "secrets": secrets}, folder


@pytest.fixture(name="webdav")
def fixture_webdav(rclone, tmp_path):
    folder = tmp_path / "webdav"
    folder.mkdir()
    with serving(rclone, "webdav", folder) as port:
        attributes = {"url": f"http://127.0.0.1:{port}", "vendor": "other"}
        yield {"name": "store", "provider": "webdav", "attributes": attributes, "secrets": {}}, folder


@pytest.fixture(name="s3")
def fixture_s3(store, s3_server):
    return store, s3_server[1]


ENCRYPTED = {"password": PASSWORD, "salt": SALT}


@pytest.mark.parametrize(
    ("server", "mode", "encryption"),
    [
        ("s3", "sync", None),
        ("s3", "move", ENCRYPTED),
        ("sftp", "sync", None),
        ("sftp", "sync", {**ENCRYPTED, "filenames": "off", "directory_names": False}),
        ("webdav", "sync", ENCRYPTED),
        ("webdav", "move", None),
    ],
)
def test_only_the_host_that_came_first_writes_to_a_destination(
    request, machine, neighbor, share, server, mode, encryption, bucket
):
    credential, folder = request.getfixturevalue(server)
    share(credential, mode=mode, encryption=encryption)
    machine.run("documents")
    stored = read_tree(folder / bucket.name)
    refused = neighbor.run("documents", REFUSED, "foreign")
    assert refused["message"].startswith("Task documents of host ") and "Nothing was changed." in refused["message"]
    assert "cloudsync adopt documents" in refused["message"]
    assert text_tree(neighbor.data / "documents") == OTHER
    assert read_tree(folder / bucket.name) == stored
    write_tree(machine.data / "documents", {"new.txt": "new"})
    machine.run("documents")


@pytest.mark.parametrize("encryption", [None, ENCRYPTED])
def test_no_plan_count_listing_restore_or_kept_folder_has_the_mark(machine, neighbor, share, bucket, encryption):
    keep = {"path": bucket.name + "/documents/kept"}
    share(encryption=encryption, keep_deleted=keep, verify_after="checksum", guards={"max_delete": "1"})
    machine.run("documents")
    (machine.data / "documents" / "a.txt").unlink()
    write_tree(machine.data / "documents", {"new.txt": "new"})
    plan = machine.plan("documents")
    assert (plan["present"], plan["totals"]["delete"]["files"]) == (2, 1) and MARK not in json.dumps(plan)
    assert machine.run("documents")["deletes"] == 1
    neighbor.plan("documents", REFUSED, "foreign")
    listed = machine.module("remote_info", task="documents", recurse=True)
    assert MARK not in json.dumps(listed["entries"]), listed
    restored = machine.module("run", reverse_of="documents", path=str(machine.data / "restored"))
    assert restored["run"]["state"] == "success", restored
    found = [path.name for path in machine.data.joinpath("restored").rglob("*") if path.is_file()]
    assert sorted(found) == ["b.txt", "new.txt"]


def test_a_host_that_replaced_another_takes_over_and_keeps_the_files(machine, neighbor, share, bucket):
    share()
    machine.run("documents")
    said = neighbor.cloudsync("adopt", "documents")
    assert said.code == 0 and "Before, it was task documents of host" in said.out, said
    assert neighbor.cloudsync("adopt", "documents").out == "documents already owns its destination\n"
    assert text_tree(bucket / "documents") == FILES
    assert "foreign" in machine.run("documents", REFUSED, "foreign")["reason"]
    # It wrote nothing here before, but it was told that the place is its own.
    assert [entry["path"] for entry in neighbor.plan("documents")["delete"]] == ["a.txt", "deep/b.txt"]
    assert neighbor.run("documents")["deletes"] == 2
    assert text_tree(bucket / "documents") == OTHER


def test_the_module_run_takes_over_and_its_check_mode_writes_nothing(machine, neighbor, share, bucket):
    share()
    machine.run("documents")
    before = read_mark(bucket / "documents")
    planned = neighbor.module("run", task="documents", adopt=True, _ansible_check_mode=True)
    assert planned["plan"]["totals"]["delete"]["files"] == 2, planned
    assert read_mark(bucket / "documents") == before
    assert neighbor.module("run", task="documents", adopt=True)["run"]["state"] == "success"
    assert read_mark(bucket / "documents")["host"] != before["host"]
    assert neighbor.module("run", task="documents")["run"]["state"] == "success"


def test_an_adopted_destination_still_has_the_default_deletion_guard(machine, neighbor, share):
    share()
    write_tree(machine.data / "documents", {f"{number}.txt": "x" for number in range(20)})
    machine.run("documents")
    assert neighbor.cloudsync("adopt", "documents").code == 0
    neighbor.run("documents", REFUSED, "max_delete")


def test_an_unmarked_destination_with_files_keeps_the_rule_of_the_first_sync(machine, share, bucket):
    share()
    write_tree(bucket, {"documents/precious.txt": "precious"})
    machine.run("documents", REFUSED, "max_delete")
    assert not (bucket / "documents" / MARK).exists()


@pytest.mark.parametrize(("first", "second"), [("top", "top/below"), ("top/below", "top")])
def test_a_folder_above_or_below_that_is_marked_refuses(machine, neighbor, share, bucket, first, second):
    share()
    machine.declare([], [documents_task(machine, bucket, remote_path=f"{bucket.name}/{first}")])
    machine.run("documents")
    neighbor.declare([], [documents_task(neighbor, bucket, remote_path=f"{bucket.name}/{second}")])
    message = neighbor.run("documents", REFUSED, "foreign")["message"]
    assert f"a folder that contains remote_path '{bucket.name}/{second}', or is in it" in message
    assert text_tree(bucket / first) == FILES


def test_a_folder_below_that_the_task_excludes_may_belong_to_another_host(machine, neighbor, share, bucket):
    share()
    machine.declare([], [documents_task(machine, bucket, remote_path=f"{bucket.name}/top/below")])
    machine.run("documents")
    neighbor.declare([], [documents_task(neighbor, bucket, remote_path=f"{bucket.name}/top", exclude=["/below/**"])])
    neighbor.run("documents")
    assert text_tree(bucket / "top") == {**OTHER, **{f"below/{name}": text for name, text in FILES.items()}}


def test_hosts_may_share_a_folder_that_is_declared_as_shared(machine, neighbor, share, bucket):
    share(mode="move", guards={"owner": "allow"})
    machine.run("documents")
    neighbor.run("documents")
    assert text_tree(bucket / "documents") == {**FILES, **OTHER}
    assert not (bucket / "documents" / MARK).exists()
    assert "leaves no owner mark" in neighbor.cloudsync("adopt", "documents").err


@pytest.mark.parametrize("content", ["", "x" * 100000])
def test_a_damaged_mark_refuses_with_one_sentence_and_can_be_replaced(machine, share, bucket, content):
    share()
    machine.run("documents")
    (bucket / "documents" / MARK).write_text(content)
    if content:
        message = machine.run("documents", REFUSED, "foreign")["message"]
        assert "is damaged, or a newer version wrote it" in message and "xxx" not in message
        assert machine.cloudsync("adopt", "documents").code == 0
    machine.run("documents")


def test_a_task_that_was_renamed_or_moved_on_its_host_is_not_foreign(machine, share, bucket):
    share()
    machine.run("documents")
    machine.declare([], [documents_task(machine, bucket, name="papers")], absent_tasks=["documents"])
    machine.run("papers")
    assert text_tree(bucket / "documents") == FILES


def test_a_host_with_the_machine_id_of_another_is_not_the_same(machine, neighbor, share, bucket):
    """As two copies of one virtual machine, which have two names."""
    share()
    machine.run("documents")
    mark = bucket / "documents" / MARK
    mark.write_text(json.dumps({**read_mark(bucket / "documents"), "host_name": "twin"}))
    message = machine.run("documents", REFUSED, "foreign")["message"]
    assert "of host twin" in message and "has the machine ID of this one" in message


def test_a_lost_record_of_the_success_is_replaced_by_the_mark(machine, share, bucket):
    share()
    machine.run("documents")
    (machine.root / "var/lib/cloudsync/documents/last-success").unlink()
    (machine.data / "documents" / "a.txt").unlink()
    assert machine.run("documents")["deletes"] == 1


@pytest.fixture(name="restored")
def fixture_restored(machine, neighbor, store, bucket):
    """The second host, with the backup of the first one, whose files it also sees. The first one goes on working."""
    write_tree(machine.data / "documents", FILES)
    machine.declare([store], [documents_task(machine, bucket)])
    machine.run("documents")
    backup = machine.module("backup", passphrase=PASSPHRASE)
    options = {"content": backup["content"], "passphrase": PASSPHRASE, "existing": "replace"}
    assert neighbor.module("restore", **options)["changed"]
    assert not neighbor.module("restore", **options)["changed"]
    return neighbor


def test_a_restored_host_takes_over_and_then_the_first_host_is_refused(machine, restored, bucket):
    before = read_mark(bucket / "documents")
    (machine.data / "documents" / "a.txt").unlink()
    restored.run("documents", REFUSED, "max_delete")  # it has written nothing here before
    assert read_mark(bucket / "documents") == before
    write_tree(machine.data / "documents", FILES)
    restored.run("documents")
    assert machine.run("documents", REFUSED, "foreign")["deletes"] == 0
    # The first host takes over again. That was after the restore, so the restored one does not take it back.
    assert machine.cloudsync("adopt", "documents").code == 0
    machine.run("documents")
    restored.run("documents", REFUSED, "foreign")
    assert text_tree(bucket / "documents") == FILES


def test_a_copy_of_the_configuration_alone_takes_over_nothing(machine, restored, new_machine):
    copy = new_machine()
    shutil.rmtree(copy.layout.config_dir)
    shutil.copytree(restored.layout.config_dir, copy.layout.config_dir)
    copy.run("documents", REFUSED, "foreign")


def test_a_key_that_must_not_write_is_the_reason_and_not_the_mark(machine, s3_server, bucket):
    doorman = Doorman(lambda request: request.command != "PUT" or MARK not in request.path, 403)
    with guarding(doorman, s3_server[0]) as port:
        write_tree(machine.data / "documents", FILES)
        machine.declare([s3_credential(port)], [documents_task(machine, bucket, retries=0)])
        message = machine.run("documents", 1, "auth")["message"]
    assert f"The owner mark {MARK} at remote_path" in message and "could not be written" in message


def test_a_run_that_is_killed_after_it_left_its_mark_is_continued(machine, neighbor, share, bucket):
    share(bandwidth=SLOW)
    write_tree(machine.data / "documents", {"big.bin": "x" * 2**21})
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    run.kill()
    run.wait()
    assert neighbor.run("documents", REFUSED, "foreign")["transfers"] == 0
    (machine.data / "documents" / "big.bin").unlink()
    machine.run("documents")
    assert text_tree(bucket / "documents") == FILES


@pytest.mark.parametrize("encryption", [None, ENCRYPTED], ids=["plain", "crypt"])
def test_a_copy_to_the_destination_of_another_host_is_warned_of_and_leaves_the_mark(
    machine, neighbor, share, bucket, encryption
):
    share(encryption=encryption)
    machine.run("documents")
    stored = {path: path.read_bytes() for path in bucket.rglob("*") if path.is_file()}
    task = documents_task(neighbor, bucket, mode="copy", encryption=encryption)
    neighbor.declare([], [task])
    (note,) = neighbor.plan("documents")["notes"]
    record = neighbor.run("documents")
    assert note in record["message"] and note in neighbor.log("documents")
    assert note.startswith("Task documents of host ") and "may delete the files that this task copies" in note
    assert all(path.read_bytes() == content for path, content in stored.items())
    neighbor.declare([], [{**task, "guards": {"owner": "allow"}}])
    assert neighbor.run("documents")["message"] == "Nothing had to be transferred."
    machine.declare([], [documents_task(machine, bucket, mode="copy", encryption=encryption)])
    assert "Task documents" not in machine.run("documents")["message"]


def test_a_copy_that_looks_for_a_mark_makes_no_more_requests(machine, s3_server, bucket):
    """Measured: each looks for one name."""
    write_tree(machine.data / "documents", FILES)
    doorman, counts = Doorman(), []
    with guarding(doorman, s3_server[0]) as port:
        for owner in ("allow", "refuse"):
            task = documents_task(machine, bucket, mode="copy", guards={"owner": owner})
            machine.declare([s3_credential(port)], [task])
            for _run in range(3):  # from the third run on, nothing is compared any more
                doorman.seen.clear()
                machine.run("documents")
            counts.append([f"{request.command} {request.path}" for request in doorman.seen])
    assert len(counts[1]) == len(counts[0]), counts


def test_a_copy_with_a_key_that_must_not_read_is_not_refused(machine, s3_server, bucket):
    doorman = Doorman(lambda request: MARK not in request.path, 403)
    write_tree(machine.data / "documents", FILES)
    with guarding(doorman, s3_server[0]) as port:
        machine.declare([s3_credential(port)], [documents_task(machine, bucket, mode="copy")])
        machine.run("documents")
    assert text_tree(bucket / "documents") == FILES
