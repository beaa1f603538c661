# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import processes
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.processes import ToolError, run_tool


def shell(script, timeout=20, **options):
    return run_tool(["sh", "-c", script], timeout, **options)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_result_has_the_exit_code_and_both_outputs():
    result = shell("echo out; echo err >&2; exit 3")
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")


def test_a_tool_that_dies_of_a_signal_has_a_negative_exit_code():
    assert shell("kill -KILL $$").exit_code == -9


def test_the_environment_of_a_tool_has_the_path_the_language_and_what_is_added(monkeypatch):
    monkeypatch.setenv("RCLONE_CONFIG_PASS", "hunter2")
    result = run_tool(["env"], 20, environment={"HOME": "/root"})
    assert sorted(result.stdout.splitlines()) == ["HOME=/root", "LANG=C.UTF-8", f"PATH={processes.SEARCH_PATH}"]
    assert run_tool(["env"], 20, environment={"PATH": "/usr/bin:/bin"}).stdout.splitlines()[0] == "PATH=/usr/bin:/bin"


def test_standard_input_is_empty_unless_bytes_are_passed():
    assert shell("cat").stdout == ""
    assert shell("cat", stdin=b"x" * 500000).raw_stdout == b"x" * 500000


def test_a_tool_may_end_before_it_has_read_its_input():
    assert shell("exit 4", stdin=b"x" * 500000).exit_code == 4


def test_text_that_is_not_utf_8_is_replaced_and_the_bytes_are_kept():
    result = shell("printf 'a\\377b'; printf '\\377' >&2")
    assert (result.raw_stdout, result.stdout, result.stderr) == (b"a\xffb", "a\ufffdb", "\ufffd")


def test_a_tool_that_does_not_exist_is_a_usage_error():
    with pytest.raises(ToolError, match="The command no-such-tool does not exist on this host") as caught:
        run_tool(["no-such-tool"], 20)
    assert (caught.value.missing, caught.value.timed_out, caught.value.reason) == (True, False, "usage")


def test_a_tool_that_may_not_be_executed_is_an_error(tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    with pytest.raises(ToolError, match="Permission denied") as caught:
        run_tool([str(tmp_path / "tool")], 20)
    assert (caught.value.missing, caught.value.timed_out, caught.value.reason) == (False, False, "other")


def test_a_tool_over_its_time_is_killed_with_its_children(tmp_path):
    started = time.monotonic()
    with pytest.raises(ToolError, match="sh timed out after 1 s") as caught:
        shell(f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/pid; wait", timeout=1)
    assert time.monotonic() - started < 10
    assert (caught.value.missing, caught.value.timed_out, caught.value.reason) == (False, True, "other")
    assert wait_until(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_a_tool_runs_at_the_root_and_out_of_reach_of_ctrl_c():
    result = shell("pwd; ps -o sid= -p $$")
    directory, session = result.stdout.split()
    assert directory == "/" and int(session) != os.getsid(0)


def test_the_last_line_of_a_tool_is_that_of_its_errors():
    assert shell("echo out; echo one >&2; echo two >&2").find_last_line("nothing") == "two"
    assert shell("echo out").find_last_line("nothing") == "out"
    assert shell("true").find_last_line("nothing") == "nothing"


def test_a_detached_program_inherits_the_environment_and_has_no_terminal(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOUDSYNC_ROOT", "/somewhere")
    processes.start_detached(["sh", "-c", f"echo $CLOUDSYNC_ROOT > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/out"])
    assert wait_until((tmp_path / "out").exists)
    assert (tmp_path / "out").read_text() == "/somewhere\n"
