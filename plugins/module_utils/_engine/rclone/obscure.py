# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""rclone's "obscured" passwords: AES-CTR under a key that every rclone carries, so nobody reads them in passing.

It protects nothing. It is needed because rclone takes a password option in no other form, and takes some plain
passwords for obscured ones.
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
    """``plain`` as rclone's configuration holds it; ``iv`` (16 bytes) makes it reproducible."""
    start = os.urandom(IV_BYTES) if iv is None else iv
    if len(start) != IV_BYTES:
        raise ValueError(f"an iv has {IV_BYTES} bytes")
    sealed = start + _crypt(plain.encode("utf-8"), start)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def reveal(text: str) -> str:
    """The plain text of an obscured one. Raises CloudsyncError when ``text`` was not obscured."""
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        # Python's decoder skips what is not base64.
        if len(sealed) < IV_BYTES or not OBSCURED.match(text):
            raise ValueError
        return _crypt(sealed[IV_BYTES:], sealed[:IV_BYTES]).decode("utf-8")
    except (ValueError, binascii.Error):
        raise usage_error(
            "A password is not in the obscured form that rclone's configuration holds: obscure it with "
            "'rclone obscure -', or give the plain password as a secret of the credential."
        ) from None


def _crypt(data: bytes, iv: bytes) -> bytes:
    """Encrypting and decrypting are the same."""
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise build_missing_error() from None
    stream = Cipher(algorithms.AES(KEY), modes.CTR(iv)).encryptor()
    return stream.update(data) + stream.finalize()
