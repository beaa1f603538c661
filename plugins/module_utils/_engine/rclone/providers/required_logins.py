# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the options that a login needs. rclone's schema marks only a few of them as required."""

from __future__ import annotations

from typing import Mapping, Sequence, Set, Tuple

Ways = Tuple[Tuple[str, ...], ...]

SERVICE_ACCOUNT: Ways = (("service_account_credentials",), ("service_account_file",), ("env_auth",))
CLIENT: Ways = (("client_credentials", "client_id", "client_secret"),)
AZURE: Ways = (
    ("account", "key"),
    ("sas_url",),
    ("connection_string",),
    ("account", "tenant", "client_id", "client_secret"),
    ("account", "tenant", "client_id", "client_certificate_path"),
    ("account", "tenant", "client_id", "username", "password"),
    ("account", "service_principal_file"),
    ("account", "use_msi"),
    ("account", "env_auth"),
    ("account", "use_az"),
    ("use_emulator",),
)
# One of the ways is enough. Messages suggest the first. Where env_auth is a way, "env_auth: false" means an anonymous
# access.
LOGINS: Mapping[str, Ways] = {
    "azureblob": AZURE,
    "azurefiles": AZURE,
    "box": (("token",), ("box_config_file",), ("config_credentials",), ("access_token",), *CLIENT),
    "drive": (("token",), *SERVICE_ACCOUNT, *CLIENT),
    "dropbox": (("token",), *CLIENT),
    "ftp": (("host", "user", "pass"),),
    "google cloud storage": (
        ("service_account_credentials",),
        ("service_account_file",),
        ("token",),
        ("access_token",),
        ("anonymous",),
        ("env_auth",),
        *CLIENT,
    ),
    "google photos": (("token",), *CLIENT),
    "hidrive": (("token",), *CLIENT),
    "jottacloud": (("token",), *CLIENT),
    "onedrive": (("token", "drive_id", "drive_type"), (*CLIENT[0], "drive_id", "drive_type")),
    "pcloud": (("token",), *CLIENT),
    "premiumizeme": (("token",), ("api_key",), *CLIENT),
    "putio": (("token",), *CLIENT),
    "s3": (("access_key_id", "secret_access_key"), ("env_auth",), ("ibm_api_key", "ibm_resource_instance_id")),
    "sftp": (
        ("host", "user", "pass"),
        ("host", "user", "key_pem"),
        ("host", "user", "key_file"),
        ("host", "user", "key_use_agent"),
        ("ssh",),
    ),
    "sharefile": (("token",), *CLIENT),
    "swift": (
        ("user", "key", "auth"),
        ("application_credential_id", "application_credential_secret", "auth"),
        ("application_credential_name", "application_credential_secret", "auth"),
        ("storage_url", "auth_token"),
        ("env_auth",),
    ),
    "yandex": (("token",), *CLIENT),
    "zoho": (("token",), *CLIENT),
}
# Options that are only valid together, even if another way is complete.
TOGETHER: Mapping[str, Ways] = {
    "s3": (("access_key_id", "secret_access_key"),),
    "webdav": (("user", "pass"),),
}


def find_missing_login(provider_name: str, given: Set[str]) -> str:
    """Return a sentence with the options that a login at ``provider_name`` (rclone's name) needs; empty if complete."""
    for pair in TOGETHER.get(provider_name, ()):
        absent = [name for name in pair if name not in given]
        if len(absent) == 1:
            other = next(name for name in pair if name in given)
            return f"{other!r} is set, but {absent[0]!r} is missing."
    ways = LOGINS.get(provider_name, ())
    if not ways or any(given.issuperset(way) for way in ways):
        return ""
    begun = max(ways, key=lambda way: len(given.intersection(way)) / len(way))
    absent = [name for name in begun if name not in given]
    others = sorted({name for way in ways for name in way} - set(begun) - given)
    sentence = f"{provider_name} needs {_join(absent)}."
    return f"{sentence} Other ways to log in use {', '.join(others)}." if others else sentence


def _join(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
