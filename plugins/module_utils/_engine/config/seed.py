# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The Password Secret Seed: the host's key ring, and what it encrypts.

A ciphertext is ``cs1:KEY_ID:BASE64(nonce + AES-256-GCM output)``. Its associated data names the object and the
field that it belongs to, so a ciphertext that was moved to another place, cut or edited does not decrypt.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, replace
from typing import Any, Dict, Mapping, Optional

from ..common.crypto import load_aes_gcm
from ..common.errors import CloudsyncError, Damaged
from ..common.files import make_directory, read_versioned, remove_leftovers, write_json
from ..common.layout import Layout
from .seed_binding import KINDS, UNBOUND, bind, open_bound

SCHEMA = 1
# The schema of a bound seed's file: a cloudsync that can't open one says that it is too old, not that it is damaged.
BOUND_SCHEMA = 2
SCHEME = "cs1"
NONCE_BYTES = 12
KEY_BYTES = 32


@dataclass(frozen=True)
class Place:
    """Where a ciphertext lives: ``kind`` is credential or task, ``field`` a dotted path within it."""

    kind: str
    name: str
    field: str
    path: str

    def encode(self) -> bytes:
        return "\0".join(("cloudsync", self.kind, self.name, self.field)).encode()

    def describe(self) -> str:
        return f"The {self.field} of the {self.kind} {self.name} in {self.path}"


@dataclass(frozen=True)
class Seed:
    """``keys`` by id, in the order of their making; ``primary`` is the one that encrypts.

    ``bound`` is what opens the file that the ring is kept in: one of binding.KINDS, or UNBOUND.
    """

    keys: Mapping[str, bytes]
    primary: str
    bound: str = UNBOUND

    def encrypt(self, plain: str, place: Place) -> str:
        """The ciphertext of ``plain`` bound to ``place``; never the same twice."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = load_aes_gcm(self.keys[self.primary]).encrypt(nonce, plain.encode(), place.encode())
        return ":".join((SCHEME, self.primary, base64.b64encode(nonce + sealed).decode()))

    def decrypt(self, ciphertext: str, place: Place) -> str:
        """The plain text, or CloudsyncError("undecryptable") that says which of the possible causes it is."""
        scheme, _colon, rest = str(ciphertext).partition(":")
        key_id, _colon, body = rest.partition(":")
        if scheme != SCHEME or not body:
            raise _build_undecryptable(place, "is not a ciphertext: the file was edited or cut short")
        key = self.keys.get(key_id)
        if key is None:
            raise _build_undecryptable(place, f"was encrypted with the key {key_id}, which this host's seed lacks")
        cipher = load_aes_gcm(key)
        try:
            raw = base64.b64decode(body, validate=True)
            return str(cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()), "utf-8")
        except Exception as error:
            raise _build_undecryptable(place, "was edited, cut short, or moved here from another object") from error

    def add_primary(self) -> Seed:
        """This ring with one more key, which encrypts from now on."""
        key_id = _make_key_id()
        return replace(self, keys={**self.keys, key_id: os.urandom(KEY_BYTES)}, primary=key_id)

    def drop_former_keys(self) -> Seed:
        """This ring without its former keys."""
        return replace(self, keys={self.primary: self.keys[self.primary]})

    def to_dict(self) -> Dict[str, Any]:
        """The ring in clear, however it is kept."""
        keys = [{"id": key_id, "key": base64.b64encode(key).decode()} for key_id, key in self.keys.items()]
        return {"schema": SCHEMA, "primary": self.primary, "keys": keys}


def _build_undecryptable(place: Place, what: str) -> CloudsyncError:
    return CloudsyncError(
        "undecryptable",
        f"{place.describe()} {what}. Nothing was changed; restore the seed or the file from a backup, or declare the "
        "secret again after removing the file.",
    )


def _make_key_id() -> str:
    return os.urandom(4).hex()


def make_seed() -> Seed:
    """A ring of one fresh random key."""
    key_id = _make_key_id()
    return Seed({key_id: os.urandom(KEY_BYTES)}, key_id)


def parse_seed(content: Mapping[str, Any], path: str) -> Seed:
    """The ring in ``content``, as to_dict() made it."""
    try:
        keys = {str(k["id"]): base64.b64decode(k["key"], validate=True) for k in content["keys"]}
        seed = Seed(keys, str(content["primary"]))
        whole = seed.primary in keys and all(len(key) == KEY_BYTES for key in keys.values())
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise _build_damaged(path)
    return seed


def _build_damaged(path: str) -> Damaged:
    return Damaged(
        "undecryptable",
        f"The seed {path} is damaged: it was edited or cut short. It is left as it is; restore it from its backup "
        "(skyhaul.cloudsync.seed with state=restored).",
    )


def read_seed(layout: Layout) -> Optional[Seed]:
    """The host's seed, None when there is none; one that is damaged, or bound and can't be opened, is Damaged."""
    content = read_versioned(layout.seed, BOUND_SCHEMA)
    if content is None or content["schema"] < BOUND_SCHEMA:
        return parse_seed(content, layout.seed) if content is not None else None
    kind = content.get("bound")
    if kind not in KINDS:
        raise _build_damaged(layout.seed)
    opened = open_bound(str(content.get("sealed")), kind, layout.seed)
    return replace(parse_seed(json.loads(opened), layout.seed), bound=kind)


def load_seed(layout: Layout) -> Seed:
    """The host's seed. Missing or damaged is an error that says what to do; it is never made anew here."""
    seed = read_seed(layout)
    if seed is None:
        raise CloudsyncError(
            "undecryptable",
            f"The seed {layout.seed} is missing: without it no credential can be stored or read. Make one with "
            "skyhaul.cloudsync.seed (the role skyhaul.cloudsync.runner does), or, when this host had one, restore it "
            "with state=restored.",
        )
    return seed


def save_seed(layout: Layout, seed: Seed) -> None:
    """Write the ring, 0600 in a 0700 directory; the caller holds credentials.store_lock()."""
    content = seed.to_dict()
    if seed.bound != UNBOUND:
        sealed = bind(json.dumps(content).encode(), seed.bound)
        content = {"schema": BOUND_SCHEMA, "bound": seed.bound, "sealed": sealed}
    make_directory(layout.config_dir)
    write_json(layout.seed, content)
    # Of a process that was killed while it wrote: former keys would stay in it.
    remove_leftovers(layout.seed)
