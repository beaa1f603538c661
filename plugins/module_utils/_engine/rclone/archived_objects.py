# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Tell how to restore objects that are in an archive storage class."""

from __future__ import annotations

import os
import re
from typing import Sequence

from .log_lines import Message

ARCHIVED = re.compile(r'bucket="(?P<bucket>[^"]*)", key="(?P<key>[^"]*)"')
AZURE_ARCHIVED = re.compile(r"BlobArchived|archived blob|archive tier", re.IGNORECASE)


def advise_restore(messages: Sequence[Message], remote_path: str) -> str:
    """Return the sentences that tell how to restore the objects that ``messages`` are about.

    The command restores their common folder, or the one object, and needs the user's own rclone configuration.
    """
    found = [match for match in (ARCHIVED.search(message.text) for message in messages) if match]
    keys = {match.group("key") for match in found}
    place = remote_path.strip("/")
    if found:
        folder = keys.pop() if len(keys) == 1 else os.path.commonpath(["/" + key for key in keys]).strip("/")
        place = "/".join(part for part in (found[0].group("bucket"), folder) if part)
    if not place:
        return "Restore them at the provider, or exclude them."
    quoted = f"REMOTE:{place}".replace("'", "'\\''")
    if any(AZURE_ARCHIVED.search(message.text) for message in messages):
        command = f"rclone settier Hot '{quoted}'"
    else:
        command = f"rclone backend restore '{quoted}' -o priority=Standard -o lifetime=7"
    return (
        f"Restore them with: {command} (REMOTE is this account in your own rclone configuration). A restore takes "
        "hours. Or exclude them."
    )
