# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the collection side by side with its references, and write docs/benchmarks.md.

`make bench` measures everything, `make bench QUICK=1` a tenth of it, without writing. To replace a part of the results:
`make bench PARTS="runs converge"`. All files are in .build/bench.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator

import bench_commands
import bench_converge
import bench_fleet
import bench_hosts
import bench_report
import bench_runs
import bench_transfers
import rows
from root import Root, serve

PARTS = {
    "commands": bench_commands.bench,
    "runs": bench_runs.bench,
    "converge": bench_converge.bench,
    "hosts": bench_hosts.bench,
    "fleet": bench_fleet.bench,
    "report": bench_report.bench,
    "transfers": bench_transfers.bench,
}


def main() -> int:
    is_quick = bool(os.environ.get("QUICK"))
    chosen = os.environ.get("PARTS", "").split() or list(PARTS)
    rclone = shutil.which("rclone")
    if rclone is None:
        print("rclone is not on PATH. Run this script with `make bench`.", file=sys.stderr)
        return 1
    found: list[rows.Row] = []
    began = time.monotonic()
    with serve() as port:
        root = Root(port, rclone)
        root.install()
        for part in chosen:
            measured = list(_measure(part, root, is_quick))
            for sentence in rows.list_worse(measured):
                print(f"WORSE {sentence}", flush=True)
            found += measured
            if not is_quick:
                # A later part may fail, and each takes minutes.
                rows.write(measured, is_whole=False)
    if not is_quick and len(chosen) == len(PARTS):
        rows.write(found, is_whole=True)
    print(f"{time.monotonic() - began:.0f} s")
    return 0


def _measure(part: str, root: Root, is_quick: bool) -> Iterator[rows.Row]:
    for row in PARTS[part](root, is_quick):
        mark = "ok  " if row.is_reached else "MISS"
        print(f"{mark} {row.what}: {row.measured} (target: {row.target})", flush=True)
        yield row


if __name__ == "__main__":
    sys.exit(main())
