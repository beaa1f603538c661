# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Choose the Python interpreter of the command. An interpreter that works is never replaced by one that does not."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import List, Optional

from ._engine.common.errors import usage_error
from ._engine.common.files import read_text
from ._engine.common.layout import Layout
from ._engine.common.processes import ToolError, run_tool

PROBE_SECONDS = 60
FITS = "fits"
PROBE = f"""
import sys
if sys.version_info < (3, 8):
    sys.exit("It is Python " + sys.version.split()[0] + ", and the command needs 3.8 or newer.")
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
print({FITS!r})
"""


def choose_interpreter(layout: Layout, wanted: Optional[str], check_mode: bool) -> str:
    """Return ``wanted`` if it can run the command. Without it, return the existing interpreter, or that of this module.

    Raise a usage error if none of them works. In check mode on a new host, the library may not be installed yet, so the
    interpreter of this module is returned.
    """
    existing = _read_interpreter(layout)
    candidates = [wanted] if wanted else [*([existing] if existing else []), sys.executable]
    faults: List[str] = []
    for candidate in candidates:
        fault = find_fault(candidate)
        if fault is None:
            return candidate
        faults.append(f"Interpreter {candidate} cannot run the command. {fault}")
    if check_mode and not wanted:
        return candidates[-1]
    raise usage_error(
        " ".join(dict.fromkeys(faults))
        + " Install the package python3-cryptography, or set interpreter to another Python. Nothing was changed."
    )


def find_fault(interpreter: str) -> Optional[str]:
    """Return why the interpreter cannot run the command, as a sentence. Return None if it can."""
    # Each call of the module asks, so do not start the interpreter that runs already.
    if interpreter == sys.executable and importlib.util.find_spec("cryptography") is not None:
        return None
    try:
        ended = run_tool([interpreter, "-I", "-c", PROBE], PROBE_SECONDS)
    except ToolError as error:
        return error.message
    if ended.exit_code == 0:
        return None if ended.stdout.strip() == FITS else "It is not a Python interpreter."
    last = ended.stderr.strip().rpartition("\n")[2]
    return f"It ended with {ended.exit_code}: {last}" if last else f"It ended with {ended.exit_code}."


def _read_interpreter(layout: Layout) -> str:
    """Return the interpreter in the first line of the installed command, empty if there is none."""
    first = (read_text(layout.command) or "").partition("\n")[0]
    path = first[2:].rpartition(" -I")[0] if first.startswith("#!") else ""
    return path if os.path.isabs(path) else ""
