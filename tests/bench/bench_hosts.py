# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts with systemd, in containers, compared with templates in loops. See on_hosts.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from on_hosts import PART, TASKS
from root import CLONE, Root
from rows import Row

HOSTS = 12


def bench(_root: Root, is_quick: bool) -> Iterator[Row]:
    """Measure the first time on some hosts, and that the time grows with their number only."""
    count = PART if is_quick else HOSTS
    few = count // PART
    words = [str(CLONE / "tests" / "fleet" / "run"), sys.executable, str(CLONE / "tests" / "bench" / "on_hosts.py")]
    done = subprocess.run([*words, str(count)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode or not done.stdout.rstrip().endswith("}"):
        sys.exit(f"{done.stdout[-4000:]}\n{words[0]} failed. It needs root, podman and systemd.")
    took = json.loads(done.stdout.splitlines()[-1])
    factor = took["theirs"] / took["first"]
    yield Row(
        f"hosts-{few}",
        f"{few} hosts with systemd in containers, {TASKS} tasks each, first",
        "templates in loops, with pipelining",
        "20 times faster",
        f"{factor:.0f} times faster ({took['first']:.1f} s instead of {took['theirs']:.0f} s)",
        1 / factor,
        factor >= 20,
    )
    growth = took["all"] / took["few"]
    yield Row(
        f"hosts-linear-{count}",
        f"one task changed on {count} such hosts",
        f"on {few} of them",
        f"at most {PART} times",
        f"{growth:.1f} times ({took['all']:.1f} s instead of {took['few']:.1f} s)",
        growth,
        growth <= PART,
    )
