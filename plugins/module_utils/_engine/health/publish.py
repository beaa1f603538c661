# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Write the metrics of this host for node_exporter: after each run, and when the watch timer checks the host."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Callable, List, Optional

from ..commands import helper
from ..common.errors import CloudsyncError
from ..common.files import atomic_write, read_text
from ..common.flock import Lock
from ..host import Host
from .problem import Problem, attempt
from .textfile import NAME, find_directory, hold_textfile, remember_problem

if TYPE_CHECKING:
    from .problems import Inspection

MODE = 0o644


def publish_unless_confined(host: Host, say: Callable[[str], None], inspection: Optional[Inspection] = None) -> None:
    """Call publish(), but not in the sandbox of a unit: another line of the unit does it, outside of it."""
    if not helper.is_needed():
        publish(host, say, inspection)


def publish(host: Host, say: Callable[[str], None], inspection: Optional[Inspection] = None) -> None:
    """Write the metrics if this host has a directory for them. Say what failed, because this never fails a run.

    ``inspection`` is the newest look at the host. Without it, look now.
    """
    if not find_directory(host.layout):
        return
    failed: List[Problem] = []
    attempt(failed, "textfile", "", lambda: _publish(host, inspection), None)
    with suppress(CloudsyncError, OSError):
        remember_problem(host.layout, failed[0].message if failed else "")
    for problem in failed:
        say(problem.line)


def _publish(host: Host, inspection: Optional[Inspection]) -> None:
    asked = inspection.began if inspection is not None else time.monotonic()
    with hold_textfile(host.layout) as lock:
        directory = find_directory(host.layout)
        # Many runs can end at the same time. One look that began after their ends shows all of them.
        if not directory or asked <= _read_began(lock) <= time.monotonic():
            return
        from .metrics import collect_metrics, render_metrics
        from .problems import inspect_host

        inspection = inspection or inspect_host(host)
        text = render_metrics(collect_metrics(host, inspection))
        atomic_write(f"{directory}/{NAME}", text.encode(), MODE)
        lock.write(repr(inspection.began))


def _read_began(lock: Lock) -> float:
    """Return when the look began whose metrics were written last, as time.monotonic()."""
    with suppress(ValueError):
        return float(read_text(lock.path) or "nan")
    return float("nan")
