# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets are hidden by place: no value of another option or of a result is masked, and no refused value is shown."""

from __future__ import annotations

import json

import pytest

CONFIG = "etc/cloudsync"
# Each occurs in the text of a backup or in the names of the objects.
COMMON = ["credentials", "documents", '"schema": 2', "photos2024", "/srv/photos2024", "cs1:", "00000000", "checksum"]


@pytest.mark.parametrize("passphrase", COMMON)
def test_a_backup_is_restored_whatever_its_passphrase_is(host, offsite, documents, passphrase):
    passphrase = passphrase.ljust(8, "0")
    host.ok("credential", offsite)
    host.ok("task", {**documents, "description": passphrase, "remote_path": "bucket/photos2024"})
    stored = {name: text for name, text in host.files().items() if name.startswith(CONFIG)}
    taken = host.ok("backup", {"passphrase": passphrase})
    assert taken["tasks"] == ["documents"] and "****" not in json.dumps(taken)

    again = host.ok("backup", {"passphrase": passphrase, "previous": taken["content"]})
    assert (again["content"], again["changed"]) == (taken["content"], False)
    for name in stored:
        (host.root / name).unlink()
    restored = host.ok("restore", {"content": taken["content"], "passphrase": passphrase})

    assert restored["restored"] == {"credentials": ["offsite"], "tasks": ["documents"]}
    assert {name: text for name, text in host.files().items() if name.startswith(CONFIG)} == stored


def test_a_result_with_a_word_that_is_also_a_secret_is_not_altered(host, offsite, documents):
    same = {**offsite, "secrets": {"access_key_id": "documents", "secret_access_key": "offsite"}}
    same["attributes"] = {key: value for key, value in offsite["attributes"].items() if key != "access_key_id"}
    result = host.ok("host_config", {"credentials": [same], "tasks": [{**documents, "credential": "offsite"}]})

    assert (result["credentials"][0]["name"], result["tasks"][0]["name"]) == ("offsite", "documents")
    assert sorted(result["diff"]["after"]["tasks"]) == ["documents"]


@pytest.mark.parametrize("module", ["credential", "host_config", "remote_info"])
def test_a_secret_that_is_refused_as_a_public_option_is_shown_nowhere(host, offsite, module):
    secret = host.secret("a-refused-secret-access-key")
    wrong = {**offsite, "attributes": {**offsite["attributes"], "secret_access_key": secret}, "secrets": {}}
    options = {
        "credential": wrong,
        "host_config": {"credentials": [wrong]},
        "remote_info": {key: wrong[key] for key in ("provider", "attributes")},
    }[module]

    for given in (options, {**options, "unknown": 1}):
        result = host.run(module, given)
        assert result["failed"]
        assert set(result["invocation"]["module_args"].values()) == {"(not shown, because the module failed)"}


def test_the_host_log_contains_no_value_of_an_option(host, offsite, monkeypatch):
    from ansible.module_utils.basic import AnsibleModule

    said = []
    monkeypatch.setattr(AnsibleModule, "log", lambda _module, text, log_args=None: said.append((text, log_args)))
    wrong = {**offsite, "attributes": {"secret_access_key": host.secret("a-refused-secret-access-key")}}

    host.refused("credential", wrong)

    assert [text for text, _more in said] == [
        "Invoked with values for: " + ", ".join(sorted({*wrong, "state", "verify"}))
    ]
    assert "a-refused" not in str(said)


def test_a_success_shows_the_options_without_the_secrets(host, offsite):
    shown = host.ok("host_config", {"credentials": [offsite]})["invocation"]["module_args"]

    assert shown["credentials"][0]["attributes"] == offsite["attributes"]
    assert shown["credentials"][0]["secrets"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
