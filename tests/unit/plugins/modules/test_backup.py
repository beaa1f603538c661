# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

CONFIG = "etc/cloudsync/"


@pytest.fixture
def passphrase(host):
    return host.secret("correct horse battery staple")


@pytest.fixture
def taken(host, documents, passphrase):
    """Provide the text of a backup of a host with a task."""
    host.ok("task", documents)
    return host.ok("backup", {"passphrase": passphrase})["content"]


def test_a_backup_changes_nothing_on_the_host_and_shows_no_ciphertext_in_its_diff(host, taken, passphrase):
    before = host.files()
    result = host.ok("backup", {"passphrase": passphrase})
    assert host.files() == before
    assert (result["credentials"], result["tasks"], result["has_seed"]) == (["offsite"], ["documents"], True)
    assert result["changed"] and result["diff"]["before"] == {} and "cs1:" not in str(result["diff"])
    assert result["warnings"] == []


@pytest.mark.parametrize("check", [True, False])
def test_an_unchanged_backup_is_the_same_text_and_is_not_masked(host, taken, passphrase, check):
    again = host.ok("backup", {"passphrase": passphrase, "previous": taken}, check=check)
    assert not again["changed"]
    assert again["content"] == taken


def test_a_backup_without_a_passphrase_warns(host, taken):
    result = host.ok("backup")
    assert not result["has_seed"]
    assert result["warnings"][0].startswith("The backup does not contain the current seed.")


def test_a_short_passphrase_is_refused(host):
    assert host.refused("backup", {"passphrase": "2short"}).startswith("The passphrase is too short")


def test_an_invalid_previous_backup_is_refused(host, taken):
    assert "it was edited or truncated" in host.refused("backup", {"previous": taken[:-9]})


def test_a_restore_recreates_lost_credentials_and_tasks(host, documents, taken, passphrase):
    before = host.files()
    for name in ("seed", "credentials/offsite.json", "tasks/documents.json"):
        (host.root / CONFIG / name).unlink()
    options = {"content": taken, "passphrase": passphrase}
    foreseen = host.ok("restore", options, check=True)
    result = host.ok("restore", options)
    assert host.files() == before
    for key in ("changed", "diff", "seed", "restored", "kept", "unreadable"):
        assert foreseen[key] == result[key]
    assert result["restored"] == {"credentials": ["offsite"], "tasks": ["documents"]}
    assert not host.ok("restore", options)["changed"]
    assert not host.ok("task", documents)["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_a_wrong_passphrase_changes_nothing(host, taken, check):
    (host.root / CONFIG / "seed").unlink()
    message = host.refused("restore", {"content": taken, "passphrase": host.secret("a wrong passphrase")}, check)
    assert message.startswith("Cannot open the wrapped seed: the passphrase is wrong, or the text was changed.")


def test_a_restore_without_the_seed_lists_unreadable_objects(host, taken):
    (host.root / CONFIG / "seed").unlink()
    result = host.ok("restore", {"content": taken})
    assert not result["changed"] and result["seed"] == {}
    assert result["unreadable"] == {"credentials": ["offsite"], "tasks": ["documents"]}
    assert "Nothing was deleted" in result["warnings"][0]
