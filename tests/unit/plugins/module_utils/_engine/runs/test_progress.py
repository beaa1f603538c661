# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.log_lines import Stats
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import progress


def test_the_progress_is_shown_each_time_and_logged_every_30_seconds(layout, monkeypatch):
    said, shown, clock = [], [], [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    write = progress.make_progress_writer(layout, "nightly", "an-id", said.append, shown.append)
    for moment in (1, 29, 30, 31, 59, 60):
        clock[0] = float(moment)
        write(Stats(bytes=moment, total_bytes=100, transfers=1, total_transfers=3, speed=2048.0, eta=75))
    assert [text.split("%")[0] for text in shown] == ["1", "29", "30", "31", "59", "60"]
    assert said == [
        "30%, 30 B of 100 B, 2.0 KiB/s, 1 min 15 s left, 1 of 3 files",
        "60%, 60 B of 100 B, 2.0 KiB/s, 1 min 15 s left, 1 of 3 files",
    ]


def test_a_run_that_only_compares_shows_how_many_files():
    counts = {"total_bytes": 0, "bytes": 0, "checks": 1200, "transfers": 0, "total_transfers": 0}
    assert progress.describe_progress(counts) == "1200 files compared"
