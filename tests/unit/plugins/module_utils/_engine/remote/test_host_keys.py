# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.accounts import Account
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.schema import Provider
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote import host_keys as trust

LOGIN = {"host": "store.example", "port": "23", "user": "u", "pass": "TOPSECRET"}
LINE = "[store.example]:23 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPUOe4QbdCbrYxgVOkKo83wZlK+mmA7aM4mor4cmbx1Q\n"


@pytest.fixture(name="sftp")
def fixture_sftp(known_providers):
    return known_providers["sftp"]


@pytest.fixture(name="account")
def fixture_account(tmp_path):
    return Account("backup", 1000, 1000, str(tmp_path / "home"), ())


def write(path, text=LINE):
    pathlib.Path(path).parent.mkdir(parents=True)
    pathlib.Path(path).write_text(text)
    return str(path)


def test_known_hosts_are_written_into_the_folder_of_the_configuration(layout, sftp, account):
    write(account.home + "/.ssh/known_hosts")
    found = trust.trust(layout, sftp, {**LOGIN, "known_hosts": LINE.strip()}, account)
    assert found.files == {"known_hosts": LINE}
    assert found.options == {
        "known_hosts_file": "${RCLONE_CONFIG_DIR}/known_hosts",
        "host_key_algorithms": "ssh-ed25519",
    }


def test_known_hosts_file_overrides_the_existing_files(layout, sftp, account):
    write(account.home + "/.ssh/known_hosts", "")
    pathlib.Path(account.home, "mine").write_text(LINE)
    found = trust.trust(layout, sftp, {**LOGIN, "known_hosts_file": "~/mine"}, account)
    assert found.options == {"known_hosts_file": "~/mine", "host_key_algorithms": "ssh-ed25519"}


def test_the_hosts_file_comes_before_the_users_file(layout, sftp, account):
    users = write(account.home + "/.ssh/known_hosts")
    assert trust.trust(layout, sftp, LOGIN, account).options["known_hosts_file"] == users
    everybodys = write(layout.root + "/etc/ssh/ssh_known_hosts")
    assert trust.trust(layout, sftp, LOGIN, account).options["known_hosts_file"] == everybodys


def test_a_login_without_known_host_keys_is_refused_with_instructions(layout, sftp, account):
    with pytest.raises(CloudsyncError) as caught:
        trust.trust(layout, sftp, LOGIN, account)
    assert caught.value.reason == "auth"
    assert "'ssh-keyscan -p 23 store.example'" in caught.value.message
    assert "so the server's identity cannot be verified. " in caught.value.message
    assert "fingerprint" in caught.value.message
    assert "TOPSECRET" not in caught.value.message
    assert "Until then, runs as user backup are refused." in trust.find_doubt(layout, sftp, LOGIN, account)


@pytest.mark.parametrize("option", ["known_hosts", "known_hosts_file"])
def test_known_hosts_none_disables_the_check_with_a_warning(layout, sftp, account, option):
    write(account.home + "/.ssh/known_hosts")
    found = trust.trust(layout, sftp, {**LOGIN, option: "none"}, account)
    assert (found.options, found.files) == ({"known_hosts_file": ""}, {})
    assert "not checked" in trust.find_doubt(layout, sftp, {**LOGIN, option: "none"}, account)


def test_a_login_with_pinned_host_keys_is_allowed(layout, sftp, account):
    pinned = {**LOGIN, "host_keys": "ssh-ed25519 AAAA"}
    assert trust.trust(layout, sftp, pinned, account) == trust.Trust()
    assert trust.find_doubt(layout, sftp, pinned, account) == ""


def test_an_external_ssh_and_other_providers_are_not_checked(layout, sftp, account, known_providers):
    assert trust.trust(layout, sftp, {"ssh": "ssh u@h"}, account) == trust.Trust()
    assert trust.trust(layout, known_providers["s3"], {}, account) == trust.Trust()
    assert trust.find_doubt(layout, known_providers["s3"], {}, account) == ""


def test_algorithms_are_not_set_if_the_user_did_or_rclone_has_no_such_option(layout, sftp, account):
    login = {**LOGIN, "known_hosts": LINE}
    assert "host_key_algorithms" not in trust.trust(layout, Provider("sftp"), login, account).options
    chosen = {**login, "host_key_algorithms": "ssh-rsa"}
    assert "host_key_algorithms" not in trust.trust(layout, sftp, chosen, account).options


def test_a_pipe_instead_of_the_users_file_does_not_block(layout, sftp, account):
    os.makedirs(account.home + "/.ssh")
    os.mkfifo(account.home + "/.ssh/known_hosts")
    with pytest.raises(CloudsyncError, match="User backup has no known SSH host key"):
        trust.trust(layout, sftp, LOGIN, account)
    named = {**LOGIN, "known_hosts_file": account.home + "/.ssh/known_hosts"}
    assert trust.trust(layout, sftp, named, account).options == {"known_hosts_file": account.home + "/.ssh/known_hosts"}
