# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Encrypt the seed with a passphrase for a backup: scrypt derives the key, AES-256-GCM encrypts."""

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
# 64 MiB and about a third of a second. An operator waits for it once, an attacker for each of billions of guesses.
COST, BLOCK_SIZE, PARALLELISM = 2**16, 8, 1
MEMORY_LIMIT = 128 * 1024 * 1024
SHORTEST = 8


def check_passphrase(passphrase: str) -> None:
    """Raise a usage error for a passphrase that is too short."""
    if len(passphrase) < SHORTEST:
        raise usage_error(f"The passphrase is too short. Only it protects the seed. Use {SHORTEST} characters or more.")


def wrap_seed(seed: Seed, passphrase: str) -> str:
    """Return ``seed`` as one line of text that only ``passphrase`` can open."""
    check_passphrase(passphrase)
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = load_aes_gcm(_derive_key(passphrase, salt)).encrypt(
        nonce, json.dumps(seed.to_dict()).encode(), SCHEME.encode()
    )
    return f"{SCHEME}:{base64.b64encode(salt + nonce + sealed).decode()}"


def unwrap_seed(wrapped: str, passphrase: str) -> Seed:
    """Return the seed in ``wrapped``. A wrong passphrase and a damaged text raise the same error."""
    scheme, _colon, body = wrapped.strip().partition(":")
    if scheme != SCHEME:
        raise usage_error("wrapped is invalid. Use the value that skyhaul.cloudsync.seed returned with backup=true.")
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
            "undecryptable",
            "Cannot open the wrapped seed: the passphrase is wrong, or the text was changed. Nothing was changed on "
            "this host. Check the passphrase.",
        ) from error
    return parse_seed(content, "in the backup")


def _derive_key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        passphrase.encode(), salt=salt, n=COST, r=BLOCK_SIZE, p=PARALLELISM, maxmem=MEMORY_LIMIT, dklen=32
    )
