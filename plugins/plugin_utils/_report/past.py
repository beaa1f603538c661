# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Pack the past runs and the coming starts of a task: five bytes for each run, because a fleet has many."""

from __future__ import annotations

import datetime
import functools
import math
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ...module_utils._engine.common.text import count_seconds, parse_time

RUN_BYTES = 5
# A length in seconds, or a number of bytes, is stored as a power of these. So its error is at most 3 and 7 percent.
LENGTH_STEP, SIZE_STEP = 1.06, 1.15
LARGEST = 255
MINUTE = 60
LONGEST_GAP = 0xFFFF

Outcome = Tuple[str, str]


class Past(NamedTuple):
    """``runs`` has RUN_BYTES for each run, newest first: outcome, minutes to the next newer one (two bytes), levels.

    ``starts`` are minutes after that of the report. If all distances are equal, they are the negative number of
    starts, the first one and the distance.
    """

    runs: bytes = b""
    starts: Sequence[int] = ()


class Outcomes:
    """The pairs of a state and a reason that occur in a fleet. Each has a number below 256."""

    def __init__(self) -> None:
        self._numbers: Dict[Outcome, int] = {}

    def count(self, state: str, reason: str) -> int:
        """Return the number of an outcome. Those that are too many have the last number."""
        return self._numbers.setdefault((state, reason), min(len(self._numbers), LARGEST))

    def list_all(self) -> List[Outcome]:
        return list(self._numbers)[: LARGEST + 1]


def pack_past(task: Mapping[str, Any], now: datetime.datetime, outcomes: Outcomes) -> Past:
    """Return the past of a task with the key ``report``, or else of its last run."""
    facts = task.get("report") or {}
    return Past(_pack_runs(facts.get("runs") or _list_last_run(task), now, outcomes), _pack_starts(facts, now))


def _list_last_run(task: Mapping[str, Any]) -> List[List[Any]]:
    run = task["status"]["run"]
    if not run or not run.get("started"):
        return []
    seconds = count_seconds(run["started"], run.get("ended") or "")
    state, reason = task["status"]["state"], task["status"]["reason"]
    return [[state, reason, run["started"], seconds, run.get("bytes") or 0]]


def _pack_runs(runs: Sequence[Sequence[Any]], now: datetime.datetime, outcomes: Outcomes) -> bytes:
    packed = bytearray()
    newer = int(now.timestamp())
    for state, reason, started, seconds, size in runs:
        moment = int(parse_time(started).timestamp())
        gap = (newer - moment + MINUTE // 2) // MINUTE
        gap = 0 if gap < 0 else min(gap, LONGEST_GAP)
        levels = _find_level(seconds, LENGTH_STEP), _find_level(size, SIZE_STEP)
        packed += bytes((outcomes.count(state, reason), gap >> 8, gap & 0xFF, *levels))
        newer = moment
    return bytes(packed)


@functools.lru_cache(maxsize=100000)
def _find_level(value: float, step: float) -> int:
    """Return 0 for nothing, else 1 more than the nearest exponent of ``step``."""
    return 0 if value < 1 else min(LARGEST, 1 + round(math.log(value) / math.log(step)))


def _pack_starts(facts: Mapping[str, Any], now: datetime.datetime) -> Sequence[int]:
    moments = [parse_time(start) for start in facts.get("starts") or ()]
    minute = int(now.timestamp()) // MINUTE
    starts = [max(0, int(moment.timestamp()) // MINUTE - minute) for moment in moments]
    distance = _find_distance(starts)
    return [-len(starts), starts[0], distance] if distance is not None else starts


def _find_distance(starts: Sequence[int]) -> Optional[int]:
    """Return the distance between two starts if it is always the same, and there are more than three."""
    distances = {later - earlier for earlier, later in zip(starts, starts[1:])}
    return distances.pop() if len(starts) > 3 and len(distances) == 1 else None
