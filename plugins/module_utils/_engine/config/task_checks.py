# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Check the options of a task. Each error says which option is invalid, and what to use instead."""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
from typing import Any, Mapping, Sequence, Tuple, Union

from ..common.errors import usage_error
from .tasks import MOVE, BandwidthSlot, Task, find_path_inside

TIME = re.compile(r"\A(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun)-)?(\d{1,2}):(\d{2})\Z", re.IGNORECASE)
RATE = r"(?:off|\d+(?:\.\d+)?[BKMGTP])"
LIMIT = re.compile(f"\\A{RATE}(?::{RATE})?\\Z", re.IGNORECASE)
SIZE = re.compile(r"\A\d+(?:\.\d+)?[KMGT]?\Z|\A\d+(?:\.\d+)?%\Z|\Ainfinity\Z")
MAX_DELETE = re.compile(r"\A(\d+)(%?)\Z")
QUOTA = re.compile(r"\A\d+%\Z")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

FLAG = re.compile(r"\A--[a-z0-9][a-z0-9-]*\Z")
SECRET_FLAG = re.compile(
    r"-(2fa|access-grant|authorization|connection-string|cookies?|credentials|key|key-base64|key-pem|mnemonic"
    r"|pass|passphrase|password2?|sas-url|secret|token)\Z"
)
KEY_FILE_FLAG = "--client-key"
# Patterns of rclone flags that a task may not use, and a sentence that says why, or what to use instead.
REFUSED_FLAGS = (
    ("config password-command", "The runner manages rclone's configuration."),
    ("ask-password interactive", "A run cannot ask questions."),
    ("rc rc-* metrics-*", "Other users could connect to the port that it opens."),
    ("log-* syslog* use-json-log verbose quiet stats* progress", "The runner reads rclone's log."),
    ("dump*", "It would write secrets into the log."),
    ("daemon*", "The runner must wait for rclone to end."),
    ("dry-run", "Use check mode, or cloudsync run --dry-run."),
    ("ignore-errors", "A sync would delete files at the destination that cannot be read at the source."),
    ("delete-excluded", "An invalid filter could delete everything at the destination."),
    ("backup-dir suffix*", "Use the option keep_deleted."),
    ("max-delete*", "Use the option guards.max_delete."),
    ("max-duration", "Use the option limits.max_duration."),
    ("bwlimit", "Use the option bandwidth."),
    ("transfers", "Use the option transfers."),
    ("retries retries-sleep", "Use the option retries."),
    ("filter* include* exclude* files-from*", "Use the options include and exclude."),
    ("copy-links", "Use the option follow_symlinks."),
    ("create-empty-src-dirs", "Use the option create_empty_dirs."),
    ("sftp-known-hosts-file sftp-host-keys sftp-pin-host-key sftp-ssh", "Set the trusted host keys in the credential."),
)


def check_local_path(what: str, value: Any) -> str:
    """Return the absolute path ``value`` without ``.`` and a trailing slash. Refuse ``..``."""
    text = str(value)
    if not text.startswith("/") or "\n" in text or "\0" in text:
        raise usage_error(f"{what} is {text!r}. Use an absolute path, such as /srv/data.")
    if ".." in text.split("/"):
        raise usage_error(f"{what} is {text!r}. Use a path without '..'.")
    return os.path.normpath("/" + text.lstrip("/"))


def check_remote_path(what: str, value: Any) -> str:
    """Return the path ``value`` at a provider without ``.`` and a trailing slash. Refuse ``..``.

    A leading slash is kept, because it makes the path absolute on SFTP.
    """
    text = str(value)
    if "\n" in text or "\0" in text or ".." in text.split("/"):
        raise usage_error(f"{what} is {text!r}. Use a path on one line, without '..'.")
    path = re.sub("/+", "/", posixpath.normpath(text)) if text else ""
    return "" if path == "." else path


def check_patterns(what: str, values: Union[str, Sequence[Any]]) -> Tuple[str, ...]:
    """Return ``values`` as lines of a filter file. Refuse empty ones, and line breaks, which could hide a rule."""
    if isinstance(values, str):
        values = [values]
    for index, value in enumerate(values):
        if not str(value).strip() or "\n" in str(value) or "\r" in str(value):
            # Without the value, because a notify target may be secret.
            raise usage_error(f"{what}[{index}] is empty or has more than one line. Use one line of text.")
    return tuple(str(value) for value in values)


def check_max_delete(value: Any) -> str:
    """Return ``value`` if it is a count ("5"), a percentage ("10%"), or empty for no limit."""
    text = str(value).replace(" ", "")
    found = MAX_DELETE.match(text)
    if text and (not found or (found.group(2) and int(found.group(1)) > 100)):
        raise usage_error(f"guards.max_delete is {value!r}. Use a number of files, or a percentage from 0% to 100%.")
    return text


def check_bandwidth(slots: Sequence[Mapping[str, Any]]) -> Tuple[BandwidthSlot, ...]:
    """Return the slots of a timetable in ascending order. Limits are in bytes per second, with a unit."""
    checked = tuple(_check_slot(index, slot) for index, slot in enumerate(slots))
    keys = [(DAYS.index(slot.time[:3]) if "-" in slot.time else -1, slot.time[-5:]) for slot in checked]
    for index in range(1, len(keys)):
        if keys[index] <= keys[index - 1]:
            raise usage_error(
                f"bandwidth[{index}].time is {checked[index].time}, which is not after {checked[index - 1].time}. List "
                "the times in ascending order, each once."
            )
    return checked


def _check_slot(index: int, slot: Mapping[str, Any]) -> BandwidthSlot:
    what = f"bandwidth[{index}]"
    found = TIME.match(str(slot.get("time", "")))
    if not found or int(found.group(2)) > 23 or int(found.group(3)) > 59:
        raise usage_error(f"{what}.time is {slot.get('time')!r}. Use HH:MM or Mon-HH:MM.")
    limit = str(slot.get("limit", "off"))
    if not LIMIT.match(limit):
        raise usage_error(
            f"{what}.limit is {limit!r}. Use bytes per second with a unit (512K, 10M), upload:download (1M:10M), or "
            "off."
        )
    day = found.group(1).title() + "-" if found.group(1) else ""
    return BandwidthSlot(f"{day}{int(found.group(2)):02d}:{found.group(3)}", limit)


def check_rclone_args(arguments: Sequence[Any]) -> Tuple[str, ...]:
    """Return additional ``--flag`` or ``--flag=value`` words for rclone. Refuse REFUSED_FLAGS and secrets."""
    for argument in arguments:
        flag = str(argument).partition("=")[0]
        if not FLAG.match(flag):
            raise usage_error(f"rclone_args has {flag!r}. Write each item as --flag or --flag=value.")
        reason = _find_refusal(flag)
        if reason:
            raise usage_error(f"rclone_args has {flag}, which is not allowed. {reason}")
    return tuple(str(argument) for argument in arguments)


def _find_refusal(flag: str) -> str:
    """Return why ``flag`` is not allowed, empty if it is allowed."""
    for patterns, reason in REFUSED_FLAGS:
        if any(fnmatch.fnmatchcase(flag, "--" + pattern) for pattern in patterns.split()):
            return reason
    if SECRET_FLAG.search(flag) and flag != KEY_FILE_FLAG:
        return "Every user of the host can read a program's arguments. Put secrets into the credential."
    return ""


def check_size(what: str, value: Any) -> str:
    """Return ``value`` if it is a size for systemd: bytes with K, M, G or T, a percentage, or empty for no limit."""
    if str(value) and not SIZE.match(str(value)):
        raise usage_error(f"{what} is {value!r}. Use a size such as 512M, or a percentage.")
    return str(value)


def check_quota(what: str, value: Any) -> str:
    """Return ``value`` if it is a share of one processor, or empty for no limit."""
    if str(value) and not QUOTA.match(str(value)):
        raise usage_error(f"{what} is {value!r}. Use a percentage of one processor, such as 50%.")
    return str(value)


def check_task(task: Task) -> None:
    """Check the rules that concern more than one option."""
    frozen = task.snapshot != "none"
    rules = (
        (
            task.path == "/" and not task.guards.allow_root,
            "path is '/', the whole host. Use a folder, or set guards.allow_root.",
        ),
        (
            frozen and not task.is_push,
            "snapshot is only allowed for push tasks. A pull has no local source.",
        ),
        (
            frozen and task.mode == MOVE,
            "snapshot is not allowed with mode move. The files of a snapshot cannot be deleted.",
        ),
        (
            task.verify_after != "none" and task.mode == MOVE,
            "verify_after is not allowed with mode move. After a move there is no source to compare with.",
        ),
    )
    for is_broken, sentence in rules:
        if is_broken:
            raise usage_error(sentence)
    if task.keep_deleted is not None:
        _check_keep_deleted(task, task.keep_deleted.path)


def _check_keep_deleted(task: Task, kept: str) -> None:
    if not task.is_push and not kept.startswith("/"):
        raise usage_error(
            f"keep_deleted.path is {kept!r}. A pull keeps deleted files on this host. Use an absolute path."
        )
    if find_path_inside(kept, task.destination) is not None:
        raise usage_error(
            f"keep_deleted.path is {kept!r}, which contains the destination {task.destination!r}. Use another folder."
        )
    if task.is_push and task.encryption is not None and task.kept_inside is None:
        raise usage_error(
            f"keep_deleted.path is {kept!r}, but files are encrypted only in remote_path {task.destination!r}. Use a "
            "folder in it."
        )
