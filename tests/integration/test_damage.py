# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Damage to the stored files: each flipped, cut or emptied one is refused with a sentence that names it."""

from __future__ import annotations

import json
import pathlib
import random

import harness
import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed_passphrase
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import load_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.seed import load_seed
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import load_task, save_onetime
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.one_time import build_onetime_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping.backup import take_backup
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping.restore import restore_backup

PASSPHRASE = harness.SECRET + "-passphrase"


@pytest.fixture(name="site")
def fixture_site(machine):
    """A host with one object of each kind."""
    token = json.dumps({"access_token": harness.SECRET, "expiry": "2030-01-01T00:00:00Z"})
    harness.write_tree(machine.data / "www", {"index.html": "hello"})
    push = {"credential": "disk", "direction": "push", "path": str(machine.data / "www")}
    machine.declare(
        [{"name": "disk", "provider": "local"}, {"name": "drive", "provider": "drive", "secrets": {"token": token}}],
        [
            {
                "name": "www",
                **push,
                "remote_path": str(machine.data / "copy"),
                "encryption": {"password": harness.PASSWORD},
                "hooks": {"before": "true"},
                "schedule": {"preset": "daily"},
                "notify": ["https://hooks.example.net/" + harness.SECRET],
            }
        ],
    )
    once = build_onetime_task(machine.host, "once", {**push, "remote_path": str(machine.data / "once")})
    save_onetime(machine.layout, machine.host.seed, once)
    return machine


def damages(content, positions):
    """Yield damaged forms of ``content``: empty, and for each position one flipped bit and a cut."""
    chance = random.Random(len(content))
    yield b""
    for position in positions:
        yield content[:position] + bytes([content[position] ^ 1 << chance.randrange(8)]) + content[position + 1 :]
        yield content[:position]


def choose_positions(content, quick):
    """Return all positions in `make soak`, else ``quick`` random ones."""
    count = min(len(content), harness.scale(quick, len(content)))
    return sorted(random.Random(len(content)).sample(range(len(content)), count))


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["seed", "credential", "task", "onetime"])
def test_a_damaged_file_is_refused_by_name_wherever_the_damage_is(site, kind):
    layout = site.layout
    path, load = {
        "seed": (layout.seed, lambda: load_seed(layout)),
        "credential": (layout.credential("drive"), lambda: load_credential(layout, load_seed(layout), "drive")),
        "task": (layout.task("www"), lambda: load_task(layout, load_seed(layout), "www")),
        "onetime": (layout.build_onetime_task("once"), lambda: load_task(layout, load_seed(layout), "once")),
    }[kind]
    file, expected = pathlib.Path(path), load()
    content = file.read_bytes()
    for damaged in damages(content, choose_positions(content, 300)):
        file.write_bytes(damaged)
        try:
            found = load()
        except CloudsyncError as error:
            assert path in error.message and "cloudsync failed" not in error.message, error.message
            assert harness.SECRET not in error.message
        else:
            # A cut of the last line break, for example, changes nothing.
            assert found == expected, damaged
        assert file.read_bytes() == damaged


@pytest.mark.soak
def test_a_damaged_backup_is_refused_wherever_the_damage_is(site, tmp_path, monkeypatch):
    monkeypatch.setattr(seed_passphrase, "COST", 2**4)
    content = take_backup(site.layout, PASSPHRASE, "", False).text.encode()
    other = Layout(str(tmp_path / "other"))
    expected = restore_backup(other, content.decode(), PASSPHRASE, "keep", None, True)
    for damaged in damages(content, choose_positions(content, 300)):
        try:
            text = damaged.decode("utf-8", "replace")
            found = restore_backup(other, text, PASSPHRASE, "keep", None, True)
        except CloudsyncError as error:
            assert error.reason in ("damaged", "usage", "undecryptable"), error.message
            assert "backup" in error.message or "wrapped seed" in error.message, error.message
        else:
            assert (found.after, found.warnings) == (expected.after, expected.warnings), damaged
    assert not pathlib.Path(other.root).exists()


def test_the_command_and_the_modules_refuse_an_edited_task_and_apply_replaces_it(site, reliability):
    path = pathlib.Path(site.layout.task("www"))
    content = path.read_text()
    path.write_text(content.replace('"before": "true"', '"before": "touch /planted"'))
    assert path.read_text() != content
    message = f"Task www in {path} is damaged: it was edited, or cloudsync did not write it. Nothing was changed."

    record = site.run("www", 1, "damaged")
    assert record["message"].startswith(message)
    assert not pathlib.Path("/planted").exists()
    for answer in (site.cloudsync("gate", "www"), site.cloudsync("run", "www", "--dry-run")):
        assert answer.code == 1 and answer.err.startswith("cloudsync: " + message), answer
    assert site.module("run", task="www", dry_run=True)["msg"].startswith(message)
    assert site.module("backup", passphrase=PASSPHRASE)["msg"].startswith(message)
    assert site.module("seed", state="rotated")["msg"].startswith(message)
    assert site.cloudsync("check").code == 1
    # A display needs no seed.
    assert site.cloudsync("status").code == 0

    applied = site.module(
        "task", name="www", credential="disk", direction="push", path=str(site.data / "www"), remote_path="/srv/copy"
    )
    assert applied["changed"] and "was edited" in json.dumps(applied["warnings"])
    assert ["/planted" in kept.read_text() for kept in path.parent.glob("www.json.damaged-*")] == [True]
    assert site.cloudsync("gate", "www").code == 0
    reliability.add(
        "The file of a task is edited on the host, for example to plant a hook.",
        record,
        heard="the run fails, and `cloudsync check` reports it",
    )


def test_a_run_with_a_damaged_credential_fails_and_calls_its_failure_hook(machine, reliability):
    harness.write_tree(machine.data / "www", {"index.html": "hello"})
    marker = machine.data / "told"
    machine.declare(
        [{"name": "disk", "provider": "local"}],
        [
            {
                "name": "www",
                "credential": "disk",
                "direction": "push",
                "path": str(machine.data / "www"),
                "remote_path": str(machine.data / "copy"),
                "hooks": {"failure": f'echo "$CLOUDSYNC_REASON" > {marker}'},
            }
        ],
    )
    path = pathlib.Path(machine.layout.credential("disk"))
    path.write_text(path.read_text().replace('"local"', '"s3"'))

    record = machine.run("www", 1, "damaged")

    assert f"Credential disk in {path} is damaged" in record["message"]
    assert marker.read_text() == "damaged\n"
    assert not (machine.data / "copy").exists()
    reliability.add(
        "The file of a credential is edited on the host, for example to send data to another place.",
        record,
        heard="the failure hook, the notification and `cloudsync check`",
    )
