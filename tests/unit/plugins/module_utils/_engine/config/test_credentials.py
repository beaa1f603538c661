# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import stat

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import files
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import credential_store, credentials
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.seed import load_seed, save_seed

FIRST = '{"access_token":"A1","refresh_token":"R1"}'
SECOND = '{"access_token":"A2","refresh_token":"R2"}'
THIRD = '{"access_token":"A3","refresh_token":"R3"}'
DRIVE = Credential("offsite", "drive", attributes={"scope": "drive"}, secrets={"token": FIRST, "client_secret": "C"})


@pytest.fixture
def save(layout, seed):
    def call(credential):
        credential_store.save_credential(layout, seed, credential)
        return credential

    return call


@pytest.fixture
def load(layout):
    return lambda: credential_store.load_credential(layout, load_seed(layout), "offsite")


def test_values_are_stored_as_in_rclones_configuration():
    parsed = credentials.parse_credential(
        {
            "name": "offsite",
            "provider": "drive",
            "attributes": {"use_trash": False, "chunk": 5, "unset": None},
            "secrets": {"service_account_credentials": {"a": "b"}, "token": '{\n  "access_token": "A1"\n}\n'},
            "description": None,
        }
    )

    assert parsed.attributes == {"use_trash": "false", "chunk": "5"}
    assert parsed.secrets == {"service_account_credentials": '{"a":"b"}', "token": '{"access_token":"A1"}'}
    assert parsed.description == ""


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"name": "a/b", "provider": "s3"}, "Credential name 'a/b' is invalid"),
        ({"provider": "s3"}, "Credential name '' is invalid"),
        ({"name": "a"}, "Credential a has no provider. Set provider, such as s3"),
        ({"name": "a", "provider": "s3", "secret": {}}, "has no option 'secret'. Did you mean 'secrets'"),
    ],
)
def test_an_invalid_credential_is_refused_with_a_reason(declared, sentence):
    with pytest.raises(CloudsyncError) as caught:
        credentials.parse_credential(declared)
    assert sentence in caught.value.message


def test_a_credential_is_stored_and_loaded_without_plain_secrets_in_its_file(layout, save, load):
    stored = save(Credential("offsite", "s3", "for all", {"region": "eu"}, {"a": "s3cr3t"}, {"token": "r3fr3shed"}))

    assert load() == stored
    with open(layout.credential("offsite")) as stream:
        text = stream.read()
    assert "s3cr3t" not in text
    assert "r3fr3shed" not in text
    assert stat.S_IMODE(os.stat(layout.credential("offsite")).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(layout.credentials_dir).st_mode) == 0o700


def test_the_error_for_a_missing_credential_lists_the_existing_ones(layout, seed, save):
    save(DRIVE)

    with pytest.raises(CloudsyncError, match=r"Credential offsit does not exist .* Existing credentials: offsite"):
        credential_store.load_credential(layout, seed, "offsit")
    assert credential_store.read_credential(layout, "offsit") is None
    assert credential_store.list_public_views(layout, "offsit") == []


def test_no_view_of_a_credential_contains_a_secret(layout, save):
    stored = save(Credential("offsite", "s3", "", {"region": "eu"}, {"key": "s3cr3t"}, {"token": "r3fr3shed"}))
    changed = Credential("offsite", "s3", "", {"region": "us"}, {"key": "0th3r", "other": "n3w"})
    views = [
        credentials.build_public_view(stored),
        credential_store.list_public_views(layout, None),
        credential_store.list_public_views(layout, "offsite"),
        credentials.build_diff_view(stored, None),
        credentials.build_diff_view(changed, stored),
    ]

    for secret in ("s3cr3t", "r3fr3shed", "0th3r", "n3w", "cs1:"):
        assert secret not in json.dumps(views)
    assert views[1] == views[2] == [views[0]]
    assert views[0]["secrets"] == ["key"]


def test_the_diff_of_a_credential_shows_which_secret_changes():
    before = Credential("a", "s3", secrets={"same": "1", "other": "1", "gone": "1"})
    after = Credential("a", "s3", secrets={"same": "1", "other": "2", "new": "1"})

    assert credentials.build_diff_view(before, None)["secrets"] == {"gone": "(set)", "other": "(set)", "same": "(set)"}
    assert credentials.build_diff_view(after, before)["secrets"] == {
        "new": "(set)",
        "other": "(new value)",
        "same": "(set)",
    }
    assert credentials.build_diff_view(None, before) == {}


def test_a_refreshed_token_is_used_and_kept_while_the_playbook_declares_the_old_one(save, load):
    save(credentials.declare(None, DRIVE))
    refreshed = Credential("offsite", "drive", "", DRIVE.attributes, DRIVE.secrets, {"token": SECOND})

    again = credentials.declare(refreshed, DRIVE)

    assert again == refreshed
    assert again.merge_secrets()["token"] == SECOND


def test_a_newly_declared_token_replaces_a_refreshed_one(save):
    refreshed = Credential("offsite", "drive", "", {}, {"token": FIRST}, {"token": SECOND})
    wanted = Credential("offsite", "drive", "", {}, {"token": THIRD})

    assert credentials.declare(refreshed, wanted) == wanted


def test_a_token_is_kept_for_another_spelling_of_the_provider_only():
    refreshed = Credential("offsite", "drive", "", {}, {"token": FIRST}, {"token": SECOND})

    kept = credentials.declare(refreshed, Credential("offsite", "GOOGLE_DRIVE", "", {}, {"token": FIRST}))
    dropped = credentials.declare(refreshed, Credential("offsite", "dropbox", "", {}, {"token": FIRST}))

    assert (kept.refreshed, dropped.refreshed) == ({"token": SECOND}, {})


@pytest.mark.parametrize(
    ("attributes", "secrets", "kept"),
    [
        ({"user": "me"}, {"pass": "P"}, True),
        ({"user": "me", "debug": "true"}, {"pass": "P"}, True),
        ({"user": "you"}, {"pass": "P"}, False),
        ({"user": "me"}, {"pass": "Q"}, False),
    ],
)
def test_a_session_is_kept_only_while_its_login_is_unchanged(attributes, secrets, kept):
    before = Credential("mega", "mega", "", {"user": "me"}, {"pass": "P"}, {"session_id": "S"})

    after = credentials.declare(before, Credential("mega", "mega", "", attributes, secrets))

    assert after.refreshed == ({"session_id": "S"} if kept else {})


def test_a_refreshed_token_is_stored_in_addition_to_the_declared_one(layout, save, load):
    save(DRIVE)

    assert credential_store.save_refreshed(layout, "offsite", [{"token": FIRST}], {"token": SECOND})
    assert (load().secrets["token"], load().refreshed) == (FIRST, {"token": SECOND})
    assert credential_store.save_refreshed(layout, "offsite", [{"token": SECOND}], {"token": THIRD})
    assert load().merge_secrets()["token"] == THIRD


def test_a_token_declared_during_a_run_is_not_overwritten(layout, save, load):
    save(Credential("offsite", "drive", secrets={"token": THIRD}))

    assert not credential_store.save_refreshed(layout, "offsite", [{"token": FIRST}], {"token": SECOND})
    assert load().merge_secrets()["token"] == THIRD


def test_a_token_declared_on_several_lines_is_refreshed(layout, save, load):
    text = json.dumps(json.loads(FIRST), indent=2) + "\n"
    save(credentials.parse_credential({"name": "offsite", "provider": "drive", "secrets": {"token": text}}))

    assert credential_store.save_refreshed(layout, "offsite", [{"token": FIRST}], {"token": SECOND})
    assert load().merge_secrets()["token"] == SECOND


def test_values_that_rclone_can_find_out_again_are_not_stored(layout, save, load):
    save(Credential("offsite", "sftp", secrets={"pass": "P"}))

    assert not credential_store.save_refreshed(layout, "offsite", [{}], {"shell_type": "unix"})
    assert load().refreshed == {}


def test_a_credential_removed_during_a_run_stays_removed(layout, save):
    save(DRIVE)
    credential_store.remove_credential(layout, "offsite")

    assert not credential_store.save_refreshed(layout, "offsite", [{"token": FIRST}], {"token": SECOND})
    assert credential_store.list_credentials(layout) == []


def test_a_token_is_saved_with_the_current_seed(layout, seed, save, load):
    save(DRIVE)
    both = seed.add_primary()
    credential_store.save_credential(layout, both, DRIVE)
    save_seed(layout, both.drop_former_keys())

    assert credential_store.save_refreshed(layout, "offsite", [{"token": FIRST}], {"token": SECOND})
    assert load().merge_secrets()["token"] == SECOND


def edit(layout, change):
    content = files.read_json(layout.credential("offsite"))
    change(content)
    files.write_json(layout.credential("offsite"), content)


def test_a_ciphertext_moved_within_the_file_is_detected(layout, save, load):
    save(DRIVE)
    edit(layout, lambda content: content["secrets"].update(client_secret=content["secrets"]["token"]))

    with pytest.raises(
        CloudsyncError, match=r"decrypt secrets.client_secret of credential offsite in /.*offsite.json: it was"
    ):
        load()


def test_a_copied_credential_file_is_refused(layout, seed, save):
    save(DRIVE)
    os.link(layout.credential("offsite"), layout.credential("copy"))

    with pytest.raises(CloudsyncError, match=r"copy.json contains credential offsite: the file was copied or renamed"):
        credential_store.load_credential(layout, seed, "copy")

    edit(layout, lambda content: content.update(name="other"))
    os.rename(layout.credential("offsite"), layout.credential("other"))
    with pytest.raises(CloudsyncError, match="it was edited, truncated, or copied from another object"):
        credential_store.load_credential(layout, seed, "other")


def test_an_incomplete_credential_file_is_refused_by_name(layout, save, load):
    save(DRIVE)
    edit(layout, lambda content: content.pop("attributes"))

    with pytest.raises(CloudsyncError, match=r"offsite.json is damaged: attributes missing. The file was edited"):
        load()
