# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""The verbs and options of the command ``cloudsync``."""

from __future__ import annotations

import argparse
from typing import List, Optional


def build_parser() -> argparse.ArgumentParser:
    """Return the parser. Its result has the verb's name in ``verb``."""
    parser = argparse.ArgumentParser(
        prog="cloudsync", description="See, run and stop the cloud sync tasks of this host."
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)

    def add(name: str, text: Optional[str], *names: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text) if text else verbs.add_parser(name)
        for argument in names:
            word = argument.rstrip("?")
            added.add_argument(word.lower(), metavar=word, nargs="?" if word != argument else None)
        added.add_argument("--json", action="store_true", help="print JSON")
        return added

    add("list", "List the tasks of this host.")
    add("status", "Show the state, the last run and the next run of one task or of all tasks.", "TASK?")
    run = add("run", "Run a task now.", "TASK")
    run.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    add("adopt", "Take over the destination of a task from another host, and change no other file.", "TASK")
    add("stop", "Stop the active run of a task.", "TASK")
    logs = add("logs", "Print the log of a task's last run.", "TASK")
    logs.add_argument("--follow", action="store_true", help="print new lines until the run ends")
    add("history", "List the past runs of a task.", "TASK")
    preview = add("preview", "Show when a task or a cron expression runs next.", "SUBJECT")
    preview.add_argument("--count", type=int, default=5, help="the number of runs to show (default: 5)")
    verify = add("verify", "Check that a credential can log in.", "CREDENTIAL")
    verify.add_argument("--path", default="", help="the path to list, for a login that cannot list the root")
    add("unpurge", "Bring back the credentials and tasks that a purge removed (default: the last one).", "PURGE?")
    restore = add("restore", "Restore what a task has pushed. Nothing is deleted.", "TASK")
    restore.add_argument("--to", default="", metavar="DIR", help="the folder to restore to, new or empty")
    restore.add_argument("--to-source", action="store_true", help="restore to the folder of the task itself")
    restore.add_argument("--to-remote", action="store_true", help="not possible: says how to upload a local copy")
    restore.add_argument("--path", action="append", metavar="SUB", help="restore only this file or folder (repeatable)")
    restore.add_argument(
        "--at", default="", metavar="TIME", help="the state after the last run before a time or run ID"
    )
    restore.add_argument("--overwrite", action="store_true", help="replace existing files that are different")
    restore.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    drill = add("drill", "Restore some files of a task, compare each with its source, and remove them.", "TASK")
    drill.add_argument(
        "--files", default="", metavar="N", help="a number or a percentage of files (default: the task's)"
    )
    ls = add("ls", "List the files of a task at the provider, decrypted.", "TASK", "PATH?")
    ls.add_argument("--recurse", action="store_true", help="list all folders below the path, too")
    ls.add_argument("--at", default="", metavar="TIME", help="the state after the last run before a time or run ID")
    thaw = add("thaw", "Ask the provider to make the archived files of a task readable.", "TASK")
    thaw.add_argument("--path", action="append", metavar="SUB", help="only this file or folder (repeatable)")
    thaw.add_argument("--days", type=int, default=7, help="for how many days, on S3 (default: 7)")
    thaw.add_argument("--tier", default="standard", help="standard, bulk or expedited (default: standard)")
    thaw.add_argument("--dry-run", action="store_true", help="show how many files would be restored, and ask for none")
    thaw.add_argument("--wait", action="store_true", help="wait until all files are readable")
    add("versions", "List the versions of a file that still exist.", "TASK", "FILE")
    check = add("check", "For monitoring: exit 0 if all is well, else print a line for each problem and exit 1.")
    check.add_argument(
        "--notify", action="store_true", help="send notifications for overdue tasks, and exit 0 if all were sent"
    )
    add("metrics", "Print the state of this host and its tasks in the text format of Prometheus.")
    # For the unit files. Not listed, because operators do not need them.
    add("gate", None, "TASK")
    add("sweep", None, "TASK")
    add("assist", None)
    return parser


def parse(arguments: Optional[List[str]]) -> argparse.Namespace:
    """Parse the words of the command line (None: those of this process)."""
    return build_parser().parse_args(arguments)
