# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import files
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import (
    list_credentials,
    load_credential,
    save_refreshed,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import list_tasks
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import load_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import apply
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.validate import vet_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd import unit_names

OFFSITE = {
    "name": "offsite",
    "provider": "s3",
    "attributes": {"provider": "Other", "endpoint": "https://s3.example.net"},
    "secrets": {"access_key_id": "AK-s3cr3t", "secret_access_key": "SK-s3cr3t"},
}
DRIVE = {"name": "drive", "provider": "drive", "secrets": {"token": '{"access_token":"A1","refresh_token":"R1"}'}}


def nightly(**options):
    return {
        "name": "nightly",
        "credential": "offsite",
        "direction": "push",
        "mode": "sync",
        "path": "/srv/data",
        "remote_path": "bucket/data",
        "schedule": {"preset": "daily"},
        "encryption": {"password": "crypt-s3cr3t"},
        **options,
    }


BOTH = Wanted([OFFSITE], [nightly()])
CHANGES = [
    BOTH,
    Wanted([OFFSITE], [nightly(schedule={"preset": "hourly"})]),
    Wanted([OFFSITE], [nightly(enabled=False)]),
    Wanted([OFFSITE], [nightly(encryption={"password": "0th3r"}, exclude=["*.tmp"])]),
    Wanted([{**OFFSITE, "secrets": {**OFFSITE["secrets"], "secret_access_key": "0th3r"}}], [nightly()]),
    Wanted([OFFSITE], [nightly(drill={"schedule": {"preset": "weekly"}})]),
    Wanted(absent_tasks=["nightly"], absent_credentials=["offsite"]),
    Wanted(absent_tasks=["none"]),
    Wanted([OFFSITE], [], purge=True),
    Wanted(purge=True, purge_all=True),
    Wanted([OFFSITE], [nightly(name="restore", reverse_of="nightly", direction="pull", path="/tmp/x")]),
]


@pytest.fixture
def converge(make_host, seed):
    def call(wanted, check_mode=False, version=(1, 75, 2)):
        return apply.converge(make_host(version), wanted, check_mode)

    return call


def tree(layout):
    """Return all files with their texts, without the locks."""
    found = {}
    for folder, _folders, names in os.walk(layout.root):
        for name in names:
            path = os.path.join(folder, name)
            if not path.startswith(layout.run_dir):
                with open(path) as stream:
                    found[path] = stream.read()
    return found


def test_one_call_declares_a_whole_host(layout, seed, converge):
    tasks = [nightly(name=f"t{number:03d}", remote_path=f"bucket/{number}") for number in range(20)]

    outcome = converge(Wanted([OFFSITE, DRIVE], tasks))

    assert outcome.changed
    assert list_credentials(layout) == ["drive", "offsite"]
    assert list_tasks(layout) == sorted(task["name"] for task in tasks)
    assert load_task(layout, seed, "t003").remote_path == "bucket/3"
    assert os.path.islink(unit_names.locate_enabled_link(layout, "t003"))
    assert outcome.before["tasks"]["t003"] == {}
    assert outcome.after["tasks"]["t003"]["units"]["timer"] == files.read_text(unit_names.locate_timer(layout, "t003"))


def test_a_second_call_changes_and_writes_nothing(layout, converge):
    converge(BOTH)
    before = tree(layout)

    outcome = converge(BOTH)

    assert not outcome.changed
    assert outcome.before == outcome.after
    assert tree(layout) == before


@pytest.mark.parametrize(
    ("before", "wanted"),
    [(BOTH, wanted) for wanted in CHANGES] + [(Wanted(), wanted) for wanted in CHANGES[:-1]],
)
def test_check_mode_returns_the_same_diff_and_writes_nothing(layout, converge, before, wanted):
    converge(before)
    there = tree(layout)

    predicted = converge(wanted, check_mode=True)
    assert tree(layout) == there
    done = converge(wanted)

    assert (predicted.before, predicted.after, predicted.changed) == (done.before, done.after, done.changed)
    assert (predicted.credentials, predicted.tasks) == (done.credentials, done.tasks)
    assert (tree(layout) != there) == done.changed
    assert not converge(wanted).changed


def test_no_outcome_contains_a_secret(converge):
    outcomes = [converge(BOTH, check_mode=True), converge(BOTH), converge(Wanted(purge=True, purge_all=True))]

    for outcome in outcomes:
        shown = json.dumps([outcome.before, outcome.after, outcome.credentials, outcome.tasks, outcome.warnings])
        assert "s3cr3t" not in shown
        assert "cs1:" not in shown


def test_check_mode_on_a_new_host_needs_neither_seed_nor_rclone(layout, make_host):
    outcome = apply.converge(make_host(None), BOTH, True)

    assert outcome.changed
    assert outcome.warnings == ["rclone is not installed yet, so provider options were not checked."]
    assert not os.path.exists(layout.root)


def test_without_a_seed_nothing_is_written(layout, make_host):
    with pytest.raises(CloudsyncError, match=r"seed .* is missing"):
        apply.converge(make_host(), BOTH, False)
    assert tree(layout) == {}


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (Wanted([OFFSITE, OFFSITE]), "Credential offsite is declared twice."),
        (Wanted([OFFSITE], [nightly(), nightly()]), "Task nightly is declared twice."),
        (Wanted([{**OFFSITE, "provider": "s4"}]), "Credential offsite is invalid: There is no provider 's4'."),
        (Wanted([OFFSITE], [nightly(path="srv")]), "Task nightly is invalid: path is 'srv'"),
        (Wanted([OFFSITE], [nightly(remote_path="bucket")]), "remote_path 'bucket' is the root of a bucket"),
        (Wanted([OFFSITE], [nightly(remote_path=".")]), "remote_path '' is the root of a bucket"),
        (
            Wanted([OFFSITE], [nightly(provider_options={"chunk_siz": "1Mi"})]),
            "Task nightly is invalid: The provider s3 has no option 'chunk_siz'. Did you mean 'chunk_size'?",
        ),
        (Wanted(absent_tasks=["a/b"]), "Task name 'a/b' is invalid"),
        (Wanted([OFFSITE], [nightly(reverse_of="none")], purge=True), "reverse_of is 'none', but this task"),
    ],
)
def test_an_error_ends_the_call_before_anything_is_written(layout, converge, wanted, sentence):
    before = tree(layout)

    for check_mode in (True, False):
        with pytest.raises(CloudsyncError) as caught:
            converge(wanted, check_mode)
        assert sentence in caught.value.message

    assert tree(layout) == before


def test_a_missing_credential_is_an_error_and_in_check_mode_a_warning(layout, converge):
    sentence = "Task nightly uses credential offsite, which does not exist on this host. Existing credentials: none."

    assert converge(Wanted([], [nightly()]), check_mode=True).warnings == [
        sentence + " Declare it first, or the real run fails."
    ]
    with pytest.raises(CloudsyncError) as caught:
        converge(Wanted([], [nightly()]))
    assert caught.value.message == sentence
    assert list_tasks(layout) == []


def test_removing_a_credential_in_use_is_refused_with_the_names_of_its_tasks(layout, converge):
    converge(Wanted([OFFSITE], [nightly(), nightly(name="weekly", remote_path="bucket/weekly")]))

    for wanted in (
        Wanted(absent_credentials=["offsite"]),
        Wanted([], [nightly(), nightly(name="weekly", remote_path="bucket/weekly")], purge=True),
    ):
        with pytest.raises(
            CloudsyncError, match=r"Credential offsite is used by tasks nightly and weekly\. Remove the tasks"
        ):
            converge(wanted)
    assert list_credentials(layout) == ["offsite"]


def test_a_credential_can_be_removed_together_with_its_last_task(layout, converge):
    converge(BOTH)
    other = {**OFFSITE, "name": "other"}

    converge(Wanted([other], [nightly(credential="other")], absent_credentials=["offsite"]))
    assert list_credentials(layout) == ["other"]

    outcome = converge(Wanted(absent_credentials=["other"], absent_tasks=["nightly"]))
    assert outcome.changed
    assert outcome.before["tasks"]["nightly"]["credential"] == "other"
    assert (outcome.after["tasks"]["nightly"], outcome.after["credentials"]["other"]) == ({}, {})
    assert (list_credentials(layout), list_tasks(layout)) == ([], [])
    assert os.listdir(layout.unit_dir) == ["timers.target.wants"]


def test_purge_removes_undeclared_tasks_before_undeclared_credentials(layout, converge, monkeypatch):
    converge(Wanted([OFFSITE, DRIVE], [nightly(), nightly(name="old", credential="drive", remote_path="x/y")]))
    steps = []
    for step in ("apply_units", "remove_task", "remove_credential"):
        real = getattr(apply, step)
        monkeypatch.setattr(apply, step, lambda *given, _real=real, _name=step: (steps.append(_name), _real(*given)))

    outcome = converge(Wanted([OFFSITE], [nightly()], purge=True))

    assert sorted(outcome.before["tasks"]) == ["nightly", "old"]
    assert (list_credentials(layout), list_tasks(layout)) == (["offsite"], ["nightly"])
    assert steps == ["apply_units", "remove_task", "remove_credential"]


def test_without_purge_undeclared_objects_are_kept(layout, converge):
    converge(Wanted([OFFSITE, DRIVE], [nightly()]))

    assert not converge(Wanted([OFFSITE])).changed
    assert (list_credentials(layout), list_tasks(layout)) == (["drive", "offsite"], ["nightly"])


def test_purge_does_not_remove_unreadable_files(layout, converge):
    converge(BOTH)
    with open(layout.task("nightly"), "w") as stream:
        stream.write("{")

    with pytest.raises(CloudsyncError, match=r"nightly.json is damaged: it is not a JSON object"):
        converge(Wanted([OFFSITE], [], purge=True))
    assert files.read_text(layout.task("nightly")) == "{"


def test_a_refreshed_token_is_kept_while_the_playbook_declares_the_first_one(layout, seed, converge):
    converge(Wanted([DRIVE]))
    first, second = DRIVE["secrets"]["token"], '{"access_token":"A2"}'
    save_refreshed(layout, "drive", [{"token": first}], {"token": second})

    assert not converge(Wanted([DRIVE])).changed
    assert converge(Wanted([{**DRIVE, "description": "mine"}])).changed
    assert load_credential(layout, seed, "drive").merge_secrets()["token"] == second


def test_disabling_a_task_removes_its_timer_and_keeps_its_service(layout, converge):
    converge(BOTH)

    outcome = converge(Wanted([OFFSITE], [nightly(enabled=False)]))

    assert outcome.before["tasks"]["nightly"]["units"]["timer"] is not None
    assert outcome.after["tasks"]["nightly"]["units"]["timer"] is None
    assert not os.path.lexists(unit_names.locate_enabled_link(layout, "nightly"))
    assert not os.path.exists(unit_names.locate_timer(layout, "nightly"))
    assert os.path.exists(unit_names.locate_drop_in(layout, "nightly"))


@pytest.mark.parametrize(
    "missing", [unit_names.locate_timer, unit_names.locate_drop_in, unit_names.locate_enabled_link]
)
def test_a_removed_unit_is_written_again(layout, converge, missing):
    converge(BOTH)
    os.unlink(missing(layout, "nightly"))

    assert converge(BOTH).changed
    assert os.path.lexists(missing(layout, "nightly"))
    assert not converge(BOTH).changed


def restore(**options):
    return {"name": "restore", "reverse_of": "nightly", "path": "/srv/restored", **options}


def test_a_reverse_task_is_applied_after_its_original_in_any_order(layout, seed, converge):
    converge(BOTH)
    wanted = Wanted([OFFSITE], [restore(), nightly(exclude=["*.tmp"])])

    converge(wanted)

    assert load_task(layout, seed, "restore").exclude == ("*.tmp",)
    assert load_task(layout, seed, "restore").encryption.password == "crypt-s3cr3t"
    assert not converge(wanted).changed


def test_the_reverse_of_a_task_that_is_removed_in_the_same_call_is_refused(converge):
    converge(BOTH)

    for wanted in (
        Wanted([], [restore()], absent_tasks=["nightly"]),
        Wanted([OFFSITE], [restore()], purge=True),
    ):
        with pytest.raises(CloudsyncError, match="reverse_of is 'nightly', but this task does not exist"):
            converge(wanted)


def test_a_pull_with_an_old_rclone_gives_a_warning(converge):
    pull = nightly(direction="pull")

    assert converge(Wanted([OFFSITE], [pull])).warnings == []
    warnings = converge(Wanted([OFFSITE], [pull]), version=(1, 74, 0)).warnings
    assert len(warnings) == 1
    assert "Task nightly: A pull with rclone 1.74.0 is not safe." in warnings[0]
    assert "CVE-2026-71313" in warnings[0]


def test_a_blank_at_the_end_of_an_encrypted_path_is_refused_where_rclone_would_lose_it(make_task):
    task = make_task(remote_path="Backups ", encryption={"password": "secret"})
    with pytest.raises(CloudsyncError, match="remote_path is 'Backups ', which rclone's configuration cannot contain"):
        vet_task(task, "drive", {})
    vet_task(task, "s3", {})


def test_no_task_has_the_name_of_the_drill_of_another_task(layout, converge):
    converge(Wanted([OFFSITE], [nightly(drill={})]))
    other = nightly(name="drill-nightly", path="/srv/other", remote_path="bucket/other")
    with pytest.raises(CloudsyncError, match="Task drill-nightly has the name of the drill of task nightly"):
        converge(Wanted(tasks=[other]))
    converge(Wanted(tasks=[nightly(), other]))
    with pytest.raises(CloudsyncError, match="Task drill-nightly has the name of the drill"):
        converge(Wanted(tasks=[nightly(drill={})]))
    timer = unit_names.locate_timer(layout, "drill-nightly")
    assert os.path.exists(timer)
    converge(Wanted(tasks=[nightly(schedule={"preset": "hourly"})]))
    converge(Wanted(absent_tasks=["nightly"]))
    assert os.path.exists(timer)


def test_the_timer_of_a_drill_is_installed_repaired_and_removed_with_its_task(layout, converge):
    wanted = Wanted([OFFSITE], [nightly(drill={"schedule": {"preset": "weekly"}})])
    outcome = converge(wanted)
    timer = unit_names.locate_timer(layout, "drill-nightly")
    assert outcome.after["tasks"]["nightly"]["drill_units"]["timer"] == files.read_text(timer)
    assert "Unit=cloudsync@drill-nightly.service" in files.read_text(timer)
    assert not converge(wanted).changed
    os.unlink(timer)
    assert converge(wanted).changed
    converge(Wanted([OFFSITE], [nightly(enabled=False, drill={"schedule": {"preset": "weekly"}})]))
    assert not os.path.exists(timer)
    converge(wanted)
    converge(Wanted(absent_tasks=["nightly"]))
    assert [name for name in os.listdir(layout.unit_dir) if "drill" in name] == []
