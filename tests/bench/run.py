# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the overhead of a run compared with rclone, and the time to configure a host with 200 tasks.

`make bench` runs the installed command and the modules with an S3 server on loopback. All files are in .build/bench.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import startup

CLONE = pathlib.Path(__file__).resolve().parents[2]
PLACE = CLONE / ".build" / "bench"
ROOT = PLACE / "root"
SOURCE = PLACE / "source"
BUCKET = "bench"
KEY, SECRET = "benchkey", "benchsecret"
FILES, FILE_SIZE, TASKS, ROUNDS = 1000, 4096, 200, 7


def main() -> int:
    shutil.rmtree(PLACE, ignore_errors=True)
    rclone = shutil.which("rclone")
    if not rclone:
        print("rclone is not on PATH. Run this script with `make bench`.", file=sys.stderr)
        return 1
    _make_files()
    with _server(rclone) as address:
        attributes = {"provider": "Rclone", "endpoint": address, "force_path_style": "true"}
        secrets = {"access_key_id": KEY, "secret_access_key": SECRET}
        facts = {
            "cloudsync_root": str(ROOT),
            "bench_rclone": rclone,
            "bench_source": str(SOURCE),
            "bench_bucket": BUCKET,
            "bench_attributes": attributes,
            "bench_secrets": secrets,
        }
        _seconds(["ansible-playbook", str(CLONE / "tests" / "bench" / "hosts.yml"), "-e", json.dumps(facts)])
        _bench_run(rclone, {**attributes, **secrets})
        _declare(startup.TASKS - 1, "status")  # one more exists: the task of the no-op run
        startup.bench_status(ROOT)
        startup.bench_payloads(PLACE, ROOT)
        _bench_converge()
    return 0


def _bench_run(rclone: str, options: dict[str, str]) -> None:
    command = [str(ROOT / "usr" / "local" / "bin" / "cloudsync"), "run", "noop"]
    config = PLACE / "rclone.conf"
    config.write_text("[bench]\ntype = s3\n" + "".join(f"{key} = {value}\n" for key, value in options.items()))
    bare = [rclone, "--config", str(config), "sync", str(SOURCE), f"bench:{BUCKET}/data"]
    _seconds(command)  # the first run uploads, so the next runs have nothing to do
    ours = _median(command)
    theirs = _median(bare)
    print(f"no-op sync of {FILES} files, median of {ROUNDS}:")
    print(f"  rclone sync     {theirs * 1000:7.0f} ms")
    print(f"  cloudsync run   {ours * 1000:7.0f} ms   (+{(ours - theirs) * 1000:.0f} ms)")


def _declare(count: int, prefix: str) -> float:
    """Declare ``count`` tasks in one call, and return the time in seconds."""
    tasks = [
        {
            "name": f"{prefix}{number:03}",
            "credential": "bench",
            "direction": "push",
            "path": str(SOURCE),
            "remote_path": f"{BUCKET}/{number:03}",
            "schedule": {"cron": f"{number % 60} {number % 24} * * *"},
        }
        for number in range(count)
    ]
    words = [
        "ansible",
        "localhost",
        "-m",
        "skyhaul.cloudsync.host_config",
        "-a",
        json.dumps({"tasks": tasks}),
    ]
    return _seconds(words)


def _bench_converge() -> None:
    idle = _median(["ansible", "localhost", "-m", "ansible.builtin.ping"])
    print(f"host_config with {TASKS} tasks, without the {idle:.2f} s of `ansible -m ping`:")
    for title in ("first time", "no change"):
        print(f"  {title:15} {_declare(TASKS, 'converge') - idle:7.2f} s")


def _median(command: Sequence[str]) -> float:
    return statistics.median(_seconds(command) for _round in range(ROUNDS))


def _seconds(command: Sequence[str]) -> float:
    """Return the time of ``command`` in seconds. Exit if the command fails."""
    began = time.monotonic()
    done = subprocess.run(
        command,
        env={**os.environ, "CLOUDSYNC_ROOT": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    taken = time.monotonic() - began
    if done.returncode:
        sys.exit(f"{done.stdout[-4000:]}\n{command[0]} failed with exit code {done.returncode}.")
    return taken


def _make_files() -> None:
    for number in range(FILES):
        path = SOURCE / f"{number % 20:02}" / f"{number:04}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(FILE_SIZE))


@contextlib.contextmanager
def _server(rclone: str) -> Iterator[str]:
    """Run an S3 server with one empty bucket on loopback, and yield its address."""
    (PLACE / "served" / BUCKET).mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [rclone, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}"]
    with (PLACE / "server.log").open("wb") as log:
        process = subprocess.Popen([*words, str(PLACE / "served")], stdout=log, stderr=log)
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    for _attempt in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit("The S3 server did not start.")


if __name__ == "__main__":
    sys.exit(main())
