# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Which SSH host keys a login by SFTP goes by. Without any, it is refused, unless the credential says otherwise."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Dict, Mapping

from ..common.accounts import Account
from ..common.errors import CloudsyncError
from ..common.files import read_text
from ..common.layout import Layout
from ..rclone.providers.known_hosts import (
    HOST_KEY_ALGORITHMS,
    HOST_KEYS,
    KNOWN_HOSTS,
    KNOWN_HOSTS_FILE,
    SSH,
    algorithms,
    is_unchecked,
)
from ..rclone.providers.schema import Provider

SFTP = "sftp"
# rclone knows this folder: it is that of the configuration that it was given.
BESIDE_THE_CONFIGURATION = "${RCLONE_CONFIG_DIR}/" + KNOWN_HOSTS
HOW = (
    "Print the server's keys with 'ssh-keyscan{port} {host}', compare their fingerprints ('ssh-keygen -lf -') with "
    "what its operator says, and put the lines into the credential's known_hosts; known_hosts: none would log in to "
    "whatever server answers."
)


@dataclass(frozen=True)
class Trust:
    """``options`` for the section, which replace the credential's; ``files``, name to text, beside the configuration.

    An option that is empty is left out of the section.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def trust(layout: Layout, provider: Provider, login: Mapping[str, str], account: Account) -> Trust:
    """What a use of the credential by ``account`` goes by; ``login``: attributes and secrets."""
    if provider.name != SFTP or login.get(SSH):
        return Trust()
    if is_unchecked(login):
        return Trust({KNOWN_HOSTS_FILE: ""})
    text = login.get(KNOWN_HOSTS, "")
    if text:
        return Trust({KNOWN_HOSTS_FILE: BESIDE_THE_CONFIGURATION, **_algorithms(provider, login, text)}, _file(text))
    path = login.get(KNOWN_HOSTS_FILE) or _found(layout, account.home)
    if path:
        return Trust({KNOWN_HOSTS_FILE: path, **_algorithms(provider, login, _content(path, account.home))})
    if login.get(HOST_KEYS):
        return Trust()
    raise CloudsyncError(
        "auth",
        f"No SSH host key is known to the user {account.name} of this host, so whoever answers could be any server. "
        f"{_how(login)}",
    )


def _how(login: Mapping[str, str]) -> str:
    port = login.get("port", "")
    return HOW.format(host=login.get("host") or "HOST", port=" -p " + port if port else "")


def find_doubt(layout: Layout, provider: Provider, login: Mapping[str, str], account: Account) -> str:
    """What the one who declares a credential should hear about whom it trusts; empty when all is well."""
    if provider.name != SFTP or login.get(SSH):
        return ""
    if is_unchecked(login):
        return (
            "SSH host keys are not checked (known_hosts: none): whoever answers in the server's place gets the "
            f"password and the files. {_how(login).partition(';')[0]}."
        )
    try:
        trust(layout, provider, login, account)
    except CloudsyncError as error:
        return f"{error.message} Until then runs as {account.name} are refused."
    return ""


def _file(text: str) -> Dict[str, str]:
    return {KNOWN_HOSTS: text.rstrip("\n") + "\n"}


def _found(layout: Layout, home: str) -> str:
    """What the administrator keeps for all users, else what this user trusts."""
    candidates = (layout.root + "/etc/ssh/ssh_known_hosts", home + "/.ssh/known_hosts")
    return next((path for path in candidates if os.path.isfile(path)), "")


def _content(path: str, home: str) -> str:
    """The file as far as it can be read here: rclone says what is wrong with it."""
    full = home + path[1:] if path.startswith("~/") else path
    try:
        return (read_text(full) if os.path.isfile(full) else None) or ""
    except (OSError, UnicodeDecodeError):
        return ""


def _algorithms(provider: Provider, login: Mapping[str, str], text: str) -> Dict[str, str]:
    """rclone 1.60 can't be told; there the file has to have all keys of the server."""
    if login.get(HOST_KEY_ALGORITHMS) or provider.option(HOST_KEY_ALGORITHMS) is None:
        return {}
    found = algorithms(text, login.get("host", ""), login.get("port", ""))
    return {HOST_KEY_ALGORITHMS: found} if found else {}
