# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Print answers for people, or with ``--json`` for programs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from .terminal import Terminal, find_terminal


def see_terminal() -> Terminal:
    """Return the terminal of standard output."""
    return find_terminal(sys.stdout, os.environ)


def print_answer(options: argparse.Namespace, content: Any, text: str) -> None:
    """Print ``content`` as JSON if ``--json`` was given, else ``text`` unless it is empty."""
    if options.json:
        print_line(json.dumps(content, indent=2, sort_keys=True))
    elif text:
        print_line(text)


def print_line(text: str) -> None:
    """Print to standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_error(text: str) -> None:
    """Print to standard error, with the command's name."""
    sys.stderr.write(f"cloudsync: {text}\n")
