# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""TrueNAS's provider names, and other spellings of rclone's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, FrozenSet, Mapping, Tuple


@dataclass(frozen=True)
class Alias:
    """``provider``: rclone's name. ``implied``, ``flags``: options, and rclone's global flags, unless something is set.

    ``spellings``: for an option, TrueNAS's values and rclone's. ``renamed``: TrueNAS's names of options and rclone's.
    ``choices``: the only values of an option. ``in_mib``: sizes that may be plain numbers, of MiB. ``unsaid``: values
    that TrueNAS always writes, and that are nobody's wish.
    """

    provider: str
    implied: Mapping[str, str] = field(default_factory=dict)
    spellings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    in_mib: FrozenSet[str] = frozenset()
    flags: Mapping[str, str] = field(default_factory=dict)
    unsaid: Mapping[str, str] = field(default_factory=dict)


DRIVE_TYPES = {"PERSONAL": "personal", "BUSINESS": "business", "DOCUMENT_LIBRARY": "documentLibrary"}
VENDORS = {name.upper(): name for name in ("nextcloud", "owncloud", "sharepoint", "other")}
# Storj's gateway wants parts as big as its segments, and is slower over HTTP/2.
STORJ = {
    "provider": "Other",
    "endpoint": "https://gateway.storjshare.io",
    "chunk_size": "64Mi",
    "upload_cutoff": "64Mi",
    "disable_http2": "true",
}
# TrueNAS writes these into the section, where rclone does not look for them; here they are real flags.
GENTLE = {"checkers": "1", "tpslimit": "10"}
STORAGE_CLASSES = (
    "",
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
)
S3 = Alias(
    "s3",
    {"provider": "Other"},
    renamed={"encryption": "server_side_encryption", "signatures_v2": "v2_auth"},
    choices={"encryption": ("", "AES256"), "storage_class": STORAGE_CLASSES},
    unsaid={"max_upload_parts": "10000"},
)

ALIASES: Dict[str, Alias] = {
    "AZUREBLOB": Alias("azureblob", {"chunk_size": "100Mi"}),
    "B2": Alias("b2", in_mib=frozenset(("chunk_size",))),
    "BOX": Alias("box"),
    "DROPBOX": Alias("dropbox", in_mib=frozenset(("chunk_size",))),
    "FTP": Alias("ftp"),
    "GOOGLE_CLOUD_STORAGE": Alias("google cloud storage"),
    "GOOGLE_DRIVE": Alias("drive"),
    "GOOGLE_PHOTOS": Alias("google photos"),
    "HTTP": Alias("http"),
    "HUBIC": Alias("hubic"),
    "MEGA": Alias("mega"),
    "ONEDRIVE": Alias("onedrive", {}, {"drive_type": DRIVE_TYPES}, flags=GENTLE),
    "OPENSTACK_SWIFT": Alias("swift"),
    "PCLOUD": Alias("pcloud"),
    "S3": S3,
    "SFTP": Alias("sftp"),
    "STORJ_IX": Alias("s3", STORJ),
    "WEBDAV": Alias("webdav", {}, {"vendor": VENDORS}),
    "YANDEX": Alias("yandex"),
}

SPELLINGS = {
    "gcs": "google cloud storage",
    "googlecloudstorage": "google cloud storage",
    "google_cloud_storage": "google cloud storage",
    "gphotos": "google photos",
    "googlephotos": "google photos",
    "google_photos": "google photos",
    "oos": "oracleobjectstorage",
    "tardigrade": "storj",
}


def rclone_name(name: str) -> str:
    """rclone's name of the provider that a credential calls ``name``; an unknown one stays as it is."""
    if name in ALIASES:
        return ALIASES[name].provider
    return SPELLINGS.get(name, name)
