# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read and write sizes as rclone spells them: 96Mi, 5G, 100b."""

from __future__ import annotations

import re
from typing import Optional

SIZE = re.compile(r"\A(\d{1,15}\.?\d{0,9}|\.\d{1,9})([bB]|[kKmMgGtTpPeE]([iI]|i[bB])?)\Z")
UNITS = "BKMGTPE"
MIB = 1 << 20


def parse_size(text: str) -> Optional[int]:
    """Return the bytes that ``text`` means; None if it is not a size with a unit. M and Mi are the same to rclone."""
    found = SIZE.match(text)
    return int(float(found.group(1)) * 1024 ** UNITS.index(found.group(2)[0].upper())) if found else None


def write_size(size: int) -> str:
    """Return ``size`` bytes as an option's value: in MiB if that is exact."""
    return f"{size}B" if size % MIB else f"{size // MIB}Mi"
