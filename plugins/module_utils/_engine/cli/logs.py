# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The verb logs: print the log of a run, of the runs since a time, or of the active run as it grows."""

from __future__ import annotations

import argparse
import codecs
import datetime
import os
import re
import sys
import time
from typing import BinaryIO, Iterator, List

from ..common.errors import EXIT_SUCCESS, CloudsyncError, usage_error
from ..common.layout import Layout
from ..common.text import TIME_FORMAT, parse_time
from ..common.validation import parse_duration
from ..config.stored_tasks import require_task
from ..host import Host
from ..runs.progress import describe_progress, read_progress
from ..runs.records import Record, find_last_record, find_runner_pid, load_records, locate_log
from .output import print_answer, print_line, see_terminal
from .terminal import LiveLine

FOLLOW_SECONDS = 0.5
CHUNK_BYTES = 65536
AGE = re.compile(r"[0-9]{1,6}[smhd]")


def print_log(host: Host, options: argparse.Namespace) -> int:
    """Print logs: ``cloudsync logs TASK [RUN] [--since TIME] [--follow]``."""
    require_task(host.layout, options.task)
    if options.since:
        _print_since(host.layout, options)
        return EXIT_SUCCESS
    record = _find_record(host.layout, options.task, options.run)
    path = locate_log(host.layout, options.task, record.id)
    if options.json:
        with _open_log(path) as stream:
            print_answer(options, {"id": record.id, "log": path, "lines": list(_read_lines(stream))}, "")
    else:
        _print_lines(host.layout, options.task, record.id, options.follow)
    return EXIT_SUCCESS


def _find_record(layout: Layout, task: str, run_id: str) -> Record:
    if not run_id:
        record = find_last_record(layout, task)
        if record is None:
            raise CloudsyncError("not_found", f"Task {task} has never run.")
        return record
    found = [record for record in load_records(layout, task) if record.id.startswith(run_id)]
    if len(found) != 1:
        what = f"{len(found)} runs with an ID that begins with" if found else "no run"
        raise usage_error(f"Task {task} has {what} {run_id}. cloudsync history {task} lists its runs.")
    return found[0]


def parse_since(text: str, now: datetime.datetime) -> datetime.datetime:
    """Return the moment of ``--since``: ISO 8601, in this host's zone unless it names one, or an age such as 2h."""
    if AGE.fullmatch(text):
        return now - datetime.timedelta(seconds=parse_duration("--since", text))
    try:
        return parse_time(text).astimezone()
    except ValueError:
        raise usage_error(
            f"--since is {text!r}. Use ISO 8601, such as 2027-01-31T02:30, or an age, such as 2h."
        ) from None


def _print_since(layout: Layout, options: argparse.Namespace) -> None:
    """Print the lines of all runs since a moment, the oldest first. A removed log is omitted."""
    if options.run or options.follow:
        raise usage_error("--since prints the lines of all runs. Remove RUN and --follow.")
    since = parse_since(options.since, datetime.datetime.now().astimezone())
    limit = since.astimezone(datetime.timezone.utc).strftime(TIME_FORMAT)
    lines: List[str] = []
    for record in reversed(load_records(layout, options.task)):
        path = locate_log(layout, options.task, record.id)
        if (record.ended and record.ended < limit) or not os.path.exists(path):
            continue
        with _open_log(path) as stream:
            found = [line for line in _read_lines(stream) if line >= limit]
        if options.json:
            lines += found
        else:
            for line in found:
                print_line(line)
    if options.json:
        print_answer(options, {"since": limit, "lines": lines}, "")


def _read_lines(stream: BinaryIO) -> Iterator[str]:
    for line in stream:
        yield line.decode("utf-8", "replace").rstrip("\n")


def _print_lines(layout: Layout, task: str, run_id: str, follow: bool) -> None:
    live = LiveLine(sys.stdout, see_terminal())
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with _open_log(locate_log(layout, task, run_id)) as stream:
        while True:
            active = follow and find_runner_pid(layout, task, run_id) is not None
            if os.fstat(stream.fileno()).st_size < stream.tell():
                # A long log was shortened. It keeps its end.
                stream.seek(0, os.SEEK_END)
            for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
                live.clear()
                sys.stdout.write(decoder.decode(chunk))
            sys.stdout.flush()
            if not active:
                live.clear()
                return
            progress = read_progress(layout, task)
            if progress:
                live.show(describe_progress(progress))
            time.sleep(FOLLOW_SECONDS)


def _open_log(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise CloudsyncError(
            "not_found", f"Log {path} does not exist. Old logs are removed by age, count and size."
        ) from None


VERBS = {"logs": print_log}
