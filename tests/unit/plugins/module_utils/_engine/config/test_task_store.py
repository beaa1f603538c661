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


def test_the_stored_options_are_the_fields_of_a_task():
    assert sorted((*stored_tasks.OPTIONS, *stored_tasks.ADDED)) == sorted(
        field.name for field in dataclasses.fields(Task) if field.name != "restore"
    )


def test_a_stored_task_is_loaded_unchanged(layout, seed, saved, make_task):
    assert task_store.load_task(layout, seed, "nightly") == saved
    plain = make_task(name="plain")
    task_store.save_task(layout, seed, plain)
    assert task_store.load_task(layout, seed, "plain") == plain
    assert stored_tasks.list_tasks(layout) == ["nightly", "plain"]
    task_store.remove_task(layout, "plain")
    assert stored_tasks.list_tasks(layout) == ["nightly"]


def test_reverse_of_is_stored(layout, seed, saved, make_task):
    restore = make_task({"nightly": saved}.get, name="restore", reverse_of="nightly", direction=None, path="/tmp/x")
    task_store.save_task(layout, seed, restore)

    task_store.remove_task(layout, "nightly")

    assert task_store.load_task(layout, seed, "restore") == restore
    assert stored_tasks.read_task(layout, "restore")["reverse_of"] == "nightly"


@pytest.mark.usefixtures("saved")
def test_the_file_of_a_task_contains_no_plain_secret(layout):
    with open(layout.task("nightly")) as stream:
        text = stream.read()

    assert "s3cr3t" not in text
    assert "https://hooks.example.net" in text
    assert stat.S_IMODE(os.stat(layout.task("nightly")).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(layout.tasks_dir).st_mode) == 0o700


def test_no_view_of_a_task_contains_a_secret(layout, saved, make_task):
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


def test_the_diff_of_a_task_shows_which_secret_changes(make_task):
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
def test_a_moved_or_replaced_ciphertext_in_a_task_is_detected(layout, seed, change, field):
    edit(layout, change)

    with pytest.raises(CloudsyncError, match=f"Cannot decrypt {field} of task nightly in /.*nightly.json: ") as caught:
        task_store.load_task(layout, seed, "nightly")
    assert caught.value.reason == "undecryptable"


@pytest.mark.usefixtures("saved")
def test_a_copied_or_incomplete_task_file_is_refused_by_name(layout, seed):
    os.link(layout.task("nightly"), layout.task("copy"))
    with pytest.raises(CloudsyncError, match=r"copy.json contains task nightly: the file was copied or renamed"):
        task_store.load_task(layout, seed, "copy")

    edit(layout, lambda content: (content.pop("guards"), content.pop("mode")))
    with pytest.raises(CloudsyncError, match=r"nightly.json is damaged: guards, mode missing. The file was edited"):
        task_store.load_task(layout, seed, "nightly")


@pytest.mark.usefixtures("saved")
def test_the_error_for_a_missing_task_lists_the_existing_ones(layout, seed):
    with pytest.raises(CloudsyncError, match=r"Task daily does not exist on this host. Existing tasks: nightly"):
        task_store.load_task(layout, seed, "daily")
