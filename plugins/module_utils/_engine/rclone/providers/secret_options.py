# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Decide which options are secrets. Secrets are never shown, and are encrypted at rest."""

from __future__ import annotations

import re

from .schema import Option, Provider

# rclone's schema marks only the options that it obscures (IsPassword). Its flag Sensitive includes host and user, and
# does not exist in 1.60.
SECRET_NAME = re.compile(
    r"(\A|_)(access_grant|access_key|api_key|authorization|connection_string|cookies?|credentials|key_pass|master_keys?"
    r"|mnemonic|pass|passphrase|password|private_access_key|private_key|sas_url|secret|secret_access_key|secret_key"
    r"|sse_customer_key|sse_customer_key_base64|token)\Z"
    r"|\A(2fa|key|key_pem|session_id)\Z"
)
# A user and a password before the host. A plain "host:port" proxy has no "@".
LOGIN_IN_URL = re.compile(r"\A([A-Za-z][A-Za-z0-9+.-]*://)?[^/@\s:]*:[^/@\s]+@")
SECRET_HEADER = re.compile(r"(authorization|cookie|token|api-?key|secret)", re.IGNORECASE)
# A password or token with its name, in the value of any flag.
NAMED_SECRET = re.compile(
    r"(authorization|cookie|token|(api|auth)-?key|secret|passw(or)?d|\bpass|signature|\bsig|credential)\s*[:=]"
    r"|\b(basic|bearer)\s",
    re.IGNORECASE,
)
URL_NAME = re.compile(r"(\A|_)(url|endpoint|proxy)\Z")


def find_secret_in_text(value: str) -> str:
    """Return what kind of secret ``value``, of an unknown meaning, contains; empty if it seems to contain none."""
    if LOGIN_IN_URL.match(value):
        return "a login"
    return "a password or token" if NAMED_SECRET.search(value) else ""


def must_be_secret(provider: Provider, option_name: str) -> bool:
    """Whether ``option_name`` is only valid among the secrets of a credential."""
    declared = list(provider.list_all_options(option_name)) or [Option(option_name)]
    return any(_is_secret(option) for option in declared)


def _is_secret(option: Option) -> bool:
    return option.is_password or (option.type == "string" and bool(SECRET_NAME.search(option.name)))


def carries_secret(option: Option, value: str) -> bool:
    """Whether this ``value`` of a public option contains a login: a URL with a password, or a header with a token."""
    if URL_NAME.search(option.name):
        return bool(LOGIN_IN_URL.match(value))
    return option.name == "headers" and bool(SECRET_HEADER.search(value))
