# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: the source exists and is not empty, as rclone sees it.

If the guard cannot be evaluated, the run is refused.
"""

from __future__ import annotations

import json
import os

from ..common.errors import CloudsyncError, Refused
from ..config.tasks import COPY, MOVE, SYNC, Task
from ..rclone.outcome import NOT_FOUND_EXITS, WEB_PAGE_ANSWER
from ..remote.arguments import CANARY, Endpoints, join_place
from ..remote.open import build_place
from ..remote.session import Answer, Session
from ..transfer.remote_files import raise_unless_found
from ..transfer.result import build_listing_error, is_web_page
from .local import build_marker_error

# By default, rclone retries S3 for more than six minutes without any output if nothing answers at the endpoint.
PATIENCE = ("--retries", "1", "--low-level-retries", "3")
# What a run without this guard would do with an empty source.
EFFECTS = {
    SYNC: "A sync would delete everything at the destination.",
    MOVE: "There is nothing to move.",
}


def check_source(session: Session, task: Task, ends: Endpoints, needs_files: bool = True) -> None:
    """Refuse a source that does not exist or has no marker, and with ``needs_files`` one that is empty.

    A copy may have an empty source. A drill names what is missing itself.
    """
    if task.is_drill:
        return
    if not task.is_push and task.remote_path.strip("/"):
        _check_pull_folder(session, task, ends)
    if not task.is_push and task.guards.marker:
        _check_remote_marker(session, task, ends)
    if task.mode == COPY or task.guards.empty_source == "allow" or not needs_files:
        return
    if not _has_content(session, task, ends.source):
        raise Refused(
            "empty_source",
            f"Source {task.path if task.is_push else repr(task.remote_path)} contains no files that match the task's "
            f"filters. {EFFECTS[task.mode]} Check that the source is mounted and that the path is correct. If the "
            "source may be empty, set guards.empty_source to allow.",
        )


def _stat(session: Session, place: str) -> Answer:
    return session.query(["lsjson", *PATIENCE, "--stat", "--", place])


def check_answer(session: Session, task: Task) -> None:
    """Raise an error if nothing answers at the destination of a push.

    Other errors are left to the transfer: a login may be allowed to write where it must not list.
    """
    # A request for one name does not list a whole folder at any provider.
    answer = _stat(session, join_place(build_place(task.remote_path), CANARY))
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        error = build_listing_error(answer, session)
        if error.reason == "network":
            raise error


def _check_pull_folder(session: Session, task: Task, ends: Endpoints) -> None:
    """Refuse a remote path that does not exist or is a file.

    rclone accepts a single file as a source. Where folders are only parts of names, a missing one looks empty.
    """
    answer = _stat(session, build_place(task.remote_path))
    if answer.exit_code in NOT_FOUND_EXITS:
        raise _build_folder_error(task)
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)
    if answer.stdout and not json.loads(answer.stdout).get("IsDir", True):
        if is_web_page(session, answer):
            raise CloudsyncError(WEB_PAGE_ANSWER.reason, WEB_PAGE_ANSWER.message)
        raise Refused(
            "not_found",
            f"remote_path {task.remote_path!r} is a file, but a task needs a folder. Set remote_path to the folder of "
            "the file, and include to the name of the file.",
        )
    if task.mode == COPY and session.has_no_folders and task.guards.empty_source != "allow":
        first = session.query(["lsf", "--", ends.source], first_line_only=True)
        if not first.stdout and first.exit_code in (0, *NOT_FOUND_EXITS):
            raise _build_folder_error(task)


def _build_folder_error(task: Task) -> Refused:
    return Refused(
        "not_found",
        f"Folder {task.remote_path!r} does not exist at the provider, or is empty. Correct remote_path. The module "
        "skyhaul.cloudsync.remote_info lists the existing folders. If the folder may be empty, set guards.empty_source "
        "to allow.",
    )


def _check_remote_marker(session: Session, task: Task, ends: Endpoints) -> None:
    folder, name = os.path.split(task.guards.marker)
    answer = session.query(["lsf", "--files-only", "--", join_place(ends.source, folder)])
    raise_unless_found(answer, session)
    if name not in answer.stdout.split("\n"):
        raise build_marker_error(f"{task.remote_path}/{task.guards.marker}")


def _has_content(session: Session, task: Task, place: str) -> bool:
    """Return whether the source has a file, or with create_empty_dirs a folder. The listing ends at the first one."""
    kinds = [] if task.create_empty_dirs else ["--files-only"]
    answer = session.query(["lsf", "--recursive", *kinds, *session.selection, "--", place], first_line_only=True)
    if answer.stdout:
        return True
    if answer.exit_code != 0:
        error = build_listing_error(answer, session)
        raise Refused(error.reason, error.message)
    return False
