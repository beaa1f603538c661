# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""rclone's "obscured" passwords: AES-CTR with a key that is the same in every rclone.

The form protects nothing. It is needed because rclone accepts a password option in no other form, and mistakes some
plain passwords for obscured ones.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from typing import Optional

from ..common.crypto import build_missing_error
from ..common.errors import usage_error

KEY = bytes.fromhex("9c935b48730a554d6bfd7c63c886a92bd390198eb8128afbf4de162b8b95f638")
IV_BYTES = 16
OBSCURED = re.compile(r"\A[A-Za-z0-9_-]+\Z")


def obscure(plain: str, iv: Optional[bytes] = None) -> str:
    """Return ``plain`` as rclone's configuration stores it. ``iv`` (16 bytes) makes the result reproducible."""
    start = os.urandom(IV_BYTES) if iv is None else iv
    if len(start) != IV_BYTES:
        raise ValueError(f"iv must have {IV_BYTES} bytes")
    sealed = start + _apply_cipher(plain.encode("utf-8"), start)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def reveal(text: str) -> str:
    """Return the plain text of an obscured password. Raises CloudsyncError if ``text`` is not obscured."""
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        # Python's decoder skips characters that are not base64.
        if len(sealed) < IV_BYTES or not OBSCURED.match(text):
            raise ValueError
        return _apply_cipher(sealed[IV_BYTES:], sealed[:IV_BYTES]).decode("utf-8")
    except (ValueError, binascii.Error):
        raise usage_error(
            "A password in rclone's configuration is not in the obscured form. Obscure it with 'rclone obscure -', or "
            "put the plain password into the credential's secrets."
        ) from None


def _apply_cipher(data: bytes, iv: bytes) -> bytes:
    """Encrypt or decrypt ``data``, which are the same operation."""
    try:
        from cryptography.hazmat.backends import default_backend
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise build_missing_error() from None
    stream = Cipher(algorithms.AES(KEY), modes.CTR(iv), default_backend()).encryptor()
    return stream.update(data) + stream.finalize()
