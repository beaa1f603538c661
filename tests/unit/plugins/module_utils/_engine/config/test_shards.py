# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import (
    build_stored_task_view,
    read_task,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import load_task, save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import (
    Shard,
    build_drill,
    reverse_task,
)


def test_a_shard_is_stored_only_if_there_is_one(layout, seed, make_task):
    assert make_task().shard is None
    for declared, stored in (({"index": 1, "count": 3}, Shard(1, 3)), (None, None)):
        task = make_task(shard=declared)
        save_task(layout, seed, task)
        assert load_task(layout, seed, task.name).shard == stored
        assert build_stored_task_view(read_task(layout, task.name))["shard"] == declared
    assert "shard" not in read_task(layout, "nightly")


def test_the_last_part_is_part_0_so_that_one_may_count_from_1_as_rclone_does(make_task):
    assert [make_task(shard={"index": index, "count": 2}).shard.index for index in (0, 1, 2)] == [0, 1, 0]


def test_a_restore_is_of_all_shards_and_a_drill_of_its_own(layout, make_task):
    task = make_task(shard={"index": 1, "count": 3})
    assert reverse_task(task, "back").shard is None
    assert build_drill(layout, task).shard == task.shard


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"shard": {"index": 4, "count": 3}}, "shard.index is 4. Use 0 to 3."),
        ({"shard": {"index": -1, "count": 3}}, "shard.index is -1. Use 0 to 3."),
        ({"shard": {"index": 0, "count": 0}}, "shard.count is 0. Use 1 to 1000."),
        ({"shard": {"index": 0, "count": "many"}}, "shard.count is 'many'. Use 1 to 1000."),
        ({"shard": {"count": 3}}, "shard.index is required. The first of three hosts has index 0 and count 3."),
        ({"shard": {}}, "shard.index is required."),
        ({"shard": {"index": 0, "of": 3}}, "shard has"),
        ({"shard": {"index": 0, "count": 2}, "create_empty_dirs": True}, "Only files belong to shards."),
        ({"rclone_args": ["--hash-filter=1/3"]}, "rclone_args has --hash-filter, which is not allowed. Use the option"),
    ],
)
def test_what_is_no_shard_is_refused_by_name(make_task, options, sentence):
    with pytest.raises(CloudsyncError, match=re.escape(sentence)):
        make_task(**options)


@pytest.mark.parametrize("shard", [3, [], "x", {"index": 0}, {"index": "0", "count": 2}, {"index": True, "count": 2}])
def test_an_edited_shard_is_damage(layout, seed, make_task, shard):
    save_task(layout, seed, make_task(shard={"index": 0, "count": 2}))
    path = layout.task("nightly")
    with open(path) as stream:
        content = json.load(stream)
    with open(path, "w") as stream:
        json.dump({**content, "shard": shard}, stream)
    with pytest.raises(CloudsyncError, match=r"is damaged \(.*\): the file was edited"):
        read_task(layout, "nightly")
