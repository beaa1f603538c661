# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.outcome import Finished, classify
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer.result import Transfer

# What rclone 1.75 logs with --backup-dir: n is new, o is overwritten, d is deleted.
COPYING = ["n Copied (new)", "o Copied (server-side copy)", "o Deleted", "o Copied (new)"]
COPYING += ["d Copied (server-side copy)", "d Deleted", "d Moved into backup dir"]
MOVING = [
    "o Moved (server-side)",
    "n Copied (new)",
    "o Copied (new)",
    "d Moved (server-side)",
    "d Moved into backup dir",
]


@pytest.mark.parametrize(
    ("items", "stats"),
    [
        (COPYING, {"bytes": 24, "serverSideCopyBytes": 13, "transfers": 4, "deletes": 3, "renames": 2}),
        (MOVING, {"bytes": 11, "transfers": 2, "deletes": 1, "renames": 2}),
    ],
)
def test_files_that_are_moved_into_the_backup_folder_are_not_counted(items, stats):
    transfer = Transfer(keeps_deleted=True)
    for item in items:
        name, _blank, text = item.partition(" ")
        transfer.read(json.dumps({"level": "info", "msg": text, "object": name}))
    transfer.read(json.dumps({"level": "notice", "msg": "", "stats": stats}))
    found = transfer.stats
    assert found is not None
    assert (found.bytes, found.transfers, found.deletes, found.renames) == (11, 2, 1, 0)


def test_a_deletion_that_failed_is_neither_counted_nor_called_suppressed():
    """What rclone 1.60 and 1.75 log if a file of three cannot be deleted."""
    transfer = Transfer()
    for text in ("Deleted", "Deleted", "Couldn't delete: remove /srv/locked/c: operation not permitted"):
        level = "info" if text == "Deleted" else "error"
        transfer.read(json.dumps({"level": level, "msg": text, "object": "locked/c"}))
    transfer.read(json.dumps({"level": "error", "msg": "not deleting directories as there were IO errors"}))
    transfer.read(json.dumps({"level": "notice", "msg": "", "stats": {"deletes": 3, "errors": 1}}))
    assert transfer.stats is not None and transfer.stats.deletes == 2
    outcome = classify(Finished(1, errors=tuple(transfer.problems), path="/srv"))
    assert outcome.reason == "other"
    assert outcome.message.startswith("Some files could not be deleted")
    assert "Files: locked/c." in outcome.message
