# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module bucket on real servers: created, configured, and removed while it is empty."""

from __future__ import annotations

import subprocess

import fake_b2
import harness
import places
import pytest
from harness import write_tree

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.buckets.abilities import Wanted
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.buckets.converge import converge_bucket
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError

UPLOADS = "daysFromStartingToCancelingUnfinishedLargeFiles"
PREFIX = {"fileNamePrefix": ""}
WHOLE = {"daysFromHidingToDeleting": None, "daysFromUploadingToHiding": None, UPLOADS: None, **PREFIX}


@pytest.fixture(name="place")
def fixture_place(request):
    port = request.getfixturevalue(request.param + "_port")
    return {
        "seaweed": places.seaweed,
        "moto": lambda at: places.s3(at, "key", harness.SECRET),
        "azurite": places.azure_by_key,
        "gcs": places.gcs_anonymous,
        "swift": places.swift,
    }[request.param](port)


@pytest.fixture(name="declare")
def fixture_declare(machine, bucket_name):
    """A function that declares a bucket, and returns it before and after.

    It checks that the prediction of check mode is exact, and that a second declaration changes nothing.
    """

    def declare(name=bucket_name, **options):
        wanted = Wanted(name, **options)
        predicted = converge_bucket(machine.host, "account", wanted, True)
        change = converge_bucket(machine.host, "account", wanted, False)
        assert change == predicted
        assert converge_bucket(machine.host, "account", wanted, False) == (change.after, change.after)
        return change

    return declare


@pytest.fixture(name="refused")
def fixture_refused(machine, bucket_name):
    """A function that declares a bucket, which must fail in check mode and without it, and returns the error."""

    def refused(name=bucket_name, checked=True, **options):
        for check_only in (True, False) if checked else (False,):
            with pytest.raises(CloudsyncError) as error:
                converge_bucket(machine.host, "account", Wanted(name, **options), check_only)
        return error.value

    return refused


@pytest.fixture(name="rclone_there")
def fixture_rclone_there(machine, rclone, tmp_path):
    """A function that runs rclone on a bucket of a place, as another program would."""

    def run(place, *arguments, stdin=""):
        options = {"type": place.provider, **place.attributes, **place.secrets}
        lines = [
            f"{name} = {str(value).lower() if isinstance(value, bool) else value}" for name, value in options.items()
        ]
        config = tmp_path / "there.conf"
        config.write_text("\n".join(["[there]", *lines, ""]))
        command = [rclone, "--config", str(config), *arguments]
        return subprocess.run(command, input=stdin, text=True, capture_output=True, check=True).stdout

    return run


@pytest.mark.parametrize("place", ["moto", "seaweed"], indirect=True)
def test_an_s3_bucket_is_created_versioned_and_removed(machine, place, bucket_name, declare):
    machine.declare([place.credential])
    assert declare() == (
        {},
        {"name": bucket_name, "versioning": "unversioned", "hidden_days": None, "lifecycle": None},
    )
    assert declare(versioning="enabled").after["versioning"] == "enabled"
    assert declare(versioning="suspended").after["versioning"] == "suspended"
    told = machine.module("remote_info", credential="account", path=bucket_name)
    assert (told["versioning"], told["lifecycle"], told["object_lock"]) == ("suspended", None, None)
    assert sorted(told["unknown"]) == ["lifecycle", "object_lock"]
    assert declare(present=False).after == {}
    assert bucket_name not in str(machine.module("remote_info", credential="account")["entries"])
    result = machine.module("bucket", credential="account", name=bucket_name, versioning="enabled")
    assert (result["changed"], result["bucket"]["versioning"]) == (True, "enabled")


@pytest.mark.parametrize("place", ["moto", "seaweed"], indirect=True)
def test_an_s3_bucket_with_deleted_files_is_not_empty(machine, place, bucket_name, declare, refused, rclone_there):
    machine.declare([place.credential])
    declare(versioning="enabled")
    rclone_there(place, "rcat", f"there:{bucket_name}/letters/a", stdin="precious")
    error = refused(present=False)
    assert error.message.startswith(f"Bucket {bucket_name} is not empty. It contains 1 name at its top")
    assert "letters/" in error.message
    rclone_there(place, "delete", f"there:{bucket_name}")
    assert rclone_there(place, "lsf", "--files-only", "--recursive", f"there:{bucket_name}") == ""
    assert "letters/" in refused(present=False).message
    assert "letters/a-v" in rclone_there(place, "lsf", "--recursive", "--s3-versions", f"there:{bucket_name}")
    rclone_there(place, "backend", "cleanup-hidden", f"there:{bucket_name}")
    assert declare(present=False).after == {}


@pytest.mark.parametrize("place", ["azurite", "gcs", "swift"], indirect=True)
def test_another_provider_creates_buckets_and_its_missing_options_are_refused_by_name(
    machine, place, bucket_name, declare, refused
):
    machine.declare([place.credential])
    assert f"versioning at the provider {place.provider}" in refused(versioning="enabled").message
    assert f"not at {place.provider}" in refused(hidden_days=3).message
    assert declare().after == {"name": bucket_name, "versioning": None, "hidden_days": None, "lifecycle": None}
    told = machine.module("remote_info", credential="account", path=bucket_name)
    assert sorted(told["unknown"]) == ["lifecycle", "object_lock", "versioning"]
    if place.provider == "azureblob":
        assert "not possible at the provider azureblob" in refused(present=False).message
    else:
        assert declare(present=False).after == {}


@pytest.mark.parametrize("place", ["seaweed"], indirect=True)
def test_a_bucket_is_created_although_the_credential_says_that_it_exists(machine, place, bucket_name, declare):
    credential = place.credential
    credential["attributes"] = {**place.attributes, "no_check_bucket": True}
    machine.declare([credential])
    assert declare().after["name"] == bucket_name


def test_a_server_without_versioning_has_buckets_and_refuses_the_option(machine, s3_server, declare, refused):
    port, folder = s3_server
    machine.declare([harness.s3_credential(port, "account")])
    name = declare().after["name"]
    assert "The server does not support it." in refused(checked=False, versioning="enabled").message
    assert declare(present=False).after == {}
    # The server caches listings for a moment, but not those of a bucket that it does not know yet.
    write_tree(folder / name, {"letter": "precious"})
    assert "It contains 1 name at its top" in refused(present=False).message
    assert (folder / name / "letter").exists()


def test_a_bucket_is_created_in_the_region_of_the_credential(machine, moto_port, declare, refused):
    credential = places.s3(moto_port, "key", harness.SECRET, region="eu-central-1").credential
    machine.declare([credential])
    assert declare().before == {}
    credential["attributes"]["location_constraint"] = "us-west-2"
    machine.declare([credential])
    assert "refuses its location" in refused("bucket-elsewhere", checked=False).message


@pytest.mark.parametrize("place", ["seaweed"], indirect=True)
def test_an_account_without_the_permission_is_called_that(machine, seaweed_port, place, bucket_name, declare, refused):
    machine.declare([place.credential])
    declare()
    assert "has rules for names of buckets" in refused(name="Not_a_bucket", checked=False).message
    machine.declare([places.seaweed(seaweed_port, "reader").credential])
    assert declare().after["name"] == bucket_name
    for options in ({"name": bucket_name + "-2"}, {"versioning": "enabled"}, {"present": False}):
        error = refused(checked=False, **options)
        assert error.reason == "auth"
        assert error.message.endswith("Nothing was changed.")


@pytest.fixture(name="cloud")
def fixture_cloud(machine):
    """B2, without a bucket."""
    cloud = fake_b2.Cloud()
    cloud.exists = False
    with fake_b2.serving(cloud) as port:
        machine.declare([fake_b2.credential(port)])
        yield cloud


def test_a_b2_bucket_gets_one_rule_whose_other_parts_are_kept(machine, cloud, declare):
    created = declare(fake_b2.BUCKET, hidden_days=30, versioning="enabled").after
    assert (created["hidden_days"], created["versioning"]) == (30, "enabled")
    assert cloud.rules == [{**WHOLE, "daysFromHidingToDeleting": 30}]
    cloud.rules = [{**WHOLE, "daysFromUploadingToHiding": 90, UPLOADS: 2}]
    assert declare(fake_b2.BUCKET, hidden_days=7).before["hidden_days"] is None
    assert cloud.rules == [{"daysFromHidingToDeleting": 7, "daysFromUploadingToHiding": 90, UPLOADS: 2, **PREFIX}]
    told = machine.module("remote_info", credential="account", path=fake_b2.BUCKET)
    assert (told["versioning"], told["lifecycle"]) == ("enabled", cloud.rules)
    assert sorted(told["unknown"]) == ["object_lock"]


def test_rules_for_folders_of_a_b2_bucket_are_never_dropped(cloud, declare, refused):
    cloud.exists = True
    cloud.rules = [{**WHOLE, "daysFromHidingToDeleting": 3, "fileNamePrefix": "logs/"}]
    before = list(cloud.rules)
    assert "lifecycle rules for logs/, which rclone would remove" in refused(fake_b2.BUCKET, hidden_days=7).message
    assert cloud.rules == before
    cloud.rules.append({**WHOLE, "daysFromHidingToDeleting": 7})
    assert declare(fake_b2.BUCKET, hidden_days=7).before["hidden_days"] == 7


def test_a_b2_bucket_with_a_hidden_file_is_not_empty(cloud, declare, refused):
    cloud.exists = True
    cloud.add("letters/a", "upload", b"precious")
    cloud.add("letters/a", "hide")
    assert "letters/" in refused(fake_b2.BUCKET, present=False).message
    cloud.versions = cloud.versions[1:]
    assert "is not empty" in refused(fake_b2.BUCKET, checked=False, present=False).message
    cloud.versions = []
    assert declare(fake_b2.BUCKET, present=False).after == {}
    assert not cloud.exists
    assert "keeps all versions" in refused(fake_b2.BUCKET, versioning="suspended").message


def test_an_older_rclone_creates_buckets_and_refuses_rules_that_it_does_not_know(
    new_machine, old_rclone, moto_port, bucket_name
):
    machine = new_machine(old_rclone)
    cloud = fake_b2.Cloud()
    with fake_b2.serving(cloud) as port:
        store = {**places.s3(moto_port, "key", harness.SECRET).credential, "name": "store"}
        machine.declare([fake_b2.credential(port), store])
        enabled = converge_bucket(machine.host, "store", Wanted(bucket_name, versioning="enabled"), False)
        assert enabled.after["versioning"] == "enabled"
        assert converge_bucket(machine.host, "store", Wanted(bucket_name, present=False), False).after == {}
        with pytest.raises(CloudsyncError, match=r"Cannot set hidden_days of bucket bkt, because it cannot be read\."):
            converge_bucket(machine.host, "account", Wanted(fake_b2.BUCKET, hidden_days=7), False)
        assert cloud.rules == []
