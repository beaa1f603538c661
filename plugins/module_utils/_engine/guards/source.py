# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Guard: the source exists and is not empty, as rclone sees it. If it cannot tell, the run is refused."""

from __future__ import annotations

import json
import os

from ..common.errors import Refused
from ..config.tasks import COPY, Task
from ..rclone.outcome import NOT_FOUND_EXITS
from ..remote.arguments import CANARY, Endpoints, build_selection_arguments, join_place
from ..remote.open import build_place
from ..remote.session import Answer, Session
from ..transfer.result import listing_error
from .local import build_marker_error

# For S3, rclone's own patience lasts more than six minutes, without a word, where nobody listens.
PATIENCE = ("--retries", "1", "--low-level-retries", "3")


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
    answer = _stat(session, join_place(build_place(task.remote_path), CANARY))
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        error = listing_error(answer, session)
        if error.reason == "network":
            raise error


def _check_pull_folder(session: Session, task: Task, ends: Endpoints) -> None:
    """rclone would copy a single file, too; and where there are no folders, only names, a missing one looks empty."""
    answer = _stat(session, build_place(task.remote_path))
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
    answer = session.query(["lsf", "--files-only", "--", join_place(ends.source, folder)])
    if answer.exit_code not in (0, *NOT_FOUND_EXITS):
        raise listing_error(answer, session)
    if name not in answer.stdout.split("\n"):
        raise build_marker_error(f"{task.remote_path}/{task.guards.marker}")


def _has_content(session: Session, task: Task, place: str) -> bool:
    """Whether one file (with create_empty_dirs: or folder) is there; a big listing is cut short at the first."""
    kinds = [] if task.create_empty_dirs else ["--files-only"]
    answer = session.query(
        ["lsf", "--recursive", *kinds, *build_selection_arguments(task), "--", place], first_line_only=True
    )
    if answer.stdout:
        return True
    if answer.exit_code != 0:
        error = listing_error(answer, session)
        raise Refused(error.reason, error.message)
    return False
