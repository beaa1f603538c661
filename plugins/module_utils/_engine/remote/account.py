# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Name the account that a login reaches. Credentials that reach one account have one name, however they spell it."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from typing import Mapping, NamedTuple, Tuple
from urllib.parse import SplitResult, urlsplit

from ..config.credentials import Credential
from ..rclone.providers.truenas_names import STORJ_IX, STORJ_OPTIONS, get_rclone_name, normalize_name

PORTS = {"ftp": 21, "sftp": 22, "smb": 445, "http": 80, "https": 443}
# A bucket name is unique at one endpoint, so every login there reaches the same buckets.
SHARED_BUCKETS = frozenset(("b2", "google cloud storage", "s3"))
# Storj's gateway is an exception: each project has its own buckets.
OWN_BUCKETS = ".storjshare.io"
AMAZON = (".amazonaws.com", ".amazonaws.com.cn")
# The options that name the server, in the order in which they are used.
SERVERS = ("url", "endpoint", "host", "auth", "storage_url", "namenode", "api_url")
# The options that name the account at the server.
ACCOUNTS = (
    "account",
    "user",
    "username",
    "email",
    "apple_id",
    "user_id",
    "tenant",
    "tenant_id",
    "project_number",
    "service_account_file",
    "access_key_id",
    "cloud_name",
)
# The options that select a part of an account. Two parts have separate paths.
PARTS = (
    "auth_owner_id",
    "device",
    "drive_id",
    "hostname",
    "library",
    "mountpoint",
    "namespace",
    "region",
    "root_folder_id",
    "service",
    "share_name",
    "shared_files",
    "shared_folders",
    "shared_with_me",
    "starred_only",
    "team_drive",
    "trashed_only",
    "zone",
)
# rclone logs in as the user that runs it if the credential names no user.
LOGS_IN_AS_SELF = frozenset(("ftp", "sftp", "smb"))
LOOPBACK = "localhost"


class Account(NamedTuple):
    """The identity of an account, and the folder of the server that is its root (usually "/")."""

    name: str
    root: str = "/"


def identify_account(credential: Credential, options: Mapping[str, str], user: str) -> Account:
    """Return the account that the credential reaches with the ``options`` of a task that runs rclone as ``user``.

    If no option names the account, the declared secrets identify it, else the name of the credential.
    """
    provider = get_rclone_name(credential.provider)
    defaults = STORJ_OPTIONS if normalize_name(credential.provider) == STORJ_IX else {}
    login = {**defaults, **credential.attributes, **credential.secrets, **options}
    server, root = _name_server(provider, login)
    if provider in SHARED_BUCKETS and not server.partition(":")[0].endswith(OWN_BUCKETS):
        return Account(f"{provider} {server or _name_region(login)}", root)
    who = [f"{key}={login[key]}" for key in ACCOUNTS if login.get(key)]
    if not who and provider in LOGS_IN_AS_SELF:
        who = ["user=" + user]
    if not who and (credential.secrets or not server):
        who = [_identify_login(credential)]
    parts = [f"{key}={login[key]}" for key in PARTS if login.get(key)]
    return Account(" ".join(part for part in (provider, server, *who, *parts) if part), root)


def find_server(login: Mapping[str, str]) -> str:
    """Return the name or address of the server that ``login`` names, empty if it names none."""
    return _split(_find_address(login)).hostname or ""


def _find_address(login: Mapping[str, str]) -> str:
    return next((login[key] for key in SERVERS if login.get(key)), "")


def _name_server(provider: str, login: Mapping[str, str]) -> Tuple[str, str]:
    text = _find_address(login)
    if not text:
        return "", "/"
    parts = _split(text)
    name = _name_host(parts.hostname or "")
    if provider == "s3" and name.endswith(AMAZON):
        return "amazonaws.com", "/"
    port = login.get("port") or _find_port(parts) or PORTS.get(parts.scheme) or PORTS.get(provider, PORTS["https"])
    return f"{name}:{port}", parts.path if provider in ("http", "webdav") else "/"


def _split(text: str) -> SplitResult:
    """Return the parts of a web address, of HOST or HOST:PORT, or of an IPv6 address."""
    if _is_ipv6(text):
        text = f"[{text}]"
    try:
        return urlsplit(text if "://" in text else "//" + text)
    except ValueError:
        return SplitResult("", text.rpartition("/")[2], "", "", "")


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _find_port(parts: SplitResult) -> str:
    try:
        return str(parts.port or "")
    except ValueError:
        return ""


def _name_host(host: str) -> str:
    return LOOPBACK if host in ("127.0.0.1", "::1") else host.lower().rstrip(".")


def _name_region(login: Mapping[str, str]) -> str:
    """Return the server of a login that names none."""
    provider = login.get("provider", "AWS")
    return "amazonaws.com" if provider == "AWS" else f"{provider} {login.get('region', '')}".rstrip()


def _identify_login(credential: Credential) -> str:
    if not credential.secrets:
        return "credential=" + credential.name
    return "login=" + hashlib.sha256(json.dumps(dict(credential.secrets), sort_keys=True).encode()).hexdigest()[:32]
