# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Remember which logins may be lost, and list them and the tokens that are not saved. Reads no secret."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import List, Optional

from ..common.files import atomic_write, make_directory, read_text, remove
from ..common.layout import Layout

# The file in the directory of a use that says why its refreshed token is not saved.
UNSAVED = "unsaved"


def locate_uses(layout: Layout) -> str:
    """Return the directory of the live configurations."""
    return layout.run_dir + "/live"


def _locate_doubt(layout: Layout, credential: str) -> str:
    return f"{layout.run_dir}/doubts/{credential}"


def mark_doubt(layout: Layout, credential: str, sentence: str = "") -> None:
    """Remember that the login of the credential may be lost. The last call counts."""
    make_directory(layout.run_dir)
    make_directory(layout.run_dir + "/doubts")
    why = sentence or (
        f"The login of credential {credential} may be lost: rclone was killed while it may have been replacing the "
        f"refresh token. Test the login: cloudsync verify {credential}. If it fails, authorize the credential again."
    )
    atomic_write(_locate_doubt(layout, credential), why.encode())


def read_doubt(layout: Layout, credential: str) -> Optional[str]:
    """Return why the login of the credential may be lost, None if it is not in doubt."""
    return read_text(_locate_doubt(layout, credential))


def clear_doubt(layout: Layout, credential: str) -> None:
    """Forget mark_doubt(), because the provider has accepted the login."""
    if os.path.lexists(_locate_doubt(layout, credential)):
        remove(_locate_doubt(layout, credential))


def list_doubts(layout: Layout) -> List[str]:
    """Return the credentials whose login is in doubt."""
    with suppress(FileNotFoundError):
        return sorted(name for name in os.listdir(f"{layout.run_dir}/doubts") if not name.startswith("."))
    return []


def list_live_problems(layout: Layout) -> List[str]:
    """Return a sentence for each token that could not be saved, and for each login that may be lost."""
    parent = locate_uses(layout)
    found = [read_doubt(layout, name) for name in list_doubts(layout)]
    for use_id in sorted(os.listdir(parent)) if os.path.isdir(parent) else []:
        found.append(read_text(f"{parent}/{use_id}/{UNSAVED}"))
    return [sentence for sentence in found if sentence]
