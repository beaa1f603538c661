# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Look at the past without a restore: the files at a moment, and the versions of one file."""

from __future__ import annotations

import posixpath
import re
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

from ..common.text import TIME_FORMAT
from ..config.tasks import Task
from ..rclone.providers.flags import escape_path
from ..remote.arguments import build_filters
from ..remote.open import build_task_place
from ..remote.session import Session
from ..transfer.keep_deleted import get_kept_parent
from ..transfer.remote_files import query_listing, raise_unless_found
from .moment import parse_moment, read_start
from .past import Kept
from .read import find_folder, read_archive, read_past

# How rclone names old versions: https://rclone.org/s3/#versions
VERSION = re.compile(r"-v(\d{4}-\d{2}-\d{2}-\d{6}-\d{3})(?=\.[^.]*\Z|\Z)")
CURRENT, KEPT, PROVIDER = "current", "keep_deleted", "provider"


class Version(NamedTuple):
    """One version of a file. ``source``: current, keep_deleted or provider. ``at`` restores an old version.

    ``modified`` is the time of the file, ``until`` when the version was replaced or deleted, empty if unknown.
    """

    source: str
    size: int
    modified: str
    until: str = ""
    at: str = ""


def list_past(session: Session, task: Task, folder: str, at: str) -> Dict[str, Kept]:
    """Return the files below ``folder`` of ``task`` as they were ``at`` a moment: path to size and time."""
    filters = _select_below(task, folder)
    archive = read_archive(session, find_folder(session, get_kept_parent(task), task.name), filters)
    past = read_past(session, archive, parse_moment(at))
    current, found = _list_files(session, build_task_place(task), filters), {}
    for path in past.list_paths(current):
        run = past.origins.get(path)
        found[path] = current[path] if run is None else archive.kept[run][path]
    return found


def list_kept_versions(session: Session, task: Task, name: str) -> List[Version]:
    """Return the current version of the file ``name``, and those that runs of ``task`` kept, the newest first."""
    rules = [f"+ /{escape_path(name)}", "- *"]
    current = _list_files(session, build_task_place(task), rules).get(name)
    versions = [Version(CURRENT, current.size, current.modified)] if current is not None else []
    if task.keep_deleted is None:
        return versions
    archive = read_archive(session, find_folder(session, get_kept_parent(task), task.name), rules)
    for run in sorted(archive.kept, reverse=True):
        if name in archive.kept[run]:
            kept = archive.kept[run][name]
            began = read_start(run)
            before = (began - timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")
            versions.append(Version(KEPT, kept.size, kept.modified, began.strftime(TIME_FORMAT), before))
    return versions


def list_provider_versions(session: Session, task: Task, name: str) -> List[Version]:
    """Return the old versions of a file that the provider has. The ``session`` lists them beside the current files."""
    folder, base = posixpath.split(name)
    place = build_task_place(task)
    found = []
    for path, file in _list_files(session, f"{place.rstrip('/')}/{folder}".rstrip("/"), [], recurse=False).items():
        match = VERSION.search(path)
        if match is not None and VERSION.sub("", path) == base:
            stored = datetime.strptime(match.group(1), "%Y-%m-%d-%H%M%S-%f").replace(tzinfo=timezone.utc)
            at = stored.isoformat().replace("+00:00", "Z")
            found.append(Version(PROVIDER, file.size, file.modified, at=at))
    return sorted(found, key=lambda version: version.at, reverse=True)


def _select_below(task: Task, folder: str) -> Sequence[str]:
    rules = list(build_filters(task))
    if not folder:
        return rules
    return [rule for rule in rules if rule.startswith("- ")] + [f"+ /{escape_path(folder)}/**", "- *"]


def _list_files(session: Session, place: str, rules: Sequence[str], recurse: bool = True) -> Dict[str, Kept]:
    found: Dict[str, Kept] = {}

    def hear(entry: Mapping[str, Any]) -> None:
        found[entry["Path"]] = Kept(entry["Size"], entry["ModTime"])

    raise_unless_found(query_listing(session, place, hear, ["--recursive"] if recurse else [], rules), session)
    return found
