# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that have nothing to do, compared with rclone alone, and plans."""

from __future__ import annotations

import os
import pathlib
from collections import Counter
from collections.abc import Iterator

from measure import compare, peak_memory, take
from root import BUCKET, PLACE, Root, count_processes, make_files
from rows import Row

FEW, MANY, PLANNED = 2_000, 100_000, 1_000_000
MIB = 1024 * 1024
WHY = {
    "here": "The guards read the owner mark, and list the source once more to know what a run may delete",
    "s3": "The guards read the owner mark and write a probe, because this server is on the same host",
}


def bench(root: Root, is_quick: bool) -> Iterator[Row]:
    """Measure runs without a change, with few and many files, here and on S3, then the guard and the plan."""
    yield from _bench_noop(root, FEW, 3 if is_quick else 9)
    many = MANY // 10 if is_quick else MANY
    yield from _bench_noop(root, many, 1 if is_quick else 3)
    yield from _bench_max_delete(root, many, 1 if is_quick else 3)
    yield from _bench_plan(root, PLANNED // 10 if is_quick else PLANNED)


def _source(count: int) -> pathlib.Path:
    folder = PLACE / "sources" / str(count)
    return folder if folder.exists() else make_files(folder, count, 64)


def _task(name: str, credential: str, source: pathlib.Path, target: str, **options: object) -> dict[str, object]:
    base = {"name": name, "credential": credential, "direction": "push", "mode": "sync"}
    return {**base, "path": str(source), "remote_path": target, **options}


def _bench_noop(root: Root, count: int, rounds: int) -> Iterator[Row]:
    source = _source(count)
    here = str(PLACE / "copies" / str(count))
    places = {"here": (here, here), "s3": (f"{BUCKET}/{count}", f"s3:{BUCKET}/{count}")}
    root.declare([_task(f"{name}-{count}", name, source, target) for name, (target, _bare) in places.items()])
    for name, (_target, bare) in places.items():
        words = root.run(f"{name}-{count}")
        _settle(root, f"{name}-{count}")
        # Without this filter, rclone deletes the owner mark, and the next run has to find out whose folder it is.
        reference = root.bare("sync", "--exclude", "/.cloudsync-owner", str(source), bare)
        took = compare(words, reference, rounds, root.environment)
        ours, theirs = took.seconds
        where = "local folder" if name == "here" else "S3"
        base = f"{ours:.2f} s instead of {theirs:.2f} s"
        if count == FEW:
            verbs = Counter(count_processes(words, root.environment))
            started = ", ".join(f"{verb} {number}" for verb, number in verbs.items())
            measured = f"{took.more * 1000:.0f} ms more ({base}). rclone: {started}"
            target, value, is_reached = "at most 80 ms more", took.more, took.more <= 0.080
        else:
            measured = f"{took.ratio:.2f} times ({took.spread}), {base}"
            target, value, is_reached = "at most 1.05 times", took.ratio, took.ratio <= 1.05
        what = f"no-op sync of {count:,} files, {where}"
        yield Row(f"noop-{name}-{count}", what, "`rclone sync`", target, measured, value, is_reached, WHY[name])
    memory = peak_memory(root.run(f"here-{count}"), root.environment)
    yield Row(
        f"memory-{count}",
        f"memory of the runner, {count:,} files",
        "",
        "less than 40 MiB",
        f"{memory / MIB:.0f} MiB",
        memory / MIB,
        memory < 40 * MIB,
    )


def _settle(root: Root, task: str) -> None:
    """Upload everything, then compare everything once, so that the next runs know what is equal."""
    for _run in range(2):
        take(root.run(task), root.environment)


def _bench_max_delete(root: Root, count: int, rounds: int) -> Iterator[Row]:
    source = _source(count)
    guarded = _task(f"guarded-{count}", "s3", source, f"{BUCKET}/guarded-{count}", guards={"max_delete": "10%"})
    root.declare([guarded])
    _settle(root, f"guarded-{count}")
    took = compare(root.run(f"guarded-{count}"), root.run(f"s3-{count}"), rounds, root.environment)
    yield Row(
        f"max-delete-{count}",
        f"`max_delete` on {count:,} objects, nothing to delete",
        "the run without it",
        "one extra listing (about 2 times)",
        f"{took.ratio:.2f} times ({took.spread})",
        took.ratio,
        took.ratio <= 2.1,
    )


def _bench_plan(root: Root, count: int) -> Iterator[Row]:
    folder = PLACE / "sources" / "planned"
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"{number // 1000:04}").mkdir(parents=True)
        os.close(os.open(folder / f"{number // 1000:04}" / f"{number:07}", os.O_CREAT | os.O_WRONLY))
    root.declare([_task("planned", "here", folder, str(PLACE / "copies" / "planned"))])
    memory = peak_memory([*root.run("planned"), "--dry-run", "--json"], root.environment)
    yield Row(
        f"plan-{count}",
        f"plan of {count:,} changes",
        "",
        "at most 200 MiB",
        f"{memory / MIB:.0f} MiB",
        memory / MIB,
        memory <= 200 * MIB,
    )
