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
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import apply as room
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted
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
    Wanted(absent_tasks=["nightly"], absent_credentials=["offsite"]),
    Wanted(absent_tasks=["none"]),
    Wanted([OFFSITE], [], purge=True),
    Wanted(purge=True),
    Wanted([OFFSITE], [nightly(name="restore", reverse_of="nightly", direction="pull", path="/tmp/x")]),
]


@pytest.fixture
def converge(make_host, seed):
    def call(wanted, check_mode=False, version=(1, 75, 2)):
        return room.converge(make_host(version), wanted, check_mode)

    return call


def tree(layout):
    """Every file but the locks, with its text."""
    found = {}
    for folder, _folders, names in os.walk(layout.root):
        for name in names:
            path = os.path.join(folder, name)
            if not path.startswith(layout.run_dir):
                with open(path) as stream:
                    found[path] = stream.read()
    return found


def test_a_whole_host_in_one_call(layout, seed, converge):
    tasks = [nightly(name=f"t{number:03d}", remote_path=f"bucket/{number}") for number in range(20)]

    outcome = converge(Wanted([OFFSITE, DRIVE], tasks))

    assert outcome.changed
    assert list_credentials(layout) == ["drive", "offsite"]
    assert list_tasks(layout) == sorted(task["name"] for task in tasks)
    assert load_task(layout, seed, "t003").remote_path == "bucket/3"
    assert os.path.islink(unit_names.locate_enabled_link(layout, "t003"))
    assert outcome.before["tasks"]["t003"] == {}
    assert outcome.after["tasks"]["t003"]["units"]["timer"] == files.read_text(unit_names.locate_timer(layout, "t003"))


def test_a_second_application_changes_nothing_and_writes_nothing(layout, converge):
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
def test_check_mode_says_what_the_real_run_does_and_writes_nothing(layout, converge, before, wanted):
    converge(before)
    there = tree(layout)

    predicted = converge(wanted, check_mode=True)
    assert tree(layout) == there
    done = converge(wanted)

    assert (predicted.before, predicted.after, predicted.changed) == (done.before, done.after, done.changed)
    assert (predicted.credentials, predicted.tasks) == (done.credentials, done.tasks)
    assert (tree(layout) != there) == done.changed
    assert not converge(wanted).changed


def test_no_outcome_has_a_secret_in_it(converge):
    outcomes = [converge(BOTH, check_mode=True), converge(BOTH), converge(Wanted(purge=True))]

    for outcome in outcomes:
        shown = json.dumps([outcome.before, outcome.after, outcome.credentials, outcome.tasks, outcome.warnings])
        assert "s3cr3t" not in shown
        assert "cs1:" not in shown


def test_a_check_before_the_first_real_run_needs_neither_seed_nor_rclone(layout, make_host):
    outcome = room.converge(make_host(None), BOTH, True)

    assert outcome.changed
    assert outcome.warnings == ["rclone is not installed yet, so no provider option could be checked."]
    assert not os.path.exists(layout.root)


def test_without_a_seed_the_real_run_writes_nothing(layout, make_host):
    with pytest.raises(CloudsyncError, match=r"seed .* is missing"):
        room.converge(make_host(), BOTH, False)
    assert tree(layout) == {}


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (Wanted([OFFSITE, OFFSITE]), "The credential offsite is declared twice in one call."),
        (Wanted([OFFSITE], [nightly(), nightly()]), "The task nightly is declared twice in one call."),
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
def test_what_is_wrong_ends_the_call_before_anything_is_written(layout, converge, wanted, sentence):
    before = tree(layout)

    for check_mode in (True, False):
        with pytest.raises(CloudsyncError) as caught:
            converge(wanted, check_mode)
        assert sentence in caught.value.message

    assert tree(layout) == before


def test_a_task_needs_its_credential_which_an_earlier_one_of_the_play_may_declare(layout, converge):
    sentence = "The task nightly names the credential 'offsite', which this host does not have (it has: none)."

    assert converge(Wanted([], [nightly()]), check_mode=True).warnings == [
        sentence + " A real run fails unless it is declared before."
    ]
    with pytest.raises(CloudsyncError) as caught:
        converge(Wanted([], [nightly()]))
    assert caught.value.message == sentence
    assert list_tasks(layout) == []


def test_a_credential_in_use_is_not_removed_and_its_tasks_are_named(layout, converge):
    converge(Wanted([OFFSITE], [nightly(), nightly(name="weekly", remote_path="bucket/weekly")]))

    for wanted in (
        Wanted(absent_credentials=["offsite"]),
        Wanted([], [nightly(), nightly(name="weekly", remote_path="bucket/weekly")], purge=True),
    ):
        with pytest.raises(CloudsyncError, match="The credential offsite is used by the task nightly, the task weekly"):
            converge(wanted)
    assert list_credentials(layout) == ["offsite"]


def test_a_credential_goes_together_with_its_last_task(layout, converge):
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


def test_a_purge_removes_what_is_not_declared_tasks_before_credentials(layout, converge, monkeypatch):
    converge(Wanted([OFFSITE, DRIVE], [nightly(), nightly(name="old", credential="drive", remote_path="x/y")]))
    steps = []
    for step in ("apply_units", "remove_task", "remove_credential"):
        real = getattr(room, step)
        monkeypatch.setattr(room, step, lambda *given, _real=real, _name=step: (steps.append(_name), _real(*given)))

    outcome = converge(Wanted([OFFSITE], [nightly()], purge=True))

    assert sorted(outcome.before["tasks"]) == ["nightly", "old"]
    assert (list_credentials(layout), list_tasks(layout)) == (["offsite"], ["nightly"])
    assert steps == ["apply_units", "remove_task", "remove_credential"]


def test_without_a_purge_what_is_not_declared_stays(layout, converge):
    converge(Wanted([OFFSITE, DRIVE], [nightly()]))

    assert not converge(Wanted([OFFSITE])).changed
    assert (list_credentials(layout), list_tasks(layout)) == (["drive", "offsite"], ["nightly"])


def test_a_purge_does_not_remove_what_it_can_not_read(layout, converge):
    converge(BOTH)
    with open(layout.task("nightly"), "w") as stream:
        stream.write("{")

    with pytest.raises(CloudsyncError, match=r"nightly.json is damaged: it is not a JSON object"):
        converge(Wanted([OFFSITE], [], purge=True))
    assert files.read_text(layout.task("nightly")) == "{"


def test_a_refreshed_token_survives_the_playbook_that_carries_the_first_one(layout, seed, converge):
    converge(Wanted([DRIVE]))
    first, second = DRIVE["secrets"]["token"], '{"access_token":"A2"}'
    save_refreshed(layout, "drive", {"token": first}, {"token": second})

    assert not converge(Wanted([DRIVE])).changed
    assert converge(Wanted([{**DRIVE, "description": "mine"}])).changed
    assert load_credential(layout, seed, "drive").merge_secrets()["token"] == second


def test_a_disabled_task_keeps_its_service_and_loses_its_timer(layout, converge):
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
def test_a_unit_that_somebody_removed_is_put_back(layout, converge, missing):
    converge(BOTH)
    os.unlink(missing(layout, "nightly"))

    assert converge(BOTH).changed
    assert os.path.lexists(missing(layout, "nightly"))
    assert not converge(BOTH).changed


def restore(**options):
    return {"name": "restore", "reverse_of": "nightly", "path": "/srv/restored", **options}


def test_a_restore_follows_its_original_wherever_it_stands(layout, seed, converge):
    converge(BOTH)
    wanted = Wanted([OFFSITE], [restore(), nightly(exclude=["*.tmp"])])

    converge(wanted)

    assert load_task(layout, seed, "restore").exclude == ("*.tmp",)
    assert load_task(layout, seed, "restore").encryption.password == "crypt-s3cr3t"
    assert not converge(wanted).changed


def test_a_restore_of_a_task_that_goes_in_the_same_call_is_refused(converge):
    converge(BOTH)

    for wanted in (
        Wanted([], [restore()], absent_tasks=["nightly"]),
        Wanted([OFFSITE], [restore()], purge=True),
    ):
        with pytest.raises(CloudsyncError, match="reverse_of is 'nightly', but this task does not exist"):
            converge(wanted)


def test_a_pull_with_an_old_rclone_is_warned_of(converge):
    pull = nightly(direction="pull")

    assert converge(Wanted([OFFSITE], [pull])).warnings == []
    warnings = converge(Wanted([OFFSITE], [pull]), version=(1, 74, 0)).warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("The task nightly: It pulls with rclone 1.74.0")
    assert "CVE-2026-71313" in warnings[0]
