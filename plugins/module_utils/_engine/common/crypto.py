# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Give AES-GCM from ``cryptography``, the one library that a host needs besides Python's own."""

from __future__ import annotations

import sys
from typing import Any

from .errors import CloudsyncError


def load_aes_gcm(key: bytes) -> Any:
    """AES-GCM from ``cryptography``, the one library that a host needs besides Python's own."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise build_missing_error() from None
    return AESGCM(key)


def build_missing_error() -> CloudsyncError:
    """What to say on a host without the library."""
    return CloudsyncError(
        "usage",
        f"The Python library cryptography is missing for {sys.executable}: install the package python3-cryptography "
        "(the role skyhaul.cloudsync.runner does).",
    )
