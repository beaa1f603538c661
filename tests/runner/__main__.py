# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the stages of `make test`. Print a line for each stage, then the sum.

Usage: python tests/runner [fast | STAGE ...]      (without an argument: all stages)
"""

from __future__ import annotations

import concurrent.futures
import sys
import time
import traceback

import packages
import place
import stages
from counts import Counts
from stage import Stage

TAIL = 150  # lines of a failed stage's log
PARALLEL = ("fleet", "integration")  # mostly wait, so they run in parallel with the other stages


def main(words: list[str]) -> int:
    names = list(stages.FAST) if words == ["fast"] else words or list(stages.ALL)
    unknown = [name for name in names if name not in stages.KNOWN]
    if unknown:
        print(f"Unknown stage: {', '.join(unknown)}. The stages are: {', '.join(stages.KNOWN)}.", file=sys.stderr)
        return 2
    if names != list(stages.FAST):
        packages.prepare()
    where = place.prepare()
    print(f"Python versions: {', '.join(where.pythons)}; Logs: {where.logs}", flush=True)
    lanes = [[name for name in names if name not in PARALLEL], [name for name in names if name in PARALLEL]]
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        total = sum(pool.map(lambda lane: sum((run(where, name) for name in lane), Counts()), lanes), Counts())
    print(total)
    return 1 if total.failed or not total.passed else 0


def run(where: place.Place, name: str) -> Counts:
    """Run one stage. Print its line, and the end of its log if something failed."""
    began = time.monotonic()
    stage = Stage(where, name)
    try:
        counts = stages.KNOWN[name](stage)
    except Exception:
        stage.say(traceback.format_exc())
        counts = Counts(failed=1)
    seconds = time.monotonic() - began
    mark = "FAIL" if counts.failed else "ok" if counts.passed else "skip"
    lines = [f"{mark:5}{name:14}{counts.passed:6} ok{counts.failed:5} bad{counts.skipped:5} skipped{seconds:7.0f} s"]
    text = stage.text().splitlines()
    if counts.failed:
        lines += [f"      | {line}" for line in text[-TAIL:]]
    elif not counts.passed:
        lines += [f"      {line}" for line in text[-5:]]
    print("\n".join(lines), flush=True)
    return counts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
