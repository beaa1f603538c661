# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Sorted arrays of hashes, 8 bytes each, so that a million names need 8 MB."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from hashlib import blake2b
from typing import TYPE_CHECKING, Iterator, List, Optional

if TYPE_CHECKING:
    Hashes = array[int]

CODE, HASH_BYTES = "Q", 8


def hash_path(path: str) -> int:
    """Return the hash of a path: 64 bits of BLAKE2b."""
    return int.from_bytes(blake2b(path.encode("utf-8", "surrogateescape"), digest_size=HASH_BYTES).digest(), "little")


def contains(hashes: Hashes, value: int) -> bool:
    """Return whether ``value`` is in the sorted ``hashes``."""
    return find_hash(hashes, value) is not None


def find_hash(hashes: Hashes, value: int) -> Optional[int]:
    """Return the position of ``value`` in the sorted ``hashes``, None if it is not there."""
    at = bisect_left(hashes, value)
    return at if at < len(hashes) and hashes[at] == value else None


def list_missing(before: Hashes, now: Hashes) -> Iterator[int]:
    """Yield the hashes of ``before`` that are not in ``now``. Both are sorted."""
    at = 0
    for value in before:
        while at < len(now) and now[at] < value:
            at += 1
        if at == len(now) or now[at] != value:
            yield value


def count_missing(before: Hashes, now: Hashes) -> int:
    """Return how many hashes of ``before`` are not in ``now``. Both are sorted."""
    return sum(1 for _hash in list_missing(before, now))


def sort_together(hashes: Hashes, *others: Hashes) -> List[Hashes]:
    """Return ``hashes`` sorted, and ``others`` in the same order."""
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    return [array(part.typecode, (part[at] for at in order)) for part in (hashes, *others)]
