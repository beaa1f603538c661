# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import processes
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.processes import (
    Child,
    SetupError,
    ToolError,
    run_tool,
    watch_group,
)


def shell(script, timeout=20, **options):
    return run_tool(["sh", "-c", script], timeout, **options)


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


def test_a_tool_over_its_time_is_killed_with_its_children(tmp_path, is_alive, wait_until):
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


def test_a_detached_program_inherits_the_environment_and_has_no_terminal(tmp_path, monkeypatch, wait_until):
    monkeypatch.setenv("CLOUDSYNC_ROOT", "/somewhere")
    processes.start_detached(["sh", "-c", f"echo $CLOUDSYNC_ROOT > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/out"])
    assert wait_until((tmp_path / "out").exists)
    assert (tmp_path / "out").read_text() == "/somewhere\n"


class Follower:
    """Starts shell scripts and keeps their lines."""

    def __init__(self):
        self.output = []
        self.errors = []
        self.child = None

    def __call__(self, script, **options):
        start = {name: options.pop(name) for name in ("exact_lines", "stdin", "setup") if name in options}
        environment = {"PATH": processes.SEARCH_PATH}
        self.child = Child(["sh", "-c", script], environment, self.output.append, self.errors.append, **start)
        return self.child.follow(**options)


@pytest.fixture
def follow():
    return Follower()


def test_both_outputs_are_passed_on_and_the_exit_code_is_returned(follow):
    ended = follow("echo out; echo err >&2; printf rest; exit 3")
    assert (follow.output, follow.errors) == (["out", "rest"], ["err"])
    assert (ended.exit_code, ended.stopped, ended.timed_out) == (3, False, False)


def test_errors_join_the_output_if_nobody_takes_them():
    lines = []
    Child(["sh", "-c", "echo out; echo err >&2"], {"PATH": processes.SEARCH_PATH}, lines.append).follow()
    assert lines == ["out", "err"]


def test_all_that_a_child_wrote_before_its_end_is_passed_on(follow):
    follow("seq 200000; seq 200000 >&2")
    assert (len(follow.output), len(follow.errors)) == (200000, 200000)


def test_exact_lines_are_neither_cut_nor_split_at_carriage_returns(follow):
    follow("head -c 50000 /dev/zero | tr '\\0' x; printf '\\ra\\r\\nb'", exact_lines=True)
    assert follow.output == ["x" * 50000 + "\ra\r", "b"]


def test_a_stop_ends_the_whole_group_of_a_child(follow, tmp_path, is_alive):
    ended = follow(f"sleep 60 & echo $! > {tmp_path}/pid; echo ready; wait", stop=lambda: follow.output == ["ready"])
    assert (ended.exit_code, ended.stopped, ended.timed_out) == (-signal.SIGTERM, True, False)
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_child_over_its_time_is_ended(follow):
    ended = follow("exec sleep 60", timeout=0.1)
    assert (ended.exit_code, ended.stopped, ended.timed_out) == (-signal.SIGTERM, False, True)


def test_a_child_is_ended_once_there_is_enough(follow):
    ended = follow("echo first; exec sleep 60", enough=lambda: bool(follow.output))
    assert (ended.exit_code, ended.stopped, ended.timed_out) == (-signal.SIGTERM, False, False)


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(follow):
    started = time.monotonic()
    ended = follow("trap 'echo no' TERM; while :; do sleep 0.05; done", timeout=0.3, grace=0.5)
    assert 0.7 < time.monotonic() - started < 5
    assert (ended.exit_code, follow.output) == (-signal.SIGKILL, ["no"])


def test_signals_for_the_leader_do_not_reach_its_children_but_sigkill_does(follow, tmp_path, is_alive, wait_until):
    helper = f"sh -c 'trap \"touch {tmp_path}/asked\" TERM; while :; do sleep 0.05; done' &"
    script = (
        f"trap : USR2; trap 'exit 7' TERM; {helper} echo $! > {tmp_path}/pid; echo ready; while :; do sleep 0.05; done"
    )
    ended = follow(
        script, enough=lambda: bool(follow.output), grace=0.5, leader_signals=(signal.SIGUSR2, signal.SIGTERM)
    )
    assert ended.exit_code == 7
    assert not (tmp_path / "asked").exists()
    assert wait_until(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_the_tick_comes_all_the_while_and_once_after_the_end(follow):
    seen = []
    follow("echo one; sleep 0.5; echo two", tick=lambda: seen.append(len(follow.output)))
    assert len(seen) > 3 and seen[-1] == 2


def test_an_error_in_the_tick_ends_the_child(follow, is_alive):
    def fail():
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        follow("exec sleep 60", tick=fail)
    assert not is_alive(follow.child.pid)


def test_a_child_that_reads_no_input_is_no_error(follow):
    assert follow("exec <&-; exit 0", stdin=b"x" * 1000).exit_code == 0


def test_a_setup_that_fails_is_an_error_of_its_own(follow):
    def fail():
        raise OSError("no")

    with pytest.raises(SetupError):
        follow("true", setup=fail)


def test_the_watch_of_a_group_lets_a_child_end_normally(tmp_path):
    child = Child(["sh", "-c", "sleep 0.3; exit 5"], {"PATH": processes.SEARCH_PATH}, print)
    with watch_group(child):
        assert child.follow().exit_code == 5


def test_the_grace_is_five_seconds():
    assert processes.GRACE_SECONDS == 5
