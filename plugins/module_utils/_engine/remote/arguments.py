# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Build rclone's command line for a task. It never has a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional

from ..config.tasks import Task
from ..snapshots.model import BTRFS_SNAPSHOTS

CANARY = ".cloudsync-canary"
# The short-lived file of guards/same_storage.py. One that a killed run left must not be transferred, in any folder.
PROBE = ".cloudsync-probe"
# The folders through which snapshots are seen. Their content would be transferred again, once for each snapshot.
NEVER_TRANSFERRED = (".zfs", BTRFS_SNAPSHOTS)
# Short limits, to find out whether the provider answers at all.
QUICK = ("--contimeout", "15s", "--timeout", "30s", "--retries", "1", "--low-level-retries", "1")
# The options of the connection. Every command needs them.
CONNECTION_FLAGS = (
    "bind ca-cert client-cert client-key contimeout disable-http2 dscp header headers http-proxy no-check-certificate"
    " timeout tpslimit tpslimit-burst user-agent"
)
JSON_LOG = ("--use-json-log", "--log-level", "INFO", "--stats", "1s", "--stats-log-level", "NOTICE")


@dataclass(frozen=True)
class Endpoints:
    """Source and destination as arguments of rclone. ``keep`` is the place for deleted files, or empty."""

    source: str
    destination: str
    keep: str = ""


def join_place(place: str, path: str) -> str:
    """Return ``path`` below ``place``, which may be a whole remote ("remote:")."""
    return place + path if not path or place.endswith((":", "/")) else f"{place}/{path}"


def build_filter_arguments(task: Task) -> List[str]:
    """Return the filters in order, because rclone applies the first match: our own, ``exclude``, then ``include``.

    With ``include``, everything else is excluded.
    """
    rules = ["- /" + CANARY, "- " + PROBE, *(f"- {name}/**" for name in NEVER_TRANSFERRED)]
    if task.kept_inside:
        rules.append(f"- /{_escape(task.kept_inside)}/**")
    rules += ["- " + pattern for pattern in task.exclude]
    rules += ["+ " + pattern for pattern in task.include]
    rules += ["- *"] if task.include else []
    return ["--filter=" + rule for rule in rules]


def _escape(path: str) -> str:
    """Return a pattern that matches ``path`` only."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", path)


def build_selection_arguments(task: Task) -> List[str]:
    """Return the options that select a run's files, in listings, plans, transfers and checks."""
    arguments = build_filter_arguments(task)
    if task.follow_symlinks:
        arguments.append("--copy-links")
    return arguments


def build_connection_arguments(task: Task) -> List[str]:
    """Return those of rclone_args that every command of the task needs, not only its transfer."""
    flags = ["--" + name for name in CONNECTION_FLAGS.split()]
    return [argument for argument in task.rclone_args if argument.partition("=")[0] in flags]


def build_transfer_arguments(
    task: Task, ends: Endpoints, dry_run: bool = False, max_delete: Optional[int] = None
) -> List[str]:
    """Return the command of the transfer. Like every command, it follows build_connection_arguments().

    rclone makes one attempt. A second one by rclone itself would act on guards that were evaluated before the first.
    """
    arguments = [task.mode, *JSON_LOG, *build_selection_arguments(task)]
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
    elsewhere = build_connection_arguments(task)
    arguments += [argument for argument in task.rclone_args if argument not in elsewhere]
    return [*arguments, "--", ends.source, ends.destination]
