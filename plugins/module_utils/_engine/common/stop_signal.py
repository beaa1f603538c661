# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Receive the signal to stop a run, from systemd, ``cloudsync stop`` or the keyboard."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Optional


class StopFlag:
    """Whether a stop was requested. Every wait of a run checks it at least once per second."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        self.requested = True

    def listen(self) -> None:
        """Handle SIGTERM, SIGINT and SIGHUP: they request a stop, and do not interrupt the process."""

        def handle(_number: int, _frame: Optional[FrameType]) -> None:
            self.request()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, handle)
