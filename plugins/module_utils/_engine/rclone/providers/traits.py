# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What rclone's own schema does not say about a provider. Every function takes any accepted name of it."""

from __future__ import annotations

from typing import FrozenSet, List, Mapping

from .truenas_names import rclone_name

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
READ_ONLY = frozenset(("archive", "doi", "http"))

# Their refresh tokens stay valid when an access token is fetched with them, however often.
REUSABLE_REFRESH = frozenset(
    ("drive", "dropbox", "google cloud storage", "google photos", "onedrive", "pcloud", "yandex")
)
# Logged in with a password; the session that this opens is kept in the configuration and replaced in it.
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
# rclone never writes into the sections of these; of every other type it may (sftp notes the shell that it found).
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
# Storage classes whose objects can't be read before they are restored, as a task sets them and as a listing tells them.
ARCHIVED = frozenset(("archive", "deep_archive", "glacier"))

# Keys that rclone keeps in its configuration although its schema, or that of 1.60, does not list them.
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
    return rclone_name(provider_name) in BUCKET_BASED


def is_read_only(provider_name: str) -> bool:
    """Whether one can only pull from it."""
    return rclone_name(provider_name) in READ_ONLY


def is_never_rewritten(provider_name: str) -> bool:
    """Whether rclone leaves the sections of this provider in its configuration as they are."""
    return rclone_name(provider_name) in NEVER_REWRITTEN


def undeclared_options(provider_name: str) -> FrozenSet[str]:
    """The options that rclone reads although its schema may not have them."""
    return UNDECLARED.get(rclone_name(provider_name), frozenset())


def state_options(provider_name: str) -> FrozenSet[str]:
    """The options that rclone replaces in its configuration and that a later login needs: save them back.

    Others that it writes there (an sftp server's shell, say) are notes that it finds out again.
    """
    return SESSIONS.get(rclone_name(provider_name), frozenset()) | TOKEN


def refresh_token_is_single_use(provider_name: str, attributes: Mapping[str, object], has_token: bool) -> bool:
    """Whether uses of a credential must take turns, because one's login can end another's. In doubt they must."""
    name = rclone_name(provider_name)
    if name in SESSIONS:
        return True
    if not has_token:
        return False
    return name not in REUSABLE_REFRESH or bool(attributes.get("token_url"))


def is_archived(storage_class: object) -> bool:
    """Whether objects of that class have to be restored before they can be read."""
    return str(storage_class).lower() in ARCHIVED


def readable_arguments(provider_name: str, options: Mapping[str, object]) -> List[str]:
    """What a command needs to write, in spite of the ``options`` of its remote, an object that can be read at once."""
    name = rclone_name(provider_name)
    if name == "s3" and is_archived(options.get("storage_class", "")):
        return ["--s3-storage-class=STANDARD"]
    if name == "azureblob" and is_archived(options.get("access_tier", "")):
        return ["--azureblob-access-tier=Hot"]
    return []
