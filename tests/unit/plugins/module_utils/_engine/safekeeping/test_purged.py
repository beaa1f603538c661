# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import (
    list_credentials,
    load_credential,
    save_credential,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.declaration import Wanted
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.seed import load_seed
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import list_tasks
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import load_task, save_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import apply
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping import purged
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping.restore import KEEP, restore_backup
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping.seed import ROTATED, converge_seed

OFFSITE = Credential("offsite", "drive", secrets={"token": "first token"}, refreshed={"token": "newer token"})


@pytest.fixture
def task(layout, seed, make_task):
    """Return a stored task with secrets, whose credential has a refreshed token."""
    made = make_task(
        credential="offsite", encryption={"password": "crypt password"}, notify=["https://hooks.example.net/secret"]
    )
    save_credential(layout, seed, OFFSITE)
    save_task(layout, seed, made)
    return made


@pytest.fixture
def purge(layout, task, make_host):
    """Remove everything, and return the file that keeps it."""

    def call(**wanted):
        said = apply.converge(make_host(), Wanted(**{"purge": True, "purge_all": True, **wanted}), False).warnings
        names = purged.list_purges(layout)
        assert bool(names) == any("run on the host: cloudsync unpurge" in sentence for sentence in said)
        return pathlib.Path(layout.purged_dir, names[-1] + ".json") if names else None

    return call


def bring_back(layout, name=""):
    return restore_backup(layout, purged.read_purged(layout, name)[1], "", KEEP, None, False)


def rotate(layout):
    converge_seed(layout, ROTATED, "", "", False, False)


@pytest.mark.parametrize("rotations", [0, 2])
def test_a_purge_is_undone_completely_also_after_rotations_of_the_seed(layout, task, purge, rotations):
    path = purge()
    assert list_credentials(layout) == list_tasks(layout) == []
    assert path.stat().st_mode & 0o777 == 0o600
    for secret in ("first token", "newer token", ".net/secret", "crypt password"):
        assert secret not in path.read_text()
    for _time in range(rotations):
        rotate(layout)

    found = bring_back(layout)

    assert (str(found.restored), found.warnings) == (f"credential offsite, task {task.name}", [])
    ring = load_seed(layout)
    assert len(ring.keys) == 1
    assert load_credential(layout, ring, "offsite") == OFFSITE
    assert load_task(layout, ring, task.name) == task
    assert not bring_back(layout).changed


def test_objects_that_exist_again_are_not_changed(layout, task, seed, purge):
    purge()
    newer = Credential("offsite", "drive", secrets={"token": "T9"})
    save_credential(layout, seed, newer)

    found = bring_back(layout)

    assert (str(found.restored), str(found.kept)) == (f"task {task.name}", "credential offsite")
    assert load_credential(layout, seed, "offsite") == newer


def test_what_is_removed_by_name_is_not_kept(layout, task, purge):
    assert purge(purge=False, absent_tasks=[task.name], absent_credentials=["offsite"]) is None
    with pytest.raises(CloudsyncError, match=r"\AThis host keeps nothing of a purge\. .* 30 days\.\Z"):
        purged.read_purged(layout, "")


def test_an_edited_file_is_refused_and_does_not_prevent_a_rotation(layout, purge):
    path = purge()
    text = path.read_text().replace('"drive"', '"local"')
    path.write_text(text)
    with pytest.raises(CloudsyncError, match="The backup is damaged"):
        bring_back(layout)
    rotate(layout)
    assert path.read_text() == text
    assert list_credentials(layout) == []


def test_a_purge_is_kept_for_30_days(layout, purge):
    path = purge()
    for days in (29, 31):
        old = datetime.now(timezone.utc) - timedelta(days=days)
        os.rename(path, path.with_name(old.strftime(purged.NAME_FORMAT) + ".json"))
        path = path.with_name(old.strftime(purged.NAME_FORMAT) + ".json")
        (path.parent / "notes.json").touch()
        purged.remove_expired(layout)
        assert path.exists() == (days < 30)
    assert (path.parent / "notes.json").exists()
    with pytest.raises(CloudsyncError, match="keeps nothing of purge other"):
        purged.read_purged(layout, "other")
