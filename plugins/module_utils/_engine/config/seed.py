# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The Password Secret Seed: the host's key ring. It encrypts and decrypts all stored secrets.

A ciphertext is ``cs1:KEY_ID:BASE64(nonce + AES-256-GCM output)``. Its associated data names the object and the
field that it belongs to, so a ciphertext that was moved, truncated or edited does not decrypt.

The parts of an object that are not secret are authenticated: its ``code`` is ``hs1:KEY_ID:HMAC`` of the whole object.
Only code that acts on an object needs the seed and checks its code. ``status`` and ``list`` show objects unchecked.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Mapping, Optional, TypeVar

from ..common.crypto import compute_checksum, compute_code, load_aes_gcm
from ..common.errors import CloudsyncError, Damaged, Edited
from ..common.files import make_directory, read_versioned, remove_leftovers, write_json
from ..common.layout import Layout
from .seed_binding import KINDS, UNBOUND, bind, open_bound

# 1 had no binding, 2 was bound. Both had no checksum, and belong to objects without codes.
SCHEMA = 3
BOUND_SCHEMA = 2
# The first schema of credentials and tasks that have codes.
CODE_SCHEMA = 2
SCHEME = "cs1"
CODE_SCHEME = "hs1"
NONCE_BYTES = 12
KEY_BYTES = 32
Opened = TypeVar("Opened")


@dataclass(frozen=True)
class Place:
    """The place of a ciphertext. ``kind`` is credential or task, ``field`` is a dotted path within the object."""

    kind: str
    name: str
    field: str
    path: str

    def encode(self) -> bytes:
        return "\0".join(("cloudsync", self.kind, self.name, self.field)).encode()

    def describe(self) -> str:
        return f"{self.field} of {self.kind} {self.name} in {self.path}"


@dataclass(frozen=True)
class Seed:
    """The key ring. ``keys`` are by id, oldest first. ``primary`` is the id of the key that encrypts.

    ``bound`` is how the seed's file is encrypted: one of seed_binding.KINDS, or UNBOUND. ``has_codes``: all objects
    have codes, so one without a code was edited. False only until upgrade.upgrade_objects().
    """

    keys: Mapping[str, bytes]
    primary: str
    bound: str = UNBOUND
    has_codes: bool = True

    def encrypt(self, plain: str, place: Place) -> str:
        """Return the ciphertext of ``plain`` for ``place``. Each call returns another one."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = load_aes_gcm(self.keys[self.primary]).encrypt(nonce, plain.encode(), place.encode())
        return ":".join((SCHEME, self.primary, base64.b64encode(nonce + sealed).decode()))

    def decrypt(self, ciphertext: str, place: Place) -> str:
        """Return the plain text. Raise CloudsyncError("undecryptable") with the cause."""
        scheme, _colon, rest = str(ciphertext).partition(":")
        key_id, _colon, body = rest.partition(":")
        if scheme != SCHEME or not body:
            raise _build_undecryptable(place, "it is not a ciphertext. The file was edited or truncated")
        key = self.keys.get(key_id)
        if key is None:
            raise _build_undecryptable(place, f"key {key_id} is not in the seed of this host")
        cipher = load_aes_gcm(key)
        try:
            raw = base64.b64decode(body, validate=True)
            return str(cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()), "utf-8")
        except Exception as error:
            raise _build_undecryptable(place, "it was edited, truncated, or copied from another object") from error

    def add_code(self, kind: str, content: Mapping[str, Any]) -> Dict[str, Any]:
        """Return the object ``content`` of ``kind`` with its ``code``."""
        return {**content, "code": self._compute_code(self.primary, kind, content)}

    def is_authentic(self, kind: str, stored: Mapping[str, Any]) -> bool:
        """Return whether add_code() made the code of ``stored``, with a key of this ring."""
        key_id = get_code_key(stored)
        if key_id not in self.keys:
            return False
        content = {key: value for key, value in stored.items() if key != "code"}
        return hmac.compare_digest(stored["code"].encode(), self._compute_code(key_id, kind, content).encode())

    def open_object(self, kind: str, path: str, stored: Mapping[str, Any], decrypt: Callable[[], Opened]) -> Opened:
        """Return ``decrypt()`` of the object that is stored in ``path``. Raise Edited if its code is wrong."""
        try:
            opened = decrypt()
        except (AttributeError, KeyError, TypeError, ValueError):
            raise _build_edited(kind, stored, path) from None
        if stored["schema"] < CODE_SCHEMA and not self.has_codes:
            return opened
        key_id = get_code_key(stored)
        if key_id and key_id not in self.keys:
            raise CloudsyncError(
                "undecryptable",
                f"Cannot authenticate {kind} {stored['name']} in {path}: key {key_id} is not in the seed of this host. "
                "Nothing was changed. Restore the seed or the file from a backup, or remove the file and declare the "
                f"{kind} again.",
            )
        if not self.is_authentic(kind, stored):
            raise _build_edited(kind, stored, path)
        return opened

    def _compute_code(self, key_id: str, kind: str, content: Mapping[str, Any]) -> str:
        return f"{CODE_SCHEME}:{key_id}:{compute_code(self.keys[key_id], kind, content)}"

    def add_primary(self) -> Seed:
        """Return this ring with a new key, which becomes the primary one."""
        key_id = _make_key_id()
        return replace(self, keys={**self.keys, key_id: os.urandom(KEY_BYTES)}, primary=key_id)

    def drop_former_keys(self) -> Seed:
        """Return this ring with its primary key only."""
        return replace(self, keys={self.primary: self.keys[self.primary]})

    def to_dict(self) -> Dict[str, Any]:
        """Return the ring with its keys in clear."""
        keys = [{"id": key_id, "key": base64.b64encode(key).decode()} for key_id, key in self.keys.items()]
        return {"schema": SCHEMA, "primary": self.primary, "keys": keys, "has_codes": self.has_codes}


def get_code_key(stored: Mapping[str, Any]) -> str:
    """Return the id of the key that made the code of ``stored``, empty if it has no code."""
    parts = str(stored.get("code")).split(":")
    return parts[1] if len(parts) == 3 and parts[0] == CODE_SCHEME else ""


def _build_undecryptable(place: Place, why: str) -> CloudsyncError:
    return CloudsyncError(
        "undecryptable",
        f"Cannot decrypt {place.describe()}: {why}. Nothing was changed. Restore the seed or the file from a backup, "
        "or remove the file and declare the secret again.",
    )


def _build_edited(kind: str, stored: Mapping[str, Any], path: str) -> Edited:
    return Edited(
        "damaged",
        f"{kind.capitalize()} {stored['name']} in {path} is damaged: it was edited, or cloudsync did not write it. "
        f"Nothing was changed. Declare the {kind} again (apply your playbook), or restore the file from a backup.",
    )


def _make_key_id() -> str:
    return os.urandom(4).hex()


def make_seed() -> Seed:
    """Return a ring of one new random key."""
    key_id = _make_key_id()
    return Seed({key_id: os.urandom(KEY_BYTES)}, key_id)


def parse_seed(content: Mapping[str, Any], path: str) -> Seed:
    """Return the ring in ``content``, which Seed.to_dict() returned. ``path`` is named in the error."""
    try:
        keys = {str(k["id"]): base64.b64decode(k["key"], validate=True) for k in content["keys"]}
        seed = Seed(keys, str(content["primary"]), has_codes=content.get("has_codes") is True)
        whole = seed.primary in keys and all(len(key) == KEY_BYTES for key in keys.values())
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise _build_damaged(path)
    return seed


def _build_damaged(path: str) -> Damaged:
    return Damaged(
        "undecryptable",
        f"The seed {path} is damaged: it was edited or truncated. It was not changed. Restore it from its backup "
        "(skyhaul.cloudsync.seed with state=restored).",
    )


def read_seed(layout: Layout) -> Optional[Seed]:
    """Return the host's seed, None if it does not exist. Raise Damaged if it cannot be read."""
    content = read_versioned(layout.seed, SCHEMA)
    if content is None:
        return None
    _check_seed_file(content, layout.seed)
    if content["schema"] < BOUND_SCHEMA or content.get("bound") == UNBOUND:
        return parse_seed(content, layout.seed)
    kind = content.get("bound")
    if kind not in KINDS:
        raise _build_damaged(layout.seed)
    opened = open_bound(str(content.get("sealed")), kind, layout.seed)
    return replace(parse_seed(json.loads(opened), layout.seed), bound=kind)


def _check_seed_file(content: Mapping[str, Any], path: str) -> None:
    """Raise Damaged if the checksum is wrong. A damaged key would be a valid key that decrypts nothing."""
    if content["schema"] <= BOUND_SCHEMA and "checksum" not in content:
        return
    covered = {key: value for key, value in content.items() if key != "checksum"}
    if content.get("checksum") != compute_checksum(covered):
        raise _build_damaged(path)


def load_seed(layout: Layout) -> Seed:
    """Return the host's seed. Raise an error if it is missing or damaged."""
    seed = read_seed(layout)
    if seed is None:
        raise CloudsyncError(
            "undecryptable",
            f"The seed {layout.seed} is missing, so no secret can be stored or read. On a new host, apply the role "
            "skyhaul.cloudsync.runner, which creates it. If this host had a seed, restore it "
            "(skyhaul.cloudsync.seed with state=restored).",
        )
    return seed


def save_seed(layout: Layout, seed: Seed) -> None:
    """Write the ring, 0600 in a 0700 directory. The caller holds credential_store.store_lock()."""
    content = {**seed.to_dict(), "bound": seed.bound}
    if seed.bound != UNBOUND:
        sealed = bind(json.dumps(seed.to_dict()).encode(), seed.bound)
        content = {"schema": SCHEMA, "bound": seed.bound, "sealed": sealed}
    content["checksum"] = compute_checksum(content)
    make_directory(layout.config_dir)
    write_json(layout.seed, content)
    # A process that was killed while it wrote left a temporary file, in which former keys would remain.
    remove_leftovers(layout.seed)
