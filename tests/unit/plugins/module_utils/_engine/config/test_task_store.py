# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import stat

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import files
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import stored_tasks, task_store
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import Task

SECRETS = {"password": "s3cr3t password", "salt": "s3cr3t salt"}
TARGET = "https://hooks.example.net/services/s3cr3t-path"


@pytest.fixture
def task(make_task):
    return make_task(
        mode="sync",
        description="all",
        encryption=SECRETS,
        notify=[TARGET, "mailto:ops@example.net"],
        schedule={"cron": "5 4 * * *", "spread": "5m", "catch_up": True},
        guards={"max_delete": "10%"},
        hooks={"failure": "logger failed"},
        bandwidth=[{"time": "08:00", "limit": "1M"}, {"time": "18:00", "limit": "off"}],
        keep_deleted={"path": "bucket/data/.old", "days": 3},
        provider_options={"chunk_size": "64Mi"},
        rclone_args=["--checkers=4"],
    )


@pytest.fixture
def saved(layout, seed, task):
    task_store.save_task(layout, seed, task)
    return task


def edit(layout, change):
    content = files.read_json(layout.task("nightly"))
    change(content)
    files.write_json(layout.task("nightly"), content)


def test_the_list_of_stored_options_is_that_of_a_task():
    assert sorted(stored_tasks.OPTIONS) == sorted(field.name for field in dataclasses.fields(Task))


def test_a_task_comes_back_as_it_was(layout, seed, saved, make_task):
    assert task_store.load_task(layout, seed, "nightly") == saved
    plain = make_task(name="plain")
    task_store.save_task(layout, seed, plain)
    assert task_store.load_task(layout, seed, "plain") == plain
    assert stored_tasks.list_tasks(layout) == ["nightly", "plain"]
    task_store.remove_task(layout, "plain")
    assert stored_tasks.list_tasks(layout) == ["nightly"]


def test_what_a_task_reverses_is_remembered(layout, seed, saved, make_task):
    restore = make_task({"nightly": saved}.get, name="restore", reverse_of="nightly", direction=None, path="/tmp/x")
    task_store.save_task(layout, seed, restore)

    task_store.remove_task(layout, "nightly")

    assert task_store.load_task(layout, seed, "restore") == restore
    assert stored_tasks.read_task(layout, "restore")["reverse_of"] == "nightly"


@pytest.mark.usefixtures("saved")
def test_no_secret_is_plain_in_the_file(layout):
    with open(layout.task("nightly")) as stream:
        text = stream.read()

    assert "s3cr3t" not in text
    assert "https://hooks.example.net" in text
    assert stat.S_IMODE(os.stat(layout.task("nightly")).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(layout.tasks_dir).st_mode) == 0o700


def test_no_view_has_a_secret_in_it(layout, saved, make_task):
    changed = make_task(encryption={"password": "0th3r s3cr3t"}, notify=[TARGET + "2"])
    stored = stored_tasks.read_task(layout, "nightly")
    views = [
        task_store.build_public_task_view(saved),
        stored_tasks.build_stored_task_view(stored),
        task_store.build_diff_task_view(saved, None),
        task_store.build_diff_task_view(changed, saved),
    ]

    assert "s3cr3t" not in json.dumps(views)
    assert "cs1:" not in json.dumps(views)
    assert views[0] == views[1]
    assert views[0]["encryption"]["secrets"] == ["password", "salt"]


def test_the_diff_shows_which_secret_gets_a_new_value(make_task):
    before = make_task(encryption=SECRETS, notify=[TARGET])
    same = make_task(encryption=SECRETS, notify=[TARGET], description="x")
    other = make_task(encryption={**SECRETS, "salt": "other"}, notify=[TARGET + "2"])
    unsalted = make_task(encryption={"password": SECRETS["password"]})

    shown = task_store.build_diff_task_view(before, None)
    assert shown["encryption"]["secrets"] == {"password": "(set)", "salt": "(set)"}
    assert task_store.build_diff_task_view(same, before) == {**shown, "description": "x"}
    changed = task_store.build_diff_task_view(other, before)
    assert changed["encryption"]["secrets"] == {"password": "(set)", "salt": "(new value)"}
    assert changed["notify"] == [shown["notify"][0] + " (new value)"]
    assert task_store.build_diff_task_view(unsalted, before)["encryption"]["secrets"] == {"password": "(set)"}
    assert task_store.build_diff_task_view(None, before) == {}


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda c: c["encryption"].update(salt=c["encryption"]["password"]), "encryption.salt"),
        (lambda c: c["encryption"].update(password=c["notify"][0]["target"]), "encryption.password"),
        (lambda c: c["notify"].reverse(), "notify.0"),
        (lambda c: c["encryption"].update(password="plain"), "encryption.password"),
    ],
)
def test_a_ciphertext_that_was_moved_or_replaced_is_detected(layout, seed, change, field):
    edit(layout, change)

    with pytest.raises(CloudsyncError, match=f"The {field} of the task nightly in /.*nightly.json") as caught:
        task_store.load_task(layout, seed, "nightly")
    assert caught.value.reason == "undecryptable"


@pytest.mark.usefixtures("saved")
def test_a_file_that_was_copied_or_lacks_a_part_is_named(layout, seed):
    os.link(layout.task("nightly"), layout.task("copy"))
    with pytest.raises(CloudsyncError, match=r"copy.json contains task nightly: the file was copied or renamed"):
        task_store.load_task(layout, seed, "copy")

    edit(layout, lambda content: (content.pop("guards"), content.pop("mode")))
    with pytest.raises(CloudsyncError, match=r"nightly.json is damaged: guards, mode missing. The file was edited"):
        task_store.load_task(layout, seed, "nightly")


@pytest.mark.usefixtures("saved")
def test_a_value_that_no_task_may_have_is_said_like_when_it_is_declared(layout, seed):
    edit(layout, lambda content: content.update(path="srv"))

    with pytest.raises(CloudsyncError, match=r"The task nightly is wrong. path is 'srv'. Use an absolute path"):
        task_store.load_task(layout, seed, "nightly")


@pytest.mark.usefixtures("saved")
def test_one_that_is_not_there_is_named_with_those_that_are(layout, seed):
    with pytest.raises(CloudsyncError, match=r"no task 'daily' on this host \(there are: nightly\)"):
        task_store.load_task(layout, seed, "daily")
