# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the start of the command, and what Ansible sends to a host for a module."""

from __future__ import annotations

import base64
import io
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import time
import zipfile
from collections.abc import Sequence

ROUNDS = 21
TASKS = 20
MODULES = {"task": {"name": "absent", "state": "absent"}, "host_config": {"tasks": []}}


def bench_status(root: pathlib.Path) -> None:
    """Print the time of ``status`` with TASKS tasks, compared with ``python3 -I -c pass``. Both run in turns."""
    command = root / "usr" / "local" / "bin" / "cloudsync"
    interpreter = command.read_text(encoding="utf-8").splitlines()[0][2:].split()[0]
    environment = {**os.environ, "CLOUDSYNC_ROOT": str(root)}
    ours, bare = [], []
    for _round in range(ROUNDS):
        ours.append(_measure([str(command), "status"], environment))
        bare.append(_measure([interpreter, "-I", "-c", "pass"], environment))
    more = statistics.median(one - other for one, other in zip(ours, bare, strict=True))
    print(f"cloudsync status with {TASKS} tasks, median of {ROUNDS}:")
    print(f"  python3 -I -c pass  {statistics.median(bare) * 1000:7.0f} ms")
    print(f"  cloudsync status    {statistics.median(ours) * 1000:7.0f} ms   (+{more * 1000:.0f} ms)")


def _measure(command: Sequence[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def bench_payloads(place: pathlib.Path, root: pathlib.Path) -> None:
    """Print the number of files and bytes that a call of a module sends to the host."""
    print("sent to a host for one call of a module (AnsiballZ):")
    for module, options in MODULES.items():
        folder = place / "sent"
        shutil.rmtree(folder, ignore_errors=True)
        _call(module, options, folder, root)
        sent = next(folder.rglob(f"AnsiballZ_{module}.py"))
        text = sent.read_text(encoding="utf-8")
        packed = max(re.findall(r"[\"']([A-Za-z0-9+/=\n\\]{2000,})[\"']", text), key=len)
        archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(packed.replace("\\n", ""))))
        files = archive.infolist()
        ours = [entry for entry in files if "/skyhaul/" in entry.filename and entry.file_size]
        print(
            f"  {module:12} {sent.stat().st_size / 1024:6.0f} KiB sent, {len(files)} files, "
            f"{len(ours)} of them ours with {sum(entry.file_size for entry in ours) / 1024:.0f} KiB"
        )


def _call(module: str, options: dict[str, object], folder: pathlib.Path, root: pathlib.Path) -> None:
    settings = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": str(folder), "CLOUDSYNC_ROOT": str(root)}
    words = ["ansible", "localhost", "-m", f"skyhaul.cloudsync.{module}", "-a", json.dumps(options)]
    subprocess.run(words, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, check=True)
