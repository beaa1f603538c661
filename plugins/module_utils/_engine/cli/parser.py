# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""The verbs and options of the command ``cloudsync``."""

from __future__ import annotations

import argparse
import sys
from typing import List, Optional

from ..common.errors import usage_error

EXAMPLES = """examples:
  cloudsync                                   the state of all tasks, failures first
  cloudsync status documents                  all facts about one task
  cloudsync run documents --dry-run           what a run would copy, overwrite and delete
  cloudsync logs documents --follow           the log of the active run
  cloudsync restore documents --to /srv/back  get the data back
"""
# For the unit files. Operators do not need them, so the help, the completion and the errors omit them.
OF_UNITS = {"gate": "TASK", "sweep": "TASK", "publish": "", "assist": ""}


def parse(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    """Parse the words of the command line (None: those of this process). Without a verb, it is ``status``."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in OF_UNITS:
        return _build_unit_parser().parse_args(words)
    parser = build_parser()
    verbs = parser.get_default("verbs")
    if words and not words[0].startswith("-") and words[0] not in verbs:
        # Only an error needs it.
        from ..common.validation import suggest_name

        raise usage_error(
            f"cloudsync has no verb {words[0]!r}.{suggest_name(words[0], verbs)} cloudsync --help lists all verbs."
        )
    options = parser.parse_args(words)
    if options.version:
        options.verb, options.json = "version", False
    return options if options.verb else parser.parse_args(["status"])


def _build_unit_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloudsync")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, argument in OF_UNITS.items():
        added = verbs.add_parser(name)
        added.set_defaults(json=False)
        if argument:
            added.add_argument(argument.lower(), metavar=argument)
    return parser


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the verbs for operators. Its result has the verb's name in ``verb``."""
    parser = argparse.ArgumentParser(
        prog="cloudsync",
        description="See, run and stop the cloud sync tasks of this host. Without a verb: status.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="show the versions of cloudsync and rclone")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb")

    def add(name: str, text: str, *names: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text)
        for argument in names:
            word = argument.rstrip("?")
            added.add_argument(word.lower(), metavar=word, nargs="?" if word != argument else None)
        added.add_argument("--json", action="store_true", help="print JSON")
        return added

    add("list", "List the tasks of this host.")
    status = add("status", "Show the state, the last run and the next run of one task or of all tasks.", "TASK?")
    status.add_argument("--watch", action="store_true", help="show the state again every 2 seconds, until Ctrl-C")
    run = add("run", "Run a task now.", "TASK")
    run.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    run.add_argument(
        "--here", action="store_true", help="run in this shell, not in the unit of the task with its limits and sandbox"
    )
    add("adopt", "Take over the destination of a task from another host, and change no other file.", "TASK")
    add("stop", "Stop the active run of a task.", "TASK")
    logs = add("logs", "Print the log of a task's last run, or of the run with the ID RUN.", "TASK", "RUN?")
    logs.add_argument(
        "--since", default="", metavar="TIME", help="the lines of all runs since a time (ISO 8601) or age (30m, 2h, 7d)"
    )
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
    parser.set_defaults(verbs=tuple(verbs.choices))
    return parser
