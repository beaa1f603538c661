# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import (
    find_drilled,
    read_task,
    require_task,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_checks import count_bytes
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import load_task, save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import (
    Drill,
    build_drill,
    list_writes,
    task_to_dict,
)


def test_a_drill_has_defaults_and_a_schedule_as_tasks_have(make_task):
    assert make_task().drill is None
    assert make_task(drill={}).drill == Drill(None, "20", "1G", "")
    drill = make_task(drill={"schedule": {"preset": "monthly"}, "files": "5 %", "max_bytes": "500m"}).drill
    assert (drill.schedule["cron"], drill.files, drill.max_bytes) == ("0 0 1 * *", "5%", "500M")
    assert [count_bytes(size) for size in ("500M", "7", "1G")] == [500 << 20, 7, 1 << 30]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"drill": {"files": "none"}}, "drill.files is 'none'. Use a number of files, such as 20, or a percentage"),
        ({"drill": {"files": 0}}, "drill.files is 0. Use a number"),
        ({"drill": {"files": "101%"}}, "drill.files is '101%'. Use a number"),
        ({"drill": {"max_bytes": "5%"}}, "drill.max_bytes is '5%'. Use bytes with a unit, such as 500M or 1G."),
        ({"drill": {"max_bytes": "0"}}, "drill.max_bytes is '0'. Use bytes"),
        ({"drill": {"scratch": "tmp"}}, "drill.scratch is 'tmp'. Use an absolute path"),
        ({"drill": {"scratch": "/srv/data/x"}}, "drill.scratch is '/srv/data/x', which is in the source '/srv/data'"),
        ({"drill": {"schedule": {"cron": "x"}}}, "drill.schedule: preset is 'x'."),
        ({"drill": {"count": 5}}, "drill has"),
        ({"drill": {}, "mode": "move"}, "A move leaves no source to compare with."),
        ({"drill": {}, "direction": "pull"}, "A pull has its original at the provider."),
        ({"drill": {}, "name": "x" * 58}, "drill needs a task name of at most 57 characters."),
    ],
)
def test_what_cannot_be_drilled_is_refused_by_name(make_task, options, sentence):
    with pytest.raises(CloudsyncError, match=re.escape(sentence)):
        make_task(**options)


def test_the_drill_of_a_task_is_found_by_its_name_and_is_not_stored(layout, seed, make_task):
    task = make_task(
        drill={"schedule": {"preset": "weekly"}},
        keep_deleted={"path": "bucket/data/.kept"},
        hooks={"before": "true"},
        guards={"mounted": "/srv", "max_delete": "5"},
    )
    save_task(layout, seed, task)
    drill = load_task(layout, seed, "drill-nightly")
    assert drill == build_drill(layout, task)
    assert drill.is_drill and not task.is_drill
    assert drill.path == f"{layout.state_dir}/drill-nightly/scratch"
    assert (drill.direction, drill.mode, drill.restore.source) == ("pull", "copy", "/srv/data")
    assert "/.kept/**" in drill.exclude
    stored, full = require_task(layout, "drill-nightly"), task_to_dict(drill)
    for key in ("name", "direction", "mode", "path", "remote_path", "schedule", "enabled", "keep_deleted", "user"):
        assert stored[key] == full[key], key
    assert stored["guards"]["mounted"] == ""
    assert list_writes(stored, "s3", {}) == [drill.path]


def test_a_task_with_the_name_of_a_drill_is_that_task(layout, seed, make_task):
    save_task(layout, seed, make_task())
    assert find_drilled(layout, "drill-nightly")["name"] == "nightly"
    other = make_task(name="drill-nightly", path="/srv/other")
    save_task(layout, seed, other)
    assert find_drilled(layout, "drill-nightly") is None
    assert load_task(layout, seed, "drill-nightly") == other
    save_task(layout, seed, make_task(name="moved", mode="move"))
    with pytest.raises(CloudsyncError, match="Task drill-moved does not exist"):
        load_task(layout, seed, "drill-moved")


def test_a_task_without_a_drill_is_stored_as_in_the_first_version(layout, seed, make_task):
    save_task(layout, seed, make_task())
    assert "drill" not in read_task(layout, "nightly")
    save_task(layout, seed, make_task(drill={"scratch": "/mnt/scratch"}))
    assert load_task(layout, seed, "nightly").drill.scratch == "/mnt/scratch"
    assert load_task(layout, seed, "drill-nightly").path == "/mnt/scratch/.cloudsync-drill-nightly"
