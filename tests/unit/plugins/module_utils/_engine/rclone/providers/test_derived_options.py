# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rclone receives for the options of a credential and a task, and each rule that derives an option."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.obscure import reveal
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.conf_section import (
    build_remote_section,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.derived_options import tune
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_checks import (
    check,
    check_options,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.sizes import (
    parse_size,
    write_size,
)

pytest.importorskip("cryptography")
TOKEN = '{"access_token":"AT","refresh_token":"RT","expiry":"2026-01-01T00:00:00Z"}'
ACCOUNT = '{"type":"service_account","project_id":"example-project","private_key":"k"}'
OAUTH = {"client_id": "", "client_secret": "", "token": TOKEN}
KEYS = {"access_key_id": "AKID", "secret_access_key": "SECRET"}
# For each provider a login whose options none of its rules changes.
LOGINS = {
    "azureblob": {"account": "backups", "key": "a2V5"},
    "b2": {"account": "a", "key": "k"},
    "box": OAUTH,
    "drive": {**OAUTH, "team_drive": ""},
    "dropbox": OAUTH,
    "ftp": {"host": "h", "port": "21", "user": "u", "pass": ""},
    "google cloud storage": {"service_account_credentials": '{"type":"service_account"}'},
    "google photos": OAUTH,
    "http": {"url": "https://mirror.example"},
    "mega": {"user": "u", "pass": "p"},
    "onedrive": {**OAUTH, "drive_type": "personal", "drive_id": "d"},
    "pcloud": {**OAUTH, "hostname": ""},
    "s3": {**KEYS, "provider": "Minio", "endpoint": "https://s3.example", "region": ""},
    "sftp": {"host": "h", "port": "22", "user": "u", "pass": "p"},
    "swift": {"user": "u", "key": "k", "auth": "https://id.example/v3"},
    "webdav": {"url": "https://dav.example", "vendor": "nextcloud", "user": "u", "pass": "p"},
    "yandex": OAUTH,
}


# What a provider gets because its transfers were measured, and a server with a pause of its own.
FASTER = {
    "s3": ("--buffer-size=4M", "--checkers=16", "--transfers=16"),
    "sftp": ("--transfers=8",),
    "webdav": ("--transfers=8",),
}
UNHURRIED = {"webdav": {"pacer_min_sleep": "0s"}}


def received(provider, login, options):
    """The section that rclone receives, its passwords in clear; and the flags."""
    check(provider, {}, login)
    check_options(provider, options)
    section = build_remote_section(provider, {}, login, options)
    for name in section:
        if any(option.is_password for option in provider.list_all_options(name)):
            section[name] = reveal(section[name])
    return section, tune(provider, login, options).arguments


@pytest.fixture(name="resolve")
def fixture_resolve(known_providers):
    return lambda name: providers.resolve(name, known_providers)


@pytest.mark.parametrize("name", sorted(LOGINS))
def test_rclone_receives_the_options_of_a_login_and_nothing_else(resolve, name):
    section, arguments = received(resolve(name), LOGINS[name], {})
    assert section == {"type": name, **LOGINS[name], **UNHURRIED.get(name, {})}
    assert arguments == FASTER.get(name, ())


# -- S3


@pytest.mark.parametrize(
    ("login", "task", "region"),
    [
        ({}, {}, None),
        ({"region": "eu-west-1"}, {}, "eu-west-1"),
        ({"region": "eu-west-1"}, {"region": ""}, "eu-west-1"),
        ({"region": "eu-west-1"}, {"region": "eu-north-1"}, "eu-north-1"),
    ],
)
def test_the_region_is_the_tasks_else_the_credentials(resolve, login, task, region):
    section, _flags = received(resolve("s3"), {**KEYS, **login}, task)
    assert section.get("region") == region


def test_s3_without_a_provider_is_other_so_that_rclone_logs_no_notice(resolve):
    assert received(resolve("s3"), KEYS, {})[0]["provider"] == "Other"
    assert received(resolve("s3"), {**KEYS, "provider": "Minio"}, {})[0]["provider"] == "Minio"


@pytest.mark.parametrize("endpoint", ["https://s3.fr-par.scw.cloud", "https://s3.fr-par.scw.cloud:443/"])
def test_scaleway_takes_no_more_than_1000_parts(resolve, endpoint):
    login = {**KEYS, "provider": "Other", "endpoint": endpoint}
    assert received(resolve("s3"), login, {})[0]["max_upload_parts"] == "1000"
    assert received(resolve("s3"), {**login, "max_upload_parts": "500"}, {})[0]["max_upload_parts"] == "500"
    elsewhere = {**login, "endpoint": "https://scw.cloud.example"}
    assert "max_upload_parts" not in received(resolve("s3"), elsewhere, {})[0]


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
    section, arguments = received(resolve("b2"), {"account": "a", "key": "k"}, {"chunk_size": chunk + "Mi"})
    assert (section["chunk_size"], section.get("upload_cutoff"), arguments) == (chunk + "Mi", cutoff, flag)


def test_a_chunk_size_of_the_credential_counts_too_and_what_is_set_stays(resolve):
    login = {"account": "a", "key": "k", "chunk_size": "300Mi"}
    assert received(resolve("b2"), login, {})[0]["upload_cutoff"] == "300Mi"
    options = {"upload_cutoff": "1Gi", "multi_thread_cutoff": "2Gi"}
    section, arguments = received(resolve("b2"), login, options)
    assert section["upload_cutoff"] == "1Gi"
    assert arguments == ("--multi-thread-cutoff=2Gi",)


# -- Google


@pytest.mark.parametrize("account", ['{"type":"service_account"}', '{"project_id":null}', '{"project_id":""}'])
def test_an_account_without_a_project_is_taken_as_it_is(resolve, account):
    section, _flags = received(resolve("GOOGLE_CLOUD_STORAGE"), {"service_account_credentials": account}, {})
    assert "project_number" not in section


def test_a_project_that_is_set_stays(resolve):
    login = {"service_account_credentials": ACCOUNT, "project_number": "12345"}
    assert received(resolve("GOOGLE_CLOUD_STORAGE"), login, {})[0]["project_number"] == "12345"


# -- flags


def test_a_tasks_own_flag_overrides_a_derived_one(resolve):
    options = {"chunk_size": "200Mi", "multi_thread_cutoff": "1Gi", "checkers": "4"}
    _section, arguments = received(resolve("b2"), LOGINS["b2"], options)
    assert arguments == ("--checkers=4", "--multi-thread-cutoff=1Gi")


def test_flags_are_no_options_of_the_remote(resolve):
    options = {"checkers": "4", "tpslimit": "2.5", "multi_thread_cutoff": "1Gi", "fast_list": "true"}
    section, arguments = received(resolve("s3"), {**KEYS, "provider": "AWS"}, options)
    assert not set(section) & set(options)
    assert sorted(arguments) == [
        *("--buffer-size=4M", "--checkers=4", "--fast-list=true", "--multi-thread-cutoff=1Gi"),
        *("--tpslimit=2.5", "--transfers=16"),
    ]


def test_a_pause_between_requests_is_kept_if_it_is_declared_and_omitted_where_rclone_has_none(resolve):
    webdav = resolve("webdav")
    section, _arguments = received(webdav, {**LOGINS["webdav"], "pacer_min_sleep": "50ms"}, {})
    assert section["pacer_min_sleep"] == "50ms"
    older = replace(webdav, options=tuple(each for each in webdav.options if each.name != "pacer_min_sleep"))
    assert "pacer_min_sleep" not in received(older, LOGINS["webdav"], {})[0]


def test_an_empty_value_counts_as_not_set(resolve):
    login = {"account": "a", "key": "k", "chunk_size": "300Mi"}
    section, arguments = received(resolve("b2"), login, {"chunk_size": "", "checkers": "", "upload_cutoff": ""})
    assert (section["chunk_size"], section["upload_cutoff"]) == ("300Mi", "300Mi")
    assert arguments == ("--multi-thread-cutoff=601Mi",)
    storj = received(resolve("STORJ_IX"), {**KEYS, "endpoint": ""}, {})[0]
    assert storj["endpoint"] == "https://gateway.storjshare.io"


# -- what is refused


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("b2", {"chunk_size": "4Mi"}, "must be 5Mi or more"),
        ("b2", {"chunk_size": "96"}, "a size with its unit"),
        ("B2", {"chunk_size": "96"}, "a size with its unit"),
        ("dropbox", {"chunk_size": "151Mi"}, "to 150Mi"),
        ("DROPBOX", {"chunk_size": "48"}, "a size with its unit"),
        ("s3", {"chunk_size": "1Mi"}, "must be 5Mi to 5120Mi"),
        ("S3", {"encryption": "AES256"}, "no option 'encryption'"),
        ("S3", {"skip_region": "true"}, "no option 'skip_region'"),
        ("s3", {"chekers": "4"}, "Did you mean 'checkers'?"),
        ("s3", {"checkers": "many"}, "must be a whole number"),
        ("s3", {"fast_list": "maybe"}, "must be true or false"),
        ("drive", {"acknowledge_abuse": "maybe"}, "must be true or false"),
        ("sftp", {"known_hosts": "none"}, "Set it in the credential"),
        ("sftp", {"ssh": "ssh evil"}, "Set it in the credential"),
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
        ("STORJ_IX", {**KEYS, "endpoint": "http://gateway.example"}, "must begin with https"),
    ],
)
def test_an_account_or_an_endpoint_that_cannot_work_is_refused(resolve, name, login, said):
    with pytest.raises(CloudsyncError, match=said.replace(".", "[.]")):
        check(resolve(name), {}, login)


# -- sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [("96Mi", 96 << 20), ("96M", 96 << 20), ("1.5GiB", 3 << 29), ("100b", 100), ("1k", 1024), ("96", None), ("", None)],
)
def test_sizes_are_read_as_rclone_reads_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("size", [0, 1, 1023, 5 << 20, (5 << 20) + 1])
def test_a_size_in_words_is_that_size(size):
    assert parse_size(write_size(size)) == size


@pytest.mark.parametrize("name", ["ftp", "sftp", "smb"])
@pytest.mark.parametrize(
    ("host", "written"), [("2001:db8::1", "[2001:db8::1]"), ("[::1]", "[::1]"), ("192.0.2.1", "192.0.2.1"), ("a", "a")]
)
def test_an_ipv6_address_gets_the_brackets_that_rclone_needs(known_providers, name, host, written):
    assert tune(known_providers[name], {"host": host}, {}).options["host"] == written
