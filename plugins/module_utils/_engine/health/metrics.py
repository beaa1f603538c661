# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The state of this host and its tasks as metrics, in the text format of Prometheus."""

from __future__ import annotations

import datetime
import time
from contextlib import suppress
from functools import partial
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from ..common.errors import CloudsyncError
from ..common.text import parse_time
from ..config.credential_store import list_credentials, load_credential, read_credential
from ..host import VERSION, Host
from ..operations.status import find_ended, is_readable
from ..remote.refreshed import read_expiry
from ..runs.records import Record
from ..systemd.engines import PREFIX, find_current
from .problem import Problem, attempt
from .problems import Inspection

TASK = ("task",)


class Metric(NamedTuple):
    """A metric with the names of its labels."""

    labels: Tuple[str, ...]
    help: str


# All are gauges: each value is a fact of now, and nothing is counted over time.
METRICS = {
    "cloudsync_build_info": Metric(
        ("version", "engine", "rclone_version"),
        "Versions of cloudsync and rclone, and the digest of the engine. rclone_version is empty without rclone.",
    ),
    "cloudsync_metrics_timestamp_seconds": Metric((), "Time when these metrics were collected."),
    "cloudsync_seed_readable": Metric((), "Whether the seed can be read, or nothing is encrypted with it (1)."),
    "cloudsync_problems": Metric(("problem",), "Number of problems that cloudsync check finds, by name."),
    "cloudsync_credential_token_expiry_timestamp_seconds": Metric(
        ("credential",), "Time when the stored access token expires. Each use of an expired one replaces it."
    ),
    "cloudsync_task_info": Metric(("task", "credential", "direction", "mode"), "Options of the task."),
    "cloudsync_task_enabled": Metric(TASK, "Whether the task is enabled (1)."),
    "cloudsync_task_state": Metric((*TASK, "state", "reason"), "State of the task. reason is empty after a success."),
    "cloudsync_task_overdue": Metric(TASK, "Whether a run of the task is overdue (1)."),
    "cloudsync_task_stalled": Metric(TASK, "Whether the active run of the task makes no progress (1)."),
    "cloudsync_task_next_run_timestamp_seconds": Metric(TASK, "Time of the next scheduled run."),
    "cloudsync_task_last_success_timestamp_seconds": Metric(TASK, "Time when the last successful run ended."),
    "cloudsync_task_last_proven_restore_timestamp_seconds": Metric(TASK, "Time when the last successful drill ended."),
    "cloudsync_task_last_run_end_timestamp_seconds": Metric(TASK, "Time when the last run ended."),
    "cloudsync_task_last_run_state": Metric((*TASK, "state", "reason"), "State and reason of the last run."),
    "cloudsync_task_last_run_duration_seconds": Metric(TASK, "Duration of the last run, including its waiting."),
    "cloudsync_task_last_run_transferred_bytes": Metric(TASK, "Bytes that the last run transferred."),
    "cloudsync_task_last_run_transferred_files": Metric(TASK, "Files that the last run transferred."),
    "cloudsync_task_last_run_deleted_files": Metric(TASK, "Files that the last run deleted."),
    "cloudsync_task_last_run_errors": Metric(TASK, "Errors of the last run."),
}
# The names of all problems. Each has a value, because a missing one would be unknown and not 0.
PROBLEMS = (
    *("aborted", "clock", "credential", "damaged", "directory", "failed", "login", "overdue"),
    *("rclone", "seed", "stalled", "task", "textfile", "timer", "unit"),
)


class Sample(NamedTuple):
    """One value of the metric ``name``."""

    name: str
    labels: Dict[str, str]
    value: int


def collect_metrics(host: Host, inspection: Inspection) -> List[Sample]:
    """Return the metrics of this host, and of its tasks and drills. What cannot be read is counted as a problem."""
    problems = list(inspection.problems)
    found: List[Sample] = []
    for status in inspection.statuses:
        found += attempt(problems, "task", status["task"], partial(list, _describe_task(host, status)), [])
    found += attempt(problems, "credential", "", partial(list, _describe_tokens(host)), [])
    return [*_describe_host(host, problems), *found]


def _describe_host(host: Host, problems: Sequence[Problem]) -> Iterator[Sample]:
    rclone = attempt([], "rclone", "", lambda: host.rclone.version_text, "")
    engine = find_current(host.layout)[len(PREFIX) :].partition(".")[0]
    yield Sample("cloudsync_build_info", {"version": VERSION, "engine": engine, "rclone_version": rclone}, 1)
    yield Sample("cloudsync_metrics_timestamp_seconds", {}, int(time.time()))
    counts = dict.fromkeys(PROBLEMS, 0)
    for problem in problems:
        counts[problem.name] = counts.get(problem.name, 0) + 1
    yield Sample("cloudsync_seed_readable", {}, int(not counts["seed"]))
    for name, count in counts.items():
        yield Sample("cloudsync_problems", {"problem": name}, count)


def _describe_tokens(host: Host) -> Iterator[Sample]:
    """Yield the expiry of each token. A credential or seed that cannot be read is among the problems already."""
    for name in list_credentials(host.layout):
        with suppress(CloudsyncError, OSError):
            stored = read_credential(host.layout, name) or {"secrets": (), "refreshed": ()}
            if "token" in stored["secrets"] or "token" in stored["refreshed"]:
                token = load_credential(host.layout, host.seed, name).merge_secrets()["token"]
                expiry = read_expiry(token)
                if expiry is not None:
                    labels = {"credential": name}
                    yield Sample("cloudsync_credential_token_expiry_timestamp_seconds", labels, _seconds(expiry))


def _describe_task(host: Host, status: Mapping[str, Any]) -> Iterator[Sample]:
    task = {"task": status["task"]}
    state = {**task, "state": status["state"], "reason": status["reason"]}
    yield Sample("cloudsync_task_state", state, 1)
    yield Sample("cloudsync_task_enabled", task, int(status["enabled"]))
    if not is_readable(status):
        return
    options = {key: status[key] for key in ("credential", "direction", "mode")}
    yield Sample("cloudsync_task_info", {**task, **options}, 1)
    yield Sample("cloudsync_task_overdue", task, int(bool(status["overdue_since"])))
    yield Sample("cloudsync_task_stalled", task, int(bool(status["stalled_since"])))
    ended = find_ended(host.layout, status["task"])
    times = {
        "next_run": status["next"],
        "last_success": ended.success.ended if ended.success is not None else None,
        "last_proven_restore": status["drill"]["last_proven"] if status["drill"] else None,
        "last_run_end": ended.run.ended if ended.run is not None else None,
    }
    for name, moment in times.items():
        if moment:
            yield Sample(f"cloudsync_task_{name}_timestamp_seconds", task, _seconds(parse_time(moment)))
    if ended.run is not None:
        yield from _describe_run(task, ended.run)


def _describe_run(task: Dict[str, str], run: Record) -> Iterator[Sample]:
    yield Sample("cloudsync_task_last_run_state", {**task, "state": run.state, "reason": run.reason}, 1)
    facts = {
        "duration_seconds": run.seconds,
        "transferred_bytes": run.bytes,
        "transferred_files": run.transfers,
        "deleted_files": run.deletes,
        "errors": run.errors,
    }
    for name, value in facts.items():
        yield Sample("cloudsync_task_last_run_" + name, task, value)


def _seconds(moment: datetime.datetime) -> int:
    return int(moment.timestamp())


def render_metrics(samples: Sequence[Sample]) -> str:
    """Return ``samples`` in the text format, in the order of METRICS. A metric without a sample is omitted."""
    lines: List[str] = []
    for name, metric in METRICS.items():
        own = [sample for sample in samples if sample.name == name]
        if own:
            lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_render_labels(sample.labels)} {sample.value}" for sample in own]
    return "".join(line + "\n" for line in lines)


def _render_labels(labels: Mapping[str, str]) -> str:
    shown = ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())
    return f"{{{shown}}}" if shown else ""


def _escape(value: str) -> str:
    # An edited file can contain anything, but the format is UTF-8.
    text = value.encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
