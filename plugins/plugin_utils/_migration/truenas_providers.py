# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Translate TrueNAS's options of credentials and tasks into rclone's options, for each provider."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ...module_utils._engine.rclone.providers.schema import Provider
from ...module_utils._engine.rclone.providers.secret_options import carries_secret, must_be_secret
from ...module_utils._engine.rclone.providers.truenas_names import STORJ_OPTIONS
from .findings import SSH_NOTE, Findings, Secret

# TrueNAS shows this in place of a secret to users who may not see it.
HIDDEN = "********"
UNSET = (None, "")
OAUTH = ("client_id", "client_secret")
SWIFT = (
    *("auth_version", "endpoint_type", "user_id", "domain", "tenant", "tenant_id", "tenant_domain", "region"),
    *("storage_url", "auth_token"),
    *("application_credential_id", "application_credential_name", "application_credential_secret"),
)
S3 = ("endpoint", "region", "max_upload_parts", "provider", "force_path_style", "sign_accept_encoding")
PARTS = 10000
MEBIBYTE_OPTIONS = ("chunk_size", "b2_chunk_size", "dropbox_chunk_size")


@dataclass(frozen=True)
class Kind:
    """One provider of TrueNAS. The fields ``required`` and ``optional`` have the same names as rclone's options.

    ``special`` fields are read by name, and the empty text is a value of those that ``may_be_empty``. ``values`` maps
    TrueNAS's values of a field to rclone's. ``implied`` are options that TrueNAS sets by itself. ``task_options`` are
    the attributes that its tasks can have in addition to the place, ``task_implied`` those that TrueNAS sets by itself.
    """

    required: Tuple[str, ...]
    optional: Tuple[str, ...] = ()
    special: Tuple[str, ...] = ()
    may_be_empty: Tuple[str, ...] = ()
    has_buckets: bool = False
    task_options: Tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    implied: Mapping[str, str] = field(default_factory=dict)
    task_implied: Mapping[str, Any] = field(default_factory=dict)


DRIVE_TYPES = {"PERSONAL": "personal", "BUSINESS": "business", "DOCUMENT_LIBRARY": "documentLibrary"}
VENDORS = {name.upper(): name for name in ("nextcloud", "owncloud", "sharepoint", "other")}
# TrueNAS writes these limits into rclone's configuration, where rclone does not read them.
ONEDRIVE_LIMITS = {"checkers": 1, "tpslimit": 10}

KINDS: Mapping[str, Kind] = {
    "AZUREBLOB": Kind(("account", "key"), ("endpoint",), has_buckets=True, implied={"chunk_size": "100Mi"}),
    "B2": Kind(("account", "key"), has_buckets=True, task_options=("chunk_size",)),
    "BOX": Kind(("token",), OAUTH),
    "DROPBOX": Kind(("token",), OAUTH, task_options=("chunk_size",)),
    "FTP": Kind(("host", "user", "pass"), ("port",), may_be_empty=("pass",)),
    "GOOGLE_CLOUD_STORAGE": Kind(
        ("service_account_credentials",), has_buckets=True, task_options=("bucket_policy_only",)
    ),
    "GOOGLE_DRIVE": Kind(("token",), (*OAUTH, "team_drive"), task_options=("acknowledge_abuse",)),
    "GOOGLE_PHOTOS": Kind(("token",), OAUTH),
    "HTTP": Kind(("url",)),
    "HUBIC": Kind(("token",), OAUTH, has_buckets=True),
    "MEGA": Kind(("user", "pass")),
    "ONEDRIVE": Kind(
        ("token", "drive_type", "drive_id"), OAUTH, values={"drive_type": DRIVE_TYPES}, task_implied=ONEDRIVE_LIMITS
    ),
    "OPENSTACK_SWIFT": Kind(("user", "key", "auth"), SWIFT, has_buckets=True),
    "PCLOUD": Kind(("token",), (*OAUTH, "hostname")),
    "S3": Kind(
        ("access_key_id", "secret_access_key"),
        S3,
        ("skip_region", "signatures_v2"),
        has_buckets=True,
        task_options=("region", "encryption", "storage_class"),
        implied={"provider": "Other"},
    ),
    "SFTP": Kind(("host", "user"), ("port", "pass"), ("private_key",)),
    "STORJ_IX": Kind(("access_key_id", "secret_access_key"), ("endpoint",), has_buckets=True, implied=STORJ_OPTIONS),
    "WEBDAV": Kind(("url", "vendor", "user", "pass"), values={"vendor": VENDORS}),
    "YANDEX": Kind(("token",), OAUTH),
}


@dataclass
class Options:
    """The options of a credential."""

    attributes: Dict[str, Any] = field(default_factory=dict)
    secrets: Dict[str, Any] = field(default_factory=dict)


def translate_credential(
    found: Findings, about: str, type_name: str, fields: Mapping[str, Any], provider: Provider, keys: Mapping[Any, str]
) -> Options:
    """Return the options of a credential of ``type_name`` (one of KINDS). ``keys``: private keys by TrueNAS's id."""
    kind = KINDS[type_name]
    options = Options(attributes={key: _convert(text) for key, text in kind.implied.items()})
    hidden: List[str] = []
    for name, value in fields.items():
        if name in kind.special:
            continue
        if name not in (*kind.required, *kind.optional):
            found.leave_out(about, name, value, f"is an unknown option of TrueNAS's {type_name}")
        elif value == HIDDEN and name in kind.optional:
            hidden.append(name)
        elif value == HIDDEN:
            _put(options, provider, name, _build_missing(about, name))
        elif value not in UNSET or (value == "" and name in kind.may_be_empty):
            _put(options, provider, name, kind.values.get(name, {}).get(value, value))
    for name in kind.required:
        if name not in fields:
            _put(options, provider, name, _build_missing(about, name))
    hidden += [name for name in kind.special if fields.get(name) == HIDDEN]
    if type_name in SPECIALS:
        SPECIALS[type_name](found, about, fields, options, keys)
    if hidden:
        found.need(about, f"TrueNAS did not show {', '.join(sorted(hidden))}. If they were set there, add them here.")
    return options


def _convert(text: str) -> Any:
    return {"true": True, "false": False}.get(text, text)


def _build_missing(about: str, name: str) -> Secret:
    return Secret(None, f"{about}: TrueNAS did not show its {name}")


def _put(options: Options, provider: Provider, name: str, value: Any) -> None:
    option = provider.option(name)
    text = str(value.value) if isinstance(value, Secret) else str(value)
    if must_be_secret(provider, name) or (option is not None and carries_secret(option, text)):
        options.secrets[name] = value if isinstance(value, Secret) else Secret(text)
    else:
        options.attributes[name] = value


def _translate_s3(
    found: Findings, about: str, fields: Mapping[str, Any], options: Options, _keys: Mapping[Any, str]
) -> None:
    attributes = options.attributes
    if attributes.get("max_upload_parts") == PARTS:
        # TrueNAS always writes it. Some servers accept fewer parts, which derived_options sets.
        del attributes["max_upload_parts"]
    without_region, old_signatures = (fields.get(name) is True for name in ("skip_region", "signatures_v2"))
    if without_region and "region" in attributes:
        found.leave_out(
            about, "region", attributes.pop("region"), "was not used by TrueNAS, because skip_region is true"
        )
    if without_region and old_signatures:
        attributes["region"] = "other-v2-signature"
    elif without_region:
        found.note(f"{about} has skip_region. No region is set, and rclone uses us-east-1.")
    elif old_signatures:
        found.leave_out(about, "signatures_v2", True, "has no effect in TrueNAS unless skip_region is true")


def _translate_sftp(
    found: Findings, about: str, fields: Mapping[str, Any], options: Options, keys: Mapping[Any, str]
) -> None:
    key_id = fields.get("private_key")
    password = fields.get("pass")
    if key_id in keys:
        options.secrets["key_pem"] = Secret(keys[key_id])
    elif key_id not in (*UNSET, HIDDEN) or (key_id is None and password in UNSET):
        options.secrets["key_pem"] = Secret(
            None,
            f"{about}: the text of its private key, which is in TrueNAS's keychain: midclt call "
            f"keychaincredential.get_instance {'ID' if key_id is None else key_id}",
        )
    elif password == HIDDEN and key_id in (None, HIDDEN):
        options.secrets["pass"] = Secret(None, f"{about}: its password, or a key_pem instead")
    found.note(SSH_NOTE)


def _translate_gcs(
    found: Findings, about: str, fields: Mapping[str, Any], options: Options, _keys: Mapping[Any, str]
) -> None:
    text = fields.get("service_account_credentials")
    if not isinstance(text, str) or text == HIDDEN:
        return
    options.secrets["service_account_credentials"] = Secret(text.replace("\r", "").replace("\n", ""))
    try:
        json.loads(text)["project_id"]
    except (ValueError, KeyError, TypeError):
        found.need(about, "its service_account_credentials contain no project_id. Add one.")


SPECIALS = {"S3": _translate_s3, "SFTP": _translate_sftp, "GOOGLE_CLOUD_STORAGE": _translate_gcs}


@dataclass(frozen=True)
class Place:
    """The attributes of a task: the path at the provider, and the options."""

    remote_path: str
    provider_options: Mapping[str, Any]


def translate_task(
    found: Findings, about: str, type_name: str, attributes: Mapping[str, Any], skip_region: bool
) -> Place:
    """Translate the ``attributes`` of a task whose credential is of ``type_name``."""
    given = dict(attributes)
    kind = KINDS[type_name]
    path = _build_remote_path(type_name, given.pop("bucket", None), given.pop("folder", None))
    options: Dict[str, Any] = dict(kind.task_implied)
    if given.pop("fast_list", False):
        options["fast_list"] = True
    for name, value in given.items():
        if value in UNSET or value is False:
            continue
        if name in MEBIBYTE_OPTIONS and "chunk_size" in kind.task_options:
            options["chunk_size"] = f"{value}Mi"
        elif name == "region" and skip_region:
            found.leave_out(about, name, value, "was not used by TrueNAS, because its credential has skip_region")
        elif name in kind.task_options:
            options[{"encryption": "server_side_encryption"}.get(name, name)] = value
        else:
            found.leave_out(about, "attributes." + name, value, f"is not an option of TrueNAS's {type_name}")
    return Place(path, options)


def _build_remote_path(type_name: str, bucket: Optional[str], folder: Optional[str]) -> str:
    path = (folder or "").rstrip("/")
    if KINDS[type_name].has_buckets:
        return f"{bucket or ''}/{path.lstrip('/')}".rstrip("/")
    # TrueNAS uses "remote:/" for an empty folder. At FTP and SFTP, that differs from the folder after the login.
    return path or ("/" if type_name in ("FTP", "SFTP") else "")
