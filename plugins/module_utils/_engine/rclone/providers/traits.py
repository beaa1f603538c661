# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Facts about providers that rclone's schema does not contain. Each function accepts every name of a provider."""

from __future__ import annotations

from typing import FrozenSet, List, Mapping

from .truenas_names import get_rclone_name

BUCKET_BASED = frozenset(
    (
        "azureblob",
        "b2",
        "google cloud storage",
        "hubic",
        "internetarchive",
        "memory",
        "oracleobjectstorage",
        "qingstor",
        "s3",
        "smb",
        "storj",
        "swift",
    )
)
# The modification time of a file is metadata, which takes one request for each file. A listing has another time.
TIME_IN_METADATA = frozenset(("s3", "swift"))
READ_ONLY = frozenset(("archive", "doi", "http"))

# Their refresh tokens stay valid, however often they fetch an access token.
REUSABLE_REFRESH = frozenset(
    ("drive", "dropbox", "google cloud storage", "google photos", "onedrive", "pcloud", "yandex")
)
# Providers with a password login. rclone stores the session in its configuration and updates it there.
SESSIONS: Mapping[str, FrozenSet[str]] = {
    "filefabric": frozenset(("token", "token_expiry", "version")),
    "iclouddrive": frozenset(("cookies", "trust_token")),
    "internxt": frozenset(("bucket", "mnemonic", "token")),
    "linkbox": frozenset(("web_token",)),
    "mailru": frozenset(("token",)),
    "mega": frozenset(("master_key", "session_id")),
    "pikpak": frozenset(("captcha_token", "device_id", "token")),
    "protondrive": frozenset(("client_access_token", "client_refresh_token", "client_salted_key_pass", "client_uid")),
    "shade": frozenset(("token", "token_expiry")),
    "storj": frozenset(("access_grant",)),
    "sugarsync": frozenset(("authorization", "authorization_expiry", "deleted_id", "refresh_token", "root_id", "user")),
}
# rclone never changes the sections of these. It may change all others: sftp stores the shell that it found.
NEVER_REWRITTEN = frozenset(
    (
        "alias",
        "azureblob",
        "azurefiles",
        "b2",
        "combine",
        "crypt",
        "fichier",
        "filelu",
        "ftp",
        "hdfs",
        "http",
        "internetarchive",
        "koofr",
        "local",
        "memory",
        "netstorage",
        "opendrive",
        "oracleobjectstorage",
        "pixeldrain",
        "qingstor",
        "quatrix",
        "s3",
        "smb",
        "swift",
        "union",
        "webdav",
    )
)
TOKEN = frozenset(("token",))
# Storage classes whose objects must be restored before they can be read, as tasks and listings spell them.
ARCHIVED = frozenset(("archive", "deep_archive", "glacier"))

# Options that rclone stores in its configuration, but that its schema, or that of 1.60, does not contain.
OAUTH = frozenset(("auth_url", "client_id", "client_secret", "token", "token_url"))
UNDECLARED: Mapping[str, FrozenSet[str]] = {
    "internxt": frozenset(("bucket", "token")),
    "jottacloud": OAUTH | {"configVersion", "device", "mountpoint", "tokenURL", "username"},
    "mailru": OAUTH,
    "pikpak": frozenset(("captcha_token", "token")),
    "premiumizeme": OAUTH,
    "putio": OAUTH,
    "sharefile": OAUTH,
    "sugarsync": frozenset(("username",)),
}


def is_bucket_based(provider_name: str) -> bool:
    """Whether the first part of a path names a bucket, container or share, and a missing folder lists as empty."""
    return get_rclone_name(provider_name) in BUCKET_BASED


def tells_no_times(provider_name: str) -> bool:
    """Whether a listing does not contain the modification times of files."""
    return get_rclone_name(provider_name) in TIME_IN_METADATA


def holds_only_media(provider_name: str) -> bool:
    """Whether the provider accepts only photos and videos, and no other file."""
    return get_rclone_name(provider_name) == "google photos"


def is_read_only(provider_name: str) -> bool:
    """Whether the provider only supports pull."""
    return get_rclone_name(provider_name) in READ_ONLY


def is_never_rewritten(provider_name: str) -> bool:
    """Whether rclone never changes the sections of this provider in its configuration."""
    return get_rclone_name(provider_name) in NEVER_REWRITTEN


def list_undeclared_options(provider_name: str) -> FrozenSet[str]:
    """Return the options that rclone reads, but that its schema may not contain."""
    return UNDECLARED.get(get_rclone_name(provider_name), frozenset())


def list_state_options(provider_name: str) -> FrozenSet[str]:
    """Return the options that rclone updates in its configuration and that a later login needs.

    rclone writes other options there, too, such as the shell of an sftp server. It can find those again.
    """
    return SESSIONS.get(get_rclone_name(provider_name), frozenset()) | TOKEN


def refresh_token_is_single_use(provider_name: str, attributes: Mapping[str, object], has_token: bool) -> bool:
    """Whether uses of a credential must take turns, because a login can end another one. True if in doubt."""
    name = get_rclone_name(provider_name)
    if name in SESSIONS:
        return True
    if not has_token:
        return False
    return name not in REUSABLE_REFRESH or bool(attributes.get("token_url"))


def is_archived(storage_class: object) -> bool:
    """Whether objects of that class must be restored before they can be read."""
    return str(storage_class).lower() in ARCHIVED


def list_readable_arguments(provider_name: str, options: Mapping[str, object]) -> List[str]:
    """Return the arguments with which a command writes objects that can be read at once, whatever ``options`` are."""
    name = get_rclone_name(provider_name)
    if name == "s3" and is_archived(options.get("storage_class", "")):
        return ["--s3-storage-class=STANDARD"]
    if name == "azureblob" and is_archived(options.get("access_tier", "")):
        return ["--azureblob-access-tier=Hot"]
    return []
