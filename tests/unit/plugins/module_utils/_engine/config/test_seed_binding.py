# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import processes
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError, Damaged
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed as seeds
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed_binding as binding
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping import seed as seed_states

# A simulated systemd-creds of a machine without a TPM. It does not encrypt anything.
PROGRAM = """#!/bin/sh
echo "$*" >> {folder}/called
case "$*" in
--version) echo "systemd 252" ;;
*--with-key=tpm2*|*--with-key=host+tpm2*) echo "TPM2 support not installed: Operation not supported" >&2; exit 1 ;;
encrypt*--name=cloudsync-seed\\ -\\ -) base64 ;;
decrypt\\ --name=cloudsync-seed\\ -\\ -)
    if [ -e {folder}/lost ]; then
        echo "Failed to determine local credential key: No such file or directory" >&2
        exit 1
    fi
    base64 -d ;;
*) exit 99 ;;
esac
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return the folder of a simulated systemd-creds. A file named ``lost`` in it simulates a lost key."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "systemd-creds"
    program.write_text(PROGRAM.format(folder=folder))
    program.chmod(0o755)
    monkeypatch.setattr(processes, "SEARCH_PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def converge(layout):
    def call(state="present", bound=None, check_mode=False):
        return seed_states.converge_seed(layout, state, "", "", False, check_mode, bound)

    return call


def stored(layout):
    with open(layout.seed) as stream:
        return json.load(stream)


def drop_in(layout):
    return f"{layout.unit_dir}/cloudsync@.service.d/40-seed.conf"


@pytest.mark.usefixtures("machine")
def test_a_bound_seed_is_readable_and_its_file_contains_no_key(layout, seed, converge):
    outcome = converge(bound="host")

    assert outcome.changed and (outcome.before["bound"], outcome.after["bound"]) == ("none", "host")
    assert sorted(stored(layout)) == ["bound", "checksum", "schema", "sealed"]
    assert seeds.load_seed(layout).to_dict() == seed.to_dict()
    assert not os.path.exists(drop_in(layout))
    assert not converge(bound="host").changed
    assert not converge().changed


@pytest.mark.usefixtures("machine")
def test_a_rotation_keeps_the_binding_and_bound_none_removes_it(layout, seed, converge):
    converge(bound="auto")
    assert converge("rotated").after["bound"] == "auto"
    rotated = seeds.load_seed(layout)
    assert rotated.primary != seed.primary

    assert converge(bound="none").changed
    assert seeds.load_seed(layout).to_dict() == rotated.to_dict()
    assert stored(layout)["bound"] == "none"


def test_no_key_is_passed_as_an_argument(layout, seed, machine, converge):
    converge(bound="host")
    seeds.load_seed(layout)

    called = (machine / "called").read_text()
    key = base64.b64encode(seed.keys[seed.primary]).decode()
    assert "encrypt --with-key=host --name=cloudsync-seed - -" in called.splitlines()
    assert key not in called


@pytest.mark.usefixtures("machine")
def test_services_can_open_the_tpm_only_if_the_seed_may_need_it(layout, seed, converge):
    foreseen = converge(bound="auto", check_mode=True)
    assert not os.path.exists(drop_in(layout))
    assert converge(bound="auto").after == foreseen.after
    with open(drop_in(layout)) as stream:
        assert stream.read() == foreseen.after["unit"]
    assert "DeviceAllow=/dev/tpmrm0 rw" in foreseen.after["unit"]
    os.unlink(drop_in(layout))
    assert converge().changed and os.path.exists(drop_in(layout))

    converge(bound="host")
    assert not os.path.exists(drop_in(layout))
    assert seeds.load_seed(layout).keys == seed.keys


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("kind", ["tpm2", "host+tpm2"])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_binding_that_the_machine_does_not_support_is_refused_and_changes_nothing(
    layout, seed, converge, kind, check_mode
):
    with pytest.raises(CloudsyncError) as caught:
        converge(bound=kind, check_mode=check_mode)

    assert caught.value.message == (
        f"Cannot bind the seed with bound={kind}. The seed was not changed. Cause: systemd-creds failed: TPM2 support "
        "not installed: Operation not supported."
    )
    assert seeds.load_seed(layout) == seed


@pytest.mark.parametrize("check_mode", [True, False])
def test_without_systemd_creds_the_error_says_what_to_install(layout, seed, converge, monkeypatch, check_mode):
    monkeypatch.setattr(processes, "SEARCH_PATH", "/nonexistent")

    with pytest.raises(CloudsyncError, match="Install systemd 250 or newer"):
        converge(bound="host", check_mode=check_mode)
    assert seeds.load_seed(layout) == seed


def test_a_lost_key_is_reported_and_the_seed_is_kept(layout, seed, machine, converge, monkeypatch):
    converge(bound="host")
    before = stored(layout)
    (machine / "lost").touch()

    for lose in (lambda: None, lambda: monkeypatch.setattr(processes, "SEARCH_PATH", "/nonexistent")):
        lose()
        for call in (
            lambda: seeds.load_seed(layout),
            converge,
            lambda: converge("rotated"),
            lambda: converge("present", "none"),
        ):
            with pytest.raises(Damaged) as caught:
                call()
            assert caught.value.reason == "undecryptable"
            assert "is bound (bound=host), and this host cannot open it. It was not changed." in caught.value.message
            assert "skyhaul.cloudsync.restore" in caught.value.message
    assert stored(layout) == before
    assert seed.primary not in json.dumps(before)


def test_a_seed_that_cannot_be_opened_again_is_not_written(layout, seed, machine, converge):
    (machine / "lost").touch()

    with pytest.raises(CloudsyncError, match="systemd-creds cannot decrypt what it has encrypted"):
        converge(bound="host")
    assert seeds.load_seed(layout) == seed


def test_a_hanging_tpm_ends_in_an_error_and_is_not_reported_as_damage(machine, monkeypatch):
    (machine / "systemd-creds").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(binding, "SECONDS", 0.1)

    with pytest.raises(CloudsyncError, match=r"timed out after 0\.1 s ") as caught:
        binding.open_bound("AAAA", "tpm2", "/etc/cloudsync/seed")
    assert not isinstance(caught.value, Damaged)
