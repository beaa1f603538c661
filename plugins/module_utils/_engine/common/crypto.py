# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Load AES-GCM from ``cryptography``, the only library that a host needs besides Python's standard library."""

from __future__ import annotations

import sys
from typing import Any

from .errors import CloudsyncError


def load_aes_gcm(key: bytes) -> Any:
    """Return AES-GCM with ``key``. Raise a usage error if ``cryptography`` is not installed."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise build_missing_error() from None
    return AESGCM(key)


def build_missing_error() -> CloudsyncError:
    """Return the error for a host without the library."""
    return CloudsyncError(
        "usage",
        f"The Python library cryptography is not installed for {sys.executable}. Apply the role "
        "skyhaul.cloudsync.runner, or install the package python3-cryptography.",
    )
