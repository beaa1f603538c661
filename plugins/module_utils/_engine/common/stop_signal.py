# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The wish to stop as it reaches a run (by systemd, ``cloudsync stop`` or the keyboard: a signal), and its trace."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Optional


class StopFlag:
    """Set once, looked at often; every wait of a run ends within a second of it."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        self.requested = True

    def listen(self) -> None:
        """From now on SIGTERM, SIGINT and SIGHUP ask this run to stop, and do nothing else."""

        def handle(_number: int, _frame: Optional[FrameType]) -> None:
            self.request()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, handle)
