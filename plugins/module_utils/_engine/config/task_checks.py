# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a task may say. Each rule is a sentence with the way out in it."""

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
# rclone's flags, as patterns, that would break what a run promises; and why, or what serves instead.
REFUSED_FLAGS = (
    ("config password-command", "the runner keeps the credential's configuration"),
    ("ask-password interactive", "nobody is there to be asked"),
    ("rc rc-* metrics-*", "others could use the port that it opens"),
    ("log-* syslog* use-json-log verbose quiet stats* progress", "the runner reads rclone's log"),
    ("dump*", "it would write secrets into the log"),
    ("daemon*", "the runner must see its end"),
    ("dry-run", "use a dry run (check mode, or cloudsync run --dry-run)"),
    ("ignore-errors", "it deletes at the destination what could not be read at the source"),
    ("delete-excluded", "a filter that is wrong would empty the destination"),
    ("backup-dir suffix*", "use keep_deleted"),
    ("max-delete*", "use guards.max_delete"),
    ("max-duration", "use limits.max_duration"),
    ("bwlimit", "use bandwidth"),
    ("transfers", "use transfers"),
    ("retries", "use retries"),
    ("filter* include* exclude* files-from*", "use include and exclude"),
    ("copy-links", "use follow_symlinks"),
    ("create-empty-src-dirs", "use create_empty_dirs"),
    ("sftp-known-hosts-file sftp-host-keys sftp-pin-host-key sftp-ssh", "whom a login trusts is set in the credential"),
)


def check_local_path(what: str, value: Any) -> str:
    """An absolute path, without ``.``, ``..`` and a trailing slash."""
    text = str(value)
    if not text.startswith("/") or "\n" in text or "\0" in text:
        raise usage_error(f"{what} is {text!r}. Use an absolute path, such as /srv/data.")
    if ".." in text.split("/"):
        raise usage_error(f"{what} is {text!r}: give it without '..'.")
    return os.path.normpath("/" + text.lstrip("/"))


def check_remote_path(what: str, value: Any) -> str:
    """A path at a provider, without ``.`` and a trailing slash; a leading slash is kept (absolute on SFTP)."""
    text = str(value)
    if "\n" in text or "\0" in text or ".." in text.split("/"):
        raise usage_error(f"{what} is {text!r}: give a path on one line, without '..'.")
    path = re.sub("/+", "/", posixpath.normpath(text)) if text else ""
    return "" if path == "." else path


def check_patterns(what: str, values: Union[str, Sequence[Any]]) -> Tuple[str, ...]:
    """Lines for one of rclone's filter files: none empty, none of two lines (a hidden second rule)."""
    if isinstance(values, str):
        values = [values]
    for index, value in enumerate(values):
        if not str(value).strip() or "\n" in str(value) or "\r" in str(value):
            raise usage_error(f"{what}[{index}] must be one line that is not empty.")
    return tuple(str(value) for value in values)


def check_max_delete(value: Any) -> str:
    """A count ("5"), a percentage ("10%"), or empty for no limit."""
    text = str(value).replace(" ", "")
    found = MAX_DELETE.match(text)
    if text and (not found or (found.group(2) and int(found.group(1)) > 100)):
        raise usage_error(f"guards.max_delete is {value!r}: use a count of files, or a percentage from 0% to 100%.")
    return text


def check_bandwidth(slots: Sequence[Mapping[str, Any]]) -> Tuple[BandwidthSlot, ...]:
    """A timetable in rising order; times are "HH:MM" or "Mon-HH:MM", limits bytes per second with a unit."""
    checked = tuple(_check_slot(index, slot) for index, slot in enumerate(slots))
    keys = [(DAYS.index(slot.time[:3]) if "-" in slot.time else -1, slot.time[-5:]) for slot in checked]
    for index in range(1, len(keys)):
        if keys[index] <= keys[index - 1]:
            raise usage_error(
                f"bandwidth[{index}].time is {checked[index].time}, not after {checked[index - 1].time}: put the times "
                "in rising order, each once."
            )
    return checked


def _check_slot(index: int, slot: Mapping[str, Any]) -> BandwidthSlot:
    what = f"bandwidth[{index}]"
    found = TIME.match(str(slot.get("time", "")))
    if not found or int(found.group(2)) > 23 or int(found.group(3)) > 59:
        raise usage_error(f"{what}.time is {slot.get('time')!r}: use HH:MM or Mon-HH:MM.")
    limit = str(slot.get("limit", "off"))
    if not LIMIT.match(limit):
        raise usage_error(
            f"{what}.limit is {limit!r}: use bytes per second with a unit (512K, 10M), upload:download (1M:10M), or "
            "off."
        )
    day = found.group(1).title() + "-" if found.group(1) else ""
    return BandwidthSlot(f"{day}{int(found.group(2)):02d}:{found.group(3)}", limit)


def check_rclone_args(arguments: Sequence[Any]) -> Tuple[str, ...]:
    """Further ``--flag`` or ``--flag=value`` words for rclone; those that would break a promise are refused."""
    for argument in arguments:
        flag = str(argument).partition("=")[0]
        if not FLAG.match(flag):
            raise usage_error(f"rclone_args has {flag!r}: write each one as --flag or --flag=value.")
        reason = _find_refusal(flag)
        if reason:
            raise usage_error(f"rclone_args has {flag}, which is refused: {reason}.")
    return tuple(str(argument) for argument in arguments)


def _find_refusal(flag: str) -> str:
    """Why ``flag`` may not be given, empty when it may."""
    for patterns, reason in REFUSED_FLAGS:
        if any(fnmatch.fnmatchcase(flag, "--" + pattern) for pattern in patterns.split()):
            return reason
    if SECRET_FLAG.search(flag) and flag != KEY_FILE_FLAG:
        return "everybody on the host can read a program's arguments; put a secret into the credential"
    return ""


def check_size(what: str, value: Any) -> str:
    """Memory as systemd spells it: bytes with K, M, G or T, a percentage, or empty for no limit."""
    if str(value) and not SIZE.match(str(value)):
        raise usage_error(f"{what} is {value!r}: use a size such as 512M, or a percentage.")
    return str(value)


def check_quota(what: str, value: Any) -> str:
    """A share of one processor, or empty for no limit."""
    if str(value) and not QUOTA.match(str(value)):
        raise usage_error(f"{what} is {value!r}: use a percentage of one processor, such as 50%.")
    return str(value)


def check_task(task: Task) -> None:
    """The rules that need more than one option."""
    frozen = task.snapshot != "none"
    rules = (
        (
            task.path == "/" and not task.guards.allow_root,
            "path is /: that is the whole host. Name a folder, or set guards.allow_root.",
        ),
        (
            frozen and not task.is_push,
            "snapshot works for push tasks only: a pull has no local source to freeze.",
        ),
        (
            frozen and task.mode == MOVE,
            "snapshot and mode move exclude each other: a snapshot's files can't be deleted.",
        ),
        (
            task.verify_after != "none" and task.mode == MOVE,
            "verify_after and mode move exclude each other: after a move there is no source to compare with.",
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
            f"keep_deleted.path is {kept!r}: a pull keeps deleted files on this host; give an absolute path."
        )
    if find_path_inside(kept, task.destination) is not None:
        raise usage_error(
            f"keep_deleted.path {kept!r} holds the destination {task.destination!r}: name a folder beside it or in it."
        )
    if task.is_push and task.encryption is not None and task.kept_inside is None:
        raise usage_error(
            f"keep_deleted.path {kept!r} must be in remote_path {task.destination!r}, where the encryption is."
        )
