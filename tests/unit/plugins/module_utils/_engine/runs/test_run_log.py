# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.log import RunLog

RUN_ID = "20261122T040000Z-a1b2c3"


def test_each_line_of_a_log_is_one_line_whatever_a_file_name_contains(layout):
    log = RunLog(layout, "nightly", RUN_ID)
    log.say("copy a\n2026-11-22T04:00:00Z success\x1b[2J (1 bytes)\n")
    log.say("next")
    log.close()

    lines = pathlib.Path(log.path).read_text(encoding="utf-8").split("\n")
    assert [line.partition(" ")[2] for line in lines] == [
        r"copy a\n2026-11-22T04:00:00Z success\x1b[2J (1 bytes)",
        "next",
        "",
    ]
    assert log.last_lines == [r"copy a\n2026-11-22T04:00:00Z success\x1b[2J (1 bytes)", "next"]
