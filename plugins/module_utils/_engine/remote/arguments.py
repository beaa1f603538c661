# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Build rclone's command line for a task. It never has a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from ..config.tasks import Task
from ..rclone.providers.flags import build_pattern_rules, escape_path, is_for_transfer, selects_files
from ..snapshots.model import BTRFS_SNAPSHOTS

CANARY = ".cloudsync-canary"
OWNER = ".cloudsync-owner"
# The short-lived file of guards/same_storage.py. It is never transferred, in any folder: a killed run may leave it.
PROBE = ".cloudsync-probe"
# rclone writes NAME.HASH.cloudsync-ID, and renames it to NAME when it is complete. A killed run leaves this file.
# The ID is that of the run, so the file is certainly ours. rclone accepts at most 16 characters.
UNFINISHED = ".cloudsync-"
# The folders through which snapshots are seen. Their content would be transferred again, once for each snapshot.
NEVER_TRANSFERRED = (".zfs", BTRFS_SNAPSHOTS)
# Short limits, to find out whether the provider answers at all.
QUICK = ("--contimeout", "15s", "--timeout", "30s", "--retries", "1", "--low-level-retries", "1")
# rclone's own defaults of --timeout and --contimeout.
IO_SECONDS, CONNECT_SECONDS = 300, 60
COPY_LINKS = "--copy-links"
# Each file is one line of the log.
LOG_FILES = ("--log-level", "INFO")


@dataclass(frozen=True)
class Endpoints:
    """Source and destination as arguments of rclone. ``keep`` is the place for deleted files, or empty."""

    source: str
    destination: str
    keep: str = ""


def join_place(place: str, path: str) -> str:
    """Return ``path`` below ``place``, which may be a whole remote ("remote:")."""
    return place + path if not path or place.endswith((":", "/")) else f"{place}/{path}"


def build_filters(task: Task) -> Tuple[str, ...]:
    """Return the lines of the filter file. Our own come first, because rclone applies the first match."""
    unfinished = build_unfinished_pattern("?????")
    rules = [
        "- /" + CANARY,
        "- " + PROBE,
        "- " + OWNER,
        "- " + unfinished,
        *(f"- {name}/**" for name in NEVER_TRANSFERRED),
    ]
    if task.kept_inside:
        rules.append(f"- /{escape_path(task.kept_inside)}/**")
    return (*rules, *build_pattern_rules(task.exclude, task.include))


def build_unfinished_pattern(run_id: str) -> str:
    """Return the pattern for the names of files that the run did not complete."""
    return f"*.????????{UNFINISHED}{run_id[-5:]}"


def build_selection_arguments(task: Task, filters: str) -> List[str]:
    """Return the options that select a run's files, in listings, plans, transfers and checks.

    ``filters`` is the path of the file with the lines of build_filters().
    """
    arguments = ["--filter-from", filters, *filter(selects_files, task.rclone_args), *build_shard_arguments(task)]
    if task.follow_symlinks:
        arguments.append(COPY_LINKS)
    return arguments


def build_shard_arguments(task: Task) -> List[str]:
    """Return the option that selects the task's shard: https://rclone.org/filtering/#hash-filter"""
    return [f"--hash-filter={task.shard.index}/{task.shard.count}"] if task.shard is not None else []


def build_common_arguments(task: Task) -> List[str]:
    """Return the options that every command of a run gets.

    They are those of rclone_args, after time limits of connections that are shorter than limits.max_stall: a connection
    that hangs is opened again before the run is ended. The last one counts.
    """
    patience = task.limits.max_stall
    seconds = {"--timeout": min(IO_SECONDS, patience // 2), "--contimeout": min(CONNECT_SECONDS, patience // 2)}
    limits = [f"{flag}={max(number, 1)}s" for flag, number in seconds.items()] if patience else []
    given = [argument for argument in task.rclone_args if not selects_files(argument)]
    return [*limits, *(argument for argument in given if not is_for_transfer(argument))]


def build_transfer_arguments(
    task: Task, ends: Endpoints, selection: Sequence[str], dry_run: bool = False, max_delete: Optional[int] = None
) -> List[str]:
    """Return the command of the transfer. ``selection`` are the build_selection_arguments() of the session.

    rclone makes one attempt. A second one by rclone itself would act on guards that were evaluated before the first.
    """
    arguments = [task.mode, *LOG_FILES, *selection, *filter(is_for_transfer, task.rclone_args)]
    arguments += ["--retries", "1"]
    if task.transfers:
        arguments += ["--transfers", str(task.transfers)]
    if task.bandwidth:
        arguments += ["--bwlimit", " ".join(f"{slot.time},{slot.limit}" for slot in task.bandwidth)]
    if task.create_empty_dirs:
        arguments.append("--create-empty-src-dirs")
    if ends.keep:
        arguments += ["--backup-dir", ends.keep]
    if dry_run:
        arguments.append("--dry-run")
    elif max_delete is not None:
        arguments += ["--max-delete", str(max_delete)]
    return [*arguments, "--", ends.source, ends.destination]
