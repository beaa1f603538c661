# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guards: what must hold before anything is touched. One that can't tell refuses."""

from __future__ import annotations

import json
import os

from .arguments import CANARY, Endpoints, place_below, selection_arguments
from .errors import CloudsyncError
from .plan import NOT_FOUND_EXITS, Plan
from .rclone.aliases import rclone_name
from .rclone.binary import Rclone
from .rclone.traits import is_bucket_based, is_read_only
from .remote import raw_place
from .session import Answer, Session
from .tasks import COPY, SYNC, Task
from .transfer import listing_error

# For S3, rclone's own patience lasts more than six minutes, without a word, where nobody listens.
PATIENCE = ("--retries", "1", "--low-level-retries", "3")
# Folders of Google Photos that TrueNAS refuses to pull, too.
ALL_PHOTOS = ("", "media", "media/by-day")


class Refused(CloudsyncError):
    """A guard refused the run; nothing was touched."""


def check_places(task: Task, provider: str) -> None:
    """Where a task may work at all, given its credential's provider (an rclone type)."""
    if task.is_push and is_read_only(provider):
        raise Refused("usage", f"The provider {provider} is read-only: a task can pull from it, not push.")
    if not task.is_push and rclone_name(provider) == "google photos" and task.remote_path.strip("/") in ALL_PHOTOS:
        raise Refused(
            "usage",
            f"remote_path {task.remote_path!r} holds every photo again under each way to look at them. Name one of "
            "them, such as media/by-month or album/NAME.",
        )
    if task.mode != SYNC or task.guards.allow_root:
        return
    depth = len([part for part in task.remote_path.split("/") if part])
    if depth < (2 if is_bucket_based(provider) else 1):
        raise Refused(
            "usage",
            "remote_path {0!r} is the {1}: a sync would delete everything else in it, or on this host. "
            "Name a folder below it, or set guards.allow_root.".format(
                task.remote_path, "root of a bucket" if is_bucket_based(provider) else "root of the remote"
            ),
        )


def unsafe_pull(rclone: Rclone) -> str:
    """What to say of a pull with an old rclone."""
    return (
        f"It pulls with rclone {rclone.version_text}, in which a hostile file name can leave the destination "
        "(CVE-2026-71313). Upgrade to rclone 1.75.0 or newer."
    )


def check_local(task: Task) -> None:
    """The local side: mounted, there, a directory, with its marker."""
    if task.guards.mounted and not os.path.ismount(task.guards.mounted):
        raise Refused(
            "not_mounted",
            f"{task.guards.mounted} is not mounted. Mount it (mount {task.guards.mounted}), then run the task again.",
        )
    if os.path.lexists(task.path) and not os.path.isdir(task.path):
        raise Refused("not_found", f"{task.path} is not a directory: a task needs one.")
    if task.is_push and not os.path.isdir(task.path):
        raise Refused("not_found", f"The source {task.path} does not exist. Create it, or correct the path.")
    marker = os.path.join(task.path, task.guards.marker)
    if task.is_push and task.guards.marker and not os.path.isfile(marker):
        raise _marker_missing(marker)


def _marker_missing(marker: str) -> Refused:
    return Refused(
        "marker_missing",
        f"The marker {marker} is missing: the source is not what it should be, or not mounted.",
    )


def check_source(session: Session, task: Task, ends: Endpoints) -> None:
    """The source as rclone sees it: of a pull, a folder that is there, with its marker; and for sync and move, at
    least one file. Of a push, whether anybody answers at its destination.
    """
    if task.is_push:
        _check_answer(session, task)
    elif task.remote_path.strip("/"):
        _check_pull_folder(session, task, ends)
    if not task.is_push and task.guards.marker:
        _check_remote_marker(session, task, ends)
    if task.mode == COPY or task.guards.empty_source == "allow":
        return
    if not _has_content(session, task, ends.source):
        raise Refused(
            "empty_source",
            f"The source {task.path if task.is_push else repr(task.remote_path)} holds no file that the task's filters "
            f"let through; a {task.mode} would act on that by deleting. Check that it is mounted and that the path is "
            "right; if it may be empty, set guards.empty_source to allow.",
        )


def _stat(session: Session, place: str) -> Answer:
    return session.query(["lsjson", *PATIENCE, "--stat", "--", place])


def _check_answer(session: Session, task: Task) -> None:
    """Only that somebody answers: a login may write where it may not look, and what is wrong the transfer says best."""
    # Asked for one name, no provider lists a whole folder.
    answer = _stat(session, place_below(raw_place(task.remote_path), CANARY))
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        error = listing_error(answer, session)
        if error.reason == "network":
            raise error


def _check_pull_folder(session: Session, task: Task, ends: Endpoints) -> None:
    """rclone would copy a single file, too; and where there are no folders, only names, a missing one looks empty."""
    answer = _stat(session, raw_place(task.remote_path))
    if answer.exit_code in NOT_FOUND_EXITS:
        raise _no_pull_folder(task)
    if answer.exit_code != 0:
        raise listing_error(answer, session)
    if answer.stdout and not json.loads(answer.stdout).get("IsDir", True):
        raise Refused(
            "not_found",
            f"remote_path {task.remote_path!r} is a file, and a task needs a folder: name the folder that it is in, "
            "and the file in include.",
        )
    if task.mode == COPY and session.has_no_folders and task.guards.empty_source != "allow":
        first = session.query(["lsf", "--", ends.source], first_line_only=True)
        if not first.stdout and first.exit_code in (0, *NOT_FOUND_EXITS):
            raise _no_pull_folder(task)


def _no_pull_folder(task: Task) -> Refused:
    return Refused(
        "not_found",
        f"There is no folder {task.remote_path!r} at the provider, or nothing in it. Correct remote_path "
        "('skyhaul.cloudsync.remote_info' lists what is there); if it may be empty, set guards.empty_source to allow.",
    )


def _check_remote_marker(session: Session, task: Task, ends: Endpoints) -> None:
    folder, name = os.path.split(task.guards.marker)
    answer = session.query(["lsf", "--files-only", "--", place_below(ends.source, folder)])
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise listing_error(answer, session)
    if name not in answer.stdout.split("\n"):
        raise _marker_missing(f"{task.remote_path}/{task.guards.marker}")


def _has_content(session: Session, task: Task, place: str) -> bool:
    """Whether one file (with create_empty_dirs: or folder) is there; a big listing is cut short at the first."""
    kinds = [] if task.create_empty_dirs else ["--files-only"]
    answer = session.query(
        ["lsf", "--recursive", *kinds, *selection_arguments(task), "--", place], first_line_only=True
    )
    if answer.stdout:
        return True
    if answer.exit_code != 0:
        error = listing_error(answer, session)
        raise Refused(error.reason, error.message)
    return False


def check_deletions(task: Task, plan: Plan) -> None:
    """guards.max_delete, on the plan: either everything may be deleted, or nothing is."""
    limit = task.guards.max_delete
    if not limit:
        return
    count = len(plan.delete)
    allowed = int(limit[:-1]) * plan.present / 100 if limit.endswith("%") else int(limit)
    if count > allowed:
        raise Refused(
            "max_delete",
            f"The run would delete {count} of the {plan.present} files at the destination, more than guards.max_delete "
            f"({limit}) allows. Nothing was changed. Look at the plan (cloudsync run {task.name} --dry-run); if it is "
            "right, raise the limit.",
        )
