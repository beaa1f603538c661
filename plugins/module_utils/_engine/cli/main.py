# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The command ``cloudsync``: thin verbs over the rooms below, each for people or with ``--json``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Sequence

from ..common.errors import CloudsyncError, system_error, usage_error
from ..common.layout import NAME, Layout
from ..common.stop_signal import StopFlag
from ..common.text import format_size
from ..config.credential_store import load_credential
from ..config.task_store import load_task, read_task, require_task
from ..host import Host
from ..operations import status
from ..operations import stop as ending
from ..operations.browse import verify
from ..runs import start_gate as gate
from ..runs.dry_run import make_dry_run
from ..runs.records import UNFINISHED, last_record, load_records, log_path
from ..runs.recovery import sweep_dead_runs
from ..runs.run import EXIT_FAILED, EXIT_SUCCESS, EXIT_USAGE, Run
from ..schedule import preview as previews
from ..schedule import schedule as schedules
from . import tables

FOLLOW_SECONDS = 0.5
Verb = Callable[[Host, argparse.Namespace], int]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; its exit code. See the contract for those of ``run`` and ``check``."""
    options = build_parser().parse_args(arguments)
    verb: Verb = options.verb
    try:
        return verb(Host.from_environment(os.environ), options)
    except CloudsyncError as error:
        return _say_error(error, options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        return _say_error(system_error(error), options)


def _say_error(error: CloudsyncError, options: argparse.Namespace) -> int:
    if getattr(options, "json", False):
        _out(json.dumps({"reason": error.reason, "message": error.message}))
    else:
        _err(error.message)
    return EXIT_USAGE if error.reason == "usage" else EXIT_FAILED


def build_parser() -> argparse.ArgumentParser:
    """The verbs and their options."""
    parser = argparse.ArgumentParser(prog="cloudsync", description="Cloud sync tasks of this host.")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def add(name: str, verb: Verb, text: Optional[str], *names: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text) if text else verbs.add_parser(name)
        for argument in names:
            added.add_argument(
                argument.strip("?").lower(), metavar=argument.strip("?"), nargs="?" if "?" in argument else None
            )
        added.add_argument("--json", action="store_true", help="answer in JSON")
        added.set_defaults(verb=verb)
        return added

    add("list", _list, "the tasks of this host")
    add("status", _status, "state, last and next run of one task or all", "TASK?")
    add("run", _run, "run a task now", "TASK").add_argument("--dry-run", action="store_true", help="only show the plan")
    add("stop", _stop, "stop a task's run", "TASK")
    logs = add("logs", _logs, "the log of a task's last run", "TASK")
    logs.add_argument("--follow", action="store_true", help="go on until the run ends")
    add("history", _history, "past runs of a task", "TASK")
    preview = add("preview", _preview, "when a task, or a cron expression, runs next", "SUBJECT")
    preview.add_argument("--count", type=int, default=5, help="how many runs (default 5)")
    verified = add("verify", _verify, "whether a credential logs in", "CREDENTIAL")
    verified.add_argument("--path", default="", help="what to list, for a login that may not see everything")
    check = add("check", _check, "for monitoring: 0 when all is well, else 1 and a line each")
    check.add_argument("--notify", action="store_true", help="tell whom overdue tasks name; 0 when all were told")
    # For the unit files; not listed because nobody else needs them.
    add("gate", _gate, None, "TASK")
    add("sweep", _sweep, None, "TASK")
    return parser


def _answer(options: argparse.Namespace, content: Any, text: str) -> None:
    if options.json:
        _out(json.dumps(content, indent=2, sort_keys=True))
    elif text:
        _out(text)


def _out(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _err(text: str) -> None:
    sys.stderr.write(f"cloudsync: {text}\n")


def _list(host: Host, options: argparse.Namespace) -> int:
    statuses = status.all_statuses(host.layout)
    rows = [
        (
            s["task"],
            s["direction"],
            s["mode"],
            s["path"],
            f"{s['credential']}:{s['remote_path']}",
            s["description"],
        )
        for s in statuses
    ]
    headings = ("TASK", "DIRECTION", "MODE", "PATH", "REMOTE", "DESCRIPTION")
    _answer(options, [_without_run(s) for s in statuses], tables.table(headings, rows))
    return EXIT_SUCCESS


def _without_run(found: Dict[str, Any]) -> Dict[str, Any]:
    left_out = ("run", "progress", "state", "reason", "message", "next", "overdue_since")
    return {key: value for key, value in found.items() if key not in left_out}


def _status(host: Host, options: argparse.Namespace) -> int:
    if options.task:
        found = status.task_status(host.layout, options.task)
        _answer(options, found, tables.status_details(found))
    else:
        statuses = status.all_statuses(host.layout)
        _answer(options, statuses, tables.status_table(statuses))
    return EXIT_SUCCESS


def _run(host: Host, options: argparse.Namespace) -> int:
    require_task(host.layout, options.task)
    stop = StopFlag()
    stop.listen()
    if options.dry_run:
        found = make_dry_run(host, load_task(host.layout, host.seed, options.task), stop, _err)
        _answer(options, found.to_dict(), tables.plan_text(found.to_dict()))
        return found.exit_code
    run = Run(host, options.task, "timer" if gate.TRIGGER in os.environ else "manual", stop)
    if not options.json:
        _out(f"cloudsync: the run {run.record.id} of {options.task} begins; log {run.record.log}")
    record = run.perform()
    _answer(
        options,
        record.public(),
        f"cloudsync: {record.task}: {record.state}{f' ({record.reason})' if record.reason else ''}: {record.transfers} "
        f"files, {format_size(record.bytes)}, {record.deletes} deleted. {record.message}",
    )
    return run.exit_code


def _stop(host: Host, options: argparse.Namespace) -> int:
    require_task(host.layout, options.task)
    stopped = ending.stop_task(host.layout, options.task)
    text = f"stopped {', '.join(stopped)}" if stopped else f"{options.task} does not run"
    _answer(options, {"stopped": stopped}, text)
    return EXIT_SUCCESS


def _logs(host: Host, options: argparse.Namespace) -> int:
    require_task(host.layout, options.task)
    record = last_record(host.layout, options.task)
    if record is None:
        raise CloudsyncError("not_found", f"The task {options.task} has never run.")
    if options.json:
        _answer(options, {"id": record.id, "log": record.log, "lines": list(_lines(record.log))}, "")
        return EXIT_SUCCESS
    _print_log(host, options.task, record.id, options.follow)
    return EXIT_SUCCESS


def _lines(path: str) -> List[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().splitlines()
    except FileNotFoundError:
        raise CloudsyncError("not_found", f"The log {path} is gone: logs are removed by age.") from None


def _print_log(host: Host, task: str, run_id: str, follow: bool) -> None:
    printed = 0
    while True:
        living = any(r.id == run_id and r.state in UNFINISHED for r in load_records(host.layout, task, 5))
        lines = _lines(log_path(host.layout, task, run_id))
        for line in lines[printed:]:
            _out(line)
        printed = len(lines)
        if not follow or not living:
            return
        time.sleep(FOLLOW_SECONDS)


def _history(host: Host, options: argparse.Namespace) -> int:
    require_task(host.layout, options.task)
    records = [record.public() for record in load_records(host.layout, options.task)]
    _answer(options, records, tables.history_table(records))
    return EXIT_SUCCESS


def _preview(host: Host, options: argparse.Namespace) -> int:
    found = previews.preview(subject(host.layout, options.subject), options.count)
    _answer(options, found, previews.text(found))
    return EXIT_SUCCESS


def _verify(host: Host, options: argparse.Namespace) -> int:
    credential = load_credential(host.layout, host.seed, options.credential)
    error = verify(host, credential, True, options.path)
    if error is not None:
        raise error
    _answer(options, {"credential": credential.name, "valid": True}, f"{credential.name} logs in")
    return EXIT_SUCCESS


def _check(host: Host, options: argparse.Namespace) -> int:
    untold = status.tell_overdue(host) if options.notify else []
    lines = status.problems(host.layout) + untold
    _answer(options, {"ok": not lines, "problems": lines}, "\n".join(lines) or "ok")
    if options.notify:
        return EXIT_FAILED if untold else EXIT_SUCCESS
    return EXIT_FAILED if lines else EXIT_SUCCESS


def _gate(host: Host, options: argparse.Namespace) -> int:
    stored = require_task(host.layout, options.task)
    if not gate.may_start(host.layout, stored, os.environ):
        return EXIT_FAILED
    gate.make_places(host.layout, stored)
    return EXIT_SUCCESS


def _sweep(host: Host, options: argparse.Namespace) -> int:
    sweep_dead_runs(host, options.task)
    return EXIT_SUCCESS


def subject(layout: Layout, text: str) -> schedules.Schedule:
    """The schedule of the task named ``text``; else ``text`` itself as a cron expression or preset."""
    stored = read_task(layout, text) if NAME.match(text) else None
    if stored is None:
        return schedules.parse(text)
    if not stored["schedule"]:
        raise usage_error(f"The task {text} has no schedule: it runs only when it is started by hand.")
    return schedules.parse(stored["schedule"])
