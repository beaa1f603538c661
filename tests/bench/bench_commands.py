# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short commands and the preview of schedules."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from measure import compare, take
from root import CLONE, PLACE, Root, build_idle_tasks, make_files
from rows import Row

SHOWN, CHECKED = 20, 200


def bench(root: Root, is_quick: bool) -> Iterator[Row]:
    """Measure ``status`` with 20 tasks and ``check`` with 200, then the preview of 1,000 schedules."""
    _end_a_run(root)
    yield from _bench_verb(root, "status", SHOWN, 0.060, 5 if is_quick else 21)
    yield from _bench_verb(root, "check", CHECKED, 0.150, 5 if is_quick else 21)
    yield from _bench_preview(3 if is_quick else 7)


def _end_a_run(root: Root) -> None:
    """Let one task run: on a host where none has ever run, each command asks rclone for its version."""
    source = make_files(PLACE / "sources" / "one", 1, 64)
    task = {"name": "ended", "credential": "here", "direction": "push"}
    root.declare([{**task, "path": str(source), "remote_path": str(PLACE / "copies" / "one")}])
    take(root.run("ended"), root.environment)


def _bench_verb(root: Root, verb: str, count: int, most: float, rounds: int) -> Iterator[Row]:
    root.declare(build_idle_tasks("shown", count - 1))
    took = compare(
        ["/bin/sh", "-c", f"{root.command} {verb} || true"],  # `check` fails while a task never ran
        ["/bin/sh", "-c", f"{root.python} -I -c pass"],
        rounds,
        root.environment,
    )
    yield Row(
        verb,
        f"`cloudsync {verb}`, {count} tasks",
        "`python3 -I -c pass`",
        f"at most {most * 1000:.0f} ms more",
        f"{took.more * 1000:.0f} ms more",
        took.more,
        took.more <= most,
        "It decrypts each task, compares its units, and computes when it was due",
    )


def _bench_preview(rounds: int) -> Iterator[Row]:
    script = str(CLONE / "tests" / "bench" / "preview.py")
    took = compare([sys.executable, script, "ours"], [sys.executable, script, "croniter"], rounds)
    yield Row(
        "preview",
        "preview of 1,000 schedules, 50 runs each",
        "a plain loop over croniter",
        "at most 1.5 times",
        f"{took.ratio:.2f} times ({took.spread})",
        took.ratio,
        took.ratio <= 1.5,
    )
