# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import re
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import save_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health import metrics
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health.problems import inspect_host
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.host import Host
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted, converge
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd.unit_names import locate_timer

CREDENTIAL = {"name": "offsite", "provider": "b2", "attributes": {}, "secrets": {"account": "a", "key": "k"}}
TASK = {"credential": "offsite", "direction": "push", "path": "/srv/data", "remote_path": "bucket/data"}
NIGHTLY = {**TASK, "name": "nightly", "schedule": {"cron": "30 2 * * *"}}
BY_HAND = {**TASK, "name": "byhand", "remote_path": "bucket/byhand"}
NOON = 1763812800  # 2025-11-22T12:00:00Z


@pytest.fixture
def declare(host):
    def call(*tasks):
        converge(host, Wanted(credentials=[CREDENTIAL], tasks=list(tasks)), False)

    return call


@pytest.fixture
def show(host):
    """Return a function that returns each sample of the printed metrics, with its value."""

    def call(form=dict):
        fresh = type(host)(host.layout)
        text = metrics.render_metrics(metrics.collect_metrics(fresh, inspect_host(fresh)))
        if form is str:
            return text
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return {sample: int(value) for sample, _blank, value in (line.rpartition(" ") for line in lines)}

    return call


def of_task(shown, task):
    """Return the samples of ``task`` by the rest of their name, without the label of the task."""
    own = {name: value for name, value in shown.items() if f'task="{task}"' in name}
    return {name[len("cloudsync_task_") :].replace(f'{{task="{task}"}}', ""): value for name, value in own.items()}


def problems(shown):
    found = {re.findall('problem="(.*)"', name)[0]: n for name, n in shown.items() if name.startswith("cloudsync_prob")}
    return {name: count for name, count in found.items() if count}


def ran(layout, state, number, task="byhand", **fields):
    at = f"2025-11-22T12:{number:02d}"
    fields = {"started": f"{at}:00Z", "ended": f"{at}:30Z", **fields}
    run = Record(f"20251122T12{number:02d}00Z-abcdef", task, state, **fields)
    records.save_record(layout, run)
    return run


def test_a_host_without_tasks_has_metrics_of_the_host_alone(make_host):
    bare = make_host(version=None)
    bare = Host(bare.layout, "/nonexistent")
    shown = metrics.render_metrics(metrics.collect_metrics(bare, inspect_host(bare)))
    names = {line.partition(" ")[0].partition("{")[0] for line in shown.splitlines() if not line.startswith("#")}
    assert names == {
        "cloudsync_build_info",
        "cloudsync_metrics_timestamp_seconds",
        "cloudsync_problems",
        "cloudsync_seed_readable",
    }
    assert "cloudsync_seed_readable 1\n" in shown and shown.endswith("\n")


def test_a_task_that_never_ran_has_no_facts_of_runs(declare, show):
    before = time.time()
    declare(NIGHTLY)
    shown = show()
    own = of_task(shown, "nightly")
    assert before < own.pop("next_run_timestamp_seconds") <= before + 86400
    assert own == {
        'state{task="nightly",state="pending",reason=""}': 1,
        'info{task="nightly",credential="offsite",direction="push",mode="copy"}': 1,
        "enabled": 1,
        "overdue": 0,
        "stalled": 0,
    }
    assert before - 1 <= shown["cloudsync_metrics_timestamp_seconds"] <= time.time()
    assert problems(shown) == {}


def test_a_failed_run_keeps_the_time_of_the_last_success(declare, show, layout):
    declare(BY_HAND)
    ran(layout, "success", 0, bytes=5, transfers=2, deletes=1)
    ran(layout, "failed", 1, reason="auth", message="Refused.", bytes=7, transfers=3, deletes=4, errors=6)
    ran(layout, "skipped", 2, reason="locked")
    shown = show()
    own = of_task(shown, "byhand")
    assert own['state{task="byhand",state="failed",reason="auth"}'] == 1
    assert {name: value for name, value in own.items() if name.startswith("last_")} == {
        "last_success_timestamp_seconds": NOON + 30,
        "last_run_end_timestamp_seconds": NOON + 90,
        'last_run_state{task="byhand",state="failed",reason="auth"}': 1,
        "last_run_duration_seconds": 30,
        "last_run_transferred_bytes": 7,
        "last_run_transferred_files": 3,
        "last_run_deleted_files": 4,
        "last_run_errors": 6,
    }
    assert problems(shown) == {"failed": 1}


def test_an_active_run_has_the_facts_of_the_run_before(declare, show, layout):
    declare(BY_HAND)
    ran(layout, "success", 0, bytes=5)
    run = ran(layout, "running", 1, ended="")
    alive = records.hold_run(layout, "byhand", run.id)
    own = of_task(show(), "byhand")
    assert own['state{task="byhand",state="running",reason=""}'] == 1
    assert (own["last_run_end_timestamp_seconds"], own["last_run_transferred_bytes"]) == (NOON + 30, 5)
    assert own['last_run_state{task="byhand",state="success",reason=""}'] == 1
    assert own["stalled"] == 1
    records.drop_run(alive)


def test_an_overdue_task_and_a_disabled_one_are_shown_as_such(declare, show, layout):
    declare(NIGHTLY, {**BY_HAND, "enabled": False})
    os.utime(locate_timer(layout, "nightly"), (1600000000, 1600000000))
    shown = show()
    assert of_task(shown, "nightly")["overdue"] == 1
    assert (of_task(shown, "byhand")["enabled"], of_task(shown, "byhand")["overdue"]) == (0, 0)
    assert problems(shown) == {"overdue": 1}


def test_a_drill_proves_its_task_and_has_metrics_of_its_own(declare, show, layout):
    declare({**BY_HAND, "drill": {"schedule": {"preset": "weekly"}}})
    assert "last_proven_restore_timestamp_seconds" not in of_task(show(), "byhand")
    ran(layout, "success", 0, task="drill-byhand")
    shown = show()
    assert of_task(shown, "byhand")["last_proven_restore_timestamp_seconds"] == NOON + 30
    assert of_task(shown, "drill-byhand")["last_success_timestamp_seconds"] == NOON + 30


def test_a_task_that_cannot_be_read_is_a_failed_one_and_hides_no_other(declare, show, layout):
    declare(NIGHTLY, BY_HAND)
    os.truncate(layout.task("nightly"), 5)
    shown = show()
    assert of_task(shown, "nightly") == {'state{task="nightly",state="failed",reason="damaged"}': 1, "enabled": 1}
    assert 'state{task="byhand",state="pending",reason=""}' in of_task(shown, "byhand")
    assert problems(shown) == {"damaged": 1}


def test_a_seed_that_cannot_be_read_is_a_value(declare, show, layout):
    declare(BY_HAND)
    assert show()["cloudsync_seed_readable"] == 1
    os.truncate(layout.seed, 5)
    shown = show()
    assert shown["cloudsync_seed_readable"] == 0
    assert problems(shown)["seed"] == 1
    assert of_task(shown, "byhand")["enabled"] == 1
    os.unlink(layout.seed)
    assert show()["cloudsync_seed_readable"] == 0


def test_a_blocked_directory_is_a_problem_and_no_error(declare, show, layout):
    declare(BY_HAND)
    os.rename(layout.tasks_dir, layout.tasks_dir + "-away")
    pathlib.Path(layout.tasks_dir).write_text("")
    shown = show()
    assert problems(shown)["task"] >= 1
    assert of_task(shown, "byhand") == {}


def test_a_token_has_the_time_of_its_expiry_and_is_not_shown(show, layout, seed):
    token = {"access_token": "s3cr3t", "refresh_token": "s3cr3t", "expiry": "2025-11-22T13:00:00.123456789+01:00"}
    forever = {"access_token": "s3cr3t", "expiry": "0001-01-01T00:00:00Z"}
    save_credential(layout, seed, Credential("cloud", "drive", secrets={"token": json.dumps(token)}))
    save_credential(layout, seed, Credential("forever", "dropbox", secrets={"token": json.dumps(forever)}))
    save_credential(layout, seed, Credential("keys", "b2", secrets={"key": "k"}))
    name = "cloudsync_credential_token_expiry_timestamp_seconds"
    shown = show()
    assert {sample: value for sample, value in shown.items() if name in sample} == {
        f'{name}{{credential="cloud"}}': NOON
    }
    assert "s3cr3t" not in str(shown)


def test_a_label_that_an_edited_record_contains_is_escaped(declare, show, layout):
    declare(BY_HAND)
    run = ran(layout, "failed", 0, reason='a"b\\c\nd')
    assert 'state{task="byhand",state="failed",reason="a\\"b\\\\c\\nd"}' in of_task(show(), "byhand")
    path = pathlib.Path(layout.task_state_dir("byhand"), "runs", run.id + ".json")
    path.write_text(path.read_text().replace("a\\", "\\udfff\\"))
    assert 'state{task="byhand",state="failed",reason="\\\\udfff\\"b\\\\c\\nd"}' in of_task(show(), "byhand")


def test_each_problem_of_a_check_has_a_value():
    # A new kind of problem must be added to the list, or an alert on it would miss its first occurrence.
    engine = pathlib.Path(metrics.__file__).parent
    sources = "".join(path.read_text(encoding="utf-8") for path in engine.glob("*.py"))
    named = re.findall(r'(?:Problem\(|collect\(\w+, |attempt\(\w+, |_read_stored\(\w+, )\s*"(\w+)"', sources)
    assert {*named, "failed", "aborted"} == set(metrics.PROBLEMS)


def test_each_metric_has_its_help_and_type_once_before_its_samples_and_its_labels(declare, show):
    declare(NIGHTLY, BY_HAND)
    lines = show(str).splitlines()
    heads = [line.split()[2] for line in lines if line.startswith("# HELP")]
    assert heads == [line.split()[2] for line in lines if line.startswith("# TYPE")] == list(dict.fromkeys(heads))
    for name in heads:
        own = [index for index, line in enumerate(lines) if re.match(rf"{name}[ {{]", line)]
        start = lines.index(f"# TYPE {name} gauge") + 1
        assert own == list(range(start, start + len(own))) and own
        assert all(re.findall(r'(\w+)="', lines[index]) == list(metrics.METRICS[name].labels) for index in own)


def test_the_table_in_the_docs_is_that_of_the_engine():
    page = pathlib.Path(metrics.__file__).parents[4] / "docs" / "monitoring.md"
    table = page.read_text(encoding="utf-8").split("| --- | --- | --- |\n")[1].split("<!-- end of the table -->")[0]
    rows = [
        f"| `{name}` | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.help.rstrip('.')} |\n"
        for name, metric in metrics.METRICS.items()
    ]
    assert table == "".join(rows).replace("|  |", "| |"), "".join(rows)
