# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: the crypt password is the one that the remote files were encrypted with, and a task without one finds none.

rclone cannot detect a wrong password, because it skips names that it cannot decrypt. A pull would see an empty source
and delete the local files. A push would upload everything a second time. A canary object and the existing files show
whether the password is correct.
"""

from __future__ import annotations

import json

from ..common.errors import CloudsyncError, Refused
from ..common.text import format_count
from ..config.tasks import Task
from ..rclone.log_lines import parse_problems
from ..rclone.outcome import NOT_FOUND_EXITS
from ..rclone.symptoms import strip_names
from ..remote.arguments import CANARY, OWNER
from ..remote.open import build_place
from ..remote.session import Answer, Session
from ..transfer.remote_files import query_names, write_file
from ..transfer.result import build_listing_error

CONTENT = "cloudsync canary 1: this object tells whether the crypt password is right\n"
# A wrong key fails again at every retry.
ONCE = ("--retries", "1", "--low-level-retries", "2")
# Every file that rclone encrypted begins with it.
MAGIC = "RCLONE\0\0"
UNDECRYPTABLE_MARKS = (
    "undecryptable",
    "failed to decrypt",
    "not an encrypted file",
    "bad password",
    "decrypt file name",
)


def check_crypt(session: Session, task: Task, crypt: str, raw: str) -> bool:
    """Refuse a wrong password. Return True if the task encrypts and has no canary yet.

    ``crypt`` is the encrypted remote, ``raw`` the same place without decryption.
    """
    if task.encryption is None:
        return False
    known = _has_right_canary(session, task, crypt)
    if not known and find_first(session, raw):
        _check_first_file(session, task, crypt)
    if not task.is_push and not session.rclone.has_strict_names:
        _check_all_names(session, task, crypt, raw)
    return not known


def plant_canary(session: Session, crypt: str) -> None:
    """Write the canary before a push, but not in a dry run. The next run must be able to read it."""
    write_file(session, crypt, CANARY, CONTENT.encode())


def check_plain(session: Session, task: Task) -> None:
    """Refuse a task without encryption if the first file at its remote path is encrypted.

    A push would put plain files among the encrypted ones. A pull would replace local files by encrypted ones. The login
    of a push may be allowed to write where it must not list or read. Such errors are left to the transfer.
    """
    place = build_place(task.remote_path)
    try:
        name = find_first(session, place)
    except CloudsyncError as error:
        if task.is_push and error.reason not in ("network", "stopped"):
            return
        raise
    if name and query_names(session, place, [name], "cat", *ONCE, "--head", str(len(MAGIC))).stdout == MAGIC:
        raise Refused(
            "crypt_password",
            f"The files at remote_path {task.remote_path!r} are encrypted, but the task has no encryption. Set "
            "encryption with the password and salt that they were encrypted with, or use another remote_path.",
        )


def _has_right_canary(session: Session, task: Task, crypt: str) -> bool:
    answer = query_names(session, crypt, [CANARY], "cat", *ONCE)
    if answer.exit_code == 0 and answer.stdout == CONTENT.strip():
        return True
    if (answer.exit_code == 0 and not answer.stdout) or answer.exit_code in NOT_FOUND_EXITS:
        return False
    raise _build_error(session, task, answer)


def find_first(session: Session, place: str, *selection: str) -> str:
    """Return the first file at ``place``, or "" if there is none. The owner mark of another task does not count."""
    words = ("lsf", "--recursive", "--files-only", "--exclude", OWNER)
    answer = session.query([*words, *selection, "--", place], first_line_only=True)
    if not answer.stdout and answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise build_listing_error(answer, session)
    return answer.stdout.split("\n")[0]


def _check_first_file(session: Session, task: Task, crypt: str) -> None:
    """Refuse a place without a canary if its first file is not encrypted with the task's password.

    The name and the first bytes of the file are tested. A name alone proves nothing if names are plain or obfuscated:
    these can be read with any password.
    """
    try:
        name = find_first(session, crypt)
        filled = find_first(session, crypt, "--min-size", "1B") if name else ""
    except CloudsyncError as error:
        raise _build_password_error(task) if error.reason == "undecryptable" else error from None
    if not name:
        raise _build_password_error(task)
    reading = ("cat", *ONCE, "--head", "1") if filled else ("lsf", "--recursive")
    answer = query_names(session, crypt, [filled or name], *reading)
    if answer.exit_code != 0 or not answer.stdout:
        raise _build_error(session, task, answer)


def _check_all_names(session: Session, task: Task, crypt: str, raw: str) -> None:
    """Refuse a pull if an rclone without strict_names would skip files, because the pull would delete them here."""
    hidden = _count(session, raw) - _count(session, crypt)
    if hidden > 0:
        raise Refused(
            "undecryptable",
            f"The names of {format_count(hidden, 'file')} at remote_path {task.remote_path!r} cannot be decrypted. "
            "This version of rclone would skip them without an error. Remove the files that do not belong to this "
            "task. To find them, install rclone 1.66 or newer.",
        )


def _count(session: Session, place: str) -> int:
    answer = session.query(["size", "--json", "--", place])
    if answer.exit_code in NOT_FOUND_EXITS:
        return 0
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)
    return int(json.loads(answer.stdout)["count"])


def _build_error(session: Session, task: Task, answer: Answer) -> CloudsyncError:
    """Return the error for a file that could not be read: a wrong password, or another cause."""
    text = "\n".join(strip_names(problem, (task.remote_path,)) for problem in parse_problems(answer.stderr)).lower()
    # Before 1.66, rclone reports a wrong key on a file of less than one block (64 KiB) as "unexpected EOF".
    marks = UNDECRYPTABLE_MARKS + (() if session.rclone.has_strict_names else ("unexpected eof",))
    if answer.exit_code == 0 or any(mark in text for mark in marks):
        return _build_password_error(task)
    return build_listing_error(answer, session)


def _build_password_error(task: Task) -> CloudsyncError:
    return Refused(
        "crypt_password",
        f"The files at remote_path {task.remote_path!r} were not encrypted with this task's password and salt. Correct "
        "encryption.password and encryption.salt, or use another remote_path.",
    )
