# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a task may say. Each rule is a sentence with the way out in it."""

from __future__ import annotations

import os
import posixpath
import re
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

from .errors import usage_error
from .tasks import MOVE, BandwidthSlot, Task

TIME = re.compile(r"\A(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun)-)?(\d{1,2}):(\d{2})\Z", re.IGNORECASE)
RATE = r"(?:off|\d+(?:\.\d+)?[BKMGTP])"
LIMIT = re.compile(r"\A{0}(?::{0})?\Z".format(RATE), re.IGNORECASE)
SIZE = re.compile(r"\A\d+(?:\.\d+)?[KMGT]?\Z|\A\d+(?:\.\d+)?%\Z|\Ainfinity\Z")
QUOTA = re.compile(r"\A\d+%\Z")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

REFUSED_ARGUMENTS: Mapping[str, str] = {
    "config": "the runner keeps the credential's configuration",
    "rc": "a control port on a network address can be used by others",
    "metrics-addr": "it would open a port",
    "password-command": "the runner keeps the secrets",
    "ask-password": "nobody is there to be asked",
    "log": "the runner keeps the log",
    "use-json-log": "the runner reads rclone's log",
    "syslog": "the runner reads rclone's log",
    "stats": "the runner reads rclone's statistics",
    "progress": "the runner shows the progress",
    "interactive": "nobody is there to be asked",
    "quiet": "the runner reads rclone's log",
    "dry-run": "use a dry run (check mode, or cloudsync run --dry-run)",
    "daemon": "the runner must see its end",
    "ignore-errors": "it deletes at the destination what could not be read at the source",
    "delete-excluded": "a filter that is wrong would empty the destination",
    "backup-dir": "use keep_deleted",
    "suffix": "use keep_deleted",
    "max-delete": "use guards.max_delete",
    "max-duration": "use limits.max_duration",
    "bwlimit": "use bandwidth",
    "transfers": "use transfers",
    "retries": "use retries",
    "filter": "use include and exclude",
    "include": "use include",
    "exclude": "use exclude",
    "files-from": "use include",
    "copy-links": "use follow_symlinks",
    "create-empty-src-dirs": "use create_empty_dirs",
}
EXACT = frozenset(("filter", "include", "exclude", "transfers", "retries", "suffix", "config", "progress"))


def checked_local_path(what: str, value: Any) -> str:
    """An absolute path, without ``.``, ``..`` and a trailing slash."""
    text = str(value)
    if not text.startswith("/") or "\n" in text or "\0" in text:
        raise usage_error("{0} is {1!r}: give an absolute path, such as /srv/data.".format(what, text))
    if ".." in text.split("/"):
        raise usage_error("{0} is {1!r}: give it without '..'.".format(what, text))
    return os.path.normpath("/" + text.lstrip("/"))


def checked_remote_path(what: str, value: Any) -> str:
    """A path at a provider, without a trailing slash; a leading one is kept (absolute on SFTP)."""
    text = str(value)
    if "\n" in text or "\0" in text or ".." in text.split("/"):
        raise usage_error("{0} is {1!r}: give a path on one line, without '..'.".format(what, text))
    return posixpath.normpath(text) if text.strip("/") else ""


def checked_patterns(what: str, values: Union[str, Sequence[Any]]) -> Tuple[str, ...]:
    """Lines for one of rclone's filter files: none empty, none of two lines (a hidden second rule)."""
    if isinstance(values, str):
        values = [values]
    for index, value in enumerate(values):
        if not str(value).strip() or "\n" in str(value) or "\r" in str(value):
            raise usage_error("{0}[{1}] must be one line that is not empty.".format(what, index))
    return tuple(str(value) for value in values)


def checked_max_delete(value: Any) -> str:
    """A count ("5"), a percentage ("10%"), or empty for no limit."""
    text = str(value).replace(" ", "")
    if text and not re.match(r"\A\d+%?\Z", text) or (text.endswith("%") and int(text[:-1]) > 100):
        raise usage_error(
            "guards.max_delete is {0!r}: use a count of files, or a percentage from 0% to 100%.".format(value)
        )
    return text


def checked_bandwidth(slots: Sequence[Mapping[str, Any]]) -> Tuple[BandwidthSlot, ...]:
    """A timetable in rising order; times are "HH:MM" or "Mon-HH:MM", limits bytes per second with a unit."""
    checked = tuple(_slot(index, slot) for index, slot in enumerate(slots))
    keys = [(DAYS.index(slot.time[:3]) if "-" in slot.time else -1, slot.time[-5:]) for slot in checked]
    for index in range(1, len(keys)):
        if keys[index] <= keys[index - 1]:
            raise usage_error(
                "bandwidth[{0}].time is {1}, not after {2}: put the times in rising order, each once.".format(
                    index, checked[index].time, checked[index - 1].time
                )
            )
    return checked


def _slot(index: int, slot: Mapping[str, Any]) -> BandwidthSlot:
    what = "bandwidth[{0}]".format(index)
    found = TIME.match(str(slot.get("time", "")))
    if not found or int(found.group(2)) > 23 or int(found.group(3)) > 59:
        raise usage_error("{0}.time is {1!r}: use HH:MM or Mon-HH:MM.".format(what, slot.get("time")))
    limit = str(slot.get("limit", "off"))
    if not LIMIT.match(limit):
        raise usage_error(
            "{0}.limit is {1!r}: use bytes per second with a unit (512K, 10M), "
            "upload:download (1M:10M), or off.".format(what, limit)
        )
    day = found.group(1).title() + "-" if found.group(1) else ""
    return BandwidthSlot("{0}{1:02d}:{2}".format(day, int(found.group(2)), found.group(3)), limit)


def checked_rclone_args(arguments: Sequence[Any]) -> Tuple[str, ...]:
    """Further ``--flag`` or ``--flag=value`` words for rclone; those that would break a promise are refused."""
    for argument in arguments:
        flag = str(argument).partition("=")[0]
        if not re.match(r"\A--[a-z0-9][a-z0-9-]*\Z", flag):
            raise usage_error("rclone_args has {0!r}: write each one as --flag or --flag=value.".format(str(argument)))
        reason = refusal_of(flag[2:])
        if reason:
            raise usage_error("rclone_args has {0}, which is refused: {1}.".format(flag, reason))
    return tuple(str(argument) for argument in arguments)


def refusal_of(flag: str) -> str:
    """Why a flag may not be given, empty when it may."""
    for name, reason in REFUSED_ARGUMENTS.items():
        if flag == name or (flag.startswith(name + "-") and name not in EXACT):
            return reason
        if name in ("filter", "include", "exclude", "suffix") and flag.startswith(name + "-"):
            return reason
    return ""


def check_task(task: Task) -> None:
    """The rules that need more than one option."""
    for problem in _problems(task):
        raise usage_error(problem)


def _problems(task: Task) -> List[str]:
    found: Dict[str, bool] = {
        "path is /: that is the whole host. Name a folder, or set guards.allow_root.": task.path == "/"
        and not task.guards.allow_root,
        "snapshot works for push tasks only: a pull has no local source to freeze.": task.snapshot != "none"
        and not task.is_push,
        "snapshot and mode move exclude each other: a snapshot's files can't be deleted.": task.snapshot != "none"
        and task.mode == MOVE,
        "limits.memory_max is {0!r}: use a size such as 512M, or a percentage.".format(task.limits.memory_max): bool(
            task.limits.memory_max
        )
        and not SIZE.match(task.limits.memory_max),
        "limits.cpu_quota is {0!r}: use a percentage of one processor, such as 50%.".format(
            task.limits.cpu_quota
        ): bool(task.limits.cpu_quota) and not QUOTA.match(task.limits.cpu_quota),
        _keep_deleted_problem(task): bool(_keep_deleted_problem(task)),
    }
    return [problem for problem, holds in found.items() if holds]


def _keep_deleted_problem(task: Task) -> str:
    if task.keep_deleted is None:
        return ""
    kept, destination = task.keep_deleted.path, task.remote_path if task.is_push else task.path
    if not task.is_push and not kept.startswith("/"):
        return "keep_deleted.path is {0!r}: a pull keeps deleted files on this host; give an absolute path.".format(
            kept
        )
    inner, outer = kept.strip("/") + "/", destination.strip("/") + "/"
    if outer.startswith(inner):
        return "keep_deleted.path {0!r} holds the destination {1!r}: name a folder beside it or in it.".format(
            kept, destination
        )
    if task.encryption is not None and task.is_push and not inner.startswith(outer):
        return "keep_deleted.path {0!r} must be in remote_path {1!r}, where the encryption is.".format(
            kept, destination
        )
    return ""
