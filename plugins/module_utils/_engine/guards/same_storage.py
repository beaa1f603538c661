# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: the two ends of a sync or a move are not one folder that is reached in two ways. It writes a probe.

same_place.py compares names. It cannot see that a server gives access to a folder of this host, or to the same disk as
a network mount. The probe is a small file, PROBE. It is written to one end, must not appear at the other end, and is
removed. It is written locally if the task writes locally: to the destination of a pull, or the source of a move. A push
with sync only reads its source, so the probe is written to its destination.

No filter of a task lets the probe pass, so it is in no plan, no count and no copy. Its name never changes. Therefore
the next run replaces and removes the probe of a killed run.
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from dataclasses import replace
from typing import Iterator, List, Sequence

from ..common.errors import CloudsyncError, Refused
from ..common.files import read_foreign_text
from ..common.stop_signal import StopFlag
from ..config.credentials import Credential
from ..config.tasks import COPY, MOVE, Task
from ..rclone.providers.truenas_names import get_rclone_name
from ..remote.account import find_server
from ..remote.arguments import PROBE, join_place
from ..remote.open import build_place, build_task_place
from ..remote.places import COMBINE, CRYPT, LOCAL, UNION, WRAPPERS, find_mount_of
from ..remote.session import Session
from ..transfer.remote_files import query_names, raise_unless_found
from .same_place import REASON

# Providers that can give access to any folder of any host.
FILE_SERVERS = WRAPPERS | {COMBINE, CRYPT, UNION, "ftp", "http", "sftp", "smb", "webdav"}
# Object stores with a server that anybody can run, so that it can keep its objects in any folder of this host.
SELF_HOSTED = frozenset(["azureblob", "hdfs", "s3", "seafile", "swift"])
# Filesystems whose files are on another host. With FUSE, they may also be at any provider, unless they are on disks.
NETWORK = frozenset(
    ["9p", "afs", "ceph", "cifs", "davfs", "fuse", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "virtiofs"]
)
FUSE = frozenset(["davfs", "fuse"])
FUSE_ON_DISKS = frozenset(
    ["fuse.bindfs", "fuse.encfs", "fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.lxcfs", "fuse.mergerfs", "fuseblk"]
)
FEW_RETRIES = ("--retries", "1", "--low-level-retries", "3")
CLEANUP_SECONDS = 60
TOKEN_BYTES = 32


def may_share_storage(task: Task, credential: Credential) -> bool:
    """Return whether a run deletes files, and the names of its two ends do not prove that they are not one folder.

    Two folders of this host are compared exactly, unless one is a network mount. An object store has to be at this
    host, or the local path has to be a mount of FUSE, which may show the objects of any store.
    """
    if task.mode == COPY:
        return False
    provider = get_rclone_name(credential.provider)
    if provider == LOCAL:
        return any(_find_filesystem(path).partition(".")[0] in NETWORK for path in (task.path, "/" + task.remote_path))
    if provider in FILE_SERVERS:
        return True
    filesystem = _find_filesystem(task.path)
    if filesystem.partition(".")[0] in FUSE and filesystem not in FUSE_ON_DISKS:
        return True
    options = {**credential.attributes, **credential.secrets, **task.provider_options}
    return provider in SELF_HOSTED and _is_this_host(find_server(options))


def check_storage(session: Session, task: Task) -> None:
    """Refuse a run if a probe that is written to one end appears at the other one."""
    token = os.urandom(TOKEN_BYTES // 2).hex()
    if task.is_push and task.mode != MOVE:
        if session.has_no_folders and not task.remote_path.strip("/"):
            return  # the list of all buckets cannot hold a file
        where = f"remote_path {task.remote_path!r}"
        with _write_probe(session, join_place(build_task_place(task), PROBE), where, token, session.readable):
            found = _appears_here(session, task, token)
    elif session.local is not None:
        with _write_probe(session, join_place(session.local.path, PROBE), f"path {task.path}", token):
            found = _appears_there(session, task, token)
    else:
        return  # a pull that creates its folder
    if found:
        raise Refused(
            REASON,
            f"path {task.path} and remote_path {task.remote_path!r} are the same folder, or one contains the other. A "
            f"file that was written to one of them appeared in the other. A {task.mode} would delete your files. Use "
            "two folders that do not contain each other.",
        )


def _find_filesystem(path: str) -> str:
    """Return the type of the filesystem of ``path``, empty if it is not visible."""
    mount = find_mount_of(path)
    return mount.fstype if mount is not None else ""


def _is_this_host(server: str) -> bool:
    """Return whether a name or address leads to this host: only its own addresses can be bound."""
    if not server:
        return False
    try:
        found = socket.getaddrinfo(server, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return False  # the run will report it
    return any(_can_bind(family, address) for family, _type, _protocol, _name, address in found)


def _can_bind(family: int, address: object) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(address)  # type: ignore[arg-type]
    except OSError:
        return False
    return True


@contextmanager
def _write_probe(session: Session, place: str, where: str, token: str, arguments: Sequence[str] = ()) -> Iterator[None]:
    """Keep a probe at ``place`` inside the context. It is also removed if a stop was requested.

    ``where`` names its folder in an error.
    """
    try:
        try:
            _ask(session, ["rcat", *FEW_RETRIES, *arguments, "--", place], token)
        except CloudsyncError as error:
            if error.reason == "stopped":
                raise
            raise CloudsyncError(
                error.reason, f"The probe {PROBE} could not be written to {where}. {error.message}"
            ) from error
        yield
    finally:
        unstoppable = replace(session, stop=StopFlag())
        answer = unstoppable.query(["deletefile", *FEW_RETRIES, "--", place], timeout=CLEANUP_SECONDS)
    raise_unless_found(answer, session)


def _ask(session: Session, arguments: Sequence[str], stdin: str = "") -> str:
    answer = session.query(arguments, stdin=stdin.encode("utf-8", "surrogateescape"))
    raise_unless_found(answer, session)
    return answer.stdout


def _appears_here(session: Session, task: Task, token: str) -> bool:
    """Return whether the probe at the destination is in the local path, in a folder above, or in a folder below.

    The path from one end to the other is then the end of the path of the lower one.
    """
    real, inner = os.path.realpath(task.path), _split(task.remote_path)
    folders = [real]
    while folders[-1] != "/":
        folders.append(os.path.dirname(folders[-1]))
    folders += [os.path.join(real, *inner[-count:]) for count in range(1, len(inner) + 1)]
    if task.encryption is None:
        return any(_read_local(os.path.join(folder, PROBE)) == token for folder in folders)
    name = _ask(session, ["cryptdecode", "--reverse", "--", build_task_place(task), PROBE]).split("\t")[-1].strip()
    return any(os.path.lexists(os.path.join(folder, name)) for folder in folders)


def _read_local(path: str) -> str:
    try:
        owner = os.lstat(path).st_uid
    except OSError:
        return ""
    return read_foreign_text(path, owner, TOKEN_BYTES) or ""


def _appears_there(session: Session, task: Task, token: str) -> bool:
    """Return whether the probe in the local path is at the remote path, in a folder above, or in a folder below."""
    real, outer = os.path.realpath(task.path), _split(task.remote_path)
    inner = _split(real)
    below = [[*outer, *inner[len(inner) - count :]] for count in range(len(inner) + 1)]
    if _has_token(session, task, below, token):
        return True
    counts = [n for n in range(1, len(outer) + 1) if os.path.isdir(os.path.join(real, *outer[-n:]))]
    try:
        return _has_token(session, task, [outer[:-count] for count in counts], token)
    except CloudsyncError:  # a login may be allowed to use its own folder only
        if session.stop.requested:
            raise
        return False


def _has_token(session: Session, task: Task, folders: List[List[str]], token: str) -> bool:
    files = ["/".join([*folder, PROBE]) for folder in folders if folder or not session.has_no_folders]
    if not files:
        return False
    top = build_place("/" if task.remote_path.startswith("/") else "")
    answer = query_names(session, top, files, "cat", *FEW_RETRIES)
    raise_unless_found(answer, session)
    return token in answer.stdout


def _split(path: str) -> List[str]:
    return [part for part in path.split("/") if part]
