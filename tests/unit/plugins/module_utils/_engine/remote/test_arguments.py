# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from fnmatch import fnmatch

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import Limits, Task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.error_text import hide_own_names
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.arguments import (
    UNFINISHED,
    Endpoints,
    build_common_arguments,
    build_filters,
    build_selection_arguments,
    build_transfer_arguments,
    build_unfinished_pattern,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import make_run_id


def test_each_argument_of_a_task_goes_to_the_commands_that_it_can_apply_to():
    arguments = ("--ca-cert=/ca.pem", "--max-size=1M", "--size-only", "--checkers=4")
    task = Task("t", "c", "push", "/srv", "b", rclone_args=arguments)
    limits = ["--timeout=300s", "--contimeout=60s"]
    assert build_common_arguments(task) == [*limits, "--ca-cert=/ca.pem", "--checkers=4"]
    selection = build_selection_arguments(task, "/filters")
    assert selection == ["--filter-from", "/filters", "--max-size=1M"]
    words = build_transfer_arguments(task, Endpoints("/srv", "remote:b"), selection)
    assert [word for word in words if word in arguments] == ["--max-size=1M", "--size-only"]


def test_no_task_transfers_the_unfinished_files_of_any_run():
    run = make_run_id()
    pattern = next(rule for rule in build_filters(Task("t", "c", "push", "/srv", "b")) if ".cloudsync-?" in rule)
    name = f"a.12345678{UNFINISHED}{run[-5:]}"
    assert len(UNFINISHED + run[-5:]) == 16  # rclone's limit
    assert fnmatch(name, pattern[len("- ") :]) and fnmatch(name, build_unfinished_pattern(run))
    assert not fnmatch(name, build_unfinished_pattern("20260101T000000Z-000000"))
    assert hide_own_names(f"open /srv/{name}: no") == "open /srv/a: no"


def test_a_blank_at_the_end_of_a_pattern_is_kept():
    task = Task("t", "c", "push", "/srv", "b", exclude=(" a ", "b\\ ", "c"), include=("d\u3000",))
    assert build_filters(task)[-5:] == ("-  a[ ]", "- b[ ]", "- c", "+ d[\u3000]", "- *")


def test_a_connection_that_hangs_is_opened_again_before_the_run_is_ended():
    task = Task("t", "c", "push", "/srv", "b", limits=Limits(max_stall=60), rclone_args=("--timeout=9s",))
    assert build_common_arguments(task) == ["--timeout=30s", "--contimeout=30s", "--timeout=9s"]
    assert build_common_arguments(Task("t", "c", "push", "/srv", "b", limits=Limits(max_stall=0))) == []
