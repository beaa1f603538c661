# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""rclone's command line for a task, without a secret in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List

from ..config.tasks import SYNC, Task
from ..snapshots.model import BTRFS_SNAPSHOTS

CANARY = ".cloudsync-canary"
# The ways in to snapshots, wherever they are: what lies behind them would be transferred once more, or many times.
NEVER_TRANSFERRED = (".zfs", BTRFS_SNAPSHOTS)
# For looking whether something answers at all.
QUICK = ("--contimeout", "15s", "--timeout", "30s", "--retries", "1", "--low-level-retries", "1")
# How to reach the provider, and no matter of one command.
CONNECTION_FLAGS = (
    "bind ca-cert client-cert client-key contimeout disable-http2 dscp header headers http-proxy no-check-certificate"
    " timeout tpslimit tpslimit-burst user-agent"
)
JSON_LOG = ("--use-json-log", "--log-level", "INFO", "--stats", "1s", "--stats-log-level", "NOTICE")


@dataclass(frozen=True)
class Endpoints:
    """From where to where, as rclone spells it; ``keep`` is where this run's deleted files go, or empty."""

    source: str
    destination: str
    keep: str = ""


def join_place(place: str, path: str) -> str:
    """``path`` within ``place``, which may be a whole remote ("remote:")."""
    return place + path if not path or place.endswith((":", "/")) else f"{place}/{path}"


def build_filter_arguments(task: Task) -> List[str]:
    """First match wins: our own exclusions, then ``exclude``, then ``include`` and nothing else."""
    rules = ["- /" + CANARY, *(f"- {name}/**" for name in NEVER_TRANSFERRED)]
    if task.kept_inside:
        rules.append(f"- /{_literal(task.kept_inside)}/**")
    rules += ["- " + pattern for pattern in task.exclude]
    rules += ["+ " + pattern for pattern in task.include]
    rules += ["- *"] if task.include else []
    return ["--filter=" + rule for rule in rules]


def _literal(path: str) -> str:
    """``path`` as a pattern that nothing else matches."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", path)


def build_selection_arguments(task: Task) -> List[str]:
    """What decides which files a run looks at, for listings, plans, transfers and checks alike."""
    arguments = build_filter_arguments(task)
    if task.follow_symlinks:
        arguments.append("--copy-links")
    return arguments


def build_connection_arguments(task: Task) -> List[str]:
    """Those of rclone_args that every command of the task needs, not only its transfer."""
    flags = ["--" + name for name in CONNECTION_FLAGS.split()]
    return [argument for argument in task.rclone_args if argument.partition("=")[0] in flags]


def build_transfer_arguments(task: Task, ends: Endpoints, dry_run: bool = False) -> List[str]:
    """The one command that does the work. build_connection_arguments() go before it, as before any other."""
    arguments = [task.mode, *JSON_LOG, *build_selection_arguments(task)]
    arguments += ["--retries", str(task.retries + 1)]
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
    elif task.mode == SYNC and task.guards.max_delete.isdigit() and not ends.keep:
        arguments += ["--max-delete", task.guards.max_delete]
    elsewhere = build_connection_arguments(task)
    arguments += [argument for argument in task.rclone_args if argument not in elsewhere]
    return [*arguments, "--", ends.source, ends.destination]
