# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

FILE = "etc/cloudsync/seed"


@pytest.fixture
def passphrase(host):
    return host.secret("correct horse battery staple")


@pytest.fixture
def wrapped(host, passphrase):
    """Provide a backup of the host's seed."""
    return host.ok("seed", {"backup": True, "passphrase": passphrase})["wrapped"]


def keys_of(host):
    return [key["key"] for key in host.read(FILE)["keys"]]


def test_a_seed_is_created_only_once(bare_host):
    result = bare_host.ok("seed")
    assert result["changed"]
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"] == result["seed"]
    path = str(bare_host.root / FILE)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    made = bare_host.files()
    assert not bare_host.ok("seed")["changed"]
    assert bare_host.files() == made


def test_no_key_is_in_the_result(bare_host):
    bare_host.ok("seed")
    result = str(bare_host.ok("seed", {"state": "rotated"}))
    assert not any(key in result for key in keys_of(bare_host))


def test_check_mode_creates_no_seed(bare_host):
    predicted = bare_host.ok("seed", check=True)
    assert predicted["changed"]
    assert bare_host.files() == {}


def test_a_lost_seed_is_not_replaced_while_secrets_need_it(host, offsite):
    host.ok("credential", offsite)
    (host.root / FILE).unlink()
    message = host.refused("seed")
    assert message.startswith(
        f"The seed {host.root}/{FILE} is missing, but these objects are encrypted with it: credential offsite."
    )
    assert "state=restored" in message


def test_the_backup_restores_a_lost_seed(host, documents, wrapped, passphrase):
    host.ok("task", documents)
    before = host.read(FILE)
    (host.root / FILE).unlink()
    restored = {"state": "restored", "wrapped": wrapped, "passphrase": passphrase}
    assert host.ok("seed", restored, check=True)["changed"]
    assert not (host.root / FILE).exists()
    assert host.ok("seed", restored)["changed"]
    assert host.read(FILE) == before
    assert not host.ok("seed", restored)["changed"]
    assert not host.ok("task", documents)["changed"]


def test_restoring_to_a_host_with_another_seed_adds_the_keys(host, wrapped, passphrase):
    (host.root / FILE).unlink()
    host.ok("seed")
    own = host.read(FILE)
    result = host.ok("seed", {"state": "restored", "wrapped": wrapped, "passphrase": passphrase})
    assert result["seed"]["primary"] == own["primary"]
    assert len(result["seed"]["key_ids"]) == 2


def test_a_backup_changes_nothing_and_contains_no_key_in_clear_text(host, passphrase):
    before = host.files()
    result = host.ok("seed", {"backup": True, "passphrase": passphrase})
    assert not result["changed"]
    assert result["wrapped"].startswith("cloudsync-seed-1:")
    assert host.files() == before
    assert "wrapped" not in host.ok("seed", {"backup": True, "passphrase": passphrase}, check=True)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"passphrase": "another one"}, "Cannot open the wrapped seed: the passphrase is wrong, or the text was"),
        ({"wrapped": "cloudsync-seed-1:AAAA"}, "Cannot open the wrapped seed: the passphrase is wrong, or the"),
        ({"wrapped": "x"}, "wrapped is invalid. Use the value that skyhaul.cloudsync.seed returned with backup=true."),
        ({"wrapped": None}, "state is restored but all of the following are missing: wrapped"),
        ({"passphrase": None}, "state is restored but all of the following are missing: passphrase"),
    ],
)
def test_a_wrong_passphrase_or_a_damaged_text_is_refused(host, wrapped, passphrase, change, message):
    options = dict({"state": "restored", "wrapped": wrapped, "passphrase": passphrase}, **change)
    options = {key: value for key, value in options.items() if value is not None}
    assert host.refused("seed", options).startswith(message)


def test_a_short_passphrase_is_refused(host):
    assert host.refused("seed", {"backup": True, "passphrase": "2short"}) == (
        "The passphrase is too short. Only it protects the seed. Use 8 characters or more."
    )


def test_rotation_encrypts_everything_anew_and_drops_the_old_key(host, documents, offsite):
    host.ok("task", documents)
    before, old = host.files(), host.read(FILE)
    assert host.ok("seed", {"state": "rotated"}, check=True)["changed"]
    assert host.files() == before
    result = host.ok("seed", {"state": "rotated"})
    assert result["changed"]
    assert result["seed"]["primary"] != old["primary"]
    assert result["seed"]["key_ids"] == [result["seed"]["primary"]]
    assert result["diff"]["after"] == result["seed"]
    assert len(keys_of(host)) == 1
    for name in ("credentials/offsite.json", "tasks/documents.json"):
        text = (host.root / "etc/cloudsync" / name).read_text()
        assert f"cs1:{result['seed']['primary']}:" in text
        assert old["primary"] not in text
    assert not host.ok("credential", offsite)["changed"]
    assert not host.ok("task", documents)["changed"]


def test_a_rotation_with_an_unreadable_secret_changes_nothing(host, documents):
    host.ok("task", documents)
    path = host.root / "etc/cloudsync/credentials/offsite.json"
    path.write_text(path.read_text().replace("cs1:", "cs1:x", 1))
    files = host.files()
    message = host.run("seed", {"state": "rotated"})["msg"]
    assert f"of credential offsite in {path}" in message
    after = host.files()
    assert {name: text for name, text in after.items() if name != FILE} == {
        name: text for name, text in files.items() if name != FILE
    }
    host.ok("credential_info")
