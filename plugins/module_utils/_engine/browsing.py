# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Does a credential log in, and what is there: verify and list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from .arguments import QUICK
from .credentials import Credential, load_credential, parse_credential
from .errors import CloudsyncError
from .host import Host
from .live import CRYPT
from .rclone.checks import check
from .rclone.providers import resolve
from .rclone.traits import is_bucket_based
from .records import new_run_id
from .remote import open_credential_session, raw_place, takes_turns
from .sweeping import sweep_secrets
from .tasks import Encryption
from .transfer import listing_error

TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Listing:
    """What is at a path: ``entries`` as dicts of path, name, size (-1 for a folder), is_dir, is_bucket, modified."""

    path: str
    entries: List[Dict[str, Any]]


def browse(
    host: Host,
    credential: Credential,
    saved: bool,
    path: str = "",
    recurse: bool = False,
    encryption: Optional[Encryption] = None,
) -> Listing:
    """List ``path`` with the credential; CloudsyncError when it does not log in, or the path is not there.

    ``saved``: the credential is in the store, so a token that the listing refreshes is kept there.
    """
    sweep_secrets(host)
    session = open_credential_session(host, credential, new_run_id(), saved, encryption, path)
    place = CRYPT + ":" if encryption is not None else raw_place(path)
    with session.live:
        answer = session.query(
            ["lsjson", *QUICK, *(["--recursive"] if recurse else []), "--", place], timeout=TIMEOUT_SECONDS
        )
        if answer.exit_code != 0:
            raise listing_error(answer, session)
    buckets = is_bucket_based(credential.provider) and not path.strip("/")
    return Listing(path, [_entry(found, buckets) for found in json.loads(answer.stdout or "[]")])


def _entry(found: Dict[str, Any], buckets: bool) -> Dict[str, Any]:
    return {
        "path": found["Path"],
        "name": found["Name"],
        "size": found["Size"],
        "is_dir": found["IsDir"],
        "is_bucket": bool(found.get("IsBucket", buckets and found["IsDir"] and "/" not in found["Path"])),
        "modified": found["ModTime"],
    }


def browse_with(host: Host, name: Optional[str], unsaved: Mapping[str, Any], path: str, recurse: bool) -> Listing:
    """browse() with the stored credential ``name``, or with one that is only given (the options of ``credential``)."""
    if name:
        return browse(host, load_credential(host.layout, host.seed, name), True, path, recurse)
    credential = parse_credential({"name": "unsaved", **unsaved})
    check(resolve(credential.provider, host.providers), credential.attributes, credential.secrets)
    return browse(host, credential, False, path, recurse)


def verify_declared(host: Host, declared: Credential, stored: bool, path: str) -> Optional[CloudsyncError]:
    """verify() of a credential as it is ``stored``, or, in check mode, as it would be."""
    if stored:
        return verify(host, load_credential(host.layout, host.seed, declared.name), True, path)
    return verify(host, declared, False, path)


def why_not_verified(host: Host, declared: Credential) -> str:
    """Why a credential that is not stored, in check mode, can't be logged in with; empty when it can."""
    if not host.has_rclone:
        return "rclone is not installed yet, so the login was not tried."
    if takes_turns(declared):
        return "The login was not tried: it would use up a refresh token that is not stored yet."
    return ""


def verify(host: Host, credential: Credential, saved: bool, path: str = "") -> Optional[CloudsyncError]:
    """Whether the credential logs in, shown by listing ``path``: None, or what is wrong."""
    try:
        browse(host, credential, saved, path)
    except CloudsyncError as error:
        return error
    return None
