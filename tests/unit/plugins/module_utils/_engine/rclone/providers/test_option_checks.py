# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_checks import (
    check,
    check_options,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_values import (
    find_problem,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.schema import Option
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.secret_options import (
    must_be_secret,
)

RECORDED = pathlib.Path(__file__).parents[5] / "recorded"
TOKEN = '{"access_token":"AT","refresh_token":"RT","expiry":"2026-01-01T00:00:00Z"}'
S3 = {"access_key_id": "AKID", "secret_access_key": "SECRET"}


@pytest.fixture(params=["1.75.2", "1.60.1"])
def known(request):
    with open(os.path.join(RECORDED, f"providers-{request.param}.json"), encoding="utf-8") as stream:
        return providers.parse(stream.read())


def refusal(known, name, attributes=None, secrets=None):
    with pytest.raises(CloudsyncError) as caught:
        check(providers.resolve(name, known), attributes or {}, secrets or {})
    assert caught.value.reason == "usage"
    return caught.value.message


@pytest.mark.parametrize(
    "name, attributes, secrets",
    [
        ("s3", {"provider": "AWS", "access_key_id": "AKID", "chunk_size": "64Mi"}, {"secret_access_key": "S"}),
        ("s3", {"provider": "AWS", "env_auth": "true"}, {}),
        ("s3", {"provider": "AWS", "env_auth": "false"}, {}),
        ("STORJ_IX", {}, S3),
        ("b2", {"account": "a"}, {"key": "k"}),
        ("sftp", {"host": "h", "user": "u"}, {"pass": "p"}),
        ("sftp", {"host": "h", "user": "u", "key_file": "/etc/key", "port": "2222"}, {}),
        ("sftp", {"host": "h", "user": "u"}, {"key_pem": "-----BEGIN OPENSSH PRIVATE KEY-----\n..."}),
        ("sftp", {}, {"host": "h", "user": "u", "pass": "p"}),
        ("ftp", {"host": "h", "user": "anonymous"}, {"pass": ""}),
        ("webdav", {"url": "https://dav.example", "vendor": "other", "user": "u"}, {"pass": "p"}),
        ("webdav", {"url": "https://dav.example"}, {"bearer_token": "t"}),
        ("WEBDAV", {"url": "https://dav.example", "vendor": "nextcloud", "user": "u"}, {"pass": "p"}),
        ("http", {"url": "https://files.example"}, {}),
        ("http", {}, {"url": "https://u:p@files.example"}),
        ("drive", {"scope": "drive"}, {"token": TOKEN}),
        ("drive", {}, {"service_account_credentials": '{"type": "service_account"}'}),
        ("onedrive", {"drive_id": "d", "drive_type": "personal"}, {"token": TOKEN}),
        ("google cloud storage", {"anonymous": "true"}, {}),
        ("jottacloud", {"configVersion": "1", "device": "Jotta"}, {"token": TOKEN}),
        ("azureblob", {"account": "a"}, {"key": "k"}),
        ("azureblob", {}, {"sas_url": "https://a.blob.example/c?sig=x"}),
        ("swift", {"user": "u", "auth": "https://auth.example"}, {"key": "k"}),
        ("koofr", {"provider": "koofr", "user": "u"}, {"password": "p"}),
        ("local", {}, {}),
    ],
)
def test_a_credential_that_can_log_in_passes(known, name, attributes, secrets):
    check(providers.resolve(name, known), attributes, secrets)


def test_a_misspelt_option_is_refused_with_the_nearest_name(known):
    message = refusal(known, "s3", {"acess_key_id": "AKID"}, {"secret_access_key": "S"})
    assert "'acess_key_id'" in message
    assert "Did you mean 'access_key_id'?" in message


def test_an_option_in_both_places_is_refused(known):
    assert "in attributes and in secrets" in refusal(known, "s3", {"access_key_id": "A"}, S3)


@pytest.mark.parametrize(
    "name, option, value",
    [
        ("s3", "secret_access_key", "TOPSECRET"),
        ("b2", "key", "TOPSECRET"),
        ("sftp", "key_pem", "TOPSECRET"),
        ("sftp", "pass", "TOPSECRET"),
        ("drive", "token", "TOPSECRET"),
        ("drive", "service_account_credentials", "TOPSECRET"),
        ("drive", "client_secret", "TOPSECRET"),
        ("jottacloud", "token", "TOPSECRET"),
        ("azureblob", "sas_url", "TOPSECRET"),
        ("webdav", "bearer_token", "TOPSECRET"),
        ("swift", "application_credential_secret", "TOPSECRET"),
        ("http", "url", "https://user:TOPSECRET@files.example"),
        ("webdav", "headers", "Authorization,Bearer TOPSECRET"),
    ],
)
def test_a_secret_among_the_attributes_is_refused_by_name_and_not_shown(known, name, option, value):
    message = refusal(known, name, {option: value})
    assert f"'{option}'" in message
    assert "to secrets" in message
    assert "TOPSECRET" not in message


@pytest.mark.parametrize(
    "name, option",
    [
        ("s3", "access_key_id"),
        ("sftp", "host"),
        ("sftp", "user"),
        ("drive", "token_url"),
        ("drive", "client_credentials"),
        ("b2", "account"),
        ("sftp", "key_file"),
    ],
)
def test_who_and_where_are_no_secrets(known, name, option):
    assert known[name].option(option) is None or not must_be_secret(known[name], option)


@pytest.mark.parametrize(
    "name, attributes, secrets, missing",
    [
        ("s3", {"provider": "AWS"}, {}, "access_key_id"),
        ("s3", {"access_key_id": "A"}, {}, "secret_access_key"),
        ("s3", {"access_key_id": "A", "env_auth": "true"}, {}, "secret_access_key"),
        ("b2", {"account": "a"}, {}, "key"),
        ("sftp", {"host": "h", "user": "u"}, {}, "pass"),
        ("sftp", {"user": "u"}, {"pass": "p"}, "host"),
        ("ftp", {"host": "h", "user": "u"}, {}, "pass"),
        ("webdav", {}, {}, "url"),
        ("webdav", {"url": "https://dav.example", "user": "u"}, {}, "pass"),
        ("drive", {}, {}, "token"),
        ("onedrive", {}, {"token": TOKEN}, "drive_id"),
        ("GOOGLE_CLOUD_STORAGE", {}, {}, "service_account_credentials"),
        ("http", {}, {}, "url"),
        ("koofr", {"provider": "koofr", "user": "u"}, {}, "password"),
        ("s3", {"access_key_id": ""}, {"secret_access_key": "S"}, "access_key_id"),
    ],
)
def test_what_a_login_lacks_is_named(known, name, attributes, secrets, missing):
    assert missing in refusal(known, name, attributes, secrets)


@pytest.mark.parametrize(
    "option, value",
    [
        ("env_auth", "yes"),
        ("max_upload_parts", "many"),
        ("chunk_size", "64 MB"),
        ("chunk_size", "96"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_the_right_form(known, option, value):
    message = refusal(known, "s3", {"access_key_id": "A", option: value}, {"secret_access_key": "S"})
    assert f"'{option}' is '{value}': it must be" in message


@pytest.mark.parametrize("value", ["TOPSECRET", "[]", '{"x": "TOPSECRET"}', ""])
def test_a_token_that_is_not_what_authorize_prints_is_refused_and_not_shown(known, value):
    message = refusal(known, "box", {}, {"token": value})
    assert "rclone authorize" in message
    assert "TOPSECRET" not in message


def test_a_url_without_its_scheme_is_refused(known):
    assert "https://" in refusal(known, "webdav", {"url": "dav.example"})


def test_all_problems_are_said_at_once(known):
    message = refusal(known, "sftp", {"prot": "22", "pass": "x", "port": "ssh"})
    assert "'prot'" in message
    assert "'pass' is a secret" in message
    assert "whole number" in message


def test_the_options_of_a_task_are_checked_like_attributes(known):
    s3 = providers.resolve("s3", known)
    check_options(s3, {"storage_class": "GLACIER", "chunk_size": "64Mi"})
    for options in ({"storage_klass": "x"}, {"chunk_size": "big"}, {"secret_access_key": "x"}):
        with pytest.raises(CloudsyncError):
            check_options(s3, options)


@pytest.mark.parametrize(
    "kind, good, bad",
    [
        ("bool", ["true", "False", "0"], ["yes", "on", ""]),
        ("Tristate", ["true", "unset", ""], ["maybe"]),
        ("int", ["0", "-1", "8"], ["1.5", "x", ""]),
        ("float64", ["1.5", "2"], ["x"]),
        ("SizeSuffix", ["96Mi", "96M", "1.5GiB", "0", "off", "100b", "5Ti"], ["96", "96MB", "Mi", "-1M", "5X"]),
        ("Duration", ["10m", "1h30m", "90", "1d", "off", "500ms", "1.5s"], ["10 minutes", "m", ""]),
        ("mtime|atime", ["atime"], ["xtime"]),
        ("string", ["anything"], []),
    ],
)
def test_values_fit_their_type(kind, good, bad):
    assert [value for value in good if find_problem(Option("o", kind), value)] == []
    assert [value for value in bad if not find_problem(Option("o", kind), value)] == []


def test_an_exclusive_option_takes_only_its_choices():
    option = Option("delete_snapshots", choices=("", "include", "only"), is_exclusive=True)
    assert find_problem(option, "include") == ""
    assert "Did you mean 'include'?" in find_problem(option, "includes")
