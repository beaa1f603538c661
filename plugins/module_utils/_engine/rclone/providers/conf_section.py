# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Build the sections of rclone's configuration for a credential and for a task's encryption."""

from __future__ import annotations

import json
from typing import Dict, Mapping

from ..obscure import obscure
from .derived_options import tune
from .schema import Provider

# Options whose text may contain line breaks, which the configuration cannot hold.
PEM = frozenset(("key_pem",))


def build_remote_section(
    provider: Provider,
    attributes: Mapping[str, str],
    secrets: Mapping[str, str],
    provider_options: Mapping[str, str],
) -> Dict[str, str]:
    """Build the section of a remote from the credential and the task's options, which override the credential's.

    All values are plain text that check() in option_checks has accepted. Passwords are obscured here for rclone.
    """
    options = tune(provider, {**attributes, **secrets}, provider_options).options
    return {"type": provider.name, **{name: _encode(provider, name, value) for name, value in options.items()}}


def _encode(provider: Provider, name: str, value: str) -> str:
    if any(option.is_password for option in provider.list_all_options(name)):
        return obscure(value)
    if name in PEM:
        return value.strip().replace("\r\n", "\n").replace("\n", "\\n")
    return join_lines(value)


def join_lines(value: str) -> str:
    """Return JSON (a token, a key file) on one line, and any other text without the line breaks at its end."""
    if "\n" not in value:
        return value
    try:
        content = json.loads(value)
    except ValueError:
        # The last line break of a text file does not belong to the key.
        return value.rstrip("\r\n")
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def build_crypt_section(
    remote: str, password: str, salt: str, filenames: str, directory_names: bool, strict_names: bool
) -> Dict[str, str]:
    """Build the section of a crypt remote on ``remote`` ("name:path"). ``filenames`` is standard, obfuscate or off.

    ``strict_names``: this rclone can fail on a name that it cannot decrypt, instead of omitting the file silently.
    """
    section = {
        "type": "crypt",
        "remote": remote,
        "filename_encryption": filenames,
        "directory_name_encryption": "true" if directory_names else "false",
        "password": obscure(password),
    }
    if salt:
        section["password2"] = obscure(salt)
    if strict_names:
        section["strict_names"] = "true"
    return section
