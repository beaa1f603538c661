# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The accepted names of providers: rclone's, TrueNAS's, and other spellings. Their letter case has no meaning."""

from __future__ import annotations

from typing import Mapping

STORJ_IX = "STORJ_IX"
# TrueNAS's names, and rclone's name for the same provider.
TRUENAS_NAMES: Mapping[str, str] = {
    "AZUREBLOB": "azureblob",
    "B2": "b2",
    "BOX": "box",
    "DROPBOX": "dropbox",
    "FTP": "ftp",
    "GOOGLE_CLOUD_STORAGE": "google cloud storage",
    "GOOGLE_DRIVE": "drive",
    "GOOGLE_PHOTOS": "google photos",
    "HTTP": "http",
    "HUBIC": "hubic",
    "MEGA": "mega",
    "ONEDRIVE": "onedrive",
    "OPENSTACK_SWIFT": "swift",
    "PCLOUD": "pcloud",
    "S3": "s3",
    "SFTP": "sftp",
    STORJ_IX: "s3",
    "WEBDAV": "webdav",
    "YANDEX": "yandex",
}
OTHER_SPELLINGS: Mapping[str, str] = {
    "gcs": "google cloud storage",
    "googlecloudstorage": "google cloud storage",
    "gphotos": "google photos",
    "googlephotos": "google photos",
    "oos": "oracleobjectstorage",
    "tardigrade": "storj",
}
# All of them in lower case, as rclone's own names are.
SYNONYMS: Mapping[str, str] = {**{name.lower(): kind for name, kind in TRUENAS_NAMES.items()}, **OTHER_SPELLINGS}
# Storj's S3 gateway is the only provider that TrueNAS has a name for and rclone has not. These options define it.
# Its parts are best as large as Storj's segments, and HTTP/2 is slower there.
STORJ_OPTIONS: Mapping[str, str] = {
    "provider": "Other",
    "endpoint": "https://gateway.storjshare.io",
    "chunk_size": "64Mi",
    "upload_cutoff": "64Mi",
    "disable_http2": "true",
}


def normalize_name(name: str) -> str:
    """Return the form of the provider's ``name`` that credentials keep: rclone's name, or STORJ_IX."""
    lowered = name.lower()
    return STORJ_IX if lowered == STORJ_IX.lower() else SYNONYMS.get(lowered, lowered)


def get_rclone_name(name: str) -> str:
    """Return rclone's name for the provider that a credential calls ``name``."""
    lowered = name.lower()
    return SYNONYMS.get(lowered, lowered)
