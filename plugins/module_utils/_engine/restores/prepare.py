# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Declare a restore: the one-time pull of what a task has pushed, into another folder."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Mapping

from ..common.errors import usage_error
from ..config.credentials import Credential
from ..config.tasks import COPY, Restore, Task, find_path_inside
from ..history.manifest import is_run_id
from ..history.moment import Moment, parse_moment
from ..rclone.providers.truenas_names import get_rclone_name
from ..transfer.keep_deleted import get_kept_parent

# Providers that can show all files as they were at a time, if they keep old versions.
KEEPS_VERSIONS = ("b2", "s3")
VERSION_AT = "version_at"


def prepare_restore(
    task: Task, original: Task, credential: Credential, given: Mapping[str, object], at: str, overwrite: bool
) -> Task:
    """Return ``task``, a pull that reverses the push ``original``, as a restore. ``given`` are its declared options."""
    if task.mode != COPY:
        raise usage_error(f"mode is {task.mode}, but a restore only copies, and deletes nothing. Omit mode.")
    _check_target(task, original)
    if "verify_after" not in given:
        # rclone authenticates what it decrypts. To compare more would read all files from the provider once more.
        task = replace(task, verify_after="checksum" if task.encryption is None else "size")
    restore = Restore(at=at, overwrite=overwrite)
    return _go_back(task, restore, original, credential) if at else replace(task, restore=restore)


def _check_target(task: Task, original: Task) -> None:
    """Refuse a target that is inside the source, or the other way round. The source itself is a valid target."""
    inner, outer = find_path_inside(original.path, task.path), find_path_inside(task.path, original.path)
    if inner or outer:
        where = "is inside" if inner else "contains"
        raise usage_error(
            f"Target {task.path} {where} {original.path}, the source of task {original.name}. Use a folder outside of "
            "it, or the source itself."
        )


def _go_back(task: Task, restore: Restore, original: Task, credential: Credential) -> Task:
    moment = parse_moment(restore.at)
    if original.keep_deleted is not None:
        # Each host of a sharded task keeps what its own runs delete, so it knows the past of its shard only.
        return replace(task, restore=replace(restore, kept=get_kept_parent(original)), shard=original.shard)
    options = {**task.provider_options, **build_version_options(original, credential, moment)}
    return replace(task, provider_options=options, restore=restore)


def build_version_options(task: Task, credential: Credential, moment: Moment) -> Dict[str, str]:
    """Return the options with which the provider shows its files as they were at ``moment``, if it keeps versions."""
    if get_rclone_name(credential.provider) not in KEEPS_VERSIONS:
        raise usage_error(
            f"The past of task {task.name} is not kept: it has no keep_deleted, and provider {credential.provider} has "
            "no versions of files. Omit at to get the current state. Set keep_deleted for the future."
        )
    if is_run_id(moment.stamp):
        raise usage_error(
            f"at is the run {moment.stamp}, but the provider's versions have a time only. Use the time at which the "
            f"run ended (cloudsync history {task.name})."
        )
    return {VERSION_AT: moment.time.isoformat()}
