# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Arrange the rows for the page: a table of strings, and a column for each fact, so that a large fleet stays small."""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from .._reasons import REASONS
from .fleet import LEVELS, Fleet
from .past import LENGTH_STEP, RUN_BYTES, SIZE_STEP
from .rows import TaskRow, parse_moment

# Columns of texts are numbers of the table of strings. Those of times are seconds after the report.
TEXTS = (
    "host",
    "task",
    "description",
    "state",
    "reason",
    "message",
    "direction",
    "mode",
    "schedule",
    "drill_state",
    "credential",
    "account",
    "path",
    "remote_path",
)
TIMES = ("started", "next", "overdue_since", "last_proven", "failing_since")
NUMBERS = ("duration", "percent", "bytes", "transfers", "deletes", "errors")


class Packed(NamedTuple):
    """Two texts in base64, each compressed: ``data`` is JSON, ``runs`` has the bytes of all runs."""

    data: str
    runs: str


class _Strings:
    """Each text once. Its number is its place."""

    def __init__(self) -> None:
        self.numbers: Dict[str, int] = {"": 0}

    def count(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def pack(fleet: Fleet) -> Packed:
    """Return the data of the page. Base64 has no character that could end its element."""
    strings = _Strings()
    since = fleet.generated.timestamp()
    columns: Dict[str, Sequence[Any]] = {
        **{name: [strings.count(getattr(row, name)) for row in fleet.tasks] for name in TEXTS},
        **{name: [_count_seconds(getattr(row, name), since) for row in fleet.tasks] for name in TIMES},
        **{name: [getattr(row, name) for row in fleet.tasks] for name in NUMBERS},
        "level": [LEVELS.index(row.level) for row in fleet.tasks],
        "enabled": [int(row.enabled) for row in fleet.tasks],
        "last_success": [_count_success(row, since) for row in fleet.tasks],
        "log": [strings.count(row.log if row.level == "problem" else "") for row in fleet.tasks],
        "log_end": [strings.count("\n".join(row.log_end)) for row in fleet.tasks],
        "shared_with": [strings.count(", ".join(row.shared_with)) for row in fleet.tasks],
        "part": _number_parts(fleet.tasks),
        "shard": [[row.shard["index"], row.shard["count"]] if row.shard else 0 for row in fleet.tasks],
        "runs": [len(past.runs) // RUN_BYTES for past in fleet.past],
        "starts": [past.starts for past in fleet.past],
    }
    content = {
        "generated": int(since),
        "levels": LEVELS,
        "steps": [LENGTH_STEP, SIZE_STEP],
        "outcomes": fleet.outcomes,
        "remedies": {row.reason: REASONS[row.reason].remedy for row in fleet.tasks if row.reason in REASONS},
        "hosts": [[row.host, row.state, row.message, row.tasks, row.problems] for row in fleet.hosts],
        "columns": columns,
        "strings": list(strings.numbers),
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    return Packed(_compress(text), _compress(_separate(b"".join(past.runs for past in fleet.past))))


def _compress(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 6)).decode()


def _separate(runs: bytes) -> bytes:
    """Return the first byte of each run, then the second of each, because similar bytes compress better."""
    return b"".join(runs[place::RUN_BYTES] for place in range(RUN_BYTES))


def _count_seconds(text: Optional[str], since: float) -> Optional[int]:
    moment = parse_moment(text)
    return None if moment is None else round(moment.timestamp() - since)


def _count_success(row: TaskRow, since: float) -> Optional[int]:
    """Return 0 if the last run is the last success, which is the usual case."""
    return 0 if row.last_success and row.last_success == row.ended else _count_seconds(row.last_success, since)


def _number_parts(rows: Sequence[TaskRow]) -> List[int]:
    """Return the number of the sharded task of each row, 0 for others. Its parts are on several hosts."""
    keys = [_identify_parts(row) for row in rows]
    several = [key for key, count in Counter(key for key in keys if key).items() if count > 1]
    numbers = {key: number for number, key in enumerate(several, 1)}
    return [numbers.get(key, 0) if key else 0 for key in keys]


def _identify_parts(row: TaskRow) -> Optional[Tuple[str, str, str, str, int]]:
    if not row.shard:
        return None
    return row.task, row.credential, row.account, row.remote_path.strip("/"), row.shard["count"]
