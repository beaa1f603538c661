# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Replace secrets in a text by their value, in each form in which rclone, a server or a library may repeat them."""

from __future__ import annotations

import base64
import json
import re
from typing import Iterable, List, Optional, Pattern, Set, TypeVar
from urllib.parse import quote, quote_plus

from ..common.errors import CloudsyncError

MASK = "***"
# A shorter secret occurs in ordinary words and numbers. Text without them would be unreadable, and would even reveal
# the secret. No provider issues such short secrets.
SHORTEST = 4
# The least length of the parts of a secret of several lines, such as a private key, and of values in a JSON secret.
SHORTEST_PART = 8


class Redactor:
    """Call it to replace secrets in a text. add() more secrets at any time, such as a refreshed token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: Set[str] = set()
        self._forms: Set[str] = set()
        self._pattern: Optional[Pattern[str]] = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Replace ``secrets`` from now on."""
        new = {str(secret) for secret in secrets} - self._known
        if new:
            self._known |= new
            self._forms.update(form for secret in new for form in _list_forms(secret))
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern is not None else text


Error = TypeVar("Error", bound=Optional[CloudsyncError])


def hide_in_error(hide: Redactor, error: Error) -> Error:
    """Replace the secrets in the message of ``error``, and return it."""
    if error is not None:
        error.message = hide(error.message)
        error.args = (error.message,)
    return error


def _list_forms(secret: str) -> Set[str]:
    forms: Set[str] = set()
    for part in _list_parts(secret):
        raw = part.encode("utf-8", "surrogateescape")
        forms |= {part, quote(raw, safe=""), quote(raw), quote_plus(raw), repr(part)[1:-1], raw.hex()}
        forms |= {json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
        forms |= set(_list_base64(raw))
    forms |= {re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), form) for form in forms if "%" in form}
    return {form for form in forms if len(form) >= SHORTEST}


def _list_parts(secret: str) -> List[str]:
    """Return the secret, its lines, and the texts in it if it is JSON, as a token is."""
    parts = [secret, secret.strip()]
    parts += [line.strip() for line in secret.splitlines() if len(line.strip()) >= SHORTEST_PART]
    parts += [part for part in _list_json_texts(secret) if len(part) >= SHORTEST_PART]
    return [part for part in parts if len(part) >= SHORTEST]


def _list_json_texts(secret: str) -> List[str]:
    try:
        content = json.loads(secret) if secret.lstrip().startswith("{") else {}
    except ValueError:
        return []
    # "token_type" and "expiry" are no secrets, but words and times of ordinary messages.
    return [value for key, value in content.items() if isinstance(value, str) and key not in ("token_type", "expiry")]


def _list_base64(raw: bytes) -> List[str]:
    """Return the base64 of ``raw`` alone, and the part of it that does not depend on neighbours at each alignment."""
    found = []
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        found += [whole, whole.rstrip("=")]
        for before in range(3):
            text = encode(b"\0" * before + raw).decode().rstrip("=")
            complete = (before + len(raw)) // 3 * 4
            # The first and the last letter may also encode bits of neighbours.
            inner = text[(0, 2, 3)[before] : complete]
            if len(inner) >= SHORTEST_PART:
                found.append(inner)
    return found
