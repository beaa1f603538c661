# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The remotes of an rclone.conf become credentials; remotes based on other remotes are listed, and nothing is lost."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.conf_file import render
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.obscure import obscure
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.schema import Option, Provider
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.findings import Missing, Reference
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.rclone_conf import from_rclone_conf
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.rclone_file import read_sections

RECORDED = pathlib.Path(__file__).parents[3] / "recorded"
STORE = {
    "type": "s3",
    "provider": "Other",
    "access_key_id": "AKID",
    "secret_access_key": "SECRET-s3",
    "endpoint": "https://s3.example",
}
CRYPT = {"type": "crypt", "remote": "store:bucket/safe", "password": obscure("SECRET-crypt")}
OVERLAYS = ("alias", "archive", "cache", "chunker", "combine", "compress", "crypt", "hasher", "union", "new-overlay")


def overlay(name):
    return Provider(name, options=(Option("upstreams" if name in ("union", "combine") else "remote"),))


@pytest.fixture(scope="module")
def known():
    with open(os.path.join(RECORDED, "providers-1.75.2.json"), encoding="utf-8") as stream:
        recorded = providers.parse(stream.read())
    return {**recorded, **{name: overlay(name) for name in OVERLAYS}}


def moved(known, **sections):
    """Through the text of a file, as rclone writes it."""
    return from_rclone_conf(read_sections(render(sections), "", ""), known)


def in_clear(result, declared):
    if isinstance(declared, Reference):
        return result.vault[declared.variable]
    if isinstance(declared, dict):
        return {key: in_clear(result, value) for key, value in declared.items()}
    return declared


def shown(result):
    return repr((result.public, result.needed, result.left_out, result.notes))


def left_out(result):
    return {each["about"]: each["value"] for each in result.vault.get("vault_cloudsync_import_left_out", [])}


def test_a_remote_becomes_a_credential_with_its_passwords_in_clear(known):
    nas = {"type": "sftp", "host": "nas", "user": "u", "pass": obscure("SECRET-pw"), "description": "The NAS"}
    result = moved(known, store=STORE, **{"my nas @home": nas})
    store, sftp = (in_clear(result, each) for each in result.public["cloudsync_credentials"])
    attributes = {"provider": "Other", "access_key_id": "AKID", "endpoint": "https://s3.example"}
    secrets = {"secret_access_key": "SECRET-s3"}
    assert store == {"name": "store", "provider": "s3", "attributes": attributes, "secrets": secrets}
    assert sftp == {
        "name": "my-nas-home",
        "provider": "sftp",
        "description": "The NAS",
        "attributes": {"host": "nas", "user": "u"},
        "secrets": {"pass": "SECRET-pw"},
    }
    assert result.public["cloudsync_tasks"] == []
    assert "SECRET" not in shown(result) and not result.left_out


def test_a_login_in_a_public_option_is_a_secret(known):
    dav = {"type": "webdav", "url": "https://u:SECRET-pw@dav.example", "vendor": "other"}
    result = moved(known, dav=dav)
    (declared,) = result.public["cloudsync_credentials"]
    assert in_clear(result, declared)["secrets"] == {"url": "https://u:SECRET-pw@dav.example"}
    assert "SECRET" not in shown(result)


def test_a_crypt_remote_becomes_what_a_task_over_it_needs(known):
    more = {"password2": obscure("SECRET-salt"), "directory_name_encryption": "false", "show_mapping": "true"}
    result = moved(known, store=STORE, safe={**CRYPT, **more})
    assert in_clear(result, result.public["cloudsync_import_encryptions"]) == {
        "safe": {
            "credential": "store",
            "remote_path": "bucket/safe",
            "encryption": {
                "password": "SECRET-crypt",
                "salt": "SECRET-salt",
                "filenames": "standard",
                "directory_names": False,
            },
        }
    }
    assert result.left_out == ("The remote 'safe': show_mapping is not needed for the encryption of a task.",)
    assert "append the folder's name to remote_path" in result.needed[0]
    assert "SECRET" not in shown(result)


def test_a_folder_in_a_crypt_remote_has_to_be_named_as_it_is_stored(known):
    result = moved(known, store=STORE, safe=CRYPT)
    assert "'rclone cryptdecode --reverse safe: FOLDER'" in result.needed[0]


def test_a_crypt_remote_is_followed_through_aliases(known):
    aliases = {"near": {"type": "alias", "remote": "far:x"}, "far": {"type": "alias", "remote": "store:bucket/"}}
    result = moved(known, safe={**CRYPT, "remote": "near:below/"}, store=STORE, **aliases)
    assert result.public["cloudsync_import_encryptions"]["safe"]["remote_path"] == "bucket/x/below"
    assert [each for each in result.left_out if "begin remote_path with 'bucket/x'" in each]
    assert left_out(result)["The remote 'near'"] == aliases["near"]


@pytest.mark.parametrize(
    "more, sentence",
    [
        ({"filename_encoding": "base64"}, "only supports 'base32'"),
        ({"no_data_encryption": "true"}, "only supports 'false'"),
        ({"filename_encryption": "off", "suffix": ".safe"}, "only supports '.bin'"),
        ({"filename_encryption": "rot13"}, "cannot become the encryption of a task"),
        ({"password": "SECRET-not-obscured!"}, "has a password that is not obscured"),
        ({"remote": "/srv/local"}, "is based on '/srv/local', which is not a remote in this file"),
        ({"remote": ":s3,secret_access_key=SECRET:b"}, "is based on a connection string, which is not a remote"),
        ({"remote": "gone:x"}, "is based on the remote 'gone', which is not a credential"),
        ({"remote": "safe:x"}, "is based on the remote 'safe', which is not a credential"),
        ({"remote": "old:x"}, "is based on the remote 'old', which is refused"),
    ],
)
def test_a_crypt_remote_that_no_task_could_read_is_listed_whole(known, more, sentence):
    safe = {**CRYPT, **more}
    result = moved(known, store=STORE, safe=safe, old={"type": "sftp", "host": "h"})
    assert "cloudsync_import_encryptions" not in result.public
    assert sentence in result.left_out[-1]
    assert left_out(result)["The remote 'safe'"] == safe
    assert "SECRET" not in shown(result)


@pytest.mark.parametrize(
    "kind", ["chunker", "union", "combine", "compress", "hasher", "cache", "archive", "new-overlay"]
)
def test_a_remote_that_is_based_on_others_is_listed_with_the_reason(known, kind):
    options = {"type": kind, "upstreams" if kind in ("union", "combine") else "remote": "store:x"}
    result = moved(known, store=STORE, over=options)
    assert len(result.public["cloudsync_credentials"]) == 1
    assert "a credential is a single login" in result.left_out[0]
    assert left_out(result) == {"The remote 'over'": options}


def test_what_rclone_does_not_know_is_listed_and_kept_in_the_vault_file(known):
    unknown, without = {"type": "quantum", "qubit": "SECRET-q"}, {"user": "SECRET-u"}
    result = moved(known, store={**STORE, "newer": "SECRET-n"}, q=unknown, w=without)
    assert result.left_out == (
        "The remote 'store': newer is not an option of s3.",
        "The remote 'q' has the type 'quantum', which this machine's rclone does not have.",
        "The remote 'w' has no type.",
    )
    assert list(left_out(result).values()) == ["SECRET-n", unknown, without]
    assert "SECRET" not in shown(result)


def test_a_password_that_is_damaged_is_still_needed(known):
    result = moved(known, nas={"type": "sftp", "host": "h", "user": "u", "pass": "SECRET!"})
    (declared,) = result.public["cloudsync_credentials"]
    assert isinstance(in_clear(result, declared)["secrets"]["pass"], Missing)
    assert "is not obscured" in result.left_out[0] and "SECRET" not in shown(result)


def test_a_remote_that_a_host_would_refuse_is_listed_separately_with_the_error(known):
    result = moved(known, nas={"type": "sftp", "host": "h"})
    assert result.public["cloudsync_credentials"] == []
    assert [each["name"] for each in result.public["cloudsync_import_refused"]["credentials"]] == ["nas"]
    assert "sftp needs" in result.needed[0]


def test_files_that_a_remote_names_have_to_be_on_the_hosts(known):
    result = moved(known, nas={"type": "sftp", "host": "h", "user": "u", "key_file": "~/.ssh/id"})
    assert result.needed == ("The remote 'nas': key_file is '~/.ssh/id'. Copy that file to the hosts.",)


def test_every_option_has_an_effect_or_is_listed(known):
    sections = {"store": {**STORE, "region": "r"}, "safe": {**CRYPT, "password2": obscure("s"), "suffix": ".bin"}}
    sections["al"] = {"type": "alias", "remote": "store:x", "description": "d"}
    before = moved(known, **sections)
    others = {"password": obscure("another"), "password2": obscure("another"), "remote": "store:another"}
    for section, options in sections.items():
        for name in options:
            # Where file names are encrypted, crypt has no use for a suffix.
            if name == "suffix":
                continue
            changed = {**sections, section: {**options, name: others.get(name, "another")}}
            assert moved(known, **changed) != before, (section, name)


def test_an_encrypted_file_needs_its_password():
    with pytest.raises(CloudsyncError, match="RCLONE_CONFIG_PASS"):
        read_sections("# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAAA\n", "", "rclone")


def test_an_rclone_that_is_not_there_is_named():
    with pytest.raises(CloudsyncError, match="/nonexistent/rclone cannot decrypt"):
        read_sections("RCLONE_ENCRYPT_V0:\nAAAA\n", "pw", "/nonexistent/rclone")


def test_a_redacted_configuration_is_refused_and_names_what_is_missing(known):
    nas = {"type": "sftp", "host": "XXX", "user": "XXX", "pass": "XXX", "description": "XXX"}
    safe = {"type": "crypt", "remote": "nas:x", "password": "XXX"}
    with pytest.raises(CloudsyncError) as caught:
        moved(known, nas=nas, safe=safe, store=STORE)
    assert "the output of 'rclone config redacted'" in caught.value.message
    assert "host of 'nas', user of 'nas', pass of 'nas'" in caught.value.message
    # A public option may have this value.
    assert len(moved(known, store={**STORE, "region": "XXX"}).public["cloudsync_credentials"]) == 1
