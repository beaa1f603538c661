# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules give the same results with mitogen, which runs all of them in one process of a host."""

from __future__ import annotations

import importlib.util
import json
import pathlib

import pytest
from controller import Controller
from harness import PASSWORD, documents_task, text_tree, write_tree

FOUND = importlib.util.find_spec("ansible_mitogen")
pytestmark = pytest.mark.skipif(FOUND is None, reason="mitogen is not installed")
FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
KEPT = ("changed", "failed", "msg", "reason", "skipped")


def build_play(store, task):
    """Return a play that calls the modules one after the other, some of them twice and some with wrong options."""
    calls = [
        ("host_config", {"credentials": [store], "tasks": [task]}),
        ("host_config", {"credentials": [store], "tasks": [task]}),
        ("credential", {**store, "description": "changed"}),
        ("task", {**task, "retries": 5}),
        ("task", {**task, "retries": "many"}),
        ("task", {"name": "documents", "mode": "mirror"}),
        ("run", {"task": "documents"}),
        ("run", {"task": "missing"}),
        ("task_info", {}),
        ("credential_info", {}),
        ("remote_info", {"task": "documents"}),
        ("backup", {"passphrase": PASSWORD}),
        ("seed", {}),
        ("task", {"name": "documents", "state": "absent"}),
        ("task_info", {}),
    ]
    tasks = [
        {f"skyhaul.cloudsync.{name}": options, "register": f"result{number}", "ignore_errors": True}
        for number, (name, options) in enumerate(calls)
    ]
    content = "{{ [" + ", ".join(f"result{number}" for number in range(len(calls))) + "] | to_json }}"
    written = {"content": content, "dest": "{{ cloudsync_root }}/results.json", "mode": "0600"}
    environment = {"CLOUDSYNC_ROOT": "{{ cloudsync_root }}"}
    play = {"hosts": "all", "gather_facts": False, "environment": environment, "strategy": "{{ chosen }}"}
    return [{**play, "tasks": [*tasks, {"ansible.builtin.copy": written}]}]


def play(controller, machines, strategy, content):
    """Run the play, and return for each host what its modules said."""
    controller.inventory(**{name: {"cloudsync_root": str(machine.root)} for name, machine in machines.items()})
    (controller.folder / "play.json").write_text(json.dumps(content))
    folder = pathlib.Path(FOUND.submodule_search_locations[0]) / "plugins" / "strategy"
    words = ("ansible-playbook", "play.json", "-e", f"chosen={strategy}")
    controller.call(*words, ANSIBLE_STRATEGY_PLUGINS=str(folder))
    found = {}
    for name, machine in machines.items():
        text = (machine.root / "results.json").read_text().replace(str(machine.root), "ROOT").replace(name, "HOST")
        found[name] = [{key: result[key] for key in KEPT if key in result} for result in json.loads(text)]
    return found


def test_two_hosts_in_one_process_get_the_results_of_two_hosts(new_machine, s3_server, store, tmp_path):
    controller = Controller(tmp_path)
    results = []
    for strategy in ("linear", "mitogen_linear"):
        machines = {name: new_machine() for name in ("web1", "web2")}
        buckets = {name: s3_server[1] / f"{strategy.replace('_', '-')}-{name}" for name in machines}
        for name, machine in machines.items():
            buckets[name].mkdir()
            write_tree(machine.data / "documents", {**FILES, "host.txt": name})
        task = documents_task(machines["web1"], buckets["web1"], path="{{ cloudsync_root }}/srv/documents")
        task["remote_path"] = task["remote_path"].replace("web1", "{{ inventory_hostname }}")
        results.append(play(controller, machines, strategy, build_play(store, task)))
        for name in machines:
            assert text_tree(buckets[name] / "documents") == {**FILES, "host.txt": name}
    linear, mitogen = results
    assert [result.get("failed", False) for result in linear["web1"]].count(True) == 3, linear
    assert mitogen == linear
