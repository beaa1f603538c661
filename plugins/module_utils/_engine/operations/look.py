# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Look at the past of a task: its files at a moment, and the versions of one file."""

from __future__ import annotations

import posixpath
from typing import Any, Dict, List, Mapping, Tuple

from ..common.errors import CloudsyncError, usage_error
from ..config.credentials import Credential
from ..config.tasks import Task
from ..history.look import Version, list_kept_versions, list_past, list_provider_versions
from ..history.moment import parse_moment
from ..history.past import Kept
from ..host import Host
from ..rclone.providers.truenas_names import get_rclone_name
from ..remote.open import open_credential_session
from ..remote.session import Session
from ..restores.prepare import KEEPS_VERSIONS, build_version_options
from ..restores.target import describe_nearest
from ..runs.records import make_run_id
from .browse import Listing, Where, browse, build_entry, load_with_credential


def browse_past(host: Host, name: str, path: str, recurse: bool, at: str) -> Listing:
    """Browse ``path`` of the task ``name`` as it was ``at`` a moment, a time or the ID of a run."""
    task, credential = load_with_credential(host, name)
    moment = parse_moment(at)
    path = path.strip("/")
    if task.keep_deleted is None:
        if not task.is_push and get_rclone_name(credential.provider) not in KEEPS_VERSIONS:
            raise usage_error(f"Task {name} pulls. Only the provider could know the past of its files. Omit at.")
        options = {**task.provider_options, **build_version_options(task, credential, moment)}
        return browse(host, credential, True, Where(path, task.remote_path, task.encryption, options), recurse)
    session = _open(host, task, credential, {})
    with session.live:
        files = list_past(session, task, path, at)
        if not files and path:
            near = describe_nearest([path], _list_all(list_past(session, task, "", at)))
            raise CloudsyncError("not_found", f"Task {name} had nothing at {path!r} at {at}.{near}")
    return Listing(path, _arrange(files, path, recurse))


def _list_all(files: Mapping[str, Kept]) -> List[str]:
    return [entry["path"] for entry in _arrange(files, "", True)]


def _arrange(files: Mapping[str, Kept], folder: str, recurse: bool) -> List[Dict[str, Any]]:
    """Return the entries of a listing for ``files`` and the folders that they are in."""
    below = {path[len(folder) + 1 if folder else 0 :]: kept for path, kept in files.items()}
    entries: Dict[str, Dict[str, Any]] = {}
    for path, kept in below.items():
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            entries[parent] = build_entry(
                {"Path": parent, "Name": parts[depth - 1], "IsDir": True, "ModTime": ""}, buckets=False
            )
        entries[path] = build_entry(
            {"Path": path, "Name": parts[-1], "IsDir": False, "Size": kept.size, "ModTime": kept.modified}, False
        )
    return [entry for path, entry in sorted(entries.items()) if recurse or "/" not in path]


def find_versions(host: Host, name: str, file: str) -> Tuple[List[Version], str]:
    """Return the versions of a ``file`` of the task ``name``, the newest first. Raise an error if there is none.

    Return also a sentence if the provider does not list its own versions.
    """
    task, credential = load_with_credential(host, name)
    file, doubt = file.strip("/"), ""
    session = _open(host, task, credential, {})
    with session.live:
        versions = list_kept_versions(session, task, file)
    if get_rclone_name(credential.provider) in KEEPS_VERSIONS:
        session = _open(host, task, credential, {"versions": "true"})
        try:
            with session.live:
                versions += list_provider_versions(session, task, file)
        except CloudsyncError as error:
            if error.reason != "other":
                raise
            doubt = f"Versions that the provider itself keeps are not listed. {error.message}"
    if not versions:
        near = _describe_neighbours(host, task, credential, file)
        raise CloudsyncError(
            "not_found",
            f"Neither the destination of task {name} nor its old versions have a file {file!r}.{near} List the files "
            f"with 'cloudsync ls {name} --recurse'. {doubt}".strip(),
        )
    return versions, doubt


def _describe_neighbours(host: Host, task: Task, credential: Credential, file: str) -> str:
    """Return a sentence, with a blank before it, with the nearest names in the folder of ``file``, or nothing."""
    folder = posixpath.dirname(file)
    try:
        found = browse(host, credential, True, Where(folder, task.remote_path, task.encryption, task.provider_options))
    except CloudsyncError:
        return ""  # the folder is missing, too
    return describe_nearest([file], [posixpath.join(folder, entry["path"]) for entry in found.entries])


def _open(host: Host, task: Task, credential: Credential, options: Mapping[str, str]) -> Session:
    every = {**task.provider_options, **options}
    return open_credential_session(host, credential, make_run_id(), True, task.encryption, task.remote_path, every)
