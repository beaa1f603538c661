# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sync does not delete what another task of the host writes."""

from __future__ import annotations

import contextlib
import json

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import stored_tasks
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import list_tasks
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import validate
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted, converge
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.one_time import build_onetime_task

STORE = {
    "name": "store",
    "provider": "s3",
    "attributes": {"provider": "Other", "endpoint": "https://s3.example.net"},
    "secrets": {"access_key_id": "AK", "secret_access_key": "SK"},
}
TWIN = {**STORE, "name": "twin", "attributes": {"provider": "Minio", "endpoint": "S3.example.net:443/"}}
DISK = {"name": "disk", "provider": "local"}


def push(name, remote_path, mode="sync", **options):
    task = {"name": name, "credential": "store", "direction": "push", "mode": mode, "path": f"/srv/{name}"}
    return {**task, "remote_path": remote_path, **options}


def pull(name, path, mode="sync", **options):
    return {**push(name, f"b/{name}", mode, **options), "direction": "pull", "path": path}


def kept(path):
    return {"keep_deleted": {"path": path}}


def declare(host, *tasks, check=False, **more):
    return converge(host, Wanted([STORE, TWIN, DISK], list(tasks), **more), check)


CONFLICTS = [
    (push("one", "b/x"), push("two", "b/x")),
    (push("one", "b/x"), push("two", "b/x", "copy")),
    (push("one", "b/x"), push("two", "/b/x/", credential="twin")),
    (push("one", "b/x"), push("two", "b/x/y", "copy")),
    (push("one", "b/x/y"), push("two", "b/x", "move")),
    (push("one", "b/x"), push("two", "b/y", "copy", **kept("b/x/old"))),
    (push("one", "b/y/old/x"), push("two", "b/y", "copy", **kept("b/y/old"))),
    (push("one", "b/x", **kept("b/y/old")), push("two", "b/y", "copy")),
    (pull("one", "/srv/in"), pull("two", "/srv/in/deep", "copy")),
    (pull("one", "/srv/in"), push("two", "/srv/in/deep", "copy", credential="disk")),
    (push("one", "b/x", exclude=["/other/**", "y/**", "/*/**"]), push("two", "b/x/y", "copy")),
]


@pytest.mark.parametrize(("one", "two"), CONFLICTS)
@pytest.mark.parametrize("check", [False, True])
def test_two_tasks_of_one_call_that_conflict_are_refused(host, one, two, check):
    with pytest.raises(CloudsyncError) as caught:
        declare(host, one, two, check=check)
    assert caught.value.reason == "usage"
    for part in ("Task one", "task two", "Nothing was changed."):
        assert part in caught.value.message
    assert list_tasks(host.layout) == []


@pytest.mark.parametrize(("one", "two"), CONFLICTS[:4])
def test_a_task_that_conflicts_with_a_stored_one_is_refused(host, one, two):
    declare(host, two)
    with pytest.raises(CloudsyncError, match=r"Task one writes to remote_path 'b/x', .* of task two"):
        declare(host, one)
    assert list_tasks(host.layout) == ["two"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (push("one", "b/x"), push("two", "b/xy")),
        (push("one", "b/x"), push("two", "b/x", credential="disk")),
        (push("one", "b/x"), {**pull("two", "/srv/back"), "remote_path": "b/x"}),
        (push("one", "b/x"), push("two", "b/z", path="/srv/one")),
        (push("one", "b/x"), pull("two", "/srv/one")),
        (push("one", "b/x", **kept("b/old")), push("two", "b/y", **kept("b/old"))),
        (push("one", "b/x", exclude=["/y/**"]), push("two", "b/x/y/z")),
        (push("one", "b/x", "copy", enabled=False), push("two", "b/x", "copy")),
    ],
)
def test_tasks_that_cannot_harm_each_other_are_accepted(host, one, two):
    assert declare(host, one, two).warnings == []


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (push("one", "b/x", "copy"), push("two", "b/x", "copy")),
        (push("one", "b/x", "move"), push("two", "b/x/y", "copy")),
        (push("one", "b/x", enabled=False), push("two", "b/x")),
        (pull("one", "/srv/in", "copy"), pull("two", "/srv/in", "copy")),
    ],
)
def test_tasks_that_may_overwrite_each_other_are_a_warning(host, one, two):
    (warning,) = declare(host, one, two).warnings
    assert "Task one" in warning or "Task two" in warning
    assert len(list_tasks(host.layout)) == 2


def test_a_task_that_the_call_removes_or_changes_does_not_count(host):
    declare(host, push("one", "b/x"))
    declare(host, push("two", "b/x"), absent_tasks=["one"])
    declare(host, push("two", "b/y"), push("three", "b/x"))
    declare(host, push("four", "b/y"), purge=True)
    assert list_tasks(host.layout) == ["four"]


def test_a_credential_that_moves_a_task_onto_another_one_is_refused(host):
    elsewhere = {**TWIN, "attributes": {"provider": "Other", "endpoint": "https://elsewhere.example.net"}}
    tasks = [push("one", "b/x"), push("two", "b/x", credential="twin")]
    converge(host, Wanted([STORE, elsewhere], tasks), False)
    with pytest.raises(CloudsyncError, match="Task one writes to"):
        converge(host, Wanted([TWIN]), False)
    renewed = {**elsewhere, "secrets": {**STORE["secrets"], "secret_access_key": "NEW"}}
    assert converge(host, Wanted([renewed]), False).changed


@pytest.mark.parametrize(("mode", "is_refused"), [("sync", True), ("copy", False)])
def test_a_one_time_sync_over_the_destination_of_a_task_is_refused(host, mode, is_refused):
    declare(host, push("one", "b/x", "copy"))
    declared = {key: value for key, value in push("once", "b/x/y", mode).items() if key != "name"}
    with pytest.raises(CloudsyncError, match="task one") if is_refused else contextlib.nullcontext():
        build_onetime_task(host, "once", declared)


def test_a_reversed_task_does_not_conflict_with_its_original(host):
    restore = {"name": "restore", "credential": "store", "direction": "pull", "path": "/srv/one", "reverse_of": "one"}
    assert declare(host, push("one", "b/x"), restore).warnings == []


def test_a_stored_task_that_cannot_be_read_is_a_warning(host):
    declare(host, push("one", "b/x"))
    with open(host.layout.task("one"), "w", encoding="utf-8") as stream:
        json.dump({"schema": 1}, stream)
    (warning,) = declare(host, push("two", "b/y")).warnings
    assert "destination of task one was not compared" in warning


def test_each_stored_task_is_read_once_however_many_are_declared(host, monkeypatch):
    declare(host, *[push(f"stored{number}", f"b/stored{number}") for number in range(5)])
    read = []

    def count(layout, name):
        read.append(name)
        return stored_tasks.read_task(layout, name)

    monkeypatch.setattr(validate, "read_task", count)
    declare(host, *[push(f"new{number}", f"b/new{number}") for number in range(5)])
    assert sorted(read) == [f"stored{number}" for number in range(5)]
