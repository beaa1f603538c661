# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collect the faults that the tests inject. docs/write_reliability.py makes the page docs/reliability.md of them."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re

# The stage `integration` sets this to the folder of the results.
FOLDER = "CLOUDSYNC_FAULTS"
# Parts of a message that differ from run to run.
CHANGING = (
    # The root of a host: see new_machine() in conftest.py. It is also a path on its own file system.
    (re.compile(r"(?:/[\w.+-]+)*?/cloudsync-[a-z0-9_]{8}(?=[/'\" ]|$)"), ""),
    (re.compile(r"/proc/self/fd/\d+"), "/srv/data"),
    (re.compile(r"\b\d{8}T\d{6}Z?-[0-9a-z]+\b"), "RUN_ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), "HOST"),
    (re.compile(r"\bbucket-[0-9a-f]{12}\b"), "bucket"),
    (re.compile(r"\b(process|pid) \d+"), r"\1 PID"),
    (re.compile(r"\b(of host|host replaces) [^ ,]+"), r"\1 NAME"),
)


class Reliability:
    """The faults of the tests. Call add() at the end of a test, when everything has been checked."""

    def add(self, fault, record, heard, lost="nothing"):
        """Add a row to docs/reliability.md.

        ``fault``: the injected fault, as a sentence. ``record``: the record of the run with ``state``, ``reason`` and
        ``message``. ``heard``: how the operator learns of the fault. ``lost``: the loss that the test has ruled out or
        shown.
        """
        assert {"state", "reason", "message"} <= set(record), record
        folder = os.environ.get(FOLDER)
        if folder is None:
            return
        row = {"fault": fault, "lost": lost, "heard": heard, "state": record["state"], "reason": record["reason"]}
        row["message"] = replace_changing(record["message"])
        path = pathlib.Path(folder, hashlib.sha256(fault.encode()).hexdigest()[:16] + ".json")
        path.write_text(json.dumps(row), encoding="utf-8")


def replace_changing(text):
    """Return ``text`` without the parts that differ from run to run."""
    for pattern, replacement in CHANGING:
        text = pattern.sub(replacement, text)
    return text
