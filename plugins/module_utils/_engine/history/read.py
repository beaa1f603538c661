# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read the past of a destination from the folder of keep_deleted."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

from ..common.errors import Refused
from ..common.text import TIME_FORMAT
from ..rclone.providers.flags import escape_path
from ..remote.session import Session
from ..transfer.keep_deleted import name_kept_folder
from ..transfer.remote_files import query_listing, raise_unless_found, read_files
from .manifest import BEGINNING, SUFFIX, is_run_id, parse_beginning, parse_manifests
from .moment import Moment, read_start
from .past import Kept, Past, undo


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
    raise_unless_found(answer, session)
    found = [name for name in answer.stdout.split("\n") if name.rpartition("@")[0] == task]
    own = name_kept_folder(task)
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

    def hear(entry: Mapping[str, Any]) -> None:
        run, slash, path = entry["Path"].partition("/")
        if slash and is_run_id(run):
            kept.setdefault(run, {})[path] = Kept(entry["Size"], entry["ModTime"])
        elif not slash:
            top.append(run)

    rules = ["+ /*" + SUFFIX, *map(_move_into_run, filters)]
    answer = query_listing(session, folder, hear, ["--recursive"], rules)
    raise_unless_found(answer, session)
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
    beginning = parse_beginning(read_files(session, archive.folder, [BEGINNING]))
    wanted = [name for name in archive.manifests if name[: -len(SUFFIX)] > beginning.since]
    manifests = {found.run: found for found in parse_manifests(read_files(session, archive.folder, wanted))}
    missing = sorted(set(wanted) - {run + SUFFIX for run in manifests})
    if missing:
        raise Refused("damaged", f"The manifest {missing[0]} in {archive.folder} is empty, so the past is not known.")
    kept = {run: files for run, files in archive.kept.items() if run > beginning.since}
    past = undo(kept, manifests, moment.stamp)
    if min(past.cutoff or moment.stamp, moment.stamp) < beginning.since:
        since = f"{read_start(beginning.since).strftime(TIME_FORMAT)} (run {beginning.since})"
        raise Refused(
            "not_found", f"The past of this task is known since {since}. Use that time for at, or a later one."
        )
    return past


def build_rules(past: Past, run: str, filters: Sequence[str]) -> List[str]:
    """Return the filters for the files that come from ``run``, or from the destination itself if it is empty."""
    if not run:
        return ["- /" + escape_path(path) for path in sorted(past.origins)] + list(filters)
    return ["+ /" + escape_path(path) for path, origin in sorted(past.origins.items()) if origin == run] + ["- *"]
