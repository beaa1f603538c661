# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Credentials: the login for one account. Stored credentials contain secrets only as ciphertext.

A value that rclone refreshed (an OAuth token) is stored in addition to the declared one. A playbook that still
declares the first token therefore changes nothing. A playbook that declares another token replaces both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Mapping, Optional

from ..common.errors import usage_error
from ..common.layout import check_name
from ..common.validation import refuse_unknown_keys
from ..rclone.conf_file import format_option_value
from ..rclone.providers.conf_section import join_lines
from ..rclone.providers.truenas_names import get_rclone_name, normalize_name

SCHEMA = 2
OPTIONS = ("name", "provider", "attributes", "secrets", "description")
STORED = (*OPTIONS, "refreshed")
USER_ATTRIBUTES = ("apple_id", "email", "user", "username")
SET = "(set)"
NEW_VALUE = "(new value)"


@dataclass(frozen=True)
class Credential:
    """One credential in memory, secrets in clear. All values are as in rclone's configuration."""

    name: str
    provider: str
    description: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    refreshed: Mapping[str, str] = field(default_factory=dict)

    def merge_secrets(self) -> Dict[str, str]:
        """Return the secrets to log in with. Refreshed secrets override declared ones."""
        return {**self.secrets, **self.refreshed}


def parse_credential(declared: Mapping[str, Any]) -> Credential:
    """Return the credential that ``declared`` (the options of the ``credential`` module) defines."""
    name = check_name("credential", declared.get("name") or "")
    refuse_unknown_keys(f"Credential {name}", declared, OPTIONS)
    provider = declared.get("provider")
    if not provider:
        raise usage_error(f"Credential {name} has no provider. Set provider, such as s3, b2 or sftp.")
    return Credential(
        name=name,
        provider=normalize_name(str(provider)),
        description=declared.get("description") or "",
        attributes=_parse_values(declared.get("attributes")),
        secrets=_parse_values(declared.get("secrets")),
    )


def _parse_values(given: Optional[Mapping[str, Any]]) -> Dict[str, str]:
    # On one line, as in rclone's file: save_refreshed() compares the declared value with the one a run started with.
    return {key: join_lines(format_option_value(value)) for key, value in (given or {}).items() if value is not None}


def declare(before: Optional[Credential], wanted: Credential) -> Credential:
    """Return ``wanted`` with the refreshed values of ``before`` that still belong to its login."""
    if before is None or get_rclone_name(before.provider) != get_rclone_name(wanted.provider):
        return wanted
    # A value without a declared secret of its name (a session) belongs to the whole login.
    same_login = before.secrets == wanted.secrets and all(
        before.attributes.get(key) == wanted.attributes.get(key) for key in USER_ATTRIBUTES
    )
    kept = {
        key: value
        for key, value in before.refreshed.items()
        if (before.secrets[key] == wanted.secrets.get(key) if key in before.secrets else same_login)
    }
    return replace(wanted, refreshed=kept)


def build_public_view(credential: Credential) -> Dict[str, Any]:
    """Return the public view: everything, but only the names of the secrets."""
    return {
        "name": credential.name,
        "provider": credential.provider,
        "description": credential.description,
        "attributes": dict(sorted(credential.attributes.items())),
        "secrets": sorted(credential.secrets),
    }


def build_stored_view(stored: Mapping[str, Any]) -> Dict[str, Any]:
    """Return build_public_view() of a stored credential, without the seed."""
    return build_public_view(
        Credential(stored["name"], stored["provider"], stored["description"], stored["attributes"], stored["secrets"])
    )


def build_diff_view(credential: Optional[Credential], other: Optional[Credential]) -> Dict[str, Any]:
    """Return build_public_view() for a diff with ``other``. A secret is a word that shows whether the value differs."""
    if credential is None:
        return {}
    others = other.secrets if other else {}
    view = build_public_view(credential)
    view["secrets"] = {
        key: SET if others.get(key, value) == value else NEW_VALUE for key, value in sorted(credential.secrets.items())
    }
    return view
