# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The verb of the helper units: do what a sandboxed run asks for."""

from __future__ import annotations

import argparse

from ..common.errors import EXIT_SUCCESS
from ..host import Host
from ..runs.assist import Channel, serve


def assist(host: Host, _options: argparse.Namespace) -> int:
    """Do one request of a run: ``cloudsync assist``, with the run's connection as standard input and output."""
    serve(host, Channel())
    return EXIT_SUCCESS


VERBS = {"assist": assist}
