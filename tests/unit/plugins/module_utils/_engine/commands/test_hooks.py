# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pwd
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.commands import hooks
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(hooks.__file__))))
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
FACTS = {"task": "nightly", "path": "/srv/data", "remote_path": "bucket/data", "state": "running"}


class Run:
    """Run hooks with defaults. ``lines`` has their log."""

    def __init__(self, script_dir):
        self.script_dir = str(script_dir)
        self.lines = []

    def __call__(self, hook, kind="before", timeout=20, user=None, stop=lambda: False, log=None):
        return hooks.run_hook(kind, hook, FACTS, log or self.lines.append, timeout, user, stop, self.script_dir)


@pytest.fixture
def run(tmp_path):
    directory = tmp_path / "scripts"
    directory.mkdir(mode=0o700)
    return Run(directory)


def test_output_goes_to_the_log_line_by_line_under_the_name_of_the_hook(run):
    result = run("echo one; echo two >&2; printf three")
    assert run.lines == ["[before] one", "[before] two", "[before] three"]
    assert result == hooks.HookResult(0, ("one", "two", "three"))
    assert result.ok


def test_lines_arrive_while_the_hook_still_runs(run, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(str(gate))
    seen = threading.Event()

    def opened_by_the_first_line(line):
        run.lines.append(line)
        if line == "[before] first":
            seen.set()
            gate.open("w").close()

    result = run(f"echo first; read -r _ < {gate}; echo second", log=opened_by_the_first_line)
    assert seen.is_set()
    assert result.last_lines == ("first", "second")


def test_a_failing_hook_gives_its_exit_code_and_last_lines(run):
    result = run("for i in $(seq 30); do echo line $i; done; exit 7")
    assert result.exit_code == 7
    assert result.last_lines == tuple(f"line {i}" for i in range(21, 31))
    error = hooks.build_hook_error("before", result)
    assert error.reason == "hook"
    assert "The before hook failed with exit code 7" in error.message
    assert error.message.endswith("line 29 | line 30")


def test_a_hook_that_dies_of_a_signal_has_the_exit_code_of_a_shell(run):
    assert run("kill -SEGV $$").exit_code == 128 + signal.SIGSEGV


def test_the_environment_is_built_from_nothing(run, monkeypatch):
    monkeypatch.setenv("RCLONE_CONFIG_PASS", "hunter2")
    monkeypatch.setenv("LD_PRELOAD_X", "x")
    result = run(f"#!{sys.executable}\nimport json, os\nprint(json.dumps(dict(os.environ)))\n")
    env = json.loads(result.last_lines[-1])
    extra = {name for name in env if not name.startswith("CLOUDSYNC_")} - {"LC_CTYPE"}
    assert extra == {"PATH", "HOME", "LANG"}
    assert env["CLOUDSYNC_TASK"] == "nightly"
    assert env["CLOUDSYNC_HOOK"] == "before"
    assert env["CLOUDSYNC_REMOTE_PATH"] == "bucket/data"


def test_a_fact_has_no_zero_byte_in_the_environment():
    assert hooks.build_environment("always", {"path": "/a\0b"}, "/root")["CLOUDSYNC_PATH"] == "/ab"


def test_a_message_too_long_for_an_environment_does_not_stop_the_hook(run):
    facts = {"message": "x" * 300000}
    result = hooks.run_hook(
        "failure", "echo ${#CLOUDSYNC_MESSAGE}", facts, lambda line: None, 10, None, lambda: False, run.script_dir
    )
    assert result.last_lines == (str(hooks.FACT_LENGTH),)


def test_text_with_a_shebang_is_read_by_that_interpreter_with_its_one_argument(run):
    result = run(f"#!/usr/bin/env -S {sys.executable} -u\nimport sys\nprint(sys.version_info[0])\n")
    assert result.last_lines == ("3",)


def test_text_without_a_shebang_is_read_by_bash_where_there_is_one(run):
    assert hooks.find_interpreter("echo") in (["/bin/bash"], ["/usr/bin/bash"], ["/bin/sh"])
    if os.path.exists("/bin/bash"):
        assert run("a=(x y); echo ${a[1]}").last_lines == ("y",)


def test_a_path_to_an_executable_is_run_even_with_a_space_and_without_a_shebang(run, tmp_path):
    script = tmp_path / "my hook"
    script.write_text("echo from $0\n")
    script.chmod(0o755)
    assert run(str(script)).last_lines == (f"from {script}",)


def test_a_path_that_is_not_executable_fails_as_in_a_shell(run, tmp_path):
    script = tmp_path / "hook"
    script.write_text("#!/bin/sh\necho hello\n")
    script.chmod(0o644)
    result = run(str(script))
    assert result.exit_code == 126
    assert "ermission denied" in result.last_lines[-1]


def test_a_missing_interpreter_is_logged(run):
    result = run("#!/no/such/interpreter\nx\n")
    assert result.exit_code == 127
    assert run.lines == ["[before] /no/such/interpreter: No such file or directory"]


def test_the_text_is_in_no_argument_vector_and_leaves_no_file(run):
    result = run(f"tr '\\0' ' ' < /proc/$$/cmdline; echo; ls {run.script_dir}; true token-in-the-text")
    assert result.exit_code == 0
    assert not any("token-in-the-text" in line for line in result.last_lines)
    assert len(result.last_lines) == 1
    assert os.listdir(run.script_dir) == []


def test_standard_input_is_empty_and_the_directory_is_the_root(run):
    assert run("cat; pwd").last_lines == ("/",)


def test_a_hook_over_its_time_is_ended_with_all_its_children(run, tmp_path, is_alive):
    pids = tmp_path / "pids"
    started = time.monotonic()
    result = run(f"sleep 300 & echo $! > {pids}; sleep 301 | sleep 302", timeout=1)
    assert time.monotonic() - started < 5
    assert result.timed_out and not result.stopped and not result.ok
    assert result.exit_code == 128 + signal.SIGTERM
    assert "longer than 1 s" in run.lines[-1]
    assert not is_alive(int(pids.read_text()))
    assert "exceeded its timeout and was ended" in hooks.build_hook_error("before", result).message


def test_a_hook_that_ignores_sigterm_is_killed_after_five_seconds(run):
    started = time.monotonic()
    result = run("trap 'echo not yet' TERM; while :; do sleep 0.1; done", timeout=1)
    assert 5.5 < time.monotonic() - started < 9
    assert result.exit_code == 128 + signal.SIGKILL
    assert "[before] not yet" in run.lines


def test_a_stop_ends_the_hook_and_keeps_its_last_lines(run):
    asked = time.monotonic() + 0.5
    script = "trap 'echo cleaned up; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    result = run(script, stop=lambda: time.monotonic() > asked)
    assert result.stopped and not result.timed_out
    assert result.exit_code == 3
    assert result.last_lines[0] == "ready"
    assert "cleaned up" in result.last_lines
    assert hooks.build_hook_error("before", result).reason == "stopped"


def test_a_background_process_of_a_hook_goes_on_without_delaying_the_run(run, tmp_path, is_alive):
    pids = tmp_path / "pids"
    started = time.monotonic()
    result = run(f"sleep 60 & echo $! > {pids}; echo done")
    assert time.monotonic() - started < 3
    assert result.last_lines == ("done",)
    pid = int(pids.read_text())
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_endless_output_without_a_line_end_is_cut_into_lines(run):
    result = run("head -c 50000 /dev/zero | tr '\\0' x")
    assert result.exit_code == 0
    assert sum(len(line) - len("[before] ") for line in run.lines) == 50000
    assert max(map(len, run.lines)) < 9000


def test_output_that_is_not_utf_8_and_progress_bars_do_not_break_the_log(run):
    result = run("printf 'a\\377b\\n10%%\\r20%%\\r\\nend\\n'")
    assert result.last_lines == ("a\ufffdb", "10%", "20%", "end")


def test_an_unwritable_log_ends_the_hook(run, tmp_path, is_alive):
    pids = tmp_path / "pids"

    def full(line):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run(f"echo $$ > {pids}; echo x; sleep 300", log=full)
    assert not is_alive(int(pids.read_text()))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_whole_group_ends_when_the_runner_dies(run, tmp_path, number, is_alive, wait_until):
    pids = tmp_path / "pids"
    runner = textwrap.dedent(
        """
        import sys
        sys.path.insert(0, {package!r})
        from _engine.commands import hooks
        script = "echo $$ >> {pids}; sleep 300 & echo $! >> {pids}; wait"
        hooks.run_hook("before", script, {{}}, print, 100, None, lambda: False, {directory!r})
        """
    ).format(package=PACKAGE, pids=pids, directory=run.script_dir)
    process = subprocess.Popen([sys.executable, "-c", runner])
    assert wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    shell, child = map(int, pids.read_text().split())
    # The watcher starts an instant after the hook.
    time.sleep(0.3)
    process.send_signal(number)
    process.wait()
    assert wait_until(lambda: not is_alive(shell) and not is_alive(child), 3)
    assert os.listdir(run.script_dir) == []


def test_an_unknown_user_is_a_usage_error(run):
    with pytest.raises(CloudsyncError) as caught:
        run("true", user="no-such-user")
    assert caught.value.reason == "usage"
    assert "'no-such-user' does not exist on this host" in caught.value.message


@needs_root
def test_the_hook_runs_as_the_user_of_the_task(run, tmp_path):
    os.chmod(run.script_dir, 0o700)
    nobody = pwd.getpwnam("nobody")
    result = run("id -u; id -g; id -G; echo $HOME; (echo > /proc/1/environ) 2>&1 | wc -l", user="nobody")
    assert result.last_lines[:4] == (
        str(nobody.pw_uid),
        str(nobody.pw_gid),
        str(nobody.pw_gid),
        nobody.pw_dir,
    )
    assert result.last_lines[4] == "1"


@needs_root
def test_the_script_of_another_user_is_readable_by_that_user_only(run, tmp_path):
    result = run("stat -L -c '%a %U' $0", user="nobody")
    assert result.last_lines == ("500 nobody",)
    assert stat.S_IMODE(os.stat(run.script_dir).st_mode) == 0o700


@needs_root
def test_a_hook_of_another_user_is_ended_at_its_timeout(run):
    result = run("sleep 300", user="nobody", timeout=1)
    assert result.timed_out
    assert result.exit_code == 128 + signal.SIGTERM
