# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Load AES-GCM, and compute checksums and authentication codes of JSON objects.

``cryptography`` is the only library that a host needs besides Python's standard library.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from typing import Any, Mapping

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


def compute_checksum(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON object. It detects damage, but anyone can compute it."""
    return hashlib.sha256(_encode(content)).hexdigest()


def compute_code(key: bytes, purpose: str, content: Mapping[str, Any]) -> str:
    """Return the authentication code (HMAC-SHA256) of a JSON object. Only the owner of ``key`` can compute it.

    The code has a key of its own, derived from ``key``, which also encrypts.
    """
    own_key = hmac.digest(key, b"cloudsync authentication code", "sha256")
    return hmac.digest(own_key, purpose.encode() + b"\0" + _encode(content), "sha256").hex()


def _encode(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
