# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Verbs that get data back, or look at it: restore, ls and versions."""

from __future__ import annotations

import argparse
from typing import Any, Dict

from ..common.errors import EXIT_SUCCESS, usage_error
from ..common.layout import DRILL
from ..common.stop_signal import StopFlag
from ..config.stored_tasks import can_be_drilled, find_drilled, require_task
from ..config.task_checks import check_share
from ..config.task_store import load_task
from ..config.tasks import Task
from ..host import Host
from ..operations import browse, look, one_time, thaw
from ..operations.start import begin_run, list_active_runs
from ..operations.trigger import can_use_unit
from ..rclone.providers.flags import build_path_patterns
from ..runs.run import Run
from . import tables
from .output import print_answer, print_error, print_line, see_terminal
from .run import follow, perform, show_plan

PREFIX = "restore-"
NAME_LENGTH = 63


def restore(host: Host, options: argparse.Namespace) -> int:
    """Restore what a task has pushed: ``cloudsync restore TASK --to DIR [--path SUB] [--at TIME]``."""
    task = one_time.build_onetime_task(
        host,
        (PREFIX + options.task)[:NAME_LENGTH],
        _declare(load_task(host.layout, host.seed, options.task), options),
        options.at,
        options.overwrite,
    )
    stop_flag = StopFlag()
    stop_flag.listen()
    if options.dry_run:
        return show_plan(host, task, stop_flag, options)
    with one_time.hold_onetime(host, task):
        if not can_use_unit(host.layout):
            return perform(Run(host, task.name, "manual", stop_flag), options)
        record = begin_run(host, task.name, False)
    return follow(host, record, stop_flag, options)


def _declare(original: Task, options: argparse.Namespace) -> Dict[str, Any]:
    if not original.is_push:
        raise usage_error(
            f"Task {original.name} pulls, so the provider has the original, and {original.path} on this host is the "
            "copy. To upload that copy, declare a task that pushes it."
        )
    if options.to_remote:
        raise usage_error(
            f"Task {original.name} pushes, so the provider has the copy, and a restore brings it to this host. "
            "Use --to DIR or --to-source."
        )
    if bool(options.to) == options.to_source:
        raise usage_error("Say where to restore to: --to DIR, or --to-source for the folder of the task itself.")
    if options.to and options.to.rstrip("/") == original.path.rstrip("/"):
        raise usage_error(f"{options.to} is the source of task {original.name}. To restore to it, use --to-source.")
    declared: Dict[str, Any] = {"reverse_of": original.name, "path": options.to or original.path}
    if options.path:
        declared["include"] = build_path_patterns(options.path)
    return declared


def drill(host: Host, options: argparse.Namespace) -> int:
    """Restore some files of a task, compare them and remove them: ``cloudsync drill TASK [--files N]``."""
    stored = require_task(host.layout, options.task)
    name = DRILL + options.task
    if find_drilled(host.layout, name) is None:
        if can_be_drilled(stored["direction"], stored["mode"]):
            raise usage_error(
                f"The drill of task {options.task} needs the name {name}, which another task has. Rename it."
            )
        raise usage_error(
            f"Task {options.task} leaves no copy of its source, so there is nothing to compare. Only a push with mode "
            "copy or sync can be drilled."
        )
    files = check_share("--files", options.files) if options.files else ""
    stop_flag = StopFlag()
    stop_flag.listen()
    if not files and can_use_unit(host.layout) and not list_active_runs(host, name):
        return follow(host, begin_run(host, name, False), stop_flag, options)
    return perform(Run(host, name, "manual", stop_flag, files), options)


def list_files(host: Host, options: argparse.Namespace) -> int:
    """List the files of a task, decrypted: ``cloudsync ls TASK [PATH] [--recurse] [--at TIME]``."""
    path = options.path or ""
    if options.at:
        found = look.browse_past(host, options.task, path, options.recurse, options.at)
    else:
        found = browse.browse_task(host, options.task, path, options.recurse)
    content = {"path": found.path, "entries": found.entries, "undecryptable": found.undecryptable}
    print_answer(options, content, tables.format_listing(found.entries, found.undecryptable, see_terminal()))
    return EXIT_SUCCESS


def list_versions(host: Host, options: argparse.Namespace) -> int:
    """List the versions of a file: ``cloudsync versions TASK FILE``."""
    versions, doubt = look.find_versions(host, options.task, options.file)
    found = [version._asdict() for version in versions]
    if doubt:
        print_error(doubt)
    print_answer(options, found, tables.format_versions(found, see_terminal()))
    return EXIT_SUCCESS


def thaw_files(host: Host, options: argparse.Namespace) -> int:
    """Restore archived files: ``cloudsync thaw TASK [--path SUB] [--days N] [--tier T] [--dry-run] [--wait]``."""
    wish = thaw.Wish(options.task, options.path or (), options.tier, options.days)
    stop_flag = StopFlag()
    stop_flag.listen()

    def tell(found: thaw.Thaw) -> None:
        if not options.json:
            print_line(tables.format_thaw(found.asked, found.new, options.dry_run))

    found = thaw.thaw(host, wish, options.dry_run, stop_flag, tell)
    if options.wait and not options.dry_run:
        thaw.wait_until_readable(host, wish, stop_flag, print_error)
    content = {name: [each.path for each in group] for name, group in found._asdict().items()}
    print_answer(options, {**content, "bytes": sum(each.size for each in found.new)}, "")
    return EXIT_SUCCESS


VERBS = {"drill": drill, "restore": restore, "ls": list_files, "versions": list_versions, "thaw": thaw_files}
