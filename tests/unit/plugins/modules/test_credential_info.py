# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


def test_a_host_without_any_returns_an_empty_list(bare_host):
    assert bare_host.ok("credential_info")["credentials"] == []


def test_the_public_views_are_listed_by_name_without_a_seed(host, offsite):
    host.ok("credential", offsite)
    stored = host.ok("credential", dict(offsite, name="another"))["credential"]
    (host.root / "etc/cloudsync/seed").unlink()
    result = host.ok("credential_info")
    assert not result["changed"]
    assert [credential["name"] for credential in result["credentials"]] == ["another", "offsite"]
    assert result["credentials"][0] == stored


def test_one_is_listed_by_its_name(host, offsite):
    host.ok("credential", offsite)
    assert [found["name"] for found in host.ok("credential_info", {"name": "offsite"})["credentials"]] == ["offsite"]
    assert host.ok("credential_info", {"name": "nothing"})["credentials"] == []


def test_a_name_that_is_a_path_is_refused(host):
    assert "is invalid" in host.refused("credential_info", {"name": "../seed"})
