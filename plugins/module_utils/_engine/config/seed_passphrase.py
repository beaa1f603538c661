# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The seed under a passphrase, to be kept apart from the host: scrypt makes the key, AES-256-GCM seals."""

from __future__ import annotations

import base64
import hashlib
import json
import os

from ..common.crypto import load_aes_gcm
from ..common.errors import CloudsyncError, usage_error
from .seed import NONCE_BYTES, Seed, parse_seed

SCHEME = "cloudsync-seed-1"
SALT_BYTES = 16
# 64 MiB and about a third of a second: the passphrase is typed once in a disaster, a thief tries billions.
COST, BLOCK_SIZE, PARALLELISM = 2**16, 8, 1
MEMORY_LIMIT = 128 * 1024 * 1024
SHORTEST = 8


def check_passphrase(passphrase: str) -> None:
    """Refuse one that could be guessed."""
    if len(passphrase) < SHORTEST:
        raise usage_error(
            f"The passphrase is too short: it alone protects the seed; use {SHORTEST} characters or more."
        )


def wrap_seed(seed: Seed, passphrase: str) -> str:
    """``seed`` as one line of text that only ``passphrase`` opens."""
    check_passphrase(passphrase)
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = load_aes_gcm(_derive_key(passphrase, salt)).encrypt(
        nonce, json.dumps(seed.to_dict()).encode(), SCHEME.encode()
    )
    return f"{SCHEME}:{base64.b64encode(salt + nonce + sealed).decode()}"


def unwrap_seed(wrapped: str, passphrase: str) -> Seed:
    """The seed in ``wrapped``; a wrong passphrase and a damaged text can't be told apart."""
    scheme, _colon, body = wrapped.strip().partition(":")
    if scheme != SCHEME:
        raise usage_error("wrapped is not what skyhaul.cloudsync.seed returned with backup=true.")
    try:
        raw = base64.b64decode(body, validate=True)
    except ValueError:
        raw = b""
    salt, sealed = raw[:SALT_BYTES], raw[SALT_BYTES:]
    cipher = load_aes_gcm(_derive_key(passphrase, salt))
    try:
        content = json.loads(cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], SCHEME.encode()))
    except Exception as error:
        raise CloudsyncError(
            "undecryptable", "The wrapped seed can't be opened: the passphrase is wrong, or the text was changed."
        ) from error
    return parse_seed(content, "in the wrapped text")


def _derive_key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        passphrase.encode(), salt=salt, n=COST, r=BLOCK_SIZE, p=PARALLELISM, maxmem=MEMORY_LIMIT, dklen=32
    )
