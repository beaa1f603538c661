# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Sections of rclone's configuration for a credential and for a task's encryption."""

from __future__ import annotations

import json
from typing import Dict, Mapping

from ..obscure import obscure
from .derived_options import tune
from .schema import Provider

# Options whose text may come with line breaks, which the configuration can't hold.
PEM = frozenset(("key_pem",))


def remote_section(
    provider: Provider,
    attributes: Mapping[str, str],
    secrets: Mapping[str, str],
    provider_options: Mapping[str, str],
) -> Dict[str, str]:
    """The section of a remote: what the provider's name brings, the credential, and the task's options on top.

    All values are plain text; what rclone wants obscured is obscured here. They have passed checks.check().
    """
    options = tune(provider, {**attributes, **secrets}, provider_options).options
    return {"type": provider.name, **{name: _stored(provider, name, value) for name, value in options.items()}}


def _stored(provider: Provider, name: str, value: str) -> str:
    if any(option.is_password for option in provider.all_options(name)):
        return obscure(value)
    if name in PEM:
        return value.strip().replace("\r\n", "\n").replace("\n", "\\n")
    return on_one_line(value)


def on_one_line(value: str) -> str:
    """JSON (a token, a key file) without its line breaks; anything else as it is."""
    if "\n" not in value:
        return value
    try:
        content = json.loads(value)
    except ValueError:
        # A text file's last line break is no part of a key.
        return value.rstrip("\r\n")
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def crypt_section(
    remote: str, password: str, salt: str, filenames: str, directory_names: bool, strict_names: bool
) -> Dict[str, str]:
    """The section of a crypt remote over ``remote`` ("name:path"). ``filenames`` is standard, obfuscate or off.

    ``strict_names``: this rclone can fail on a name that does not decrypt, instead of leaving it out silently.
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
