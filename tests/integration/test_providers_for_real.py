# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pushed to the providers' own servers, or those that others wrote in their place, and pulled back."""

from __future__ import annotations

import harness
import places
import pytest
import servers
from doorman import Doorman, guarding
from harness import PASSWORD, read_tree, serving, write_tree

FILES = {
    "a.txt": "alpha",
    "deep/er/b with blanks & ümläut.txt": "beta",
    "empty.txt": "",
    "binary.bin": bytes(range(256)) * 300,
}


@pytest.fixture(name="seaweed")
def fixture_seaweed(seaweed_port):
    return places.seaweed(seaweed_port)


@pytest.fixture(name="moto")
def fixture_moto(moto_port):
    return places.s3(moto_port, "key", harness.SECRET)


@pytest.fixture(name="s3_session")
def fixture_s3_session(moto_port):
    """Lets in who shows the token of a session."""
    with guarding(Doorman(lambda request: request.headers["X-Amz-Security-Token"] == places.BEARER), moto_port) as port:
        yield places.s3_by_session(port)


@pytest.fixture(name="azure_key")
def fixture_azure_key(azurite_port):
    return places.azure_by_key(azurite_port)


@pytest.fixture(name="azure_sas")
def fixture_azure_sas(azurite_port):
    return places.azure_by_sas(azurite_port)


@pytest.fixture(name="gcs_anonymous")
def fixture_gcs_anonymous(gcs_port):
    return places.gcs_anonymous(gcs_port)


@pytest.fixture(name="gcs_token")
def fixture_gcs_token(gcs_port):
    with guarding(
        Doorman(lambda request: request.headers["Authorization"] == "Bearer " + places.BEARER), gcs_port
    ) as port:
        yield places.gcs_by_token(port)


@pytest.fixture(name="swift")
def fixture_swift(swift_port):
    return places.swift(swift_port)


@pytest.fixture(name="ftps_explicit")
def fixture_ftps_explicit(tmp_path, authority):
    with servers.ftps(tmp_path, "explicit", *authority.certify(servers.HOST)) as port:
        yield places.ftps(port, "explicit", authority.certificate)


@pytest.fixture(name="ftps_implicit")
def fixture_ftps_implicit(tmp_path, authority):
    with servers.ftps(tmp_path, "implicit", *authority.certify(servers.HOST)) as port:
        yield places.ftps(port, "implicit", authority.certificate)


@pytest.fixture(name="webdav_bearer")
def fixture_webdav_bearer(rclone, tmp_path):
    doorman = Doorman(lambda request: request.headers["Authorization"] == "Bearer " + places.BEARER)
    with serving(rclone, "webdav", tmp_path) as behind, guarding(doorman, behind) as port:
        yield places.webdav_by_bearer(port)


LOGINS = (
    "seaweed",
    "s3_session",
    "azure_key",
    "azure_sas",
    "gcs_token",
    "swift",
    "ftps_explicit",
    "ftps_implicit",
    "webdav_bearer",
)
OPEN = ("moto", "gcs_anonymous")


@pytest.fixture(name="place")
def fixture_place(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(name="bucket")
def fixture_bucket(bucket_name):
    """Not that of conftest.py, which is a folder."""
    return bucket_name


@pytest.fixture(name="tasks")
def fixture_tasks(machine, place, bucket):
    """A function that declares ``push`` and ``pull`` over one remote folder; the folders of both are given."""
    source, back = machine.data / "source", machine.data / "back"

    def declare(credential=None, **options):
        common = {
            "credential": "account",
            "mode": "sync",
            "remote_path": bucket + "/deep/folder",
            "rclone_args": list(place.args),
            "retries": 0,
            **options,
        }
        push = {"name": "push", "direction": "push", "path": str(source), **common}
        pull = {"name": "pull", "direction": "pull", "path": str(back), **common}
        machine.declare([credential or place.credential], [push, pull])
        return source, back

    return declare


@pytest.mark.parametrize("place", LOGINS + OPEN, indirect=True)
def test_pushed_once_changed_and_pulled_back_the_same(machine, tasks):
    source, back = tasks()
    write_tree(source, FILES)
    assert machine.run("push")["transfers"] == len(FILES)
    assert machine.run("push")["message"] == "Nothing had to be transferred."
    (source / "a.txt").unlink()
    write_tree(source, {"c.txt": "gamma"})
    plan = machine.plan("push")
    assert [[entry["path"] for entry in plan[group]] for group in ("copy", "overwrite", "delete")] == [
        ["c.txt"],
        [],
        ["a.txt"],
    ]
    record = machine.run("push")
    assert (record["transfers"], record["deletes"]) == (1, 1)
    machine.run("pull")
    write_tree(back, {"stale.txt": "stale"})
    machine.run("pull")
    assert read_tree(back) == read_tree(source)
    assert machine.run("pull")["message"] == "Nothing had to be transferred."


@pytest.mark.parametrize("place", LOGINS + OPEN, indirect=True)
def test_encrypted_there_and_back(machine, tasks):
    source, back = tasks(encryption={"password": PASSWORD})
    write_tree(source, FILES)
    machine.run("push")
    machine.run("pull")
    assert read_tree(back) == read_tree(source)


@pytest.mark.parametrize("place", LOGINS, indirect=True)
def test_a_wrong_secret_is_called_that_and_deletes_nothing(machine, tasks, place):
    source, back = tasks(place.refused)
    write_tree(source, FILES)
    write_tree(back, {"local.txt": "precious"})
    for task in ("push", "pull"):
        answer = machine.cloudsync("run", task, "--json")
        assert answer.json["reason"] == "auth", answer
        assert "refused the login" in answer.json["message"] or "no longer accepted" in answer.json["message"], answer
    assert list(read_tree(back)) == ["local.txt"]


@pytest.mark.parametrize("place", ["seaweed"], indirect=True)
def test_a_bucket_that_can_not_be_one_is_called_that_and_not_a_failure_of_files(machine, tasks):
    source, _back = tasks(remote_path="Not_a_bucket/folder")
    write_tree(source, FILES)
    record = machine.run("push", 2, "usage")
    assert "remote_path" in record["message"]
    assert "name of a bucket" in record["message"]


@pytest.mark.parametrize("place", ["seaweed"], indirect=True)
def test_a_bucket_that_is_not_there_and_may_not_be_made_is_named(machine, tasks):
    source, _back = tasks(provider_options={"no_check_bucket": True})
    write_tree(source, FILES)
    record = machine.run("push", 1, "not_found")
    assert "bucket does not exist" in record["message"]


@pytest.fixture(name="filled")
def fixture_filled(machine, tasks):
    """The files that are at the remote path."""
    source, _back = tasks()
    write_tree(source, FILES)
    machine.run("push")
    return source


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("place", ["seaweed"], indirect=True)
def test_a_key_that_may_only_read_pulls_and_its_push_is_refused_by_name(machine, tasks, seaweed_port):
    source, back = tasks(places.seaweed(seaweed_port, "reader").credential)
    machine.run("pull")
    assert read_tree(back) == read_tree(source)
    (source / "a.txt").unlink()
    write_tree(source, {"new.txt": "new"})
    record = machine.run("push", 1, "auth")
    assert "the permissions of its key for this remote path" in record["message"]
    assert (record["transfers"], record["deletes"]) == (0, 0)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(("place", "bucket"), [("seaweed", "tenant")], indirect=["place"])
def test_a_key_that_sees_one_bucket_is_verified_there(machine, bucket, seaweed_port):
    """At most providers such a key may not list the buckets; SeaweedFS shows it its own, so a doorman refuses that."""
    doorman = Doorman(lambda request: request.path.partition("?")[0] != "/", 403)
    with guarding(doorman, seaweed_port) as port:
        credential = places.seaweed(port, "tenant").credential
        top = machine.module("credential", **credential, verify=True)
        assert top["reason"] == "auth"
        for path in (bucket, bucket + "/deep/folder"):
            result = machine.module("credential", **credential, verify=True, verify_path=path)
            assert not result.get("failed"), result
        _sees_one_bucket(machine, bucket)


def _sees_one_bucket(machine, bucket):
    elsewhere = machine.module("remote_info", credential="account", path="elsewhere")
    assert elsewhere["reason"] == "auth"
    found = machine.module("remote_info", credential="account", path=bucket + "/deep/folder", recurse=True)
    sizes = {entry["path"]: entry["size"] for entry in found["entries"] if not entry["is_dir"]}
    assert sizes == {name: len(content) for name, content in FILES.items()}


@pytest.mark.usefixtures("filled")
# A listing trusts no authority but the system's.
@pytest.mark.parametrize("place", [name for name in LOGINS if not name.startswith("ftps")], indirect=True)
def test_what_is_there_is_listed(machine, bucket):
    found = machine.module("remote_info", credential="account")
    assert bucket in [entry["name"] for entry in found["entries"] if entry["is_dir"]], found
    found = machine.module("remote_info", credential="account", path=bucket + "/deep/folder")
    assert {entry["path"]: entry["is_dir"] for entry in found["entries"]} == {
        "a.txt": False,
        "deep": True,
        "empty.txt": False,
        "binary.bin": False,
    }


@pytest.fixture(name="watched")
def fixture_watched(moto_port):
    """A doorman before moto, and the account that goes past him."""
    doorman = Doorman()
    with guarding(doorman, moto_port) as port:
        yield doorman, places.s3(port, "key", harness.SECRET)


@pytest.mark.parametrize("place", ["moto"], indirect=True)
def test_what_a_task_asks_of_the_provider_arrives_there(machine, tasks, watched):
    doorman, place = watched
    options = {
        "storage_class": "STANDARD_IA",
        "server_side_encryption": "aws:kms",
        "sse_kms_key_id": "arn:aws:kms:us-east-1:1:key/one",
    }
    source, back = tasks(place.credential, provider_options=options)
    write_tree(source, {"a.txt": "alpha"})
    machine.run("push")
    assert doorman.headers_of("PUT", "x-amz-storage-class")[-1] == "STANDARD_IA"
    assert doorman.headers_of("PUT", "x-amz-server-side-encryption")[-1] == "aws:kms"
    assert doorman.headers_of("PUT", "x-amz-server-side-encryption-aws-kms-key-id")[-1].endswith("key/one")
    machine.run("pull")
    assert read_tree(back) == read_tree(source)
