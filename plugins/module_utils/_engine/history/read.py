# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read the past of a destination from the folder of keep_deleted."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

from ..common.errors import Refused
from ..common.text import TIME_FORMAT
from ..rclone.outcome import NOT_FOUND_EXITS
from ..remote.session import Session
from ..transfer.result import build_listing_error
from .manifest import BEGINNING, SUFFIX, is_run_id, parse_beginning, parse_manifests
from .moment import Moment
from .past import Kept, Past, undo
from .recorder import read_file, read_files


class Archive(NamedTuple):
    """The files that runs kept. ``folder`` is an argument of rclone. ``kept``: for each run, path to file."""

    folder: str
    kept: Mapping[str, Mapping[str, Kept]]
    manifests: Sequence[str]
    has_beginning: bool


def find_folder(session: Session, parent: str, task: str) -> str:
    """Return the folder of ``task`` in ``parent``: that of this host, or the only one, from before a rebuild.

    Raise an error if there is none, or if several hosts have one.
    """
    answer = session.query(["lsf", "--dirs-only", "--dir-slash=false", "--", parent])
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise build_listing_error(answer, session)
    found = [name for name in answer.stdout.split("\n") if name.rpartition("@")[0] == task]
    own = f"{task}@{os.uname().nodename}"
    if own in found or len(found) == 1:
        return f"{parent}/{own if own in found else found[0]}"
    if not found:
        raise Refused(
            "not_found",
            f"No run of task {task} has kept a file in {parent.partition(':')[2]!r} yet. Omit at to get the current "
            "state.",
        )
    raise Refused(
        "usage",
        f"Several hosts have kept files of task {task}: {', '.join(sorted(found))}. Restore on one of these hosts.",
    )


def read_archive(session: Session, folder: str, filters: Sequence[str]) -> Archive:
    """List what runs kept. ``filters`` are the lines that select the files of a task."""
    kept: Dict[str, Dict[str, Kept]] = {}
    top: List[str] = []

    def hear(line: str) -> None:
        for entry in json.loads(f"[{line.strip('[],')}]"):
            run, slash, path = entry["Path"].partition("/")
            if slash and is_run_id(run):
                kept.setdefault(run, {})[path] = Kept(entry["Size"], entry["ModTime"])
            elif not slash:
                top.append(run)

    lines = "".join(f"{line}\n" for line in ("+ /*" + SUFFIX, *map(_move_into_run, filters)))
    words = ["lsjson", "--recursive", "--files-only", "--no-mimetype", "--filter-from", "-", "--", folder]
    answer = session.query(words, stdin=lines.encode("utf-8", "surrogateescape"), on_output_line=hear)
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise build_listing_error(answer, session)
    manifests = [name for name in top if name.endswith(SUFFIX) and is_run_id(name[: -len(SUFFIX)])]
    return Archive(folder, kept, manifests, BEGINNING in top)


def _move_into_run(rule: str) -> str:
    """Return the filter ``rule`` for files that are one folder deeper. Only anchored patterns depend on the depth."""
    sign, pattern = rule[:2], rule[2:]
    return f"{sign}/*{pattern}" if pattern.startswith("/") else rule


def read_past(session: Session, archive: Archive, moment: Moment) -> Past:
    """Return the past at ``moment``. Raise Refused, with the earliest possible time, if it is not exactly known."""
    if not archive.has_beginning:
        raise Refused(
            "not_found",
            "The past of this task is not known yet. It begins with the next successful run. Omit at to restore the "
            "current state.",
        )
    beginning = parse_beginning(read_file(session, archive.folder, BEGINNING))
    wanted = [name for name in archive.manifests if name[: -len(SUFFIX)] > beginning.since]
    manifests = {found.run: found for found in parse_manifests(read_files(session, archive.folder, wanted))}
    missing = sorted(set(wanted) - {run + SUFFIX for run in manifests})
    if missing:
        raise Refused("damaged", f"The manifest {missing[0]} in {archive.folder} is empty, so the past is not known.")
    kept = {run: files for run, files in archive.kept.items() if run > beginning.since}
    past = undo(kept, manifests, moment.stamp)
    if min(past.cutoff or moment.stamp, moment.stamp) < beginning.since:
        raise Refused(
            "not_found",
            f"The past of this task is known since {_format_start(beginning.since)} (run {beginning.since}). Use that "
            "time for at, or a later one.",
        )
    return past


def _format_start(run: str) -> str:
    began = datetime.strptime(run.partition("-")[0], "%Y%m%dT%H%M%SZ")
    return began.replace(tzinfo=timezone.utc).strftime(TIME_FORMAT)


def build_rules(past: Past, run: str, filters: Sequence[str], escape: Any) -> List[str]:
    """Return the filters for the files that come from ``run``, or from the destination itself if it is empty."""
    if not run:
        return ["- /" + escape(path) for path in sorted(past.origins)] + list(filters)
    return ["+ /" + escape(path) for path, origin in sorted(past.origins.items()) if origin == run] + ["- *"]
