# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What providers do that one would not expect, and how a plan or a run says so. See docs/provider-truths.md."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import fake_b2
import fake_dropbox
import harness
import places
import pytest
from archive import Archive
from harness import PASSWORD, text_tree, write_tree

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError

FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
HEARD = "the run fails, notification, `cloudsync check`"


@pytest.fixture(name="archive")
def fixture_archive(machine, moto_port, bucket_name, rclone):
    """With FILES in its source, not pushed yet."""
    made = Archive(machine, places.s3(moto_port, "key", harness.SECRET), bucket_name, rclone)
    write_tree(made.source, FILES)
    return made


def restoring(message):
    """The words of the command that a message gives, without the program's name."""
    return shlex.split(re.search(r"Restore them with: rclone (.*?) \(", message).group(1))


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD, "filenames": "off"}], ids=["plain", "crypt"])
def test_a_pull_of_archived_objects_says_how_to_restore_them_and_then_succeeds(
    archive, storage_class, encryption, reliability
):
    archive.declare(storage_class, encryption=encryption, guards={"max_delete": "100%"})
    archive.machine.run("push")
    write_tree(archive.back, {"local.txt": "precious"})
    record = archive.machine.run("pull", 1, "archived_object")
    assert "a.txt" in record["message"]
    assert "Nothing was deleted at the destination" in record["message"]
    assert text_tree(archive.back) == {"local.txt": "precious"}
    archive.rclone(*restoring(record["message"]))
    archive.machine.run("pull")
    assert text_tree(archive.back) == FILES
    reliability.add(f"The objects of a pull (sync) are archived in {storage_class}.", record, HEARD)


@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD, "filenames": "off"}], ids=["plain", "crypt"])
def test_archived_objects_are_deleted_and_overwritten_like_others(archive, encryption):
    archive.declare("GLACIER", encryption=encryption)
    archive.machine.run("push")
    write_tree(archive.source, {"a.txt": "another alpha"})
    (archive.source / "deep/b.txt").unlink()
    record = archive.machine.run("push")
    assert (record["transfers"], record["deletes"]) == (1, 1)
    assert archive.there() == ([".cloudsync-canary.bin", "a.txt.bin"] if encryption else ["a.txt"])


def test_archived_objects_can_not_be_kept_when_they_are_deleted(archive):
    archive.declare("GLACIER")
    archive.machine.run("push")
    (archive.source / "deep/b.txt").unlink()
    archive.declare("GLACIER", keep_deleted={"path": archive.bucket + "/kept", "days": 7})
    message = archive.machine.run("push", 1, "archived_object")["message"]
    assert "Files: deep/b.txt." in message
    assert f"rclone backend restore 'REMOTE:{archive.bucket}/d'" in message
    assert "without keep_deleted" in message
    assert archive.there() == ["a.txt", "deep/b.txt"]


def test_archived_objects_that_are_renamed_are_uploaded_anew_and_stop_the_deletions_of_that_attempt(archive):
    archive.declare("GLACIER")
    archive.machine.run("push")
    (archive.source / "a.txt").rename(archive.source / "renamed.txt")
    (archive.source / "deep/b.txt").unlink()
    archive.declare("GLACIER", rclone_args=["--track-renames"])
    assert "Files: a.txt." in archive.machine.run("push", 1, "archived_object")["message"]
    assert archive.there() == ["a.txt", "deep/b.txt", "renamed.txt"]
    assert archive.machine.run("push")["deletes"] == 2
    assert archive.there() == ["renamed.txt"]


def test_archived_objects_with_instant_access_are_like_others(archive):
    archive.declare("GLACIER_IR")
    archive.machine.run("push")
    archive.machine.run("pull")
    assert text_tree(archive.back) == FILES


def test_a_plan_names_what_is_archived_beforehand(archive):
    archive.declare("GLACIER", keep_deleted={"path": archive.bucket + "/kept", "days": 7})
    archive.machine.run("push")
    (archive.source / "deep/b.txt").unlink()
    write_tree(archive.source, {"c.txt": "gamma"})
    # Of AWS alone rclone tells the class.
    archive.place = replace(archive.place, attributes={**archive.place.attributes, "provider": "AWS"})
    archive.declare("GLACIER", keep_deleted={"path": archive.bucket + "/kept", "days": 7})
    (note,) = archive.machine.plan("push")["notes"]
    assert ": deep/b.txt. " in note
    assert "cannot move them" in note
    (note,) = archive.machine.plan("pull")["notes"]
    assert note.startswith("The plan contains 2 files in an archive storage class: a.txt, deep/b.txt. ")
    assert note.endswith("the run cannot read them and fails as archived_object.")
    archive.declare()
    assert archive.machine.plan("push")["notes"] == []


@pytest.fixture(name="azure")
def fixture_azure(machine, azurite_port, bucket_name, rclone):
    """As ``archive``, at Azure."""
    made = Archive(machine, places.azure_by_key(azurite_port), bucket_name, rclone)
    write_tree(made.source, FILES)
    return made


@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD}], ids=["plain", "crypt"])
def test_a_pull_of_archived_blobs_says_how_to_restore_them_and_then_succeeds(azure, encryption):
    azure.declare(provider_options={"access_tier": "Archive"}, encryption=encryption)
    azure.machine.run("push")
    assert "cannot read them" in azure.machine.plan("pull")["notes"][0]
    message = azure.machine.run("pull", 1, "archived_object")["message"]
    azure.rclone(*restoring(message))
    azure.machine.run("pull")
    assert text_tree(azure.back) == FILES


def test_archived_blobs_are_overwritten_only_when_that_is_asked_for(azure):
    azure.declare(provider_options={"access_tier": "Archive"})
    azure.machine.run("push")
    write_tree(azure.source, {"a.txt": "another alpha"})
    (azure.source / "deep/b.txt").unlink()
    assert "archive_tier_delete" in azure.machine.run("push", 1, "archived_object")["message"]
    assert azure.there() == ["a.txt", "deep/b.txt"]
    azure.declare(provider_options={"access_tier": "Archive", "archive_tier_delete": True})
    azure.machine.run("push")
    assert azure.there() == ["a.txt"]


class Versioned:
    """A machine with a push to B2 of FILES, of which a.txt has been overwritten once."""

    def __init__(self, machine, cloud, port):
        self.machine, self.cloud, self._port = machine, cloud, port
        self.source = machine.data / "source"
        self.declare()
        write_tree(self.source, {**FILES, "a.txt": "first"})
        machine.run("push")
        write_tree(self.source, FILES)
        (self.source / "a.txt").touch()
        machine.run("push")

    def declare(self, **options):
        push = {
            "name": "push",
            "credential": "account",
            "direction": "push",
            "mode": "sync",
            "path": str(self.source),
            "remote_path": "bkt/d",
            **options,
        }
        return self.machine.declare([fake_b2.credential(self._port)], [push])


@pytest.fixture(name="b2")
def fixture_b2(machine):
    cloud = fake_b2.Cloud()
    with fake_b2.serving(cloud) as port:
        yield Versioned(machine, cloud, port)


def test_a_plan_says_how_many_versions_stay_at_b2_and_they_do(b2):
    (b2.source / "deep/b.txt").unlink()
    write_tree(b2.source, {"a.txt": "third", "c.txt": "new"})
    (note,) = b2.machine.plan("push")["notes"]
    assert "3 older versions would remain at 'bkt/d': 1 existing and 2 new." in note
    assert "provider_options.cleanup" in note
    assert "note: B2 keeps" in b2.machine.cloudsync("run", "push", "--dry-run").out
    b2.machine.run("push")
    assert b2.cloud.files() == {"d/a.txt": b"third", "d/c.txt": b"new"}
    assert len(b2.cloud.stored()) - len(b2.cloud.files()) == 3


def test_a_plan_without_the_versions_is_still_a_plan(b2):
    (b2.source / "a.txt").unlink()
    b2.cloud.shows_versions = False
    plan = b2.machine.plan("push")
    assert [entry["path"] for entry in plan["delete"]] == ["a.txt"]
    assert plan["notes"][0].startswith("Cannot count the older versions that B2 keeps. ")


def test_a_rule_of_the_bucket_is_told(b2):
    b2.cloud.rules = [{"fileNamePrefix": "d/", "daysFromHidingToDeleting": 30, "daysFromUploadingToHiding": None}]
    assert "removes each of them 30 days after" in b2.machine.plan("push")["notes"][0]
    b2.cloud.rules[0]["fileNamePrefix"] = "other/"
    assert "30 days" not in b2.machine.plan("push")["notes"][0]


def test_hard_delete_brings_an_older_version_back_at_b2_and_is_warned_of(b2):
    declared = b2.declare(provider_options={"hard_delete": True})
    assert "come back with its old content" in " ".join(declared.warnings)
    (b2.source / "a.txt").unlink()
    notes = b2.machine.plan("push")["notes"]
    assert "These files would come back with an older content: a.txt." in notes[0]
    b2.machine.run("push")
    assert b2.cloud.files()["d/a.txt"] == b"first"


def test_cleanup_waits_for_an_upload_that_has_begun_and_not_ended_at_b2(b2):
    """rclone would take it for the newest version, and remove the finished one."""
    b2.declare(provider_options={"cleanup": True})
    b2.cloud.add("d/a.txt", "start")
    record = b2.machine.run("push")
    assert "uploads of these files are unfinished: a.txt" in record["message"]
    assert b2.cloud.files()["d/a.txt"] == FILES["a.txt"].encode()
    b2.cloud.versions.pop()
    b2.machine.run("push")
    assert b2.cloud.stored() == sorted(b2.cloud.files())


def test_a_credential_of_b2_keeps_its_provider_while_a_task_uses_cleanup(b2, store):
    b2.declare(provider_options={"cleanup": True})
    with pytest.raises(CloudsyncError, match="only valid for the provider b2"):
        b2.machine.declare([{**store, "name": "account"}])
    b2.machine.run("push")


@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD}], ids=["plain", "crypt"])
def test_cleanup_leaves_no_version_at_b2_that_a_listing_does_not_show(b2, encryption):
    b2.declare(provider_options={"cleanup": True}, remote_path="bkt/e", encryption=encryption)
    write_tree(b2.source, {"a.txt": "third"})
    b2.machine.run("push")
    write_tree(b2.source, {"a.txt": "the fourth"})
    (b2.source / "deep/b.txt").unlink()
    assert "1 new" not in b2.machine.plan("push")["notes"][0]
    assert "2 new. provider_options.cleanup removes them" in b2.machine.plan("push")["notes"][0]
    b2.machine.run("push")
    assert [name for name in b2.cloud.stored() if name.startswith("d/")] == ["d/a.txt", "d/a.txt", "d/deep/b.txt"]
    own = [name for name in b2.cloud.stored() if name.startswith("e/")]
    assert own == [name for name in b2.cloud.files() if name.startswith("e/")]
    assert len(own) == (3 if encryption else 1)  # the canary and the encrypted owner mark are files, too


def test_a_run_that_fails_cleans_nothing_up(b2):
    b2.declare(provider_options={"cleanup": True}, retries=0, follow_symlinks=True)
    (b2.source / "dangling").symlink_to("nowhere")
    before = b2.cloud.stored()
    b2.machine.run("push", 1, "deletions_suppressed")
    assert b2.cloud.stored() == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"remote_path": "bkt", "mode": "copy", "provider_options": {"cleanup": True}}, "all files in the bucket"),
        ({"provider_options": {"cleanup": "soon"}}, "must be true or false"),
    ],
)
def test_cleanup_that_can_not_be_meant_is_refused(b2, options, sentence):
    with pytest.raises(CloudsyncError, match=sentence):
        b2.declare(**options)


def test_cleanup_is_refused_elsewhere(archive):
    with pytest.raises(CloudsyncError, match="only valid for the provider b2"):
        archive.declare(provider_options={"cleanup": True})


def test_files_that_dropbox_holds_back_are_named_and_nothing_is_deleted(machine, authority, reliability):
    back = machine.data / "back"
    write_tree(back, {"local.txt": "precious"})
    cloud = fake_dropbox.Cloud({"/Films/film.mkv": b"film", "/Films/poster.png": b"poster"}, {"/Films/film.mkv"})
    with fake_dropbox.serving(cloud, authority) as arguments:
        pull = {
            "name": "pull",
            "credential": "account",
            "direction": "pull",
            "mode": "sync",
            "path": str(back),
            "remote_path": "Films",
            "rclone_args": arguments,
            "guards": {"max_delete": 1},
        }
        machine.declare([fake_dropbox.credential()], [pull])
        assert [entry["path"] for entry in machine.plan("pull")["delete"]] == ["local.txt"]
        record = machine.run("pull", 1, "restricted_content")
        assert "Files: film.mkv." in record["message"]
        assert "Nothing was deleted at the destination" in record["message"]
        assert text_tree(back) == {"local.txt": "precious", "poster.png": "poster"}
        machine.declare([], [{**pull, "exclude": ["film.mkv"]}])
        assert machine.run("pull")["deletes"] == 1
    assert text_tree(back) == {"poster.png": "poster"}
    reliability.add("Dropbox blocks the download of a file.", record, HEARD)
