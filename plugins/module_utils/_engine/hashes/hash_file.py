# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Files of hashes in the state directory of a task: a line of JSON, then the arrays."""

from __future__ import annotations

import json
import os
from array import array
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..common.errors import CloudsyncError, system_error
from ..common.files import atomic_write, make_directory
from .hashes import CODE, HASH_BYTES

if TYPE_CHECKING:
    from .hashes import Hashes

Say = Callable[[str], None]


def render_hashes(header: Mapping[str, Any], parts: Sequence[Hashes]) -> bytes:
    """Return a file of hashes: a line of JSON with the values of ``header``, then 8 bytes for each hash."""
    body = b"".join(part.tobytes() for part in parts)
    line = {**header, "counts": [len(part) for part in parts], "digest": _compute_digest(body)}
    return json.dumps(line).encode() + b"\n" + body


def parse_hashes(content: bytes) -> Tuple[Dict[str, Any], List[Hashes]]:
    """Return what render_hashes() rendered. Raise ValueError, KeyError or TypeError for anything else."""
    line, _newline, body = content.partition(b"\n")
    header = json.loads(line.decode())
    counts = [int(count) for count in header["counts"]]
    if len(body) != HASH_BYTES * sum(counts) or _compute_digest(body) != header["digest"]:
        raise ValueError("the counts or the digest are wrong")
    parts, at = [], 0
    for count in counts:
        end = at + HASH_BYTES * count
        parts.append(array(CODE, body[at:end]))
        at = end
    return header, parts


def _compute_digest(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


class Table(NamedTuple):
    """``fields`` are texts of the header. Each of ``columns`` has one number for each file."""

    fields: Tuple[str, ...]
    columns: Tuple[Hashes, ...]


def load_table(
    path: str, schema: int, fields: Sequence[str], columns: int, say: Say, consequence: str
) -> Optional[Table]:
    """Return the table in ``path``, None if there is none.

    A damaged file is the same as none. Then ``say`` gets a sentence with the ``consequence``.
    """
    try:
        with open(path, "rb") as stream:
            header, parts = parse_hashes(stream.read())
        if header["schema"] != schema or len(parts) != columns or len({len(part) for part in parts}) != 1:
            raise ValueError("not this table")
        return Table(tuple(str(header[field]) for field in fields), tuple(parts))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        say(f"{path} is damaged, so {consequence}.")
        return None


def write_hashes(path: str, header: Mapping[str, Any], parts: Sequence[Hashes]) -> None:
    """Replace ``path``. Raise OSError or CloudsyncError if that is not possible."""
    make_directory(os.path.dirname(path))
    atomic_write(path, render_hashes(header, parts))


def save_hashes(path: str, header: Mapping[str, Any], parts: Sequence[Hashes], say: Say, consequence: str) -> None:
    """Replace ``path``. If that is not possible, ``say`` gets a sentence that begins with the ``consequence``."""
    with tell_failure(say, consequence):
        write_hashes(path, header, parts)


@contextmanager
def tell_failure(say: Say, consequence: str) -> Iterator[None]:
    """If the block fails, ``say`` gets a sentence that begins with the ``consequence``. The caller goes on."""
    try:
        yield
    except (CloudsyncError, OSError) as error:
        why = system_error(error) if isinstance(error, OSError) else error
        say(f"{consequence}: {why.message}")
