# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import pathlib

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._oauth import rclone_login as oauth

RECORDED = pathlib.Path(__file__).parents[3] / "recorded"
TOKEN = json.dumps({"access_token": "SECRET-A", "refresh_token": "SECRET-R", "expiry": "2026-11-23T00:27:29Z"})
USAGE = ["Usage:", "  rclone authorize [flags]", "", "Flags:", "  -h, --help   help for authorize"]


@pytest.fixture(name="known", params=["1.75.2", "1.60.1"])
def fixture_known(request):
    return providers.parse((RECORDED / f"providers-{request.param}.json").read_text(encoding="utf-8"))


def answer(options):
    """What rclone prints for these options: JSON in base64 without its padding."""
    blob = base64.b64encode(json.dumps(options).encode()).decode().rstrip("=")
    return f"Paste the following into your remote machine --->\n{blob}\n<---End paste\n"


@pytest.mark.parametrize("length", [0, 1, 2, 3, 9000])
def test_the_token_is_found_whatever_its_length(known, length):
    options = {"token": json.dumps({"access_token": "a" * length + "b"})}
    assert oauth.parse_output(known["drive"], answer(options)) == options


def test_what_rclone_learnt_besides_the_token_is_public_and_kept(known):
    """As the host name of pCloud in Europe."""
    options = oauth.parse_output(known["drive"], answer({"token": TOKEN, "hostname": "eapi.pcloud.com"}))
    assert oauth.split_options(known["drive"], options) == ({"hostname": "eapi.pcloud.com"}, {"token": TOKEN})


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Paste the following into your remote machine --->\n\n<---End paste\n",
        "Paste the following into your remote machine --->\nSECRET!\n<---End paste\n",
        answer({}),
        answer({"token": "SECRET"}),
        answer({"token": json.dumps({"refresh_token": "SECRET"})}),
        answer(["SECRET"]),
    ],
)
def test_an_end_without_a_token_is_told_and_shows_nothing(known, output):
    with pytest.raises(CloudsyncError, match="rclone returned no token for drive") as caught:
        oauth.parse_output(known["drive"], output)
    assert "SECRET" not in caught.value.message


def test_options_go_in_by_the_names_that_rclone_reads(known):
    section = {"type": "google cloud storage", "client_id": "me", "token_url": "http://127.0.0.1/"}
    assert oauth.build_environment(known["google cloud storage"], section) == {
        "RCLONE_GCS_CLIENT_ID": "me",
        "RCLONE_GCS_TOKEN_URL": "http://127.0.0.1/",
    }


def test_providers_with_a_login_are_told_from_those_with_keys(known):
    for name in ("box", "drive", "google cloud storage", "google photos", "hidrive", "onedrive"):
        oauth.check_has_login(known[name])
    for name in ("b2", "mailru", "s3", "sftp", "local"):
        with pytest.raises(CloudsyncError, match="has no login in a browser"):
            oauth.check_has_login(known[name])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            [
                "Error: config failed to refresh token: Error: Auth Error",
                'Code: ""',
                "Description: No code returned by remote server: access_denied: The user said no",
                "Help: ",
            ],
            "Start again and allow the access. It reported: access_denied: The user said no.",
        ),
        (
            [
                "Error: config failed to refresh token: Error: Auth Error",
                'Code: ""',
                "Description: No code returned by remote server",
                "Help: ",
            ],
            "The login at box was refused or cancelled in the browser. Start again",
        ),
        (['Error: failed to get token: oauth2: "invalid_client"'], 'rclone reported: "invalid_client".'),
        (
            ["Error: failed to get token: oauth2: cannot fetch token: 401 Unauthorized", 'Response: {"error": "x"}'],
            'rclone reported: cannot fetch token: 401 Unauthorized Response: {"error": "x"}.',
        ),
        (["Error: not supported by this backend"], "rclone reported: not supported by this backend."),
        (
            [
                "Error: config failed to refresh token: failed to start auth webserver: "
                "listen tcp 127.0.0.1:53682: bind: address already in use"
            ],
            "Port 53682 of this machine is in use",
        ),
        ([], "rclone reported no reason."),
    ],
)
def test_an_error_of_either_version_becomes_a_sentence(known, error, sentence):
    lines = ["2026/11/22 23:27:29 NOTICE: Waiting for code...", *error, *(USAGE if error else [])]
    message = oauth.build_error(known["box"], lines).message
    assert message.startswith(("The login at box ", "rclone got no token from box. Check ", "Port 53682 "))
    assert sentence in message
    assert "Usage" not in message
