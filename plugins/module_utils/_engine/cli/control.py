# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Verbs that act: adopt, stop, unpurge and verify."""

from __future__ import annotations

import argparse

from ..common.errors import EXIT_SUCCESS
from ..common.stop_signal import StopFlag
from ..config.credential_store import load_credential
from ..config.stored_tasks import require_task
from ..config.task_store import load_task
from ..host import Host
from ..operations import adopt as adopting
from ..operations import browse
from ..operations import stop as stopping
from . import tables
from .output import print_answer, print_error


def adopt(host: Host, options: argparse.Namespace) -> int:
    """Make a task the owner of its destination: ``cloudsync adopt TASK``."""
    require_task(host.layout, options.task)
    stop_flag = StopFlag()
    stop_flag.listen()
    found = adopting.adopt(host, load_task(host.layout, host.seed, options.task), stop_flag)
    print_answer(options, found, tables.format_adoption(options.task, found))
    return EXIT_SUCCESS


def stop(host: Host, options: argparse.Namespace) -> int:
    """Stop the active runs of a task: ``cloudsync stop TASK``."""
    require_task(host.layout, options.task)
    stopped = stopping.stop_task(host.layout, options.task)
    text = f"stopped {', '.join(stopped)}" if stopped else f"{options.task} is not running"
    print_answer(options, {"stopped": stopped}, text)
    return EXIT_SUCCESS


def verify(host: Host, options: argparse.Namespace) -> int:
    """Test the login of a credential: ``cloudsync verify CREDENTIAL [--path PATH]``."""
    credential = load_credential(host.layout, host.seed, options.credential)
    error = browse.verify(host, credential, True, options.path)
    if error is not None:
        raise error
    print_answer(options, {"credential": credential.name, "valid": True}, f"credential {credential.name} can log in")
    return EXIT_SUCCESS


def unpurge(host: Host, options: argparse.Namespace) -> int:
    """Restore what a purge removed: ``cloudsync unpurge [PURGE]``. Existing objects are not changed."""
    # No other verb here needs these.
    from ..safekeeping.purged import read_purged
    from ..safekeeping.restore import KEEP, restore_backup

    name, text = read_purged(host.layout, options.purge or "")
    found = restore_backup(host.layout, text, "", KEEP, None, False)
    content = {"purge": name, "restored": found.restored.to_dict(), "kept": found.kept.to_dict()}
    for warning in found.warnings:
        print_error(warning)
    print_answer(options, content, f"purge {name}: restored {found.restored if found.restored.count() else 'nothing'}")
    return EXIT_SUCCESS


VERBS = {"adopt": adopt, "stop": stop, "unpurge": unpurge, "verify": verify}
