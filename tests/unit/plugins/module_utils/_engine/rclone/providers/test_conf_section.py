# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.conf_file import parse, render
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.obscure import reveal
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.conf_section import (
    build_crypt_section,
    build_remote_section,
)

pytest.importorskip("cryptography")
RECORDED = pathlib.Path(__file__).parents[5] / "recorded"


@pytest.fixture(name="known")
def fixture_known():
    with open(os.path.join(RECORDED, "providers-1.75.2.json"), encoding="utf-8") as stream:
        return providers.parse(stream.read())


def test_passwords_are_obscured_and_keys_are_not(known):
    section = build_remote_section(known["sftp"], {"host": "h", "port": "22"}, {"pass": "hunter2"}, {})
    assert section["type"] == "sftp"
    assert section["port"] == "22"
    assert reveal(section["pass"]) == "hunter2"

    s3 = build_remote_section(known["s3"], {}, {"secret_access_key": "plain"}, {})
    assert s3["secret_access_key"] == "plain"


def test_a_password_that_looks_obscured_is_obscured_all_the_same(known):
    looks = "YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ"
    assert reveal(build_remote_section(known["sftp"], {}, {"pass": looks}, {})["pass"]) == looks


def test_an_empty_ftp_password_is_obscured_because_rclone_refuses_none(known):
    assert reveal(build_remote_section(known["ftp"], {}, {"pass": ""}, {})["pass"]) == ""


def test_the_credential_overrides_what_storj_ix_implies_and_the_task_overrides_both(known):
    storj = providers.resolve("STORJ_IX", known)
    assert build_remote_section(storj, {}, {}, {})["chunk_size"] == "64Mi"
    section = build_remote_section(storj, {"chunk_size": "32Mi", "endpoint": "https://e"}, {}, {"chunk_size": "16Mi"})
    assert section["endpoint"] == "https://e"
    assert section["chunk_size"] == "16Mi"
    assert section["provider"] == "Other"
    assert "endpoint" not in build_remote_section(providers.resolve("S3", known), {}, {}, {})


def test_keys_and_tokens_of_several_lines_are_put_on_one(known):
    pem = "-----BEGIN OPENSSH PRIVATE KEY-----\r\nabc\r\n-----END OPENSSH PRIVATE KEY-----\n"
    sftp = build_remote_section(known["sftp"], {}, {"key_pem": pem}, {})
    assert sftp["key_pem"] == "-----BEGIN OPENSSH PRIVATE KEY-----\\nabc\\n-----END OPENSSH PRIVATE KEY-----"

    account = {"type": "service_account", "private_key": "-----BEGIN\nx\n"}
    drive = build_remote_section(known["drive"], {}, {"service_account_credentials": json.dumps(account, indent=2)}, {})
    assert "\n" not in drive["service_account_credentials"]
    assert json.loads(drive["service_account_credentials"]) == account
    assert parse(render({"r": drive}))["r"] == drive


def test_a_crypt_section_has_everything_that_keeps_a_wrong_password_from_deleting():
    section = build_crypt_section("remote:bucket/x", "pw", "salt", "standard", True, True)
    assert section["remote"] == "remote:bucket/x"
    assert section["strict_names"] == "true"
    assert (reveal(section["password"]), reveal(section["password2"])) == ("pw", "salt")


def test_a_crypt_section_without_salt_or_for_an_old_rclone_leaves_them_out():
    section = build_crypt_section("remote:", "pw", "", "off", False, False)
    assert "password2" not in section
    assert "strict_names" not in section
    assert section["directory_name_encryption"] == "false"
    assert section["filename_encryption"] == "off"
