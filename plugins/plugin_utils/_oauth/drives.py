# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""List the drives of a Microsoft account. A credential names one of them.

rclone can also list them, but needs the token in a configuration file. Here the token stays in memory.
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

    def to_dict(self) -> Dict[str, Any]:
        return asdict(self)


class Graph:
    """Microsoft Graph at ``address``, with the login ``access_token``."""

    def __init__(self, address: str, access_token: str) -> None:
        self._address = address.rstrip("/") + "/v1.0"
        self._access_token = access_token

    def list_drives(self) -> List[Drive]:
        """Return all drives of the account, its own first, which Microsoft's list sometimes omits."""
        own = self._ask("/me/drive", missing={})
        listed = self._ask("/me/drives", missing={}).get("value") or []
        others = [entry for entry in listed if entry.get("id") != own.get("id")]
        return [_parse_drive(own, default=True)] * bool(own) + [_parse_drive(entry) for entry in others]

    def read_drive(self, drive_id: str) -> Dict[str, Any]:
        """Return one drive, which may belong to another account; empty if it does not exist."""
        return self._ask("/drives/" + urllib.parse.quote(drive_id, safe=""), missing={})

    def choose(self, drive_id: str, drives: Sequence[Drive]) -> Drive:
        """Return the drive ``drive_id``. If that is empty, return the account's own drive, or else the only one."""
        if not drive_id:
            if drives and (drives[0].default or len(drives) == 1):
                return drives[0]
            raise usage_error(f"The account has no default drive. Set drive_id. {describe_drives(drives)}")
        known = next((drive for drive in drives if drive.drive_id == drive_id), None)
        if known is not None:
            return known
        found = self.read_drive(drive_id)
        if not found:
            raise usage_error(f"The account has no drive {drive_id!r}. Set another drive_id. {describe_drives(drives)}")
        return _parse_drive(found)

    def _ask(self, path: str, missing: Dict[str, Any]) -> Dict[str, Any]:
        headers = {"Authorization": "Bearer " + self._access_token, "Accept": "application/json"}
        try:
            request = urllib.request.Request(self._address + path, headers=headers)  # noqa: S310
            # A redirect would forward the token.
            with urllib.request.build_opener(NoRedirect).open(request, timeout=TIMEOUT_SECONDS) as response:
                content = json.loads(response.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return missing
            raise _build_error("auth", f"HTTP status {error.code}") from None
        except OSError as error:
            why = getattr(error, "reason", error)
            raise _build_error("network", str(getattr(why, "strerror", None) or why)) from None
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise _build_error("other", "the response is not JSON")
        return content


def describe_drives(drives: Sequence[Drive]) -> str:
    """Return the drives to choose from, in a sentence."""
    if not drives:
        return "The account has no drives."
    names = (f"{drive.drive_id} ({drive.drive_type}, {drive.name or 'no name'})" for drive in drives)
    return f"Its drives are: {', '.join(names)}."


def _parse_drive(entry: Mapping[str, Any], default: bool = False) -> Drive:
    drive_id, drive_type, name, description = (
        str(entry.get(key) or "") for key in ("id", "driveType", "name", "description")
    )
    return Drive(drive_id, drive_type, name, description, default)


def _build_error(reason: str, why: str) -> CloudsyncError:
    return CloudsyncError(
        reason,
        "Cannot list the drives of the account at Microsoft Graph. Nothing was saved. Check the region of the account, "
        f"and start again. The error was: {why.rstrip('.')}.",
    )
