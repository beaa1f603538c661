# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rclone receives: for every provider of TrueNAS the whole section, and for derived values each rule."""

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.obscure import reveal
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.conf_section import (
    remote_section,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.derived_options import tune
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_checks import (
    check,
    check_options,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.sizes import in_bytes, in_words
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.truenas_names import ALIASES

pytest.importorskip("cryptography")
TOKEN = '{"access_token":"AT","refresh_token":"RT","expiry":"2026-01-01T00:00:00Z"}'
ACCOUNT = '{"type":"service_account","project_id":"example-project","private_key":"k"}'
OAUTH = {"client_id": "", "client_secret": "", "token": TOKEN}
KEYS = {"access_key_id": "AKID", "secret_access_key": "SECRET"}
S3 = {"type": "s3", "provider": "Other", **KEYS}
# What TrueNAS always writes into an S3 credential and task.
TRUENAS_S3 = {
    **KEYS,
    "endpoint": "",
    "region": "",
    "skip_region": "false",
    "signatures_v2": "false",
    "max_upload_parts": "10000",
    "provider": "Other",
    "force_path_style": "true",
    "sign_accept_encoding": "true",
}
TRUENAS_S3_TASK = {"fast_list": "false", "region": "", "encryption": "", "storage_class": ""}
# By TrueNAS's name: its credential, its task's attributes, the section and the flags.
GOLDEN = {
    "AZUREBLOB": (
        {"account": "backups", "key": "a2V5", "endpoint": ""},
        {"fast_list": "true"},
        {"type": "azureblob", "account": "backups", "key": "a2V5", "chunk_size": "100Mi", "endpoint": ""},
        ("--fast-list=true",),
    ),
    "B2": (
        {"account": "a", "key": "k"},
        {"fast_list": "false", "chunk_size": "96"},
        {"type": "b2", "account": "a", "key": "k", "chunk_size": "96Mi"},
        ("--fast-list=false",),
    ),
    "BOX": (OAUTH, {}, {"type": "box", **OAUTH}, ()),
    "DROPBOX": (OAUTH, {"chunk_size": "48"}, {"type": "dropbox", **OAUTH, "chunk_size": "48Mi"}, ()),
    "FTP": (
        {"host": "h", "port": "21", "user": "u", "pass": ""},
        {},
        {"type": "ftp", "host": "h", "port": "21", "user": "u", "pass": ""},
        (),
    ),
    "GOOGLE_CLOUD_STORAGE": (
        {"service_account_credentials": ACCOUNT},
        {"bucket_policy_only": "true", "fast_list": "false"},
        {
            "type": "google cloud storage",
            "service_account_credentials": ACCOUNT,
            "bucket_policy_only": "true",
            "project_number": "example-project",
        },
        ("--fast-list=false",),
    ),
    "GOOGLE_DRIVE": (
        {**OAUTH, "team_drive": ""},
        {"acknowledge_abuse": "true", "fast_list": "true"},
        {"type": "drive", **OAUTH, "team_drive": "", "acknowledge_abuse": "true", "root_folder_id": "root"},
        ("--fast-list=true",),
    ),
    "GOOGLE_PHOTOS": (OAUTH, {}, {"type": "google photos", **OAUTH}, ()),
    "HTTP": ({"url": "https://mirror.example"}, {}, {"type": "http", "url": "https://mirror.example"}, ()),
    "MEGA": ({"user": "u", "pass": "p"}, {}, {"type": "mega", "user": "u", "pass": "p"}, ()),
    "ONEDRIVE": (
        {**OAUTH, "drive_type": "DOCUMENT_LIBRARY", "drive_id": "d"},
        {},
        {"type": "onedrive", **OAUTH, "drive_type": "documentLibrary", "drive_id": "d"},
        ("--checkers=1", "--tpslimit=10"),
    ),
    "OPENSTACK_SWIFT": (
        {"user": "u", "key": "k", "auth": "https://id.example/v3", "auth_version": "3", "endpoint_type": "internal"},
        {"fast_list": "true"},
        {
            "type": "swift",
            "user": "u",
            "key": "k",
            "auth": "https://id.example/v3",
            "auth_version": "3",
            "endpoint_type": "internal",
        },
        ("--fast-list=true",),
    ),
    "PCLOUD": ({**OAUTH, "hostname": ""}, {}, {"type": "pcloud", **OAUTH, "hostname": ""}, ()),
    "S3": (
        TRUENAS_S3,
        {**TRUENAS_S3_TASK, "encryption": "AES256", "storage_class": "STANDARD_IA", "fast_list": "true"},
        {
            **S3,
            "endpoint": "",
            "force_path_style": "true",
            "region": "us-east-1",
            "server_side_encryption": "AES256",
            "sign_accept_encoding": "true",
            "storage_class": "STANDARD_IA",
            "v2_auth": "false",
        },
        ("--fast-list=true",),
    ),
    "SFTP": (
        {"host": "h", "port": "22", "user": "u", "pass": "p"},
        {},
        {"type": "sftp", "host": "h", "port": "22", "user": "u", "pass": "p"},
        (),
    ),
    "STORJ_IX": (
        KEYS,
        {"fast_list": "false"},
        {
            **S3,
            "endpoint": "https://gateway.storjshare.io",
            "chunk_size": "64Mi",
            "upload_cutoff": "64Mi",
            "disable_http2": "true",
        },
        ("--fast-list=false",),
    ),
    "WEBDAV": (
        {"url": "https://dav.example", "vendor": "NEXTCLOUD", "user": "u", "pass": "p"},
        {},
        {"type": "webdav", "url": "https://dav.example", "vendor": "nextcloud", "user": "u", "pass": "p"},
        (),
    ),
    "YANDEX": (OAUTH, {"fast_list": "true"}, {"type": "yandex", **OAUTH}, ("--fast-list=true",)),
}


def received(provider, login, options):
    """The section that rclone receives, its passwords in clear; and the flags."""
    check(provider, {}, login)
    check_options(provider, options)
    section = remote_section(provider, {}, login, options)
    for name in section:
        if any(option.is_password for option in provider.all_options(name)):
            section[name] = reveal(section[name])
    return section, tune(provider, login, options).arguments


@pytest.fixture(name="resolve")
def fixture_resolve(known_providers):
    return lambda name: providers.resolve(name, known_providers)


def test_every_provider_of_truenas_has_its_golden_section():
    # HUBIC is the one that no rclone has any more.
    assert set(GOLDEN) == set(ALIASES) - {"HUBIC"}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_what_truenas_has_becomes_what_rclone_receives(resolve, name):
    login, options, section, arguments = GOLDEN[name]
    assert received(resolve(name), login, options) == (section, arguments)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_under_rclones_name_nothing_is_added_that_the_provider_does_not_need(resolve, name):
    login = {key: value for key, value in GOLDEN[name][0].items() if key not in ("skip_region", "signatures_v2")}
    provider = resolve(ALIASES[name].provider)
    login.update({"drive_type": "personal"} if "drive_type" in login else {})
    login.update({"vendor": "other"} if "vendor" in login else {})
    section, arguments = received(provider, login, {})
    derived = {"project_number"} if name == "GOOGLE_CLOUD_STORAGE" else set()
    assert set(section) == {"type", *login, *derived}
    assert arguments == ()


# -- S3


@pytest.mark.parametrize(
    ("login", "task", "region"),
    [
        ({}, {}, "us-east-1"),
        ({"region": "eu-west-1"}, {}, "eu-west-1"),
        ({"region": "eu-west-1"}, {"region": ""}, "eu-west-1"),
        ({"region": "eu-west-1"}, {"region": "eu-north-1"}, "eu-north-1"),
        ({"skip_region": "true"}, {}, None),
        ({"skip_region": "true", "region": "eu-west-1"}, {"region": "eu-north-1"}, None),
        ({"skip_region": "true", "signatures_v2": "true"}, {}, None),
    ],
)
def test_the_region_is_the_tasks_else_the_credentials_else_the_first(resolve, login, task, region):
    section, _flags = received(resolve("S3"), {**KEYS, **login}, task)
    assert section.get("region") == region
    assert "skip_region" not in section
    assert section.get("v2_auth") == login.get("signatures_v2")


@pytest.mark.parametrize("name", ["S3", "s3"])
@pytest.mark.parametrize("endpoint", ["https://s3.fr-par.scw.cloud", "https://s3.fr-par.scw.cloud:443/"])
def test_scaleway_takes_no_more_than_1000_parts(resolve, name, endpoint):
    login = {**KEYS, "provider": "Other", "endpoint": endpoint}
    assert received(resolve(name), login, {})[0]["max_upload_parts"] == "1000"
    assert received(resolve(name), {**login, "max_upload_parts": "500"}, {})[0]["max_upload_parts"] == "500"
    elsewhere = {**login, "endpoint": "https://scw.cloud.example"}
    assert "max_upload_parts" not in received(resolve(name), elsewhere, {})[0]


def test_the_parts_that_truenas_always_writes_are_nobodys_wish_and_anybody_elses_are(resolve):
    login = {**KEYS, "endpoint": "https://s3.fr-par.scw.cloud", "max_upload_parts": "10000"}
    assert received(resolve("S3"), login, {})[0]["max_upload_parts"] == "1000"
    assert received(resolve("s3"), {**login, "provider": "Other"}, {})[0]["max_upload_parts"] == "10000"


def test_what_a_task_asks_of_s3_is_in_the_section(resolve):
    options = {"server_side_encryption": "aws:kms", "sse_kms_key_id": "arn:aws:kms:x", "storage_class": "DEEP_ARCHIVE"}
    section, _flags = received(resolve("s3"), {**KEYS, "provider": "AWS"}, options)
    assert {name: section[name] for name in options} == options


# -- B2


@pytest.mark.parametrize(
    ("chunk", "cutoff", "flag"),
    [
        ("96", None, ()),
        ("128", None, ()),
        ("129", None, ("--multi-thread-cutoff=259Mi",)),
        ("200", None, ("--multi-thread-cutoff=401Mi",)),
        ("201", "201Mi", ("--multi-thread-cutoff=403Mi",)),
    ],
)
def test_big_chunks_of_b2_move_the_limits_beyond_which_a_file_is_split(resolve, chunk, cutoff, flag):
    for name, size in (("B2", chunk), ("b2", chunk + "Mi")):
        section, arguments = received(resolve(name), {"account": "a", "key": "k"}, {"chunk_size": size})
        assert (section["chunk_size"], section.get("upload_cutoff"), arguments) == (chunk + "Mi", cutoff, flag)


def test_a_chunk_size_of_the_credential_counts_too_and_what_is_set_stays(resolve):
    login = {"account": "a", "key": "k", "chunk_size": "300Mi"}
    assert received(resolve("b2"), login, {})[0]["upload_cutoff"] == "300Mi"
    options = {"upload_cutoff": "1Gi", "multi_thread_cutoff": "2Gi"}
    section, arguments = received(resolve("b2"), login, options)
    assert section["upload_cutoff"] == "1Gi"
    assert arguments == ("--multi-thread-cutoff=2Gi",)


# -- Google


def test_the_root_of_a_shared_drive_is_its_own(resolve):
    login = {"token": TOKEN, "team_drive": "0AB"}
    assert "root_folder_id" not in received(resolve("GOOGLE_DRIVE"), login, {})[0]
    chosen = {"token": TOKEN, "root_folder_id": "1XY"}
    assert received(resolve("GOOGLE_DRIVE"), chosen, {})[0]["root_folder_id"] == "1XY"


@pytest.mark.parametrize("account", ['{"type":"service_account"}', '{"project_id":null}', '{"project_id":""}'])
def test_an_account_without_a_project_is_taken_as_it_is(resolve, account):
    section, _flags = received(resolve("GOOGLE_CLOUD_STORAGE"), {"service_account_credentials": account}, {})
    assert "project_number" not in section


def test_a_project_that_is_set_stays(resolve):
    login = {"service_account_credentials": ACCOUNT, "project_number": "12345"}
    assert received(resolve("GOOGLE_CLOUD_STORAGE"), login, {})[0]["project_number"] == "12345"


# -- flags


def test_a_tasks_own_flags_win_over_those_of_its_provider(resolve):
    login = {**GOLDEN["ONEDRIVE"][0]}
    _section, arguments = received(resolve("ONEDRIVE"), login, {"checkers": "4", "fast_list": "true"})
    assert arguments == ("--checkers=4", "--fast-list=true", "--tpslimit=10")


def test_flags_are_no_options_of_the_remote(resolve):
    options = {"checkers": "4", "tpslimit": "2.5", "multi_thread_cutoff": "1Gi", "fast_list": "true"}
    section, arguments = received(resolve("s3"), {**KEYS, "provider": "AWS"}, options)
    assert not set(section) & set(options)
    assert arguments == ("--checkers=4", "--fast-list=true", "--multi-thread-cutoff=1Gi", "--tpslimit=2.5")


def test_an_empty_value_counts_as_not_set(resolve):
    login = {"account": "a", "key": "k", "chunk_size": "300Mi"}
    section, arguments = received(resolve("B2"), login, {"chunk_size": "", "checkers": "", "upload_cutoff": ""})
    assert (section["chunk_size"], section["upload_cutoff"]) == ("300Mi", "300Mi")
    assert arguments == ("--multi-thread-cutoff=601Mi",)
    storj = received(resolve("STORJ_IX"), {**KEYS, "endpoint": ""}, {})[0]
    assert storj["endpoint"] == "https://gateway.storjshare.io"


# -- what is refused


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("B2", {"chunk_size": "4"}, "must be 5Mi or more"),
        ("b2", {"chunk_size": "4Mi"}, "must be 5Mi or more"),
        ("b2", {"chunk_size": "96"}, "a size with its unit"),
        ("DROPBOX", {"chunk_size": "4"}, "must be 5Mi to 149Mi"),
        ("DROPBOX", {"chunk_size": "150"}, "must be 5Mi to 149Mi"),
        ("dropbox", {"chunk_size": "151Mi"}, "to 150Mi"),
        ("dropbox", {"chunk_size": "48"}, "a size with its unit"),
        ("s3", {"chunk_size": "1Mi"}, "must be 5Mi to 5120Mi"),
        ("S3", {"encryption": "aws:kms"}, "must be one of AES256"),
        ("S3", {"storage_class": "GLACIERS"}, "Did you mean 'GLACIER'?"),
        ("s3", {"encryption": "AES256"}, "no option 'encryption'"),
        ("s3", {"skip_region": "true"}, "no option 'skip_region'"),
        ("s3", {"chekers": "4"}, "Did you mean 'checkers'?"),
        ("s3", {"checkers": "many"}, "must be a whole number"),
        ("s3", {"fast_list": "maybe"}, "must be true or false"),
        ("drive", {"acknowledge_abuse": "maybe"}, "must be true or false"),
        ("sftp", {"known_hosts": "none"}, "set it in the credential"),
        ("sftp", {"ssh": "ssh evil"}, "set it in the credential"),
        ("s3", {"sse_customer_key": "TOPSECRET"}, "'sse_customer_key' is a secret"),
    ],
)
def test_a_tasks_options_that_can_not_work_are_refused(resolve, name, options, said):
    with pytest.raises(CloudsyncError) as caught:
        check_options(resolve(name), options)
    assert caught.value.reason == "usage"
    assert said in caught.value.message
    assert "TOPSECRET" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "login", "said"),
    [
        ("AZUREBLOB", {"account": "a_b", "key": "k"}, "can only contain letters, digits, - and ."),
        ("AZUREBLOB", {"account": "a", "key": "k", "endpoint": "a.example"}, "https://"),
        ("S3", {**KEYS, "endpoint": "s3.example"}, "must begin with http"),
        ("STORJ_IX", {**KEYS, "endpoint": "http://gateway.example"}, "must begin with https"),
    ],
)
def test_credentials_are_held_to_truenas_rules(resolve, name, login, said):
    with pytest.raises(CloudsyncError, match=said.replace(".", "[.]")):
        check(resolve(name), {}, login)


# -- sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [("96Mi", 96 << 20), ("96M", 96 << 20), ("1.5GiB", 3 << 29), ("100b", 100), ("1k", 1024), ("96", None), ("", None)],
)
def test_sizes_are_read_as_rclone_reads_them(text, size):
    assert in_bytes(text) == size


@pytest.mark.parametrize("size", [0, 1, 1023, 5 << 20, (5 << 20) + 1])
def test_a_size_in_words_is_that_size(size):
    assert in_bytes(in_words(size)) == size
