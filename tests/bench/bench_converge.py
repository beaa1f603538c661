# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of one host, compared with templates in loops, and the start of a module."""

from __future__ import annotations

import base64
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator

from measure import compare, take
from root import BUCKET, CLONE, PLACE, Root
from rows import Row

TASKS, CREDENTIALS = 200, 20


def bench(root: Root, is_quick: bool) -> Iterator[Row]:
    """Measure 200 tasks and 20 credentials: first, again, and one changed. Then a call without a change."""
    tasks = TASKS // 10 if is_quick else TASKS
    yield from _bench_converge(root, tasks)
    yield from _bench_one_task(root, tasks)
    yield from _bench_idle(root, tasks, 3 if is_quick else 9)
    yield from _bench_start(root, 3 if is_quick else 9)


def build_config(tasks: int, credentials: int = CREDENTIALS, changed: str = "") -> dict[str, object]:
    """Return the options of host_config. ``changed`` is the description of the first task."""
    return {
        "credentials": [
            {
                "name": f"store-{number:02}",
                "provider": "s3",
                "attributes": {"provider": "Minio", "endpoint": "http://127.0.0.1:9000"},
                "secrets": {"access_key_id": "key", "secret_access_key": f"secret-{number}"},
            }
            for number in range(min(credentials, tasks))
        ],
        "tasks": [
            {
                "name": f"converge-{number:03}",
                "credential": f"store-{number % credentials:02}",
                "direction": "push",
                "path": f"/srv/{number:03}",
                "remote_path": f"{BUCKET}/{number:03}",
                "schedule": {"cron": f"{number % 60} {number % 24} * * *"},
                "description": changed if number == 0 else "",
            }
            for number in range(tasks)
        ],
    }


def _bench_converge(root: Root, tasks: int) -> Iterator[Row]:
    variables = {"bench_place": str(PLACE / "handwritten"), "bench_tasks": tasks, "bench_credentials": CREDENTIALS}
    playbook = ["ansible-playbook", str(CLONE / "tests" / "bench" / "handwritten.yml"), "-e"]
    pipelining = {"ANSIBLE_PIPELINING": "true"}
    # The loops look at each item, so they take the same four minutes in each case.
    theirs = take([*playbook, json.dumps(variables)], pipelining).seconds
    for title, changed in (("first", ""), ("again", ""), ("one changed", "a new description")):
        ours = take(root.build_call("host_config", build_config(tasks, changed=changed)), root.environment).seconds
        factor = theirs / ours
        yield Row(
            f"converge-{title}-{tasks}".replace(" ", "-"),
            f"{tasks} tasks and {CREDENTIALS} credentials on a host, {title}",
            "templates in loops, with pipelining, first",
            "40 times faster",
            f"{factor:.0f} times faster ({ours:.1f} s instead of {theirs:.1f} s)",
            1 / factor,
            factor >= 40,
        )


def _bench_one_task(root: Root, tasks: int) -> Iterator[Row]:
    many = root.build_call("host_config", build_config(tasks))
    took = compare(many, root.build_call("host_config", build_config(1)), 3, root.environment)
    yield Row(
        f"many-over-one-{tasks}",
        f"{tasks} tasks on a host, no change",
        "one task",
        "at most 2 times",
        f"{took.ratio:.2f} times ({took.spread})",
        took.ratio,
        took.ratio <= 2,
    )


def _bench_idle(root: Root, tasks: int, rounds: int) -> Iterator[Row]:
    ours = root.build_call("host_config", build_config(tasks))
    took = compare(ours, root.build_call("ansible.builtin.ping", {}), rounds, root.environment)
    yield Row(
        f"idle-{tasks}",
        f"converge {tasks} tasks, no change",
        "`ansible.builtin.ping`",
        "at most 1.5 times",
        f"{took.ratio:.2f} times ({took.spread})",
        took.ratio,
        took.ratio <= 1.5,
        "In each call, Ansible packs the files of the module, and prints all tasks",
    )


def _bench_start(root: Root, rounds: int) -> Iterator[Row]:
    files, size = _measure_payload(root)
    ours = root.build_call("task", {"name": "absent", "state": "absent"})
    took = compare(ours, root.build_call("ansible.builtin.stat", {"path": "/"}), rounds, root.environment)
    yield Row(
        "start",
        "start of the module `task`",
        "`ansible.builtin.stat`",
        "at most 1.5 times",
        f"{took.ratio:.2f} times ({took.spread}). {files} files of the collection, {size / 1024:.0f} KiB sent",
        took.ratio,
        took.ratio <= 1.5,
    )


def _measure_payload(root: Root) -> tuple[int, int]:
    """Return the number of files and the bytes that a call of ``task`` sends to the host."""
    folder = PLACE / "sent"
    shutil.rmtree(folder, ignore_errors=True)
    settings = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": str(folder), **root.environment}
    words = root.build_call("task", {"name": "absent", "state": "absent"})
    subprocess.run(words, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, check=True)
    sent = next(pathlib.Path(folder).rglob("AnsiballZ_task.py"))
    packed = max(re.findall(r"[\"']([A-Za-z0-9+/=\n\\]{2000,})[\"']", sent.read_text(encoding="utf-8")), key=len)
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(packed.replace("\\n", ""))))
    ours = [entry for entry in archive.infolist() if "/skyhaul/" in entry.filename and entry.file_size]
    return len(ours), sent.stat().st_size
