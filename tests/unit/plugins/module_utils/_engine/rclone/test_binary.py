# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone import binary


def program(path, text):
    os.makedirs(str(path.parent), exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_the_rclone_that_the_role_installed_comes_first(tmp_path):
    layout = Layout(str(tmp_path / "root"))
    other = program(tmp_path / "bin" / "rclone", "")
    assert binary.find(layout, str(tmp_path / "bin")) == other

    os.makedirs(layout.engine_dir)
    os.symlink(other, layout.rclone_link)

    assert binary.find(layout, "") == layout.rclone_link


def test_a_dangling_link_is_not_silently_replaced_by_another_rclone(tmp_path):
    layout = Layout(str(tmp_path / "root"))
    program(tmp_path / "bin" / "rclone", "")
    os.makedirs(layout.engine_dir)
    os.symlink(str(tmp_path / "gone"), layout.rclone_link)

    with pytest.raises(CloudsyncError) as caught:
        binary.find(layout, str(tmp_path / "bin"))

    assert caught.value.reason == "usage"
    assert layout.rclone_link in caught.value.message


def test_a_host_without_rclone_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(binary, "STANDARD_PATH", str(tmp_path))

    with pytest.raises(CloudsyncError) as caught:
        binary.find(Layout(str(tmp_path)), "")

    assert caught.value.reason == "usage"
    assert "skyhaul.cloudsync.runner" in caught.value.message


@pytest.mark.parametrize(
    "said, version",
    [
        ("rclone v1.75.2\n- os/version: debian 12.11 (64 bit)\n", (1, 75, 2)),
        ("rclone v1.60.1-DEV\n- os/version: debian 12.11 (64 bit)\n", (1, 60, 1)),
        ("rclone v1.76.0-beta.9001.abcdef\n", (1, 76, 0)),
        ("rclone v1.61\n", (1, 61, 0)),
    ],
)
def test_released_distribution_and_beta_versions_are_understood(said, version):
    assert binary.parse_version(said) == version


def test_an_rclone_below_the_oldest_is_refused_with_both_versions(tmp_path):
    path = program(tmp_path / "rclone", "echo rclone v1.59.2")

    with pytest.raises(CloudsyncError) as caught:
        binary.probe(path)

    assert caught.value.reason == "usage"
    assert "1.59.2" in caught.value.message
    assert "1.60.0" in caught.value.message


@pytest.mark.parametrize("text", ["echo something else", "echo broken >&2; exit 3"])
def test_a_program_that_is_not_rclone_is_refused(tmp_path, text):
    with pytest.raises(CloudsyncError) as caught:
        binary.probe(program(tmp_path / "rclone", text))

    assert caught.value.reason == "usage"


def test_a_program_that_can_not_be_run_is_refused(tmp_path):
    path = program(tmp_path / "rclone", "echo rclone v1.75.2")
    os.chmod(path, stat.S_IRUSR)

    with pytest.raises(CloudsyncError) as caught:
        binary.probe(str(tmp_path / "absent"))

    assert "absent" in caught.value.message


def test_a_killed_rclone_is_an_interruption_and_no_usage_error(tmp_path):
    with pytest.raises(CloudsyncError) as caught:
        binary.probe(program(tmp_path / "rclone", "kill -9 $$\n"))

    assert caught.value.reason == "interrupted"
    assert "was killed by signal 9" in caught.value.message


def test_nothing_but_the_proxy_settings_is_inherited(tmp_path, monkeypatch):
    monkeypatch.setenv("RCLONE_DRY_RUN", "true")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    path = program(tmp_path / "rclone", f"env > '{tmp_path / 'env'}'; echo rclone v1.75.2")

    binary.probe(path)

    names = {line.split("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert "RCLONE_DRY_RUN" not in names
    assert "AWS_CA_BUNDLE" not in names
    assert {"HTTPS_PROXY", "HOME", "PATH", "LANG"} <= names


def test_the_home_is_that_of_the_user_that_rclone_runs_as():
    assert binary.build_clean_environment("/home/backup", {})["HOME"] == "/home/backup"
    assert "HTTPS_PROXY" not in binary.build_clean_environment(None, {})


def test_features_go_by_version():
    old, new = binary.Rclone("rclone", (1, 60, 1)), binary.Rclone("rclone", (1, 75, 2))

    assert not old.has_strict_names
    assert not old.has_safe_pull
    assert new.has_strict_names
    assert new.has_safe_pull
    assert not binary.Rclone("rclone", (1, 74, 4)).has_safe_pull
    assert new.version_text == "1.75.2"


@pytest.fixture
def asked(monkeypatch):
    """The programs that were asked for their version."""
    found = []
    monkeypatch.setattr(binary, "run_quietly", lambda path, _word: found.append(path) or "rclone v1.75.2\n- os")
    return found


def test_a_program_is_asked_for_its_version_until_it_is_replaced(tmp_path, asked):
    path = tmp_path / "rclone"
    path.write_bytes(binary.ELF + b"first")

    for _time in range(2):
        assert binary.probe(str(path), str(tmp_path)).version == (1, 75, 2)
    assert len(asked) == 1

    path.unlink()
    path.write_bytes(binary.ELF + b"other")
    binary.probe(str(path), str(tmp_path))
    assert len(asked) == 2


@pytest.mark.parametrize("name, content", [("rclone", b"#!/bin/sh\nexec /opt/rclone"), ("snap", binary.ELF)])
def test_a_program_that_starts_another_one_is_always_asked(tmp_path, asked, name, content):
    (tmp_path / name).write_bytes(content)

    for _time in range(2):
        binary.probe(str(tmp_path / name), str(tmp_path))

    assert len(asked) == 2


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"program": 1}'])
def test_a_damaged_answer_is_asked_for_again(tmp_path, asked, damage):
    path = tmp_path / "rclone"
    path.write_bytes(binary.ELF)
    binary.probe(str(path), str(tmp_path))
    (tmp_path / binary.CACHE_NAME).write_text(damage)

    assert binary.probe(str(path), str(tmp_path)).version == (1, 75, 2)
    assert len(asked) == 2


def test_check_mode_creates_no_folder_for_the_answer(tmp_path, asked):
    (tmp_path / "rclone").write_bytes(binary.ELF)

    binary.probe(str(tmp_path / "rclone"), str(tmp_path / "absent"))

    assert asked
    assert not (tmp_path / "absent").exists()
