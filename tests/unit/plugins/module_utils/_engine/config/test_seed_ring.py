# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import builtins
import json
import os
import stat

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import files
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed as seeds
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.seed import Place, Seed

KEY = Place("credential", "offsite", "secrets.key", "/etc/cloudsync/credentials/offsite.json")
OTHERS = [
    Place("credential", "offsite", "secrets.pass", KEY.path),
    Place("credential", "offsite", "refreshed.key", KEY.path),
    Place("credential", "other", "secrets.key", KEY.path),
    Place("task", "offsite", "secrets.key", KEY.path),
]


@pytest.mark.parametrize("plain", ["", "s3cr3t", "ünïcödé 🔑", "a\nb\0c", "ends in {{", "x" * 100000])
def test_a_secret_is_decrypted_unchanged(plain):
    ring = seeds.make_seed()

    assert ring.decrypt(ring.encrypt(plain, KEY), KEY) == plain


def test_each_ciphertext_is_different_and_does_not_contain_the_secret():
    ring = seeds.make_seed()
    made = {ring.encrypt("s3cr3t", KEY) for _time in range(20)}

    assert len(made) == 20
    assert not any("s3cr3t" in text or b"s3cr3t" in base64.b64decode(text.split(":")[2]) for text in made)


@pytest.mark.parametrize("place", OTHERS)
def test_a_ciphertext_moved_to_another_field_object_or_kind_is_detected(place):
    ring = seeds.make_seed()

    with pytest.raises(CloudsyncError) as caught:
        ring.decrypt(ring.encrypt("s3cr3t", KEY), place)

    assert caught.value.reason == "undecryptable"
    assert caught.value.message.startswith(
        f"Cannot decrypt {place.describe()}: it was edited, truncated, or copied from another object. Nothing was"
    )
    assert "Restore the seed or the file from a backup" in caught.value.message
    assert "s3cr3t" not in caught.value.message


def test_every_edited_or_missing_character_of_a_ciphertext_is_detected():
    ring = seeds.make_seed()
    text = ring.encrypt("12345", KEY)  # with this length, the base64 text has no unused bits
    body = text.index(":", 4) + 1

    for index in range(body, len(text)):
        other = "A" if text[index] != "A" else "B"
        for changed in (text[:index] + other + text[index + 1 :], text[:index]):
            with pytest.raises(CloudsyncError) as caught:
                ring.decrypt(changed, KEY)
            assert caught.value.reason == "undecryptable"


@pytest.mark.parametrize("text", ["", "plain", "cs1", "cs1:", "cs1:abcd", "cs1:abcd:", "cs2:abcd:AAAA", None, 5])
def test_a_text_that_is_not_a_ciphertext_is_refused(text):
    with pytest.raises(CloudsyncError, match=r"it is not a ciphertext. The file was edited or truncated"):
        seeds.make_seed().decrypt(text, KEY)


def test_the_error_for_a_ciphertext_of_another_seed_names_the_missing_key():
    other = seeds.make_seed()

    with pytest.raises(CloudsyncError, match=f"key {other.primary} is not in the seed of this host"):
        seeds.make_seed().decrypt(other.encrypt("s3cr3t", KEY), KEY)


def test_another_key_with_the_same_id_does_not_decrypt():
    one, other = Seed({"k": os.urandom(32)}, "k"), Seed({"k": os.urandom(32)}, "k")

    with pytest.raises(CloudsyncError, match="it was edited, truncated, or copied"):
        other.decrypt(one.encrypt("s3cr3t", KEY), KEY)


def test_a_ring_of_two_keys_decrypts_with_both_and_encrypts_with_the_new_one():
    old = seeds.make_seed()
    both = old.add_primary()
    former, current = old.encrypt("a", KEY), both.encrypt("b", KEY)

    assert both.decrypt(former, KEY) == "a"
    assert both.decrypt(current, KEY) == "b"
    assert both.primary != old.primary
    with pytest.raises(CloudsyncError, match="is not in the seed of this host"):
        both.drop_former_keys().decrypt(former, KEY)
    assert both.drop_former_keys().decrypt(current, KEY) == "b"


def test_a62_only_root_can_read_the_seed(layout):
    ring = seeds.make_seed().add_primary()

    seeds.save_seed(layout, ring)

    assert seeds.load_seed(layout) == ring
    assert stat.S_IMODE(os.stat(layout.seed).st_mode) == 0o600
    assert os.stat(layout.seed).st_uid == os.geteuid()
    assert stat.S_IMODE(os.stat(layout.config_dir).st_mode) == 0o700
    with open(layout.seed) as stream:
        assert [len(base64.b64decode(entry["key"])) for entry in json.load(stream)["keys"]] == [32, 32]


def test_a_missing_seed_is_refused_by_name_and_not_created(layout):
    with pytest.raises(CloudsyncError) as caught:
        seeds.load_seed(layout)

    assert caught.value.reason == "undecryptable"
    assert f"The seed {layout.seed} is missing" in caught.value.message
    assert "state=restored" in caught.value.message
    assert not os.path.exists(layout.seed)


def damage(content, **changes):
    return {**content, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"primary": "none"},
        {"keys": []},
        {"keys": None},
        {"keys": {"id": "k"}},
        {"keys": [{"id": "k"}]},
        {"keys": [{"id": "k", "key": "AAAA"}], "primary": "k"},
        {"keys": [{"id": "k", "key": "not base64!"}], "primary": "k"},
        {"keys": [{"id": "k", "key": None}], "primary": "k"},
        {"schema": 2},
        {"schema": 2, "bound": "other", "sealed": "AAAA"},
        {"schema": 1, "checksum": "0"},
    ],
)
def test_a_damaged_seed_is_refused_by_name_and_kept(layout, seed, changes):
    files.write_json(layout.seed, {**seed.to_dict(), "schema": 1, **changes})
    with open(layout.seed) as stream:
        before = stream.read()

    with pytest.raises(files.Damaged, match="is damaged: it was edited or truncated") as caught:
        seeds.load_seed(layout)

    assert caught.value.reason == "undecryptable"
    assert layout.seed in caught.value.message
    with open(layout.seed) as stream:
        assert stream.read() == before


def test_a_truncated_or_newer_seed_is_refused_by_name(layout, seed):
    with open(layout.seed, "w") as stream:
        stream.write(json.dumps(seed.to_dict())[:40])
    with pytest.raises(CloudsyncError, match=f"{layout.seed} is damaged: it is not a JSON object"):
        seeds.load_seed(layout)

    files.write_json(layout.seed, {**seed.to_dict(), "schema": 99})
    with pytest.raises(CloudsyncError, match="written by a newer version of cloudsync"):
        seeds.load_seed(layout)


def test_without_cryptography_the_error_says_so_and_does_not_report_edited_files(monkeypatch):
    ring = seeds.make_seed()
    text = ring.encrypt("s3cr3t", KEY)
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for use in (lambda: ring.encrypt("s3cr3t", KEY), lambda: ring.decrypt(text, KEY)):
        with pytest.raises(CloudsyncError, match="install the package python3-cryptography"):
            use()
