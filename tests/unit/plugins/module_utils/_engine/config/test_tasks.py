# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import (
    find_path_inside,
    reverse_task,
    task_to_dict,
)


@pytest.mark.parametrize(
    ("folder", "path", "inside"),
    [
        ("a/b", "a/b/c/d", "c/d"),
        ("/a/b", "a/b/c", "c"),
        ("a/b", "/a/b/", ""),
        ("", "a/b", "a/b"),
        ("/", "", ""),
        ("a/b", "a/bc", None),
        ("a/b", "a", None),
        ("a/b", "", None),
    ],
)
def test_find_path_inside_compares_whole_names(folder, path, inside):
    assert find_path_inside(folder, path) == inside


def test_the_destination_is_the_path_that_a_run_writes_to(make_task):
    assert make_task().destination == "bucket/data"
    assert make_task(direction="pull").destination == "/srv/data"


def test_kept_inside_is_none_for_a_folder_outside_of_the_destination(make_task):
    assert make_task().kept_inside is None
    assert make_task(keep_deleted={"path": "bucket/old"}).kept_inside is None
    assert make_task(keep_deleted={"path": "bucket/data/a/old"}).kept_inside == "a/old"
    assert make_task(keep_deleted={"path": "old"}, remote_path="").kept_inside == "old"
    assert make_task(direction="pull", keep_deleted={"path": "/srv/data/old"}).kept_inside == "old"


def test_task_to_dict_returns_options_that_define_the_same_task(make_task):
    task = make_task(
        schedule={"preset": "daily", "timezone": "Europe/Berlin"},
        include=["a"],
        bandwidth=[{"time": "08:00", "limit": "1M"}],
        encryption={"password": "P"},
        keep_deleted={"path": "bucket/data/.old"},
        provider_options={"b": "1", "a": "2"},
        notify=["mailto:ops@example.net"],
    )
    content = json.loads(json.dumps(task_to_dict(task)))

    assert make_task(**content) == task
    assert content == task_to_dict(task)


def test_reversing_twice_restores_the_direction(make_task):
    task = make_task(mode="sync", exclude=["*.tmp"])
    again = reverse_task(reverse_task(task, "restore"), "nightly")

    assert (again.direction, again.mode, again.exclude) == ("push", "copy", ("*.tmp",))
    assert not again.enabled
