# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host that is measured: an installation below .build/bench, and an S3 server on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from measure import take

CLONE = pathlib.Path(__file__).resolve().parents[2]
PLACE = CLONE / ".build" / "bench"
BUCKET = "bench"
OLD = 1_600_000_000
KEY, SECRET = "benchkey", "benchsecret"
S3_SECRETS = {"access_key_id": KEY, "secret_access_key": SECRET}


class Root:
    """An installation. ``credentials`` have the names ``here`` (local files) and ``s3``."""

    def __init__(self, port: int, rclone: str) -> None:
        self.path = PLACE / "root"
        self.port = port
        self.environment = {"CLOUDSYNC_ROOT": str(self.path)}
        self.rclone = rclone
        self._write_config()

    @property
    def command(self) -> str:
        return str(self.path / "usr" / "local" / "bin" / "cloudsync")

    @property
    def python(self) -> str:
        """The interpreter of the installed command."""
        return pathlib.Path(self.command).read_text(encoding="utf-8").splitlines()[0][2:].split()[0]

    def install(self) -> None:
        facts = {
            "cloudsync_root": str(self.path),
            "bench_rclone": self.rclone,
            "bench_attributes": self.attributes(self.port),
            "bench_secrets": S3_SECRETS,
        }
        take(["ansible-playbook", str(CLONE / "tests" / "bench" / "hosts.yml"), "-e", json.dumps(facts)])

    def declare(self, tasks: Sequence[Mapping[str, object]], credentials: Sequence[Mapping[str, object]] = ()) -> None:
        """Declare tasks, and the credentials that they need, in one call."""
        options = {"tasks": list(tasks), **({"credentials": list(credentials)} if credentials else {})}
        take(self.build_call("host_config", options), self.environment)

    def build_call(self, module: str, options: dict[str, object]) -> list[str]:
        """Return the words of an ad-hoc call."""
        name = module if "." in module else f"skyhaul.cloudsync.{module}"
        return ["ansible", "localhost", "-m", name, *(["-a", json.dumps(options)] if options else [])]

    def run(self, task: str) -> list[str]:
        return [self.command, "run", task]

    def bare(self, *arguments: str) -> list[str]:
        """Return the words of rclone with the same server, as the remote ``s3``."""
        return [self.rclone, "--config", str(PLACE / "rclone.conf"), *arguments]

    def obscure(self, secret: str) -> str:
        """Return a secret as rclone's flags take it."""
        words = [self.rclone, "obscure", secret]
        return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    @staticmethod
    def attributes(port: int) -> dict[str, str]:
        return {"provider": "Rclone", "endpoint": f"http://127.0.0.1:{port}", "force_path_style": "true"}

    def _write_config(self) -> None:
        options = {**self.attributes(self.port), **S3_SECRETS}
        lines = "".join(f"{key} = {value}\n" for key, value in options.items())
        (PLACE / "rclone.conf").write_text(f"[s3]\ntype = s3\n{lines}", encoding="utf-8")


def build_idle_tasks(prefix: str, count: int) -> list[dict[str, object]]:
    """Return tasks that never run here."""
    return [
        {
            "name": f"{prefix}-{number:03}",
            "credential": "s3",
            "direction": "push",
            "path": str(PLACE),
            "remote_path": f"{BUCKET}/{prefix}/{number:03}",
            "schedule": {"cron": f"{number % 60} {number % 24} * * *"},
        }
        for number in range(count)
    ]


def make_files(folder: pathlib.Path, count: int, size: int, in_each: int = 100, depth: int = 1) -> pathlib.Path:
    """Make ``count`` files of ``size`` bytes, ``in_each`` folder. They are old, as most files are.

    Each folder is the first one in the folder before it, up to ``depth``.
    """
    parent = folder
    for number in range(count):
        if number % in_each == 0:
            above = folder if number // in_each % depth == 0 else parent
            parent = above / f"{number // in_each:04}"
            parent.mkdir(parents=True, exist_ok=True)
        path = parent / f"{number:06}.bin"
        path.write_bytes(number.to_bytes(8, "big") * (size // 8))
        os.utime(path, (OLD, OLD))
    return folder


def make_large_files(folder: pathlib.Path, count: int, size: int) -> pathlib.Path:
    """Make ``count`` files of ``size`` bytes that no file system and no server can make smaller."""
    folder.mkdir(parents=True)
    block = os.urandom(1 << 20)
    for number in range(count):
        with (folder / f"{number}.bin").open("wb") as stream:
            for _block in range(max(size // len(block), 1)):
                stream.write(block)
    return folder


@contextlib.contextmanager
def serve() -> Iterator[int]:
    """Run an S3 server with one empty bucket on loopback, and yield its port."""
    shutil.rmtree(PLACE, ignore_errors=True)
    with serve_folder("s3", PLACE / "served") as port:
        yield port


@contextlib.contextmanager
def serve_folder(kind: str, folder: pathlib.Path) -> Iterator[int]:
    """Run a server of rclone for ``folder``, in which it makes an empty bucket, and yield its port."""
    (folder / BUCKET).mkdir(parents=True)
    port = find_free_port()
    login = ["--auth-key", f"{KEY},{SECRET}"] if kind == "s3" else ["--user", KEY, "--pass", SECRET]
    with run_server(["rclone", "serve", kind, "--addr", f"127.0.0.1:{port}", *login, str(folder)], port):
        yield port


@contextlib.contextmanager
def run_server(words: Sequence[str], port: int) -> Iterator[None]:
    """Run a server that listens on ``port``, and wait until it does. Its output goes to a file."""
    with (PLACE / f"server-{port}.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        _await(port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _await(port: int) -> None:
    for _attempt in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit(f"The server on port {port} did not start.")


def count_processes(command: Sequence[str], environment: dict[str, str]) -> list[str]:
    """Return the rclone commands that ``command`` starts, in their order. Needs strace."""
    trace = PLACE / "trace"
    words = ["strace", "-f", "-qq", "-s", "200", "-e", "trace=execve", "-o", str(trace), *command]
    subprocess.run(words, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=True)
    return [
        verb
        for line in trace.read_text(encoding="utf-8", errors="replace").splitlines()
        for verb in _read_verb(line)
        if " = 0" in line
    ]


def _read_verb(line: str) -> Iterator[str]:
    words = line.partition("[")[2].partition("]")[0].replace('"', "").split(", ")
    if words[0].endswith("/rclone"):
        known = ("version", "cat", "lsf", "lsjson", "sync", "copy", "move", "rcat", "deletefile", "config")
        yield next((word for word in words[1:] if word in known), "other")
