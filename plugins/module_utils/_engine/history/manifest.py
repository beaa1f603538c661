# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the folder of keep_deleted says about the past: names of runs, manifests, and since when it is complete.

For each run, the folder has the files that the run replaced or deleted (``RUN_ID/``), and a manifest with the names
that were absent before the run (``RUN_ID.json``), if the run could create any. Both together undo the run.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, NamedTuple, Tuple

from ..common.errors import Damaged

SCHEMA = 1
# Since when the past is complete: from the end of this run on.
BEGINNING = "history.json"
SUFFIX = ".json"
RUN_ID = re.compile(r"\A(\d{8}T\d{6}Z)-[0-9a-f]{6}\Z")


class Manifest(NamedTuple):
    """The names that were absent at the destination before ``run``.

    They were compared with the destination as it was after the run ``base``, or just before a run if ``base`` is a part
    of its ID, which sorts before it.
    The runs in between failed or were killed. The state after one of them cannot be told apart from the next.
    """

    run: str
    base: str
    absent: Tuple[str, ...]

    def render(self) -> bytes:
        """Return the manifest as one line."""
        return _render({"run": self.run, "base": self.base, "absent": list(self.absent)})


class Beginning(NamedTuple):
    """``since``: the first run after which the past is complete. ``place``: a digest of source and destination."""

    since: str
    place: str

    def render(self) -> bytes:
        """Return the beginning as one line."""
        return _render(self._asdict())


def _render(content: Dict[str, Any]) -> bytes:
    return json.dumps({"schema": SCHEMA, **content}).encode() + b"\n"


def parse_manifests(text: str) -> List[Manifest]:
    """Return the manifests in ``text``, one in each line. Raise Damaged if one cannot be read."""
    found = []
    for line in text.splitlines():
        content = _parse(line)
        run, base, absent = (content.get(key) for key in ("run", "base", "absent"))
        if not is_run_id(run) or not isinstance(base, str) or not isinstance(absent, list):
            raise _build_damage()
        found.append(Manifest(str(run), base, tuple(map(str, absent))))
    return found


def parse_beginning(text: str) -> Beginning:
    """Return the beginning in ``text``. Raise Damaged if it cannot be read."""
    content = _parse(text)
    if not is_run_id(content.get("since")) or not isinstance(content.get("place"), str):
        raise _build_damage()
    return Beginning(content["since"], content["place"])


def _parse(line: str) -> Dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError:
        raise _build_damage() from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise _build_damage()
    return content


def _build_damage() -> Damaged:
    return Damaged(
        "damaged",
        "A manifest in the folder of keep_deleted is damaged, or a newer cloudsync wrote it. The past of the "
        "task is unknown. The current state, and each kept file by itself, can still be restored.",
    )


def is_run_id(text: Any) -> bool:
    """Return whether ``text`` is the ID of a run, and so a name that the collection made."""
    return isinstance(text, str) and RUN_ID.match(text) is not None
