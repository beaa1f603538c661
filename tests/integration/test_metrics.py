# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics, their alerts and their dashboard, with node_exporter and Prometheus."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import urllib.parse
import urllib.request

import pytest
import servers
import yaml
from harness import PATIENCE, SLOW, Machine, wait_for, write_tree

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import save_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health import textfile
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health.metrics import METRICS
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd.unit_names import locate_timer

HOME = pathlib.Path(__file__).parents[2]
RULES = HOME / "extensions" / "prometheus" / "cloudsync.rules.yml"
DASHBOARD = json.loads((HOME / "extensions" / "grafana" / "cloudsync.json").read_text(encoding="utf-8"))
PAGE = (HOME / "docs" / "monitoring.md").read_text(encoding="utf-8")
ALERTS = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
TOKEN = {"access_token": "x", "refresh_token": "x", "expiry": "2025-11-22T12:00:00Z"}
DIRECTORY = "/node"


def prepare(machine, **options):
    """Declare three tasks whose files stay on the machine, and let the machine write metrics.

    ``options`` are more of the task documents.
    """
    write_tree(machine.data, {"documents/a": "a" * 5, "documents/b": "b", "empty/": ""})
    target = machine.root / "target"
    target.mkdir()
    common = {"credential": "disk", "direction": "push", "mode": "sync"}
    documents = {**common, "name": "documents", "path": f"{machine.data}/documents", "remote_path": f"{target}/d"}
    documents.update(schedule={"preset": "daily"}, drill={"schedule": {"preset": "weekly"}, "files": "100%"}, **options)
    empty = {**common, "name": "empty", "path": f"{machine.data}/empty", "remote_path": f"{target}/e"}
    late = {**common, "name": "late", "path": f"{machine.data}/late", "remote_path": f"{target}/l"}
    late["schedule"] = {"preset": "daily"}
    machine.declare([{"name": "disk", "provider": "local", "attributes": {}, "secrets": {}}], [documents, empty, late])
    textfile.set_directory(machine.layout, "", DIRECTORY)


def read_written(machine):
    """Return the samples of the written file, with their values."""
    lines = (machine.root / "node" / textfile.NAME).read_text().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_each_end_of_a_run_writes_the_metrics(machine, reliability):
    prepare(machine)
    machine.run("documents")
    assert read_written(machine)['cloudsync_task_last_run_transferred_bytes{task="documents"}'] == "6"
    machine.run("empty", 3, "empty_source")
    failed = 'cloudsync_task_state{task="empty",state="failed",reason="empty_source"}'
    assert read_written(machine)[failed] == "1"
    assert machine.cloudsync("drill", "documents").code == 0
    assert 'cloudsync_task_last_proven_restore_timestamp_seconds{task="documents"}' in read_written(machine)

    shutil.rmtree(machine.root / "node")
    record = machine.run("documents")
    answer = machine.cloudsync("run", "documents")
    assert (answer.code, record["state"]) == (0, "success")
    assert answer.err.startswith("cloudsync: textfile: ")
    assert "textfile: Prometheus gets no metrics of this host." in machine.cloudsync("check").out
    reliability.add("The directory of the metrics is removed", record, heard="cloudsync check")


def test_a_killed_run_is_shown_by_its_recovery_and_by_the_watch(machine):
    prepare(machine, bandwidth=SLOW)
    write_tree(machine.data, {"documents/large": b"x" * 5_000_000})
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    machine.cloudsync("check", "--notify")
    assert read_written(machine)['cloudsync_task_state{task="documents",state="running",reason=""}'] == "1"
    program, _words = machine.rclone_of(run)
    for victim in (run.pid, program):
        os.kill(victim, signal.SIGKILL)
    run.communicate(timeout=PATIENCE)
    machine.cloudsync("sweep", "documents")
    interrupted = 'cloudsync_task_state{task="documents",state="aborted",reason="interrupted"}'
    assert read_written(machine)[interrupted] == "1"


@pytest.fixture(name="fleet", scope="module")
def fixture_fleet(installed, rclone, tmp_path_factory):
    """Return the machines one and two. one has all kinds of facts, and two has an unreadable seed and task."""
    machines = {name: Machine(tmp_path_factory.mktemp(name), installed, rclone) for name in ("one", "two")}
    one, two = machines.values()
    for machine in machines.values():
        prepare(machine)
    token = {"token": json.dumps(TOKEN)}
    save_credential(one.layout, one.host.seed, Credential("drive", "drive", "", {}, token))
    os.utime(locate_timer(one.layout, "late"), (1600000000, 1600000000))
    one.run("documents")
    one.run("empty", 3, "empty_source")
    assert one.cloudsync("drill", "documents").code == 0
    os.truncate(two.layout.task("late"), 5)
    os.truncate(two.layout.seed, 5)
    two.cloudsync("check", "--notify")
    yield machines
    for machine in machines.values():
        machine.close()


@pytest.fixture(name="ask", scope="module")
def fixture_ask(fleet, tmp_path_factory):
    """Return a function that asks a Prometheus, which has scraped the fleet, for the ``data`` of a path of its API."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("one", "two", "prometheus")}
    one = servers.node_exporter(folders["one"], fleet["one"].root / "node")
    two = servers.node_exporter(folders["two"], fleet["two"].root / "node")
    with one as first, two as second:
        targets = {"one": f"127.0.0.1:{first}", "two": f"127.0.0.1:{second}"}
        with servers.prometheus(folders["prometheus"], targets, RULES) as port:

            def call(path, **query):
                words = urllib.parse.urlencode(query)
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}?{words}", timeout=10) as answer:
                    return json.load(answer)["data"]

            wait_for(lambda: len(call("query", query="cloudsync_build_info")["result"]) == 2, "a scrape of both hosts")
            yield call


def test_promtool_finds_no_fault_in_the_metrics(fleet):
    for machine in fleet.values():
        printed = machine.cloudsync("metrics")
        assert printed.code == 0, printed
        assert servers.promtool("check", "metrics", text=printed.out) == (0, "")


def identify(name, labels):
    """Return what identifies a series. To Prometheus, an empty label is none."""
    own = {label: value for label, value in labels.items() if value and label not in ("job", "instance", "__name__")}
    return (name, *sorted(own.items()))


def test_prometheus_has_each_sample_that_the_host_prints(fleet, ask):
    names = set()
    for name, machine in fleet.items():
        series = ask("query", query=f'{{__name__=~"cloudsync_.+", instance="{name}"}}')["result"]
        found = {identify(each["metric"]["__name__"], each["metric"]): int(each["value"][1]) for each in series}
        samples = machine.cloudsync("metrics", "--json").json
        printed = {identify(each["name"], each["labels"]): each["value"] for each in samples}
        now = ("cloudsync_metrics_timestamp_seconds",)
        assert found.pop(now) <= printed.pop(now)
        assert found == printed
        names |= {each["name"] for each in samples}
    assert names == set(METRICS)
    assert {each["value"][1] for each in ask("query", query="node_textfile_scrape_error")["result"]} == {"0"}


def test_prometheus_fires_the_alerts_of_the_fleet(ask):
    def find_firing():
        alerts = ask("alerts")["alerts"]
        return {
            (each["labels"]["alertname"], each["labels"]["instance"], each["labels"].get("task", ""))
            for each in alerts
            if each["state"] == "firing"
        }

    wanted = {
        ("CloudsyncTaskFailed", "one", "empty"),
        ("CloudsyncTaskOverdue", "one", "late"),
        ("CloudsyncTokenUnused", "one", ""),
        ("CloudsyncSeedUnreadable", "two", ""),
        ("CloudsyncProblem", "two", ""),
    }
    wait_for(lambda: find_firing() == wanted, f"the alerts: {find_firing()}")


def test_the_unit_tests_of_the_alerts_succeed():
    path = pathlib.Path(__file__).parent / "prometheus" / "alerts_test.yml"
    code, said = servers.promtool("test", "rules", str(path))
    assert code == 0, said
    assert set(re.findall(r"alertname: (\w+)", path.read_text(encoding="utf-8"))) == {each["alert"] for each in ALERTS}


def test_each_alert_has_a_runbook():
    for alert in ALERTS:
        name = alert["alert"]
        assert f"\n### {name}\n" in PAGE
        link = alert["annotations"]["runbook_url"]
        assert link == f"https://github.com/skyhaul/cloudsync/blob/main/docs/monitoring.md#{name.lower()}"


def list_queries():
    """Return the queries of the panels of the dashboard, by title and reference."""
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    return {(panel["title"], each["refId"]): each["expr"] for panel in panels for each in panel["targets"]}


def fill_in(query):
    return query.replace("$instance", ".*").replace("$task", ".*")


def test_each_query_of_the_dashboard_has_an_answer(ask):
    empty = [name for name, query in list_queries().items() if not ask("query", query=fill_in(query))["result"]]
    assert empty == []


def test_each_variable_of_the_dashboard_has_values(ask):
    wanted = {"instance": ["one", "two"], "task": ["documents", "drill-documents", "empty", "late"]}
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            assert ask(f"label/{label}/values", **{"match[]": fill_in(series)}) == wanted.pop(variable["name"])
    assert wanted == {}


def test_the_alerts_and_the_dashboard_use_the_existing_metrics():
    text = "\n".join([RULES.read_text(encoding="utf-8"), *list_queries().values()])
    used = set(re.findall(r"\bcloudsync_\w+", text))
    assert used == set(METRICS)


def test_grafana_knows_each_part_of_the_dashboard():
    plugins = pytest.importorskip("grafana_foundation_sdk.cog.plugins")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    plugins.register_default_plugins()
    known = json.loads(encoder.JSONEncoder().encode(models.Dashboard.from_json(DASHBOARD)))
    assert list(find_lost(DASHBOARD, known, "")) == []


def find_lost(ours, known, path):
    """Yield the parts of ``ours`` that differ from ``known``, which can have more: defaults."""
    if isinstance(ours, dict) and isinstance(known, dict):
        for key, value in ours.items():
            yield from find_lost(value, known.get(key), f"{path}/{key}")
    elif isinstance(ours, list) and isinstance(known, list) and len(ours) == len(known):
        for index, value in enumerate(ours):
            yield from find_lost(value, known[index], f"{path}/{index}")
    elif ours != known:
        yield f"{path}: {ours!r} is {known!r}"
