# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make archived files readable, with the command, the module and the playbook.

moto restores objects at once, and never shows a restore in its listing. Azurite moves blobs at once. So the answers of
AWS and Azure during a restore are inserted by a proxy, as the providers document them.
"""

from __future__ import annotations

import re

import harness
import places
import pytest
from archive import Archive
from controller import Controller
from doorman import Doorman, guarding
from harness import PASSWORD, text_tree, write_tree

FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
IN_PROGRESS = b"<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"
FINISHED = (
    b"<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
    b"<RestoreExpiryDate>2999-01-01T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>"
)
ALREADY_AT_S3 = (
    b"<Error><Code>RestoreAlreadyInProgress</Code><Message>Object restore is already in progress</Message></Error>"
)
ALREADY_AT_AZURE = (
    b"<Error><Code>BlobBeingRehydrated</Code>"
    b"<Message>This operation is not permitted because the blob is being rehydrated.</Message></Error>"
)
FORBIDDEN = b"<Error><Code>AuthorizationFailure</Code><Message>This request is not authorized.</Message></Error>"


@pytest.fixture(name="archive")
def fixture_archive(machine, moto_port, bucket_name, rclone):
    """S3, with FILES in its source."""
    made = Archive(machine, places.s3(moto_port, "key", harness.SECRET), bucket_name, rclone)
    write_tree(made.source, FILES)
    return made


@pytest.fixture(name="azure")
def fixture_azure(machine, azurite_port, bucket_name, rclone):
    """Azure, with the files FILES of an archived push."""
    made = Archive(machine, places.azure_by_key(azurite_port), bucket_name, rclone)
    write_tree(made.source, FILES)
    return made


def thaw(archive, *words, code=0):
    answer = archive.machine.cloudsync("thaw", "push", *words, "--json")
    assert answer.code == code, answer
    return answer.json


@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD}], ids=["plain", "crypt"])
def test_thaw_asks_for_what_is_archived_and_then_a_restore_succeeds(archive, encryption):
    archive.declare("GLACIER", encryption=encryption)
    archive.machine.run("push")
    target = archive.machine.data / "restored"
    words = ("restore", "push", "--to", str(target), "--json")
    refused = archive.machine.cloudsync(*words)
    assert (refused.code, refused.json["reason"]) == (1, "archived_object"), refused
    assert "cloudsync thaw push" in refused.json["message"]
    planned = archive.machine.cloudsync("thaw", "push", "--dry-run", "--json").json
    assert (planned["new"], planned["bytes"]) == (["a.txt", "deep/b.txt"], 9)
    assert archive.machine.cloudsync(*words).code == 1
    one = archive.machine.cloudsync("thaw", "push", "--path", "deep", "--days", "3", "--tier", "bulk")
    assert one.code == 0 and "asking the provider to restore 1 archived file (4 B)" in one.out, one
    assert archive.machine.cloudsync("thaw", "push").code == 0
    assert archive.machine.cloudsync(*words).code == 0
    assert text_tree(target) == FILES
    wrong = archive.machine.cloudsync("thaw", "push", "--tier", "fast", "--json")
    assert (wrong.code, wrong.json["reason"]) == (2, "usage")


@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD}], ids=["plain", "crypt"])
def test_thaw_moves_the_blobs_of_azure_once(azure, encryption):
    azure.declare(provider_options={"access_tier": "Archive"}, encryption=encryption)
    azure.machine.run("push")
    assert thaw(azure, "--tier", "bulk", code=2)["reason"] == "usage"
    check = azure.machine.module("thaw", task="push", _ansible_check_mode=True)
    assert (check["changed"], check["new"]) == (True, {"files": 2, "bytes": 9}), check
    one = azure.machine.module("thaw", task="push", path=["deep"])
    assert (one["changed"], one["new"]) == (True, {"files": 1, "bytes": 4}), one
    assert thaw(azure, "--wait")["new"] == ["a.txt"]
    last = azure.machine.module("thaw", task="push")
    assert (last["changed"], last["new"]["files"], last["asked"]["files"]) == (False, 0, 0), last
    azure.machine.run("pull")
    assert text_tree(azure.back) == FILES


def test_a_blob_that_azure_moves_already_is_not_new_and_a_refusal_is_an_error(azure, azurite_port):
    azure.declare(provider_options={"access_tier": "Archive"})
    azure.machine.run("push")
    answer = [409, "BlobBeingRehydrated", ALREADY_AT_AZURE]

    def admit(request):
        return "comp=tier" not in request.path or "a.txt" not in request.path

    def rewrite(request, status, headers, body):
        if admit(request):
            return status, headers, body
        return answer[0], [("x-ms-error-code", answer[1]), ("Content-Type", "application/xml")], answer[2]

    with guarding(Doorman(admit, rewrite=rewrite), azurite_port) as port:
        azure.place = places.azure_by_key(port)
        azure.declare(provider_options={"access_tier": "Archive"})
        first = azure.machine.module("thaw", task="push")
        assert (first["changed"], first["new"]["files"], first["asked"]["files"]) == (True, 1, 1), first
        again = azure.machine.module("thaw", task="push")
        assert (again["changed"], again["new"]["files"], again["asked"]["files"]) == (False, 0, 1), again
        answer[:] = (403, "AuthorizationFailure", FORBIDDEN)
        assert thaw(azure, code=1)["reason"] == "auth"


def test_a_restore_that_is_in_progress_at_s3_is_not_asked_for_again(archive, moto_port):
    archive.declare("GLACIER")
    archive.machine.run("push")
    states, asked = {b"a.txt": IN_PROGRESS}, []

    def rewrite(request, code, headers, body):
        if request.command == "POST" and "restore" in request.path:
            asked.append(request.path)
            return (409, [("Content-Type", "application/xml")], ALREADY_AT_S3)
        for name, state in states.items():
            body = re.sub(
                rb"(<Key>d/%s</Key>.*?)</Contents>" % name, rb"\1%s</Contents>" % state, body, flags=re.DOTALL
            )
        return code, headers, body

    with guarding(Doorman(rewrite=rewrite), moto_port) as port:
        archive.place = places.s3(port, "key", harness.SECRET)
        archive.declare("GLACIER")
        found = thaw(archive, "--dry-run")
        assert (found["asked"], found["new"], asked) == (["a.txt"], ["deep/b.txt"], [])
        found = archive.machine.module("thaw", task="push")
        assert (found["changed"], found["asked"]["files"]) == (False, 2), found
        assert len(asked) == 1 and "deep/b.txt" in asked[0]
        states.update({b"a.txt": FINISHED, b"deep/b.txt": FINISHED})
        found = thaw(archive, "--wait")
        assert (found["asked"], found["new"], len(asked)) == ([], [], 1)


def test_a_path_that_is_not_in_the_copy_is_refused_with_the_nearest_names(archive):
    archive.declare("GLACIER")
    archive.machine.run("push")
    refused = thaw(archive, "--path", "dep", code=1)
    assert refused["reason"] == "not_found" and "The nearest names are: deep" in refused["message"]
    assert "It has 3 names for this task." in refused["message"]


def test_a_provider_without_archived_objects_is_refused_by_name(machine, bucket):
    credential = {
        "name": "store",
        "provider": "sftp",
        "attributes": {"host": "127.0.0.1", "user": "u", "known_hosts": "none"},
    }
    machine.declare([{**credential, "secrets": {"pass": harness.SECRET}}], [harness.documents_task(machine, bucket)])
    refused = machine.cloudsync("thaw", "documents", "--json")
    assert (refused.code, refused.json["reason"]) == (2, "usage")
    assert refused.json["message"].startswith("Provider sftp has no archived objects")


def test_the_playbook_asks_on_each_host_for_what_is_archived(azure, tmp_path):
    azure.declare(provider_options={"access_tier": "Archive"})
    azure.machine.run("push")
    controller = Controller(tmp_path)
    controller.inventory(web1={"cloudsync_root": str(azure.machine.root)})
    planned = controller.play("thaw", "--check", cloudsync_task="push", cloudsync_path=["deep"])
    assert "would ask for 1 files" in planned, planned
    asked = controller.play("thaw", cloudsync_task="push")
    assert "asked for 2 files" in asked and "changed=1" in asked, asked
    again = controller.play("thaw", cloudsync_task="push")
    assert "asked for 0 files" in again and "changed=0" in again, again
    assert "Set the name of the task" in controller.play("thaw", code=2)
