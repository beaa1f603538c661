# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the SSH host keys for a login by SFTP. Without any, it is refused, unless the credential allows it."""

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
    is_unchecked,
    list_algorithms,
)
from ..rclone.providers.schema import Provider

SFTP = "sftp"
# rclone replaces this variable by the folder of its configuration.
BESIDE_THE_CONFIGURATION = "${RCLONE_CONFIG_DIR}/" + KNOWN_HOSTS
HOW = (
    "Print the server's keys with 'ssh-keyscan{port} {host}'. Compare their fingerprints ('ssh-keygen -lf -') with "
    "those that the server's operator publishes. Then put the lines into the credential's known_hosts."
)


@dataclass(frozen=True)
class Trust:
    """The host keys of one login.

    ``options`` replace those of the credential. An empty one is removed. ``files`` (name to text) are written into the
    folder of the configuration.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def trust(layout: Layout, provider: Provider, login: Mapping[str, str], account: Account) -> Trust:
    """Return the host keys for a login by ``account``. ``login`` has the credential's attributes and secrets.

    Raises CloudsyncError("auth") if there are none.
    """
    if provider.name != SFTP or login.get(SSH):
        return Trust()
    if is_unchecked(login):
        return Trust({KNOWN_HOSTS_FILE: ""})
    text = login.get(KNOWN_HOSTS, "")
    if text:
        return Trust(
            {KNOWN_HOSTS_FILE: BESIDE_THE_CONFIGURATION, **_list_algorithms(provider, login, text)}, _file(text)
        )
    path = login.get(KNOWN_HOSTS_FILE) or _found(layout, account.home)
    if path:
        return Trust({KNOWN_HOSTS_FILE: path, **_list_algorithms(provider, login, _content(path, account.home))})
    if login.get(HOST_KEYS):
        return Trust()
    raise CloudsyncError(
        "auth",
        f"User {account.name} has no known SSH host key for this server, so the server's identity cannot be verified. "
        f"{_describe_remedy(login)} To log in without this check, set known_hosts to none.",
    )


def _describe_remedy(login: Mapping[str, str]) -> str:
    port = login.get("port", "")
    return HOW.format(host=login.get("host", "").strip("[]") or "HOST", port=" -p " + port if port else "")


def find_doubt(layout: Layout, provider: Provider, login: Mapping[str, str], account: Account) -> str:
    """Return a warning about the host keys of a declared credential, or "" if there is nothing to warn of."""
    if provider.name != SFTP or login.get(SSH):
        return ""
    if is_unchecked(login):
        return (
            "SSH host keys are not checked (known_hosts: none). A server that pretends to be this one would get the "
            f"password and the files. {_describe_remedy(login)}"
        )
    try:
        trust(layout, provider, login, account)
    except CloudsyncError as error:
        return f"{error.message} Until then, runs as user {account.name} are refused."
    return ""


def _file(text: str) -> Dict[str, str]:
    return {KNOWN_HOSTS: text.rstrip("\n") + "\n"}


def _found(layout: Layout, home: str) -> str:
    """Return the path of the host's known_hosts file, or else of the user's, or ""."""
    candidates = (layout.root + "/etc/ssh/ssh_known_hosts", home + "/.ssh/known_hosts")
    return next((path for path in candidates if os.path.isfile(path)), "")


def _content(path: str, home: str) -> str:
    """Return the content of the file, or "" if it cannot be read. rclone reports the error then."""
    full = home + path[1:] if path.startswith("~/") else path
    try:
        return (read_text(full) if os.path.isfile(full) else None) or ""
    except (OSError, UnicodeDecodeError):
        return ""


def _list_algorithms(provider: Provider, login: Mapping[str, str], text: str) -> Dict[str, str]:
    """Return the option for the algorithms of the known keys.

    rclone 1.60 does not have it. It needs a file with all keys of the server.
    """
    if login.get(HOST_KEY_ALGORITHMS) or provider.option(HOST_KEY_ALGORITHMS) is None:
        return {}
    found = list_algorithms(text, login.get("host", ""), login.get("port", ""))
    return {HOST_KEY_ALGORITHMS: found} if found else {}
