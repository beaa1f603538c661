# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters from_truenas and from_rclone_conf: the two files, as Ansible reads them back."""

from __future__ import annotations

import json

import hypothesis
import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleFilterError
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext
from hypothesis import strategies as st

from ansible_collections.skyhaul.cloudsync.plugins.filter import from_rclone_conf as rclone_filter
from ansible_collections.skyhaul.cloudsync.plugins.filter import from_truenas as truenas_filter
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.findings import Findings, Secret
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.result import build_answer

from_truenas = truenas_filter.FilterModule().filters()["from_truenas"]
from_rclone_conf = rclone_filter.FilterModule().filters()["from_rclone_conf"]
ENDINGS = ["", "{{ x }}", "{% if %}", "{#", "\n#!/bin/sh\n", "yes", "010", ": "]
SECRETS = [("default", VaultSecret(b"open sesame"))]
MORE_SECRETS = [*SECRETS, ("prod", VaultSecret(b"another"))]


class Unsafe(str):
    """A text that Ansible never takes for a template."""


class Loader(yaml.SafeLoader):
    """Ansible's tags."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


@pytest.fixture(name="vault", autouse=True)
def fixture_vault(monkeypatch):
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(SECRETS))


def opened(files):
    public = yaml.load(files["cloudsync.yml"], Loader)
    return public, yaml.load(VaultLib(SECRETS).decrypt(files["vault_cloudsync.yml"]), Loader)


def b2(**more):
    return [{"id": 1, "name": "attic", "provider": {"type": "B2", "account": "0012", "key": "SECRET", **more}}]


def test_the_secrets_are_only_in_the_encrypted_file_under_names_that_the_other_uses():
    found = from_truenas({"x.json": json.dumps(b2())})
    assert "SECRET" not in repr(found)
    public, vault = opened(found["files"])
    (credential,) = public["cloudsync_credentials"]
    assert credential["secrets"] == {"key": "{{ vault_cloudsync_attic_key }}"}
    assert vault == {"vault_cloudsync_attic_key": "SECRET"}
    assert found["report"]["found"] == "1 credential and 0 tasks"


def test_the_lists_stand_as_comments_over_the_variables():
    found = from_truenas({"x.json": json.dumps(b2(key="********", newer="SECRET"))})
    needed = "vault_cloudsync_attic_key in vault_cloudsync.yml. The credential 'attic': TrueNAS did not show its key."
    assert found["report"]["still needed"] == [needed]
    text = found["files"]["cloudsync.yml"]
    assert f"# Still needed:\n# - {needed}\n" in text
    assert "# Not carried over:\n# - The credential 'attic': newer is an unknown option" in text
    _public, vault = opened(found["files"])
    assert vault["vault_cloudsync_attic_key"].startswith("{{ undef(hint=")
    assert not isinstance(vault["vault_cloudsync_attic_key"], Unsafe)


@hypothesis.settings(deadline=None, derandomize=True)
@hypothesis.given(
    st.text(max_size=40), st.sampled_from(["", "{{ x }}", "{% if %}", "{#", "\n#!/bin/sh\n", "yes", "010", ": "])
)
def test_every_text_is_read_back_as_it_is_and_never_as_a_template(text, more):
    value = text + more
    if any("\ud800" <= character <= "\udfff" for character in value):
        return
    found = Findings()
    found.credentials.append({"name": "a", "description": value, "secrets": {"key": Secret(value)}})
    found.leave_out(value, "x", value, "is " + value)
    public, vault = opened(build_answer(found.build_result(), "A test.")["files"])
    for read in (public["cloudsync_credentials"][0]["description"], vault["vault_cloudsync_a_key"]):
        assert read == value
        assert isinstance(read, Unsafe) == any(mark in value for mark in ("{{", "{%", "{#"))


def test_without_a_vault_password_nothing_is_returned(monkeypatch):
    for context in (None, VaultSecretsContext([])):
        monkeypatch.setattr(VaultSecretsContext, "_current", context)
        with pytest.raises(AnsibleFilterError, match="--ask-vault-pass"):
            from_truenas({"x.json": json.dumps(b2())})


def test_of_several_vault_passwords_one_has_to_be_chosen(monkeypatch):
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(MORE_SECRETS))
    with pytest.raises(AnsibleFilterError, match=r"several vault passwords \(default, prod\)"):
        from_truenas({"x.json": json.dumps(b2())})

    asked = constants.config.get_config_value
    chosen = {"DEFAULT_VAULT_ENCRYPT_IDENTITY": "prod"}
    monkeypatch.setattr(constants.config, "get_config_value", lambda name: chosen.get(name) or asked(name))
    text = from_truenas({"x.json": json.dumps(b2())})["files"]["vault_cloudsync.yml"]
    assert text.startswith("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    assert b"SECRET" in VaultLib(MORE_SECRETS[1:]).decrypt(text)

    chosen["DEFAULT_VAULT_ENCRYPT_IDENTITY"] = "gone"
    with pytest.raises(AnsibleFilterError, match="gone"):
        from_truenas({"x.json": json.dumps(b2())})


@pytest.mark.parametrize("wrong", [None, "text", {"x.json": 7}])
def test_what_is_no_dictionary_of_texts_is_refused(wrong):
    with pytest.raises(AnsibleFilterError, match="must be a dictionary of names and texts"):
        from_truenas(wrong)


def test_a_wrong_file_ends_in_the_engines_sentence():
    with pytest.raises(AnsibleFilterError, match=r"x\.json is not JSON"):
        from_truenas({"x.json": "{"})
    with pytest.raises(AnsibleFilterError, match="must be the text of an rclone"):
        from_rclone_conf(None)


@pytest.mark.parametrize("convert, given", [(from_truenas, {}), (from_rclone_conf, "")])
def test_an_rclone_that_was_named_has_to_be_there(convert, given):
    with pytest.raises(AnsibleFilterError, match="Cannot run /nonexistent"):
        convert(given, rclone="/nonexistent")
