# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Is the crypt password the right one? Asked before every run, answered by a canary object and by what is there.

rclone itself can't tell: names that do not decrypt are skipped, so a pull with a wrong password sees an empty
source and wipes the local side, and a push uploads a second copy of everything beside the first.
"""

from __future__ import annotations

from typing import Optional

from .arguments import CANARY
from .errors import CloudsyncError
from .guards import Refused
from .plan import NOT_FOUND_EXITS
from .session import Session
from .tasks import Task
from .transfer import listing_error

CONTENT = "cloudsync canary 1: this object tells whether the crypt password is right\n"
UNDECRYPTABLE_MARKS = (
    "undecryptable",
    "failed to decrypt",
    "not an encrypted file",
    "bad password",
    "decrypt file name",
)


def check_crypt(session: Session, task: Task, crypt: str, raw: str) -> bool:
    """Refuse a wrong password. True when the password is right and the canary is still to be planted.

    ``crypt`` is the encrypted remote, ``raw`` the same place without decryption.
    """
    if _has_right_canary(session, task, crypt):
        return False
    if _first(session, raw) is None:
        return True
    if task.encryption is not None and task.encryption.filenames == "off":
        _check_content(session, task, crypt)
    else:
        _check_names(session, task, crypt)
    return True


def plant_canary(session: Session, crypt: str) -> None:
    """Write the canary; before a push, never in a dry run."""
    answer = session.query(["rcat", "--", _join(crypt, CANARY)], stdin=CONTENT.encode())
    if answer.exit_code != 0:
        raise listing_error(answer, session)


def _join(place: str, name: str) -> str:
    return place + name if place.endswith((":", "/")) else "{0}/{1}".format(place, name)


def _has_right_canary(session: Session, task: Task, crypt: str) -> bool:
    answer = session.query(["cat", "--", _join(crypt, CANARY)])
    if answer.exit_code == 0 and answer.stdout == CONTENT.strip():
        return True
    if answer.exit_code == 0 and not answer.stdout or answer.exit_code in NOT_FOUND_EXITS:
        return False
    if _says_undecryptable(answer.stderr):
        raise _wrong_password(task)
    raise listing_error(answer, session)


def _first(session: Session, place: str) -> Optional[str]:
    answer = session.query(["lsf", "--recursive", "--files-only", "--", place], first_line_only=True)
    if answer.stdout:
        return answer.stdout.split("\n")[0]
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise listing_error(answer, session)
    return None


def _check_names(session: Session, task: Task, crypt: str) -> None:
    """Names carry the key: with the right one, every name at the top decrypts."""
    answer = session.query(["lsf", "--", crypt])
    if _says_undecryptable(answer.stderr):
        raise _wrong_password(task)
    if answer.exit_code != 0:
        raise listing_error(answer, session)
    if not answer.stdout:
        raise _wrong_password(task)


def _check_content(session: Session, task: Task, crypt: str) -> None:
    """Plain names carry no key: the first bytes of one file must decrypt."""
    name = _first(session, crypt)
    if name is None:
        raise _wrong_password(task)
    answer = session.query(["cat", "--head", "1", "--", _join(crypt, name)])
    if _says_undecryptable(answer.stderr):
        raise _wrong_password(task)
    if answer.exit_code != 0:
        raise listing_error(answer, session)


def _says_undecryptable(stderr: str) -> bool:
    text = stderr.lower()
    return any(mark in text for mark in UNDECRYPTABLE_MARKS)


def _wrong_password(task: Task) -> CloudsyncError:
    return Refused(
        "crypt_password",
        "What is at remote_path {0!r} was not encrypted with this task's password and salt. Nothing was changed. "
        "Correct encryption.password and encryption.salt, or name another remote_path.".format(task.remote_path),
    )
