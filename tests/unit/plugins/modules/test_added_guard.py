# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guard that is added in one place applies to every run. If it needs no session, it also applies to declarations."""

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import Refused
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.guards import declared, sequence

SENTENCE = "The moon is full. Run the task tomorrow."


@pytest.fixture
def task(host, documents):
    """Provide a stored task, and an rclone that passes the other guards."""
    declared = dict(documents, encryption=None, notify=None, guards={}, mode="copy")
    host.ok("task", declared)
    host.rclone.answers("lsf", "a\n")
    host.rclone.answers("lsjson", "[]")
    host.rclone.replays("copy", "sync")
    return declared


@pytest.fixture
def once(task, source):
    """Provide the options of a one-time run with the same transfer."""
    return {"credential": "offsite", "direction": "push", "path": source, "remote_path": "backups/documents"}


@pytest.fixture
def add_guard(monkeypatch):
    """Add a guard that refuses everything to one of the tuples of the sequence."""

    def refuse(*_subject):
        raise Refused("other", SENTENCE)

    def add(group):
        module = declared if group == "DECLARED" else sequence
        monkeypatch.setattr(module, group, (*getattr(module, group), refuse))

    return add


@pytest.mark.parametrize("group", ["DECLARED", "LOCAL", "WITH_SESSION"])
def test_an_added_guard_refuses_a_run_and_a_dry_run(host, task, add_guard, group):
    add_guard(group)
    assert host.run("run", {"task": "documents"})["run"]["message"] == f"{SENTENCE} Nothing was changed."
    refused = f"A run of task documents would end as other: {SENTENCE}"
    assert host.run("run", {"task": "documents", "dry_run": True})["msg"] == refused
    assert host.run("run", {"task": "documents"}, check=True)["msg"] == refused
    assert [line for line in host.rclone.commands() if " copy " in line] == []


@pytest.mark.parametrize("group", ["LOCAL", "WITH_SESSION"])
def test_an_added_guard_refuses_a_one_time_run_and_its_dry_run(host, once, add_guard, group):
    add_guard(group)
    assert host.run("run", once)["run"]["message"] == f"{SENTENCE} Nothing was changed."
    refused = f"A run of task onetime would end as other: {SENTENCE}"
    assert host.run("run", dict(once, dry_run=True))["msg"] == refused
    assert [line for line in host.rclone.commands() if " copy " in line] == []


def test_an_added_guard_that_needs_no_host_refuses_a_one_time_run_before_it_is_stored(host, once, add_guard):
    add_guard("DECLARED")
    refused = f"Task onetime is invalid: {SENTENCE}"
    assert host.refused("run", once) == refused
    assert host.refused("run", dict(once, dry_run=True)) == refused


def test_an_added_guard_refuses_a_declaration_if_it_needs_neither_the_host_nor_a_session(host, task, add_guard):
    for group in ("LOCAL", "WITH_SESSION"):
        add_guard(group)
    assert host.ok("task", dict(task, description="changed"))["changed"]
    add_guard("DECLARED")
    refused = f"Task documents is invalid: {SENTENCE}"
    assert host.refused("task", dict(task, description="once more")) == refused
    tasks = [{key: value for key, value in task.items() if value is not None}]
    assert refused in host.refused("host_config", {"tasks": tasks})


def test_the_plan_of_a_run_is_made_only_for_max_delete(host, task):
    host.ok("run", {"task": "documents"})
    assert [line for line in host.rclone.commands() if "--dry-run" in line] == []
    host.ok("task", dict(task, guards={"max_delete": "10%"}))
    host.ok("run", {"task": "documents"})
    assert len([line for line in host.rclone.commands() if "--dry-run" in line]) == 1
