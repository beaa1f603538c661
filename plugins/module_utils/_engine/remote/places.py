# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Locate the trees that a task reads and writes. Two spellings of one tree give places that overlap.

This is the only code that decides whether two trees are one: for locks, declarations and guards. A remote that leads to
a folder of this host (local, alias, union, combine and the like) gives the same places as a local path. A local path
gives its real path, and the part of each filesystem that is mounted at it. Therefore a bind mount is no other place.
"""

from __future__ import annotations

import os
import posixpath
import re
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..common.errors import CloudsyncError
from ..common.mounts import Mount, find_mount, is_below, list_submounts, read_mounts
from ..config.credentials import Credential
from ..config.tasks import Task
from ..rclone.providers.truenas_names import get_rclone_name
from .account import identify_account

LOCAL = "local"
# The kernel shows "/" as the root of each of their mounts, whatever part of the server is mounted.
HIDE_THEIR_ROOT = ("9p", "autofs", "ceph", "cifs", "nfs", "nfs4", "smb3")
# Providers whose paths are those of another remote. The names of a crypt remote are not, so all of it is one place.
WRAPPERS = frozenset(("alias", "archive", "cache", "chunker", "compress", "hasher"))
CRYPT, UNION, COMBINE = "crypt", "union", "combine"
UPSTREAM_MODE = re.compile(r":(?:ro|nc|writeback)\Z")
# Providers that ignore the letter case of names.
CASELESS = frozenset(("box", "dropbox", "onedrive", "sharefile", "smb"))


class Place(NamedTuple):
    """One tree. ``path`` is absolute and normalized. Paths are only comparable within one ``account``."""

    account: str
    path: str

    def contains(self, other: Place) -> bool:
        """Return whether the other tree is this one or inside of it."""
        return self.account == other.account and is_below(other.path, self.path)

    def overlaps(self, other: Place) -> bool:
        """Return whether one of the two trees contains the other."""
        return self.contains(other) or other.contains(self)

    @property
    def is_local(self) -> bool:
        return self.account.partition(" ")[0] == LOCAL


Places = Tuple[Place, ...]


class TaskPlaces(NamedTuple):
    """The places of a task. Each tuple begins with the place that the task itself names. ``kept`` may be empty."""

    source: Places
    destination: Places
    kept: Places


def locate_task(task: Task, credential: Credential, mounts: Optional[Sequence[Mount]] = None) -> TaskPlaces:
    """Return the places of ``task``. Without ``mounts``, read the current ones."""
    mounts = list_mounts() if mounts is None else mounts
    local, remote = _locate_local(task.path, mounts), _locate_remote(task, credential, task.remote_path, mounts)
    if not task.is_push:
        return TaskPlaces(remote, local, _locate_local(task.keep_deleted.path, mounts) if task.keep_deleted else ())
    kept = _locate_remote(task, credential, task.keep_deleted.path, mounts) if task.keep_deleted else ()
    return TaskPlaces(local, remote, kept)


def list_mounts() -> Tuple[Mount, ...]:
    """Return the current mounts, none where they cannot be read, such as in an image build without /proc."""
    try:
        return read_mounts()
    except OSError:
        return ()


def find_mount_of(path: str) -> Optional[Mount]:
    """Return the mount that the real path of ``path`` is on, None if it is not visible."""
    try:
        return find_mount(os.path.realpath(path), list_mounts())
    except CloudsyncError:
        return None


def any_overlap(some: Sequence[Place], others: Sequence[Place]) -> bool:
    """Return whether a tree of ``some`` overlaps one of ``others``."""
    return any(one.overlaps(other) for one in some for other in others)


def _locate_local(path: str, mounts: Sequence[Mount]) -> Places:
    real = os.path.realpath("/" + path)  # rclone resolves a relative path from /, the working directory of every run
    found = [Place(LOCAL, real)]
    try:
        own = find_mount(real, mounts)
        found += [_locate_part(own, own.inside(real))]
        found += [_locate_part(mount, mount.root) for mount in list_submounts(real, mounts)]
    except CloudsyncError:  # on no mount that is visible
        pass
    return tuple(place for place in found if place.account)


def _locate_part(mount: Mount, path: str) -> Place:
    account = "" if mount.fstype in HIDE_THEIR_ROOT else f"{LOCAL} {mount.device}"
    return Place(account, path or "/")


def _locate_remote(task: Task, credential: Credential, path: str, mounts: Sequence[Mount]) -> Places:
    provider = get_rclone_name(credential.provider)
    options = {**credential.attributes, **credential.secrets, **task.provider_options}
    if provider == LOCAL:
        return _locate_local(path, mounts)
    wrapped = _list_wrapped(provider, options, path)
    if wrapped:
        return tuple(place for spec, inner in wrapped for place in _locate_spec(spec, inner, mounts))
    account, root = identify_account(credential, task.provider_options, task.user)
    # On some servers "/data" and "data" are the same folder. Here they always are.
    place = _join(root, path)
    return (Place(account, place.casefold() if provider in CASELESS else place),)


def _list_wrapped(provider: str, options: Mapping[str, str], path: str) -> List[Tuple[str, str]]:
    """Return the remotes that the provider combines, as rclone spells them, each with the path in it."""
    if provider in WRAPPERS:
        return [(options.get("remote", ""), path)]
    if provider == CRYPT:
        return [(options.get("remote", ""), "")]
    upstreams = options.get("upstreams", "").split()
    if provider == UNION:
        return [(UPSTREAM_MODE.sub("", upstream), path) for upstream in upstreams]
    if provider == COMBINE:
        first, _slash, rest = path.strip("/").partition("/")
        named = [upstream.partition("=") for upstream in upstreams]
        return [(spec, rest) for name, _equals, spec in named if first in ("", name)]
    return []


def _locate_spec(spec: str, path: str, mounts: Sequence[Mount]) -> Places:
    """Return the places of ``path`` in a remote that rclone spells /FOLDER, :TYPE,OPTIONS:FOLDER or NAME:FOLDER."""
    account, _colon, folder = spec.rpartition(":")
    kind = account.partition(",")[0]
    if not kind or "/" in kind:  # without a name of a remote, or with a colon in the name of a folder
        return _locate_local(_join(spec, path), mounts)
    if kind == ":" + LOCAL:
        return _locate_local(_join(folder, path), mounts)
    return (Place(account, _join(folder, path)),)


def _join(folder: str, path: str) -> str:
    return posixpath.normpath("/" + f"{folder}/{path}".strip("/"))
