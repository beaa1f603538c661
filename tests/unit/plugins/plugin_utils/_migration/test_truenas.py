# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What TrueNAS has, in the shapes of its API's versions, becomes declarations; nothing of it is lost."""

from __future__ import annotations

import copy
import json
import os
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import parse_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_parser import parse_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.conf_file import format_option_value
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.obscure import reveal
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.conf_section import (
    build_remote_section,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.derived_options import tune
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.findings import Missing, Reference
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.truenas import from_truenas

RECORDED = pathlib.Path(__file__).parents[3] / "recorded"
VERSIONS = ("24.10", "25.04", "25.10", "26.0", "27.0")
HIDDEN = "********"
TOKEN = json.dumps({"access_token": "SECRET-at", "refresh_token": "SECRET-rt", "expiry": "2026-11-01T00:00:00Z"})
ACCOUNT = json.dumps({"type": "service_account", "project_id": "attic-1", "private_key": "SECRET-gcs"}, indent=2)
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET-key\n-----END OPENSSH PRIVATE KEY-----\n"
OAUTH = {"client_id": "app", "client_secret": "SECRET-app", "token": TOKEN}
OAUTH_SECRETS = {"client_secret": "SECRET-app", "token": TOKEN}
LOGIN = {"access_key_id": "AKID", "secret_access_key": "SECRET-s3"}

# For each provider the fields in TrueNAS 27; then what is declared for them: rclone's name, attributes, secrets.
PROVIDERS = {
    "AZUREBLOB": (
        {"account": "attic", "key": "SECRET-az", "endpoint": "https://azure.example"},
        (
            "azureblob",
            {"chunk_size": "100Mi", "account": "attic", "endpoint": "https://azure.example"},
            {"key": "SECRET-az"},
        ),
    ),
    "B2": ({"account": "0012", "key": "SECRET-b2"}, ("b2", {"account": "0012"}, {"key": "SECRET-b2"})),
    "BOX": (OAUTH, ("box", {"client_id": "app"}, OAUTH_SECRETS)),
    "DROPBOX": ({**OAUTH, "client_id": "", "client_secret": ""}, ("dropbox", {}, {"token": TOKEN})),
    "FTP": (
        {"host": "ftp.example", "port": 2121, "user": "anonymous", "pass": ""},
        ("ftp", {"host": "ftp.example", "port": 2121, "user": "anonymous"}, {"pass": ""}),
    ),
    "GOOGLE_CLOUD_STORAGE": (
        {"service_account_credentials": ACCOUNT.replace("\n", "\r\n")},
        (
            "google cloud storage",
            {},
            {"service_account_credentials": ACCOUNT.replace("\n", "")},
        ),
    ),
    "GOOGLE_DRIVE": (
        {**OAUTH, "team_drive": "0ATeam"},
        ("drive", {"client_id": "app", "team_drive": "0ATeam"}, OAUTH_SECRETS),
    ),
    "GOOGLE_PHOTOS": (OAUTH, ("google photos", {"client_id": "app"}, OAUTH_SECRETS)),
    "HTTP": ({"url": "https://files.example/pub"}, ("http", {"url": "https://files.example/pub"}, {})),
    "ONEDRIVE": (
        {**OAUTH, "drive_type": "DOCUMENT_LIBRARY", "drive_id": "b!1"},
        ("onedrive", {"client_id": "app", "drive_type": "documentLibrary", "drive_id": "b!1"}, OAUTH_SECRETS),
    ),
    "OPENSTACK_SWIFT": (
        {
            "user": "attic",
            "key": "SECRET-swift",
            "auth": "https://keystone.example/v3",
            "auth_version": 3,
            "endpoint_type": "public",
            "tenant": "home",
            "domain": "Default",
            "region": "RegionOne",
            "user_id": "",
            "tenant_id": "",
            "tenant_domain": "",
            "storage_url": "",
            "auth_token": "",
            "application_credential_id": "",
            "application_credential_name": "",
            "application_credential_secret": "",
        },
        (
            "swift",
            {
                "user": "attic",
                "auth": "https://keystone.example/v3",
                "auth_version": 3,
                "endpoint_type": "public",
                "tenant": "home",
                "domain": "Default",
                "region": "RegionOne",
            },
            {"key": "SECRET-swift"},
        ),
    ),
    "PCLOUD": (
        {**OAUTH, "hostname": "eapi.pcloud.com"},
        ("pcloud", {"client_id": "app", "hostname": "eapi.pcloud.com"}, OAUTH_SECRETS),
    ),
    "S3": (
        {
            **LOGIN,
            "endpoint": "https://s3.example",
            "region": "eu-central-1",
            "skip_region": False,
            "signatures_v2": False,
            "max_upload_parts": 10000,
            "provider": "Other",
            "force_path_style": True,
            "sign_accept_encoding": True,
        },
        (
            "s3",
            {
                "provider": "Other",
                "access_key_id": "AKID",
                "endpoint": "https://s3.example",
                "region": "eu-central-1",
                "force_path_style": True,
                "sign_accept_encoding": True,
            },
            {"secret_access_key": "SECRET-s3"},
        ),
    ),
    "SFTP": (
        {"host": "sftp.example", "port": 22, "user": "attic", "pass": None, "private_key": 7},
        ("sftp", {"host": "sftp.example", "port": 22, "user": "attic"}, {"key_pem": KEY}),
    ),
    "STORJ_IX": (
        {**LOGIN, "endpoint": "https://gateway.storjshare.io/"},
        (
            "s3",
            {
                "provider": "Other",
                "endpoint": "https://gateway.storjshare.io/",
                "chunk_size": "64Mi",
                "upload_cutoff": "64Mi",
                "disable_http2": True,
                "access_key_id": "AKID",
            },
            {"secret_access_key": "SECRET-s3"},
        ),
    ),
    "WEBDAV": (
        {"url": "https://dav.example", "vendor": "NEXTCLOUD", "user": "attic", "pass": "SECRET-dav"},
        ("webdav", {"url": "https://dav.example", "vendor": "nextcloud", "user": "attic"}, {"pass": "SECRET-dav"}),
    ),
    "YANDEX": (OAUTH, ("yandex", {"client_id": "app"}, OAUTH_SECRETS)),
    # Gone from TrueNAS since 25.10, and still a provider here.
    "MEGA": (
        {"user": "a@example.org", "pass": "SECRET-mega"},
        ("mega", {"user": "a@example.org"}, {"pass": "SECRET-mega"}),
    ),
}
NEWER_S3_FIELDS = ("provider", "force_path_style", "sign_accept_encoding")
# Per provider a task's attributes, and what they are here: remote_path, provider_options, rclone_args.
ATTRIBUTES = {
    "AZUREBLOB": ({"bucket": "c", "folder": "", "fast_list": False}, "c", {}, []),
    "B2": (
        {"bucket": "b", "folder": "/nas/", "fast_list": True, "chunk_size": 256},
        "b/nas",
        {"fast_list": True, "chunk_size": "256Mi"},
        [],
    ),
    "DROPBOX": ({"folder": "/nas", "chunk_size": 48}, "/nas", {"chunk_size": "48Mi"}, []),
    "FTP": ({"folder": ""}, "/", {}, []),
    "SFTP": ({"folder": "backup/nas"}, "backup/nas", {}, []),
    "GOOGLE_CLOUD_STORAGE": (
        {"bucket": "b", "folder": "nas", "bucket_policy_only": True},
        "b/nas",
        {"bucket_policy_only": True},
        [],
    ),
    "GOOGLE_DRIVE": ({"folder": "nas", "acknowledge_abuse": True}, "nas", {"acknowledge_abuse": True}, []),
    "ONEDRIVE": ({"folder": "nas"}, "nas", {"checkers": 1, "tpslimit": 10}, []),
    "S3": (
        {"bucket": "b", "folder": "nas", "region": "eu-west-1", "encryption": "AES256", "storage_class": "GLACIER_IR"},
        "b/nas",
        {"region": "eu-west-1", "server_side_encryption": "AES256", "storage_class": "GLACIER_IR"},
        [],
    ),
    "YANDEX": ({"folder": "/", "fast_list": True}, "", {"fast_list": True}, []),
}
BUCKETS = ("AZUREBLOB", "B2", "GOOGLE_CLOUD_STORAGE", "OPENSTACK_SWIFT", "S3", "STORJ_IX")
KEYS = [
    {"id": 7, "name": "nas key", "type": "SSH_KEY_PAIR", "attributes": {"private_key": KEY, "public_key": "ssh-..."}}
]


@pytest.fixture(scope="module")
def known():
    with open(os.path.join(RECORDED, "providers-1.75.2.json"), encoding="utf-8") as stream:
        return providers.parse(stream.read())


def credential(type_name, version="27.0", number=1, name=None, **fields):
    given = {**PROVIDERS[type_name][0], **fields}
    if version < "25.10":
        given = {key: value for key, value in given.items() if key not in NEWER_S3_FIELDS}
    title = name or f"My {type_name}"
    if version < "25.04":
        return {"id": number, "name": title, "provider": type_name, "attributes": given}
    return {"id": number, "name": title, "provider": {"type": type_name, **given}}


def task(type_name="S3", version="27.0", number=3, login=None, **more):
    """A task as cloudsync.query returns it, with its credential in it."""
    place = {"bucket": "b", "folder": "nas"} if type_name in BUCKETS else {"folder": "nas"}
    entry = {
        "id": number,
        "description": "Photos",
        "direction": "PULL",
        "transfer_mode": "COPY",
        "path": "/mnt/tank/photos",
        "credentials": login or credential(type_name, version),
        "attributes": place,
        "enabled": True,
        "snapshot": False,
        "schedule": {"minute": "00", "hour": "3", "dom": "*", "month": "*", "dow": "*"},
        "bwlimit": [],
        "transfers": None,
        "encryption": False,
        "filename_encryption": False,
        "encryption_password": "",
        "encryption_salt": "",
        "include": [],
        "exclude": [],
        "create_empty_src_dirs": False,
        "follow_symlinks": False,
        "args": "",
        "pre_script": "",
        "post_script": "",
        "locked": False,
        "job": {"id": 812, "method": "cloudsync.sync", "state": "SUCCESS", "logs_excerpt": "Transferred: 1"},
        **({"dataset": "tank/photos", "relative_path": ""} if version >= "26.0" else {}),
    }
    return {**entry, **more}


def moved(*objects, known=None, keys=None, timezone=""):
    text = json.dumps(list(objects))
    key_text = json.dumps(KEYS if keys is None else keys)
    return from_truenas({"export.json": text, "keys.json": key_text}, known or {}, timezone)


def in_clear(result, declared):
    """A declaration of the public file with the values of the vault file in their places."""
    if isinstance(declared, Reference):
        return result.vault[declared.variable]
    if isinstance(declared, dict):
        return {key: in_clear(result, value) for key, value in declared.items()}
    return declared


def only_credential(result):
    (declared,) = result.public["cloudsync_credentials"]
    return in_clear(result, declared)


def only_task(result):
    (declared,) = result.public["cloudsync_tasks"]
    return in_clear(result, declared)


def refused_task(result):
    (declared,) = result.public["cloudsync_import_refused"]["tasks"]
    return in_clear(result, declared)


def shown(result):
    """All that is not encrypted."""
    return repr((result.public, result.needed, result.left_out, result.notes))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("type_name", sorted(PROVIDERS))
def test_each_provider_in_each_shape_becomes_a_credential_that_rclone_accepts(known, type_name, version):
    result = moved(credential(type_name, version), known=known)
    provider, attributes, secrets = PROVIDERS[type_name][1]
    if version < "25.10":
        attributes = {key: value for key, value in attributes.items() if key not in NEWER_S3_FIELDS[1:]}
    assert only_credential(result) == {
        "name": f"My-{type_name}",
        "provider": provider,
        "attributes": attributes,
        "secrets": secrets,
        "description": f"My {type_name}",
    }
    assert "SECRET" not in shown(result)
    assert not result.needed and not result.left_out


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("type_name", sorted(ATTRIBUTES))
def test_each_providers_task_attributes_become_a_path_and_provider_options(known, type_name, version):
    attributes, path, options, arguments = ATTRIBUTES[type_name]
    result = moved(task(type_name, version, attributes=attributes), known=known)
    found = only_task(result)
    assert (found["remote_path"], found.get("provider_options", {})) == (path, options)
    assert found.get("rclone_args", []) == arguments
    assert found["credential"] == only_credential(result)["name"]
    assert not result.needed and not result.left_out


# What rclone receives in addition to the declared attributes, secrets and provider_options; and its flags.
S3 = ("--buffer-size=4M", "--checkers=16", "--transfers=16")
DERIVED = {
    "B2": ({"upload_cutoff": "256Mi"}, ("--fast-list=true", "--multi-thread-cutoff=513Mi")),
    "GOOGLE_CLOUD_STORAGE": ({"project_number": "attic-1"}, ()),
    "ONEDRIVE": ({}, ("--checkers=1", "--tpslimit=10")),
    "S3": ({}, S3),
    "SFTP": ({}, ("--transfers=8",)),
    "STORJ_IX": ({}, S3),
    "WEBDAV": ({"pacer_min_sleep": "0s"}, ("--transfers=8",)),
    "YANDEX": ({}, ("--fast-list=true",)),
}
FLAGS = ("checkers", "fast_list", "tpslimit")


@pytest.mark.parametrize("type_name", sorted(PROVIDERS))
def test_what_truenas_has_becomes_what_rclone_receives(known, type_name):
    given = {"attributes": ATTRIBUTES[type_name][0]} if type_name in ATTRIBUTES else {}
    result = moved(task(type_name, **given), known=known)
    login, declared = parse_credential(only_credential(result)), parse_task(only_task(result))
    provider = providers.resolve(login.provider, known)
    section = build_remote_section(provider, login.attributes, login.secrets, declared.provider_options)
    for name in section:
        if any(option.is_password for option in provider.list_all_options(name)):
            section[name] = reveal(section[name])

    name, attributes, secrets = PROVIDERS[type_name][1]
    options = {key: value for key, value in ATTRIBUTES.get(type_name, ({}, "", {}))[2].items() if key not in FLAGS}
    derived, flags = DERIVED.get(type_name, ({}, ()))
    wanted = {**attributes, **secrets, **options, **derived}
    if "key_pem" in wanted:
        wanted["key_pem"] = KEY.strip().replace("\n", "\\n")
    if "service_account_credentials" in wanted:
        wanted["service_account_credentials"] = wanted["service_account_credentials"].strip()
    assert section == {"type": name, **{key: format_option_value(value) for key, value in wanted.items()}}
    arguments = tune(provider, {**login.attributes, **login.secrets}, declared.provider_options).arguments
    assert arguments == flags


@pytest.mark.parametrize("version", VERSIONS)
def test_a_task_with_everything_set_is_carried_over_whole(known, version):
    result = moved(task("S3", version, **FULL), known=known, timezone="Europe/Berlin")
    assert only_task(result) == {
        "name": "Photos",
        "credential": "My-S3",
        "direction": "push",
        "mode": "sync",
        "path": "/mnt/tank/photos",
        "remote_path": "b/nas",
        "include": ["*.jpg"],
        "exclude": ["*.tmp", "/cache/**"],
        "schedule": {"cron": "*/15 8-18 * * 1-5", "timezone": "Europe/Berlin"},
        "bandwidth": [
            {"time": "08:00", "limit": "512K"},
            {"time": "20:00", "limit": "1234567B"},
            {"time": "23:30", "limit": "off"},
        ],
        "transfers": 8,
        "follow_symlinks": True,
        "create_empty_dirs": True,
        "encryption": {"password": "SECRET-crypt", "salt": "SECRET-salt", "filenames": "standard"},
        "snapshot": "auto",
        "hooks": {"before": "echo SECRET-before", "success": "#!/bin/sh\necho SECRET-after\n"},
        "rclone_args": ["--checksum", "--order-by=size,desc"],
        "enabled": False,
    }
    assert "SECRET" not in shown(result)
    assert not result.left_out


FULL = {
    "direction": "PUSH",
    "transfer_mode": "SYNC",
    "snapshot": True,
    "include": ["*.jpg"],
    "exclude": ["*.tmp", "/cache/**"],
    "schedule": {"minute": "*/15", "hour": "8-18", "dom": "*", "month": "*", "dow": "mon-fri"},
    "bwlimit": [
        {"time": "08:00", "bandwidth": 524288},
        {"time": "20:00", "bandwidth": 1234567},
        {"time": "23:30", "bandwidth": None},
    ],
    "transfers": 8,
    "follow_symlinks": True,
    "create_empty_src_dirs": True,
    "enabled": False,
    "encryption": True,
    "filename_encryption": True,
    "encryption_password": "SECRET-crypt",
    "encryption_salt": "SECRET-salt",
    "pre_script": "echo SECRET-before\n",
    "post_script": "#!/bin/sh\necho SECRET-after\n",
    "args": "--checksum --order-by 'size,desc'",
}


# Nothing is lost


def leaves(value, path=()):
    """The paths of all values that are no containers; an empty container is one, too."""
    if isinstance(value, dict) and value:
        return [leaf for key, each in value.items() for leaf in leaves(each, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for index, each in enumerate(value) for leaf in leaves(each, (*path, index))]
    return [path]


def with_another(entry, path):
    """A copy in which the value at ``path`` is another valid one, or at least one of the same type."""
    changed = copy.deepcopy(entry)
    *folders, last = path
    place = changed
    for key in folders:
        place = place[key]
    old = place[last]
    others = {"provider": "Ceph", "direction": "PULL", "transfer_mode": "MOVE", "time": "00:01", "path": "/mnt/other"}
    others.update({"vendor": "OWNCLOUD", "drive_type": "PERSONAL", "endpoint_type": "admin", "type": "QUANTUM"})
    if last in others:
        place[last] = others[last]
    elif isinstance(old, bool):
        place[last] = not old
    elif isinstance(old, int):
        place[last] = old + 1
    elif isinstance(old, list):
        place[last] = ["another"]
    else:
        place[last] = "1" if folders[-1:] == ["schedule"] else "another"
    return changed


# The state of a task, what TrueNAS derives from its path, and what says nothing while another field is off.
SAYS_NOTHING = ("id", "job", "locked", "dataset", "relative_path")


@pytest.mark.parametrize("version", ("24.10", "27.0"))
@pytest.mark.parametrize("type_name", sorted(PROVIDERS))
def test_every_field_of_a_credential_has_an_effect_or_is_listed(known, type_name, version):
    entry = credential(type_name, version)
    before = moved(entry, known=known)
    paths = [path for path in leaves(entry) if path[-1] not in SAYS_NOTHING]
    assert len(paths) >= 2
    unheard = [path for path in paths if moved(with_another(entry, path), known=known) == before]
    assert unheard == []


@pytest.mark.parametrize("version", ("24.10", "27.0"))
@pytest.mark.parametrize("type_name", sorted(ATTRIBUTES))
def test_every_field_of_a_task_has_an_effect_or_is_listed(known, type_name, version):
    entry = task(type_name, version, **{**FULL, "attributes": ATTRIBUTES[type_name][0]})
    before = moved(entry, known=known)
    paths = [path for path in leaves(entry) if not set(path) & set(SAYS_NOTHING)]
    assert len(paths) > 30
    unheard = [path for path in paths if moved(with_another(entry, path), known=known) == before]
    assert unheard == []


@pytest.mark.parametrize(
    "path",
    [
        ("new_field",),
        ("schedule", "new_field"),
        ("attributes", "new_field"),
        ("credentials", "new_field"),
        ("credentials", "provider", "new_field"),
    ],
)
def test_a_field_of_a_later_version_is_listed_and_its_value_kept_in_the_vault_file(known, path):
    entry = task()
    place = entry
    for key in path[:-1]:
        place = place[key]
    place["new_field"] = "SECRET-new"
    result = moved(entry, known=known)
    assert len(result.left_out) == 1 and "new_field" in result.left_out[0]
    assert result.vault["vault_cloudsync_import_left_out"][0]["value"] == "SECRET-new"
    assert "SECRET" not in shown(result)
    assert only_task(result)["remote_path"] == "b/nas"


def test_an_unknown_provider_is_listed_with_its_tasks():
    entry = {"id": 9, "name": "Quantum", "provider": {"type": "QUANTUM", "qubit": "SECRET-q"}}
    result = moved(entry, task(credentials={"id": 9, "name": "Quantum", "provider": entry["provider"]}))
    assert result.public["cloudsync_credentials"] == result.public["cloudsync_tasks"] == []
    assert result.left_out == (
        "The credential 'Quantum' has the provider 'QUANTUM', which is not supported.",
        "The task 'Photos' has a credential that cannot be imported.",
    )
    kept = result.vault["vault_cloudsync_import_left_out"]
    assert kept[0]["value"] == entry and kept[1]["value"]["path"] == "/mnt/tank/photos"
    assert "SECRET" not in shown(result)


def test_what_a_host_would_refuse_stands_apart_with_its_tasks_and_the_sentence(known):
    hubic = {"id": 5, "name": "hubiC", "provider": {"type": "HUBIC", "token": TOKEN}}
    result = moved(task(login=hubic), task("FTP", description="Other", attributes={"folder": ".."}), known=known)
    refused = result.public["cloudsync_import_refused"]
    assert [each["name"] for each in refused["credentials"]] == ["hubiC"]
    assert [each["name"] for each in refused["tasks"]] == ["Photos", "Other"]
    assert [each["name"] for each in result.public["cloudsync_credentials"]] == ["My-FTP"]
    assert result.public["cloudsync_tasks"] == []
    assert "hubiC was closed" in result.needed[0]
    assert "its credential hubiC is refused" in result.needed[1]
    assert "without '..'" in result.needed[2]


NEVER_SHOWN = ("encryption_password", "encryption_salt", "pre_script", "post_script", "args")
GARBAGE = (None, 7, -1.5, True, "SECRET-x", ["SECRET-y"], [None], {}, {"a": "SECRET-z"}, [{"a": 1}])


@pytest.mark.parametrize("version", ("24.10", "27.0"))
@pytest.mark.parametrize("type_name", sorted(ATTRIBUTES))
def test_a_value_of_another_type_is_refused_or_listed_and_never_a_crash(known, type_name, version):
    entry = task(type_name, version, **{**FULL, "attributes": ATTRIBUTES[type_name][0]})
    for path in {leaf[:length] for leaf in leaves(entry) for length in range(1, len(leaf) + 1)}:
        for garbage in GARBAGE:
            changed = copy.deepcopy(entry)
            place = changed
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = garbage
            result = moved(changed, known=known)
            if path[-1] in (*NEVER_SHOWN, *PROVIDERS[type_name][1][2]):
                assert "SECRET" not in shown(result), (path, garbage)


# Secrets that TrueNAS does not show


def hide(type_name, *more):
    """As a user sees it who may not see secrets: nearly everything is one in TrueNAS."""
    shown_fields = ("endpoint", "provider", "force_path_style", "sign_accept_encoding")
    fields = {
        name: value if name in shown_fields and type_name in ("S3", "STORJ_IX") else HIDDEN
        for name, value in PROVIDERS[type_name][0].items()
    }
    return {"id": 1, "name": "login", "provider": {"type": type_name, **fields}}


@pytest.mark.parametrize("type_name", sorted(PROVIDERS))
def test_what_truenas_hides_is_listed_as_still_needed_and_never_taken_for_a_value(known, type_name):
    result = moved(hide(type_name), known=known)
    (declared,) = result.public["cloudsync_credentials"]
    missing = {name: value for name, value in result.vault.items() if isinstance(value, Missing)}
    told = " ".join([*result.needed, *(value.hint for value in missing.values())])
    for field, value in hide(type_name)["provider"].items():
        if value == HIDDEN:
            assert field in told, field
    assert missing and not [value for value in result.vault.values() if value not in missing.values()]
    assert HIDDEN not in repr(result)
    for field in declared["secrets"]:
        assert "login" in result.vault[declared["secrets"][field].variable].hint


def test_a_hidden_crypt_password_is_still_needed_and_the_salt_is_asked_for():
    result = moved(task(**{**FULL, "encryption_password": HIDDEN, "encryption_salt": HIDDEN}))
    encryption = only_task(result)["encryption"]
    assert encryption["password"] == Missing("The task 'Photos': TrueNAS did not show its encryption_password")
    assert isinstance(encryption["salt"], Missing)
    assert [each for each in result.needed if "If it had none, remove salt" in each]


def test_the_private_key_of_an_sftp_credential_is_looked_up_or_asked_for(known):
    assert only_credential(moved(credential("SFTP"), known=known))["secrets"] == {"key_pem": KEY}
    other = {"id": 8, "type": "SSH_CREDENTIALS", "attributes": {"private_key": 7}}
    result = moved(credential("SFTP"), known=known, keys=[other])
    (missing,) = result.vault.values()
    assert "midclt call keychaincredential.get_instance 7" in missing.hint
    hidden = [{"id": 7, "type": "SSH_KEY_PAIR", "attributes": HIDDEN}]
    assert isinstance(
        only_credential(moved(credential("SFTP"), known=known, keys=hidden))["secrets"]["key_pem"], Missing
    )


def test_an_sftp_credential_with_a_password_needs_no_key(known):
    fields = {"private_key": None, "pass": "SECRET-pw"}
    assert only_credential(moved(credential("SFTP", **fields), known=known))["secrets"] == {"pass": "SECRET-pw"}
    # A51: TrueNAS empties private_key when the key pair is deleted.
    result = moved(credential("SFTP", private_key=None), known=known)
    assert isinstance(only_credential(result)["secrets"]["key_pem"], Missing)


# S3


def s3_attributes(**fields):
    return only_credential(moved(credential("S3", **fields)))["attributes"]


def test_s3_signs_for_the_region_that_truenas_signs_for():
    assert "region" not in s3_attributes(region="")
    assert "region" not in s3_attributes(skip_region=True)
    assert s3_attributes(skip_region=True, signatures_v2=True)["region"] == "other-v2-signature"


def test_what_truenas_ignores_of_an_s3_credential_is_listed():
    result = moved(
        credential("S3", skip_region=True),
        task(
            login=credential("S3", number=2, name="b", skip_region=True),
            attributes={"bucket": "b", "folder": "x", "region": "r"},
        ),
    )
    assert len([each for each in result.left_out if "region was not used by TrueNAS" in each]) == 3
    result = moved(credential("S3", signatures_v2=True))
    assert "no effect in TrueNAS unless skip_region is true" in result.left_out[0]


def test_the_part_limit_is_that_of_the_server_unless_somebody_set_it():
    """Scaleway's is set where all that follows from a provider's limits is."""
    assert "max_upload_parts" not in s3_attributes(endpoint="https://s3.fr-par.scw.cloud")
    assert s3_attributes(endpoint="https://s3.fr-par.scw.cloud", max_upload_parts=500)["max_upload_parts"] == 500
    assert "max_upload_parts" not in s3_attributes()


# Tasks


def test_a_schedule_that_would_be_refused_is_listed_and_the_task_starts_by_hand(known):
    wrong = {"minute": "0", "hour": "3", "dom": "31", "month": "2", "dow": "*"}
    result = moved(task(schedule=wrong), known=known)
    assert "schedule" not in only_task(result)
    assert "the task only starts manually" in result.left_out[0]
    assert result.vault["vault_cloudsync_import_left_out"][0]["value"] == {"cron": "0 3 31 2 *"}


@pytest.mark.parametrize(
    "given, cron",
    [
        ({"minute": "00", "hour": "*", "dom": "*", "month": "*", "dow": "*"}, "0 * * * *"),
        ({"minute": "*/10", "hour": "", "dom": "1", "month": "jan", "dow": "sun"}, "*/10 * 1 1 0"),
        ({"minute": "0"}, "0 * * * *"),
    ],
)
def test_a_schedule_keeps_its_meaning(given, cron):
    assert only_task(moved(task(schedule=given)))["schedule"] == {"cron": cron}


def test_a_bandwidth_that_would_be_refused_is_listed():
    slots = [{"time": "10:00", "bandwidth": 5}, {"time": "01:00", "bandwidth": 5}]
    result = moved(task(bwlimit=slots))
    assert "bandwidth" not in only_task(result)
    assert "ascending order" in result.left_out[0]


def test_arguments_that_would_be_refused_are_listed_without_their_values():
    words = "--checksum --s3-secret-access-key SECRET-1 --header 'Authorization: SECRET-2' -v --rc stray"
    result = moved(task(args=words))
    assert refused_task(result)["rclone_args"] == ["--checksum"]
    assert len(result.left_out) == 4 and "SECRET" not in shown(result)
    kept = [each["value"] for each in result.vault["vault_cloudsync_import_left_out"]]
    assert kept == ["--s3-secret-access-key=SECRET-1", "--header=Authorization: SECRET-2", "-v", "--rc=stray"]
    result = moved(task(args="SECRET-word --x 'open"))
    assert "quote is not closed" in result.left_out[0] and "SECRET" not in shown(result)
    result = moved(task(args="SECRET-word"))
    assert "does not belong to any flag" in result.left_out[0] and "SECRET" not in shown(result)


@pytest.mark.parametrize(
    "flags", ["--backup-dir remote:old", "--dry-run", "--filter '- *.tmp'", "--max-delete -1", "--exclude 'open"]
)
def test_a_task_that_would_lose_a_restriction_is_not_declared(flags):
    result = moved(task(args="--checksum " + flags))
    assert result.public["cloudsync_tasks"] == []
    assert refused_task(result)["name"] == "Photos"
    assert "Without them, a run could transfer or delete more files." in result.needed[0]


def test_a_restriction_that_has_an_option_becomes_that_option():
    result = moved(task(args="--exclude '*.tmp' --include=*.jpg --max-delete 25 -v", exclude=["/cache/**"]))
    declared = only_task(result)
    assert (declared["exclude"], declared["include"]) == (["/cache/**", "*.tmp"], ["*.jpg"])
    assert declared["guards"] == {"max_delete": "25"}
    assert "rclone_args" not in declared and len(result.left_out) == 1


def test_a_script_that_uses_truenas_variables_is_told_the_new_names():
    script = "rm $CLOUD_SYNC_PATH/x; echo ${CLOUD_SYNC_SECRET_ACCESS_KEY} $CLOUD_SYNC_SNAPSHOT"
    result = moved(task(pre_script=script))
    assert result.needed == (
        "The task 'Photos': hooks.before uses CLOUD_SYNC_PATH. Use CLOUDSYNC_PATH (the task's own path: no hook "
        "runs while there is a snapshot).",
        "The task 'Photos': hooks.before uses CLOUD_SYNC_SECRET_ACCESS_KEY. Hooks do not get it, because it "
        "may be a secret.",
        "The task 'Photos': hooks.before uses CLOUD_SYNC_SNAPSHOT. Remove it: no hook runs while there is a snapshot.",
    )


def test_a_push_of_a_whole_pool_leaves_out_what_truenas_leaves_out():
    more = {"direction": "PUSH", "path": "/mnt/tank/", "exclude": ["a"]}
    assert only_task(moved(task(**more)))["exclude"] == [
        *("a", "/ix-applications", "/ix-applications/**", "/ix-apps", "/ix-apps/**")
    ]
    assert only_task(moved(task(**{**more, "direction": "PULL"})))["exclude"] == ["a"]


def test_a_sync_with_the_root_of_a_bucket_keeps_working_and_is_told(known):
    root = {"bucket": "b", "folder": ""}
    result = moved(task(transfer_mode="SYNC", attributes=root), known=known)
    assert only_task(result)["guards"] == {"allow_root": True}
    assert [note for note in result.notes if "allow_root" in note]
    assert "guards" not in only_task(moved(task(attributes=root), known=known))


def test_crypt_leftovers_of_a_task_without_encryption_are_kept_in_the_vault_file():
    result = moved(task(encryption_password="SECRET-old"))
    assert "encryption" not in only_task(result)
    assert "encryption is off" in result.left_out[0] and "SECRET" not in shown(result)


def test_encryption_without_file_names_leaves_them_in_clear():
    found = only_task(moved(task(encryption=True, encryption_password="SECRET-p")))
    assert found["encryption"] == {"password": "SECRET-p", "filenames": "off"}


def test_tasks_of_one_description_are_kept_apart_and_odd_ones_get_names():
    result = moved(
        task(),
        task(),
        task(description="Bücher & Fotos: täglich"),
        task(description="照片", number=8),
        task(description="", number=9),
    )
    assert [each["name"] for each in result.public["cloudsync_tasks"]] == [
        *("Photos", "Photos-2", "Bucher-Fotos-taglich", "task-8", "task-9")
    ]
    assert len(result.public["cloudsync_credentials"]) == 1
    long = moved(task(description="x" * 80), task(description="x" * 80))
    assert [len(each["name"]) for each in long.public["cloudsync_tasks"]] == [63, 63]


def test_secrets_whose_names_come_together_stay_apart():
    result = moved(credential("B2", name="a-b"), credential("B2", number=2, name="a.b", key="SECRET-other"))
    one, other = (in_clear(result, each)["secrets"]["key"] for each in result.public["cloudsync_credentials"])
    assert (one, other) == ("SECRET-b2", "SECRET-other")


def test_a_task_without_its_credential_is_listed():
    for lost in (None, 12):
        result = moved(task(credentials=lost))
        assert result.left_out == ("The task 'Photos' has no credential in the export.",)


def test_a_credential_can_be_named_by_its_id_and_is_read_once():
    result = moved(credential("B2", number=4), task(credentials=4), task(credentials=credential("B2", number=4)))
    assert [each["credential"] for each in result.public["cloudsync_tasks"]] == ["My-B2", "My-B2"]
    assert len(result.public["cloudsync_credentials"]) == 1


def test_a_refresh_token_that_works_once_is_told():
    assert [note for note in moved(credential("BOX")).notes if "refresh token can be used only once" in note]
    assert not [note for note in moved(credential("DROPBOX")).notes if "refresh token" in note]


def test_without_rclone_it_says_that_not_all_was_checked():
    assert "This machine has no rclone" in moved(credential("B2")).notes[-1]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("{", "x.json is not JSON"),
        ("7", "x.json does not contain a list"),
        ('["x"]', "x.json does not contain a list"),
        ('[{"name": "x", "type": "x"}]', "neither a credential nor a task"),
        ('{"credentials": {}}', "x.json does not contain a list"),
    ],
)
def test_a_file_that_is_something_else_is_refused(text, sentence):
    with pytest.raises(CloudsyncError, match=sentence):
        from_truenas({"x.json": text}, {})


def test_one_file_can_hold_it_all():
    both = json.dumps({"credentials": [credential("B2", number=4)], "tasks": [task(credentials=4)]})
    result = from_truenas({"both.json": both}, {})
    assert only_task(result)["credential"] == "My-B2"
