# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a large fleet: how long it takes to write, its size, and when a browser can use it."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import sys
import time
from collections.abc import Iterator

from measure import take
from root import CLONE, PLACE, Root
from rows import Row

sys.path.append(str(CLONE / "tests" / "integration"))
import browser as browsers
import sample_fleet

MB = 1_000_000
HOSTS, TASKS, RUNS = 1_000, 20, 30
READY = "return !document.querySelector('#main').hasAttribute('aria-busy')"


def bench(root: Root, is_quick: bool) -> Iterator[Row]:
    """Write the page of a fleet that does not exist, and open it."""
    del root
    hosts = HOSTS // 10 if is_quick else HOSTS
    what = f"report of {hosts:,} hosts with {TASKS} tasks and {RUNS} runs each"
    folder = PLACE / "report"
    answers = _pack(hosts)
    command = [sys.executable, str(CLONE / "tests/bench/write_report.py"), os.environ["ANSIBLE_COLLECTIONS_PATH"]]
    taken = take([*command, str(answers), str(folder)])
    size = (folder / "index.html").stat().st_size
    yield _row("seconds", what, "written in at most 10 s", f"{taken.seconds:.1f} s", taken.seconds, 10)
    yield _row("memory", what, "at most 300 MB of memory", f"{taken.memory / MB:.0f} MB", taken.memory / MB, 300)
    yield _row("page", what, "a page of at most 3 MB", f"{size / MB:.1f} MB", size / MB, 3)
    if browsers.is_there():
        opened = _open(folder / "index.html")
        yield _row("usable", what, "usable in at most 2 s", f"{opened:.1f} s in Chromium", opened, 2)


def _row(name: str, what: str, target: str, measured: str, value: float, limit: float) -> Row:
    return Row(f"report-{name}", what, "its budget", target, measured, value, value <= limit)


def _pack(hosts: int) -> pathlib.Path:
    """Return a file with the packed answers, a line for each host, so that writing needs memory for nothing else."""
    sys.path.insert(0, os.environ["ANSIBLE_COLLECTIONS_PATH"])
    from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.answers import pack_answer

    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    path = PLACE / "fleet-answers.jsonl"
    with open(path, "w", encoding="utf-8") as stream:
        for host, answer in sample_fleet.build(hosts, TASKS, RUNS, now).items():
            stream.write(json.dumps([host, pack_answer(answer)]) + "\n")
    return path


def _open(path: pathlib.Path) -> float:
    """Return the seconds until the page can be used, the best of three."""
    profile = PLACE / "browser"
    profile.mkdir(parents=True, exist_ok=True)
    found = []
    with browsers.browsing(profile) as browser:
        for _number in range(3):
            browser.open("about:blank")
            began = time.monotonic()
            browser.open(path.as_uri())
            while not browser.run(READY):
                time.sleep(0.01)
            found.append(time.monotonic() - began)
    return min(found)
