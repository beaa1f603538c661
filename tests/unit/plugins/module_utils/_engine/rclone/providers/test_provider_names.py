# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The letter case of a provider's name never changes what a credential or a task means."""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import parse_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import traits
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.conf_section import (
    build_remote_section,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.derived_options import tune
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_checks import (
    check,
    check_options,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.schema import resolve

RECORDED = pathlib.Path(__file__).parents[5] / "recorded"
BACKENDS = sorted(
    {
        entry["Name"]
        for version in ("1.60.1", "1.75.2")
        for entry in json.loads((RECORDED / f"providers-{version}.json").read_text(encoding="utf-8"))
    }
)
TRUENAS = [
    "AZUREBLOB",
    "B2",
    "BOX",
    "DROPBOX",
    "FTP",
    "GOOGLE_CLOUD_STORAGE",
    "GOOGLE_DRIVE",
    "GOOGLE_PHOTOS",
    "HTTP",
    "HUBIC",
    "MEGA",
    "ONEDRIVE",
    "OPENSTACK_SWIFT",
    "PCLOUD",
    "S3",
    "SFTP",
    "STORJ_IX",
    "WEBDAV",
    "YANDEX",
]
SPELLINGS = ["gcs", "googlecloudstorage", "gphotos", "googlephotos", "oos", "tardigrade"]
NAMES = sorted({*BACKENDS, *TRUENAS, *SPELLINGS})
TOKEN = '{"access_token":"AT","refresh_token":"RT","expiry":"2026-01-01T00:00:00Z"}'
# Options whose values TrueNAS and rclone write differently, and options that only one of them has.
OPTIONS = [
    {},
    {"chunk_size": "96"},
    {"chunk_size": "96Mi"},
    {"chunk_size": "1Mi"},
    {"chunk_size": "150Mi"},
    {"drive_type": "BUSINESS"},
    {"vendor": "NEXTCLOUD"},
    {"encryption": "AES256"},
    {"storage_class": "GLACIERS"},
    {"skip_region": "true"},
    {"signatures_v2": "true"},
    {"max_upload_parts": "10000"},
    {"endpoint": "host.example"},
    {"endpoint": "http://host.example"},
    {"team_drive": "0A"},
    {"token": TOKEN},
]


def cases(name):
    return {name, name.lower(), name.upper(), name.title(), name.swapcase()}


def answer(function, *arguments):
    """What ``function`` returns, or the refusal that it raises."""
    try:
        return function(*arguments)
    except CloudsyncError as error:
        return (error.reason, error.message)


def test_the_names_of_all_backends_are_in_lower_case():
    assert [name.lower() for name in BACKENDS] == BACKENDS
    assert len(BACKENDS) > 50


@pytest.mark.parametrize("name", [*NAMES, "no such provider"])
def test_a_name_in_any_letter_case_is_the_same_credential(name):
    declared = {"name": "a", "attributes": {"user": "u"}, "secrets": {"pass": "p"}}
    found = [parse_credential({**declared, "provider": each}) for each in cases(name)]
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize("name", [*NAMES, "no such provider"])
def test_a_name_in_any_letter_case_is_the_same_provider(known_providers, name):
    found = [answer(resolve, each, known_providers) for each in cases(name)]
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize("name", NAMES)
def test_options_have_the_same_meaning_under_a_name_in_any_letter_case(known_providers, name):
    pytest.importorskip("cryptography")

    def outcome(each, options):
        try:
            provider = resolve(each, known_providers)
        except CloudsyncError as error:
            return error.message
        return (
            answer(check, provider, options, {}),
            answer(check_options, provider, options),
            answer(build_remote_section, provider, options, {}, {}),
            answer(tune, provider, {}, options),
        )

    for options in OPTIONS:
        found = [outcome(each, options) for each in cases(name)]
        assert found == [found[0]] * len(found), options


@pytest.mark.parametrize("name", NAMES)
def test_the_traits_of_a_provider_do_not_depend_on_the_letter_case_of_its_name(name):
    found = [
        (
            traits.is_bucket_based(each),
            traits.is_read_only(each),
            traits.is_never_rewritten(each),
            traits.list_undeclared_options(each),
            traits.list_state_options(each),
            traits.refresh_token_is_single_use(each, {}, True),
            traits.list_readable_arguments(each, {"storage_class": "GLACIER", "access_tier": "archive"}),
        )
        for each in cases(name)
    ]
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize("name", ["B2", "b2"])
def test_a_chunk_size_without_a_unit_is_refused_under_every_name(known_providers, name):
    with pytest.raises(CloudsyncError, match="'chunk_size' is '96': it must be a size with its unit, such as 96Mi"):
        check_options(resolve(name, known_providers), {"chunk_size": "96"})
