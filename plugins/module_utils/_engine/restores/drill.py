# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""A drill: restore some files of a task, compare each with its source, and remove them.

It is a restore of a sample (survey.py) into a folder that only the drill uses. Nothing else is written.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager, suppress
from typing import BinaryIO, Callable, Iterator, List, NamedTuple, Optional

from ..commands.open_path import make_folders, open_path
from ..common.accounts import find_account
from ..common.errors import CloudsyncError
from ..common.files import make_directory
from ..common.layout import Layout
from ..common.text import format_count, format_size
from ..config.tasks import Drill, Task
from ..history.pushed import Pushed
from ..rclone.outcome import SUCCESS, Outcome
from ..remote.arguments import Endpoints
from ..remote.session import Session
from ..transfer.entries import Entry
from ..transfer.plan import Plan
from .survey import Names, Survey, describe_damage
from .target import check_room

REASON = "drill"
CHUNK_BYTES = 1 << 20
# Other ends of a transfer say nothing about the files at the destination.
DAMAGING = ("other", "undecryptable", "crypt_password", "not_found", "damaged", "deletions_suppressed")
ADVICE = (
    "Keep the source, which may be the only good copy. Find out what has changed the destination. A file that is "
    "missing, or has another size, is pushed again by the next run of the task."
)


@contextmanager
def hold_scratch(layout: Layout, task: Task) -> Iterator[None]:
    """Create the empty folder of a drill, open to the user of the task only, and remove it. Another run has none."""
    if not task.is_drill:
        yield
        return
    remove_scratch(task)
    # Before make_folders(), which gives missing folders to the user of the task.
    make_directory(layout.state_dir)
    make_directory(layout.task_state_dir(task.name))
    owner = find_account(task.user).uid
    make_folders([task.path], owner)
    try:
        with open_path(task.path, owner) as found:
            os.chmod(f"/proc/self/fd/{found}", 0o700)
        yield
    finally:
        remove_scratch(task)


def remove_scratch(task: Task) -> None:
    """Remove the folder of a drill, if there is one. No link in it is followed."""
    if task.is_drill:
        with suppress(FileNotFoundError):
            shutil.rmtree(task.path)


def select_sample(session: Session, sample: List[Entry]) -> Session:
    """Return a session that transfers the sample only, without another listing."""
    return session.select((entry.path for entry in sample), "--no-traverse")


def plan_drill(task: Task, found: Survey) -> Plan:
    """Return the plan of a drill: the sample. Refuse it if the file system of the scratch folder is too small."""
    plan = Plan(copy=tuple(found.sample), notes=tuple(describe_damage(found)))
    check_room(task, plan)
    return plan


class _Comparison(NamedTuple):
    """How many files of the sample are equal to their source, byte for byte, and what is wrong with the others.

    ``unproven`` files have another source now, or none, so that only the provider or the encryption vouches for them.
    """

    equal: int
    unproven: int
    lost: Names
    different: Names


def judge(
    session: Session,
    task: Task,
    ends: Endpoints,
    found: Survey,
    outcome: Optional[Outcome],
    say: Callable[[str], None],
) -> str:
    """Raise CloudsyncError if something is damaged, else return a sentence. ``outcome`` is that of the transfer."""
    if outcome is not None and outcome.state != SUCCESS and outcome.reason not in DAMAGING:
        raise CloudsyncError(outcome.reason, outcome.message)
    compared = _compare(task, ends, found)
    damage = describe_damage(found)
    damage += [
        names.describe(kind)
        for kind, names in (("Not restored", compared.lost), ("With different content", compared.different))
        if names.count
    ]
    if outcome is not None and outcome.state != SUCCESS:
        damage.append(f"The transfer failed: {outcome.message}")
    for kind in (found.missing, found.resized, found.hidden, compared.lost, compared.different):
        for name in kind.shown:
            say(f"damaged: {name}")
    if damage:
        raise CloudsyncError(_choose_reason(found), " ".join(["The copy is damaged.", *damage, ADVICE]))
    _refuse_nothing(found, task)
    return " ".join(_describe_success(found, compared, task))


def _choose_reason(found: Survey) -> str:
    return "crypt_password" if found.hidden.count and not found.total else REASON


def explain_refusal(error: CloudsyncError, found: Survey) -> None:
    """Add what the listing has shown to the refusal of a guard."""
    error.message = " ".join([error.message, *describe_damage(found)])


def _refuse_nothing(found: Survey, task: Task) -> None:
    """Refuse to call a drill without any file a success, unless the last run left none."""
    if found.sample or (found.pushed is not None and not found.pushed.hashes):
        return
    if found.large:
        limit = (task.drill or Drill()).max_bytes
        raise CloudsyncError(REASON, f"Every file is larger than drill.max_bytes ({limit}). Use a higher limit.")
    raise CloudsyncError("not_found", f"The destination {task.remote_path!r} has no files, so nothing can be restored.")


def _describe_success(found: Survey, compared: _Comparison, task: Task) -> Iterator[str]:
    size = format_size(sum(max(entry.size, 0) for entry in found.sample))
    of_all = f"{len(found.sample)} of {format_count(found.total, 'file')}"
    yield f"Restored {of_all} ({size}). Equal to the source: {compared.equal}."
    if compared.unproven:
        by = (
            "the authentication of the encryption" if task.encryption is not None else "the provider's checksum or size"
        )
        yield f"Compared with {by} only, because the source has changed: {compared.unproven}."
    if found.pushed is None:
        yield "Missing files cannot be found before the next successful run of the task."
    else:
        yield f"All {format_count(len(found.pushed.hashes), 'file')} of the last successful run are there."
    if found.large:
        yield f"Never restored, because they are larger than drill.max_bytes: {format_count(found.large, 'file')}."


def _compare(task: Task, ends: Endpoints, found: Survey) -> _Comparison:
    source = task.restore.source if task.restore is not None else ""
    equal, unproven, lost, different = 0, 0, Names(), Names()
    for entry in found.sample:
        restored = os.path.join(ends.destination, entry.path)
        try:
            is_file = stat.S_ISREG(os.lstat(restored).st_mode)
        except OSError:
            is_file = False
        if not is_file:
            lost.add(entry.path)
            continue
        answer = _is_equal(os.path.join(source, entry.path), restored, entry.path, found.pushed)
        equal += answer is True
        unproven += answer is None
        if answer is False:
            different.add(entry.path)
    return _Comparison(equal, unproven, lost, different)


def _is_equal(source: str, restored: str, path: str, pushed: Optional[Pushed]) -> Optional[bool]:
    """Return whether the two files have the same content. None: the source has changed since it was pushed, or during
    the comparison, or it cannot be read, so that it proves nothing.
    """
    try:
        with _open(source) as original, open(restored, "rb") as copy:
            before, other = os.fstat(original.fileno()), os.fstat(copy.fileno())
            at = pushed.find(path) if pushed is not None else -1
            is_unchanged = pushed is not None and at >= 0 and pushed.is_unchanged(at, before)
            looks_equal = (before.st_size, int(before.st_mtime)) == (other.st_size, int(other.st_mtime))
            if not is_unchanged and not looks_equal:
                return None
            while True:
                ours, theirs = original.read(CHUNK_BYTES), copy.read(CHUNK_BYTES)
                if ours != theirs:
                    now = os.fstat(original.fileno())
                    same = (before.st_size, before.st_mtime_ns) == (now.st_size, now.st_mtime_ns)
                    return False if same else None
                if not ours:
                    return True
    except (OSError, ValueError):
        return None


def _open(path: str) -> BinaryIO:
    """Open a file of the source. Anything else, such as a pipe, raises OSError, and does not block."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a file")
    return os.fdopen(descriptor, "rb")
