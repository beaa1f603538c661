# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read and write plain files. A file is written completely or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from typing import Any, Dict, Iterable, List, Optional

from .errors import CloudsyncError, Damaged

_KEPT = "The link was not changed."
# The end of the name of a file that is being written. A file that is older is left by a killed process.
TEMPORARY = ".cloudsync-new"
ABANDONED_SECONDS = 60
_RESTORE = "The file was not changed. Restore it from a backup, or remove it and declare the object again."


def make_directory(path: str, mode: int = 0o700, parents: int = 0o755) -> None:
    """Create the directory ``path`` with ``mode``, and missing directories above it with the mode ``parents``."""
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        make_directory(parent, parents, parents)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not os.path.isdir(path):
            raise _build_blocked_error(path) from None
        if os.stat(path).st_mode & 0o7777 == mode:
            return
    os.chmod(path, mode)


def refuse_blocked(directory: str) -> None:
    """Return if ``directory`` exists or can be created. Raise an error that names the file or link in its place."""
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    if not os.path.isdir(directory):
        raise _build_blocked_error(directory)


def _build_blocked_error(path: str) -> CloudsyncError:
    if os.path.islink(path):
        advice = "a link to a directory that does not exist. Restore that directory, or remove the link"
    else:
        advice = "not a directory. Move the existing file away"
    return CloudsyncError("other", f"{path} is {advice}, then try again.")


def atomic_write(path: str, content: bytes, mode: int = 0o600) -> None:
    """Replace ``path`` with ``content``. A reader sees the old file or the new one, also after a power failure."""
    import tempfile  # only here: a status never writes, and this import would be a tenth of its time

    directory, name = os.path.split(path)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=TEMPORARY, dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.fchmod(descriptor, mode)
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
            os.rename(temporary, path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = path  # a failed write does not name its file
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_directory(directory)
    _remove_abandoned(directory)


def _remove_abandoned(directory: str) -> None:
    """Remove the temporary files of killed processes: of our own pattern, not new, and locked by no process."""
    oldest = time.time() - ABANDONED_SECONDS
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(TEMPORARY):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        _remove_unlocked(entry.path)


def _remove_unlocked(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(descriptor)


def remove_leftovers(path: str) -> None:
    """Remove the temporary files that killed processes left of ``path``. No process may be writing it now."""
    directory, name = os.path.split(path)
    for entry in os.listdir(directory):
        if entry.startswith(f".{name}."):
            remove(os.path.join(directory, entry))


def keep_damaged(path: str) -> None:
    """Give ``path`` a second name before it is replaced, because parts of a damaged file may still be readable."""
    if os.path.lexists(path):
        os.link(path, f"{path}.damaged-{int(time.time())}")


def sync_directory(path: str) -> None:
    """Make a rename or an unlink in ``path`` survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str) -> bool:
    """Remove the file ``path``, and return whether it existed."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    sync_directory(os.path.dirname(path))
    return True


def point_link(link: str, target: str) -> None:
    """Make ``link`` a symbolic link to ``target`` by one rename, or remove it if ``target`` is empty."""
    if not target:
        remove(link)
        return
    temporary = f"{link}.new"
    remove(temporary)
    os.symlink(target, temporary)
    os.rename(temporary, link)
    sync_directory(os.path.dirname(link))


def read_text(path: str) -> Optional[str]:
    """Return the text of ``path``, None if the file does not exist. Bytes that are not UTF-8 become U+FFFD."""
    content = _read_bytes(path)
    return None if content is None else content.decode("utf-8", "replace")


def _read_bytes(path: str) -> Optional[bytes]:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def leads_to(path: str, descriptor: int) -> bool:
    """Return whether ``path`` is the file or directory that was opened as ``descriptor``, and not a later one."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def read_foreign_text(path: str, owner: int, most_bytes: int) -> Optional[str]:
    """Return the text of a file in a directory that user id ``owner`` can write, None if it is not that user's file.

    That user can replace the file by a link or a FIFO at any moment. So no link is followed, nothing is waited for,
    and the file has to be a regular one of that user, without a second name, in UTF-8 and of at most ``most_bytes``.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != owner or found.st_nlink != 1:
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(most_bytes + 1)
    try:
        return content.decode("utf-8") if len(content) <= most_bytes else None
    except UnicodeDecodeError:
        return None


def write_json(path: str, content: Dict[str, Any], mode: int = 0o600) -> None:
    """Replace ``path`` with ``content`` as indented, sorted JSON."""
    atomic_write(path, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode(), mode)


def read_json(path: str) -> Optional[Dict[str, Any]]:
    """Return the JSON object in ``path``, None if the file does not exist. Raise Damaged for any other content."""
    try:
        text = _read_bytes(path)
    except IsADirectoryError:
        raise Damaged("other", f"{path} is a directory. Move it away, then restore the file from a backup.") from None
    if text is None:
        if os.path.islink(path):
            raise Damaged("other", f"{path} is a link to a file that does not exist. Restore that file. {_KEPT}")
        refuse_blocked(os.path.dirname(path))
        return None
    try:
        content = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Damaged(
            "damaged",
            f"{path} is damaged: it is not a JSON object. The file was edited or truncated. {_RESTORE}",
        )
    return content


def read_versioned(path: str, newest: int) -> Optional[Dict[str, Any]]:
    """Return the JSON object in ``path``, which has a ``schema`` number. Refuse a schema above ``newest``."""
    content = read_json(path)
    if content is None:
        return None
    schema = content.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise Damaged(
            "damaged",
            f"{path} is damaged: it has no schema number. The file was edited, or cloudsync did not write it. "
            f"{_RESTORE}",
        )
    if schema > newest:
        raise CloudsyncError(
            "other",
            f"{path} has schema {schema}, written by a newer version of cloudsync. This version reads schemas up to "
            f"{newest}. The file was not changed. Upgrade the collection. If no newer version was used on this "
            "host, the file is damaged: move it away, then restore it from a backup.",
        )
    return content


def read_object(path: str, newest: int, kind: str, name: str, parts: Iterable[str]) -> Optional[Dict[str, Any]]:
    """Return the credential or task (``kind``) ``name`` stored in ``path`` with all its ``parts``, None if not stored.

    A file with another name in it was copied, and its ciphertexts do not belong to this object: raise Damaged.
    """
    content = read_versioned(path, newest)
    if content is None:
        return None
    missing = sorted(set(parts) - set(content))
    if missing:
        raise Damaged(
            "damaged",
            f"{path} is damaged: {', '.join(missing)} missing. The file was edited. {_RESTORE}",
        )
    if content["name"] != name:
        raise Damaged(
            "damaged",
            f"{path} contains {kind} {content['name']}: the file was copied or renamed. It was not changed. Remove it, "
            f"then declare {kind} {name}.",
        )
    return content


def list_names(directory: str, suffix: str = ".json") -> List[str]:
    """Return the sorted names of the files in ``directory`` that end in ``suffix``, without the suffix."""
    try:
        entries = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        refuse_blocked(directory)
        return []
    found = (entry for entry in entries if entry.endswith(suffix) and not entry.startswith("."))
    return sorted(entry[: len(entry) - len(suffix)] for entry in found)
