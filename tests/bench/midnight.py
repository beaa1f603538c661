# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A thousand hosts with twenty tasks each, all at midnight: how many start at the same time, by their spread."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

HOSTS, TASKS = 1_000, 20
MINUTE, HOUR = 60, 3600
SPREADS = (0, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR)


def list_starts(spread: int) -> Iterator[float]:
    """Yield the seconds after midnight at which each run starts.

    systemd takes the delay from a hash of the machine ID and the unit, so it is random, but the same each time
    (FixedRandomDelay=). AccuracySec=1s lets it choose within the second.
    """
    for host in range(HOSTS):
        for task in range(TASKS):
            digest = hashlib.blake2b(f"{host} {task}".encode(), digest_size=8).digest()
            yield int.from_bytes(digest, "big") / 2**64 * spread


def count_busiest(spread: int) -> int:
    """Return how many runs start in the busiest second."""
    return max(Counter(int(start) for start in list_starts(spread)).values())
