# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Check the options of a task. Each error says which option is invalid, and what to use instead."""

from __future__ import annotations

import os
import posixpath
import re
from typing import Any, Mapping, Sequence, Tuple, Union

from ..common.errors import usage_error
from .stored_tasks import can_be_drilled
from .tasks import MOVE, SYNC, BandwidthSlot, Drill, Task, find_path_inside

TIME = re.compile(r"\A(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun)-)?(\d{1,2}):(\d{2})\Z", re.IGNORECASE)
RATE = r"(?:off|\d+(?:\.\d+)?[BKMGTP])"
LIMIT = re.compile(f"\\A{RATE}(?::{RATE})?\\Z", re.IGNORECASE)
SIZE = re.compile(r"\A\d{1,15}(?:\.\d{1,9})?[KMGT]?\Z|\A\d{1,3}(?:\.\d{1,9})?%\Z|\Ainfinity\Z")
# Less than a mebibyte, in bytes.
FEW_BYTES = re.compile(r"\A\d{1,6}(?:\.\d+)?\Z")
# rclone reads lines of at most 64 KiB from a file of filters.
LONGEST_PATTERN = 16000
BYTES = re.compile(r"\A(\d{1,12})([KMGT]?)\Z")
MAX_DELETE = re.compile(r"\A(\d{1,18})(%?)\Z")
QUOTA = re.compile(r"\A\d{1,7}%\Z")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


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
        if len(str(value)) > LONGEST_PATTERN:
            raise usage_error(f"{what}[{index}] has {len(str(value))} characters. Split it into several patterns.")
    return tuple(str(value) for value in values)


def check_max_delete(value: Any) -> str:
    """Return ``value`` if it is a count ("5"), a percentage ("10%"), or empty for no limit."""
    text = str(value).replace(" ", "")
    found = MAX_DELETE.match(text)
    if text and (not found or (found.group(2) and int(found.group(1)) > 100)):
        raise usage_error(f"guards.max_delete is {value!r}. Use a number of files, or a percentage from 0% to 100%.")
    return text


def check_share(what: str, value: Any) -> str:
    """Return ``value`` if it is a count of files ("20") or a percentage of them ("5%"), more than none."""
    text = str(value).replace(" ", "")
    found = MAX_DELETE.match(text)
    if not found or int(found.group(1)) == 0 or (found.group(2) and int(found.group(1)) > 100):
        raise usage_error(f"{what} is {value!r}. Use a number of files, such as 20, or a percentage, such as 5%.")
    return text


def check_bytes(what: str, value: Any) -> str:
    """Return ``value`` if it is a size in bytes with an optional unit, more than nothing. See count_bytes()."""
    text = str(value).upper()
    found = BYTES.match(text)
    if isinstance(value, bool) or not found or int(found.group(1)) == 0:
        raise usage_error(f"{what} is {value!r}. Use bytes with a unit, such as 500M or 1G.")
    return text


def count_bytes(size: str) -> int:
    """Return the bytes in a size that check_bytes() accepted. The units are binary: K is 1024."""
    found = BYTES.match(size)
    return int(found.group(1)) * 1024 ** " KMGT".index(found.group(2) or " ") if found else 0


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
        (
            task.shard is not None and task.create_empty_dirs,
            "shard is not allowed with create_empty_dirs. Only files belong to shards.",
        ),
        (
            bool(FEW_BYTES.match(task.limits.memory_max)),
            f"limits.memory_max is {task.limits.memory_max!r} bytes. Add a unit, as in 512M.",
        ),
        (
            task.mode == SYNC and any(argument.startswith("--exclude-if-present") for argument in task.rclone_args),
            "--exclude-if-present is not allowed with mode sync. A sync would delete the copy of a folder as soon as "
            "the folder contains that file. Use mode copy, or list the folders in exclude.",
        ),
    )
    for is_broken, sentence in rules:
        if is_broken:
            raise usage_error(sentence)
    if task.keep_deleted is not None:
        _check_keep_deleted(task, task.keep_deleted.path)
    if task.drill is not None:
        _check_drill(task, task.drill)


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


def _check_drill(task: Task, drill: Drill) -> None:
    if not can_be_drilled(task.direction, task.mode):
        why = (
            "A pull has its original at the provider" if not task.is_push else "A move leaves no source to compare with"
        )
        raise usage_error(f"drill is only allowed for a push with mode copy or sync. {why}.")
    if drill.scratch and find_path_inside(task.path, drill.scratch) is not None:
        raise usage_error(
            f"drill.scratch is {drill.scratch!r}, which is in the source {task.path!r}, so the restored files would be "
            "pushed. Use another folder."
        )
