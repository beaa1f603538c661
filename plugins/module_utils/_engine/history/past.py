# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Undo runs: compute which files a destination had at a time in the past. Pure functions."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, Mapping, NamedTuple, Optional

from .manifest import Manifest


class Kept(NamedTuple):
    """A file that a run replaced or deleted: its size in bytes, and its modification time as rclone writes it."""

    size: int
    modified: str


class Past(NamedTuple):
    """The difference between the destination now and after the run ``cutoff``, empty for before the first run.

    ``origins``: for each path that is different, the run that kept the file, or None if the file was absent.
    """

    cutoff: str
    origins: Mapping[str, Optional[str]]

    def list_paths(self, now: Iterable[str]) -> Iterator[str]:
        """Yield the paths that existed then. ``now`` are those that exist now."""
        yield from (path for path in now if path not in self.origins)
        yield from (path for path, run in self.origins.items() if run is not None)


def undo(kept: Mapping[str, Iterable[str]], manifests: Mapping[str, Manifest], stamp: str) -> Past:
    """Return the past at ``stamp``, which sorts among the IDs of runs. See moment.build_stamp().

    ``kept`` has the paths that each run kept. The state is that after the last run which began by then, or after an
    earlier one if that run failed and the next one cannot be told apart from it.
    """
    runs = sorted({*kept, *manifests})
    cutoff = _find_cutoff(runs, manifests, stamp)
    origins: Dict[str, Optional[str]] = {}
    for run in runs:
        if run <= cutoff:
            continue
        # The first run that touched a path decides. A kept file was there, whatever the manifest says.
        for path in kept.get(run, ()):
            origins.setdefault(path, run)
        for path in manifests[run].absent if run in manifests else ():
            origins.setdefault(path, None)
    return Past(cutoff, origins)


def _find_cutoff(runs: Iterable[str], manifests: Mapping[str, Manifest], stamp: str) -> str:
    known = sorted(runs)
    cutoff = max((run for run in known if run <= stamp), default="")
    for run in reversed(known):
        manifest = manifests.get(run)
        # Its names were compared with an earlier state than the one asked for.
        if manifest is not None and run > cutoff and manifest.base and manifest.base < cutoff:
            cutoff = manifest.base
    return cutoff
