# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.notify.redaction import Redactor

SECRETS = ["s3cr3t/with+signs=", 'quoted "text" \\ and ümlaut', "a b&c%d", "0123456789abcdef", "four"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_replaced_in_each_form(secret):
    raw = secret.encode()
    forms = [secret, quote(secret, safe=""), quote(secret), quote_plus(secret), quote(secret, safe="").lower()]
    forms += [json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret), raw.hex()]
    forms += [base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")]
    hide = Redactor([secret])

    for form in forms:
        hidden = hide(f"Error: 403 <{form}> is wrong")
        assert hidden.startswith("Error: 403 <") and hidden.endswith("> is wrong")
        assert form.strip("\"'") not in hidden and secret not in hidden


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "admin"])
def test_a_password_in_the_header_of_a_basic_login_is_replaced(user):
    password = "a-long-passw0rd"
    header = base64.b64encode(f"{user}:{password}".encode()).decode()

    hidden = Redactor([password])("Authorization: Basic " + header)

    text = hidden.rpartition(" ")[2].replace("***", "")
    assert password[3:-3].encode() not in base64.b64decode(text + "=" * (-len(text) % 4))
    assert "***" in hidden


def test_the_parts_of_a_token_and_the_lines_of_a_key_are_replaced():
    token = json.dumps({"access_token": "ya29.access", "refresh_token": "1//refresh", "token_type": "Bearer"})
    hide = Redactor([token, "-----BEGIN KEY-----\nc2VjcmV0IGtleQ\n-----END KEY-----"])

    assert hide("Bearer ya29.access, 1//refresh") == "Bearer ***, ***"
    assert hide("c2VjcmV0IGtleQ") == "***"


def test_secrets_of_less_than_four_letters_are_not_replaced():
    assert Redactor(["abc", "", "7"])("abc 7 files") == "abc 7 files"


def test_a_secret_that_is_added_later_is_replaced_from_then_on():
    hide = Redactor()
    assert hide("a t0k3n") == "a t0k3n"

    hide.add(["t0k3n"])

    assert hide("a t0k3n") == "a ***"
