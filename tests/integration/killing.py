# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kill a run at a random moment: its runner, its rclone, its hook, all of them, or the runner at a system call."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import time
from contextlib import suppress

from harness import wait_for

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.flock import is_held

# The system calls with which files and locks change, and how often one run of the command makes them, roughly. strace
# counts each call by itself. A question mark: this machine may not have the call.
STEPS = {
    "?rename,?renameat,?renameat2": 11,
    "?unlink,?unlinkat": 12,
    "?mkdir,?mkdirat": 16,
    "fsync": 18,
    "flock": 16,
    "fchmod": 12,
    "ftruncate": 2,
    "pwrite64": 2,
}
MOST_STEPS = sum(STEPS.values())


def can_trace():
    """Return whether strace works here."""
    program = shutil.which("strace")
    return program is not None and subprocess.run([program, "-o", "/dev/null", "true"], check=False).returncode == 0


def build_step_killer(number):
    """Return the command that kills the program after it, before one of its system calls in STEPS.

    ``number``: from 1 to MOST_STEPS.
    """
    for calls, most in STEPS.items():
        if number <= most:
            return ["strace", "-o", "/dev/null", f"-etrace={calls}", f"-einject={calls}:signal=SIGKILL:when={number}"]
        number -= most
    raise ValueError("there are fewer steps")


def find_descendants(pid):
    """Return the running descendants of ``pid``: process id to argument vector."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit():
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, above = {}, {pid}
    while above:
        above = {child for child, parent in parents.items() if parent in above}
        for child in above:
            with suppress(OSError):
                found[child] = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
    return found


def find_rclones(run):
    """Return the process ids of the rclones of a run."""
    return [pid for pid, words in find_descendants(run.pid).items() if words[0].endswith("rclone")]


def find_hooks(run):
    """Return the process ids of the hooks of a run."""
    return [pid for pid, words in find_descendants(run.pid).items() if "/dev/fd/" in " ".join(words)]


def kill(run, victim):
    """Kill the ``victim`` of a run in the background: runner, rclone, both or hook. Return whether it was there."""
    chosen = [run.pid] if victim in ("runner", "both") else []
    if victim in ("rclone", "both"):
        chosen += find_rclones(run)
    if victim == "hook":
        chosen += find_hooks(run)
    for pid in chosen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(chosen)


def wait_for_release(machine, *tasks):
    """Wait until no process of a killed run holds the lock of its task or a live configuration."""
    locks = pathlib.Path(machine.layout.run_dir, "locks")

    def is_free():
        held = [locks / "tasks" / task for task in tasks] + [path / "lock" for path in machine.live()]
        return not any(is_held(str(path)) for path in held)

    wait_for(is_free, "the end of the processes of a killed run")


def age_temporary_files(folder):
    """Make the temporary files of killed processes older than a minute, and return them."""
    found = [path for path in pathlib.Path(folder).rglob(".*.cloudsync-new") if path.is_file()]
    for path in found:
        os.utime(path, (time.time() - 120,) * 2)
    return found
