# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The drives of a Microsoft account. rclone needs to be told which one a credential is for.

rclone could ask for them, but only with the token in a configuration file; here it stays in memory.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Mapping, Sequence

from ...module_utils._engine.common.errors import CloudsyncError, usage_error
from ...module_utils._engine.common.http import NoRedirect

# Microsoft Graph, by the option ``region`` of the provider.
GRAPH = {
    "global": "https://graph.microsoft.com",
    "us": "https://graph.microsoft.us",
    "de": "https://graph.microsoft.de",
    "cn": "https://microsoftgraph.chinacloudapi.cn",
}
TIMEOUT_SECONDS = 30
LARGEST_ANSWER = 10 * 2**20


@dataclass(frozen=True)
class Drive:
    """``drive_id`` and ``drive_type`` are attributes of a credential. ``default``: the account's own drive."""

    drive_id: str
    drive_type: str
    name: str
    description: str
    default: bool = False

    def public(self) -> Dict[str, Any]:
        return asdict(self)


class Graph:
    """Microsoft Graph at ``address``, for who has ``access_token``."""

    def __init__(self, address: str, access_token: str) -> None:
        self._address = address.rstrip("/") + "/v1.0"
        self._access_token = access_token

    def drives(self) -> List[Drive]:
        """All drives of the account, its own first: the list lacks it at times."""
        own = self._ask("/me/drive", missing={})
        listed = self._ask("/me/drives", missing={}).get("value") or []
        others = [entry for entry in listed if entry.get("id") != own.get("id")]
        return [_drive(own, default=True)] * bool(own) + [_drive(entry) for entry in others]

    def drive(self, drive_id: str) -> Dict[str, Any]:
        """One drive, which need not be the account's; empty when there is none."""
        return self._ask("/drives/" + urllib.parse.quote(drive_id, safe=""), missing={})

    def choose(self, drive_id: str, drives: Sequence[Drive]) -> Drive:
        """The drive ``drive_id``; when that is empty, the account's own or else the only one."""
        if not drive_id:
            if drives and (drives[0].default or len(drives) == 1):
                return drives[0]
            raise usage_error(f"Which drive? Give its drive_id. {described(drives)}")
        known = next((drive for drive in drives if drive.drive_id == drive_id), None)
        if known is not None:
            return known
        found = self.drive(drive_id)
        if not found:
            raise usage_error(f"There is no drive {drive_id!r} for this account. {described(drives)}")
        return _drive(found)

    def _ask(self, path: str, missing: Dict[str, Any]) -> Dict[str, Any]:
        headers = {"Authorization": "Bearer " + self._access_token, "Accept": "application/json"}
        try:
            request = urllib.request.Request(self._address + path, headers=headers)  # noqa: S310
            # A redirect would take the token along.
            with urllib.request.build_opener(NoRedirect).open(request, timeout=TIMEOUT_SECONDS) as response:
                content = json.loads(response.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return missing
            raise _failure("auth", f"it answered HTTP {error.code}") from None
        except OSError as error:
            why = getattr(error, "reason", error)
            raise _failure("network", str(getattr(why, "strerror", None) or why)) from None
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise _failure("other", "its answer is not JSON")
        return content


def described(drives: Sequence[Drive]) -> str:
    """What there is to choose from, in a sentence."""
    if not drives:
        return "The account has no drives of its own."
    names = (f"{drive.drive_id} ({drive.drive_type}, {drive.name or 'no name'})" for drive in drives)
    return f"There are: {'; '.join(names)}."


def _drive(entry: Mapping[str, Any], default: bool = False) -> Drive:
    drive_id, drive_type, name, description = (
        str(entry.get(key) or "") for key in ("id", "driveType", "name", "description")
    )
    return Drive(drive_id, drive_type, name, description, default)


def _failure(reason: str, why: str) -> CloudsyncError:
    return CloudsyncError(
        reason,
        f"Microsoft Graph was asked for the drives of the account, but {why.rstrip('.')}. Nothing was kept: start "
        "again, and check the region, if the account is in another than global.",
    )
