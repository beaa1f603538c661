# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.binary import ELF, Rclone
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import traits

RECORDED = pathlib.Path(__file__).parents[5] / "recorded"
VERSIONS = ("1.75.2", "1.60.1")


def schema(version):
    with open(os.path.join(RECORDED, f"providers-{version}.json"), encoding="utf-8") as stream:
        return stream.read()


@pytest.fixture(params=VERSIONS)
def known(request):
    return providers.parse(schema(request.param))


@pytest.fixture(name="install")
def fixture_install(tmp_path, monkeypatch):
    """Install a program that answers as rclone does. ``install.asked`` are the questions to it."""

    def install(answer):
        program = tmp_path / "rclone"
        program.write_bytes(ELF + answer[:64].encode())
        monkeypatch.setattr(providers, "run_quietly", lambda *words: install.asked.append(words) or answer)
        return Rclone(str(program), (1, 75, 2))

    install.asked = []
    return install


def test_the_schema_of_both_versions_is_read(known):
    assert known["sftp"].option("pass").is_password
    assert known["sftp"].option("host").required
    assert known["s3"].option("chunk_size").type == "SizeSuffix"
    assert known["s3"].option("provider").choices[0] == "AWS"
    assert known["b2"].option("no_such_option") is None


def test_an_option_for_some_sub_providers_applies_to_them_only(known):
    digi = [option for option in known["koofr"].list_all_options("password") if option.applies_to("digistorage")]
    assert [option.sub_provider for option in digi] == ["digistorage"]
    assert providers.Option("x", sub_provider="!AWS").applies_to("Ceph")
    assert not providers.Option("x", sub_provider="!AWS").applies_to("AWS")
    assert providers.Option("x", sub_provider="AWS").applies_to("")


@pytest.mark.parametrize("text", ["", "no json", "{}x", '[{"Name": "s3"}]', "[3]"])
def test_an_answer_that_is_no_schema_is_an_error(text):
    with pytest.raises(CloudsyncError):
        providers.parse(text)


@pytest.mark.parametrize(
    "name, found",
    [
        ("s3", "s3"),
        ("S3", "s3"),
        ("STORJ_IX", "s3"),
        ("AZUREBLOB", "azureblob"),
        ("GOOGLE_DRIVE", "drive"),
        ("GOOGLE_CLOUD_STORAGE", "google cloud storage"),
        ("google cloud storage", "google cloud storage"),
        ("google_cloud_storage", "google cloud storage"),
        ("gcs", "google cloud storage"),
        ("google_photos", "google photos"),
        ("OPENSTACK_SWIFT", "swift"),
    ],
)
def test_every_spelling_of_a_provider_is_accepted(known, name, found):
    assert providers.resolve(name, known).name == found


def test_a_misspelt_provider_is_refused_with_the_nearest_name(known):
    with pytest.raises(CloudsyncError) as caught:
        providers.resolve("webdaw", known)

    assert caught.value.reason == "usage"
    assert "Did you mean 'webdav'?" in caught.value.message


@pytest.mark.parametrize("name", ["HUBIC", "MEGA"])
def test_a_truenas_provider_that_this_rclone_lacks_is_explained(known, name):
    fewer = {found: provider for found, provider in known.items() if found != "mega"}
    with pytest.raises(CloudsyncError) as caught:
        providers.resolve(name, fewer)

    assert caught.value.reason == "usage"
    assert "Did you mean" not in caught.value.message


def test_the_schema_is_asked_for_once_and_again_when_the_program_changes(tmp_path, install):
    rclone = install(schema("1.75.2"))

    first = providers.load(rclone, str(tmp_path))
    assert providers.load(rclone, str(tmp_path)) == first
    assert len(install.asked) == 1

    install(schema("1.60.1"))
    os.utime(rclone.path, (1, 1))
    assert providers.load(rclone, str(tmp_path)) != first
    assert len(install.asked) == 2


@pytest.mark.parametrize("damage", ["", "{", '{"program": 3}', "[]"])
def test_a_damaged_cache_is_not_used(tmp_path, install, damage):
    rclone = install(schema("1.75.2"))
    first = providers.load(rclone, str(tmp_path))
    (tmp_path / providers.CACHE_NAME).write_text(damage)

    assert providers.load(rclone, str(tmp_path)) == first
    assert len(install.asked) == 2


def test_a_cache_that_can_not_be_written_is_done_without(tmp_path, install):
    rclone = install(schema("1.75.2"))

    assert "s3" in providers.load(rclone, str(tmp_path / "absent"))
    assert not (tmp_path / "absent").exists()


def test_the_cache_keeps_all_that_the_engine_reads(tmp_path, install):
    rclone = install(schema("1.60.1"))

    assert (
        providers.load(rclone, str(tmp_path))
        == providers.load(rclone, str(tmp_path))
        == providers.parse(schema("1.60.1"))
    )


def test_the_cache_is_small_because_it_omits_the_help_texts(tmp_path, install):
    answer = json.loads(schema("1.75.2"))
    for entry in answer:
        for option in entry["Options"] or ():
            # A real answer has 1 MB, most of it help texts, which the recorded one omits.
            option["Help"] = "A sentence of help. " * 45
    text = json.dumps(answer)
    providers.load(install(text), str(tmp_path))

    cache = (tmp_path / providers.CACHE_NAME).read_text()
    assert len(cache) < len(text) / 3
    assert "A sentence of help" not in cache


def test_buckets_and_read_only_providers_are_known_under_every_name():
    assert traits.is_bucket_based("STORJ_IX")
    assert traits.is_bucket_based("gcs")
    assert not traits.is_bucket_based("sftp")
    assert traits.is_read_only("HTTP")
    assert not traits.is_read_only("webdav")


@pytest.mark.parametrize(
    "name, attributes, has_token, takes_turns",
    [
        ("box", {}, True, True),
        ("BOX", {}, True, True),
        ("drive", {}, True, False),
        ("GOOGLE_DRIVE", {}, True, False),
        ("google cloud storage", {}, True, False),
        ("google cloud storage", {"token_url": "http://127.0.0.1/token"}, True, True),
        ("google cloud storage", {"token_url": "http://127.0.0.1/token"}, False, False),
        ("some new one", {}, True, True),
        ("s3", {}, False, False),
        ("box", {}, False, False),
        ("protondrive", {}, False, True),
    ],
)
def test_uses_take_turns_unless_the_refresh_token_is_known_to_be_reusable(name, attributes, has_token, takes_turns):
    assert traits.refresh_token_is_single_use(name, attributes, has_token) is takes_turns


def test_what_rclone_notes_about_a_server_is_not_state_to_save():
    assert "token" in traits.list_state_options("drive")
    assert "client_refresh_token" in traits.list_state_options("protondrive")
    assert "shell_type" not in traits.list_state_options("sftp")
