# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

COMMAND = "usr/local/bin/cloudsync"
ENGINE = "usr/local/lib/cloudsync"


@pytest.fixture
def options(bare_host):
    return {"rclone": str(bare_host.rclone.program), "interpreter": sys.executable}


def sources(host):
    """What was installed, without Python's cache."""
    return {name: text for name, text in host.files().items() if "__pycache__" not in name}


def test_the_runner_is_installed_once(bare_host, options):
    predicted = bare_host.ok("runner", options, check=True)
    assert bare_host.files() == {}
    result = bare_host.ok("runner", options)
    assert result == predicted
    assert result["changed"]
    assert result["command"] == str(bare_host.root / COMMAND)
    assert os.access(result["command"], os.X_OK)
    assert os.readlink(str(bare_host.root / ENGINE / "rclone")) == options["rclone"]
    installed = sources(bare_host)
    assert not bare_host.ok("runner", options)["changed"]
    assert sources(bare_host) == installed


def test_the_installed_command_works_from_any_directory(bare_host, options, tmp_path):
    bare_host.ok("runner", options)
    listed = subprocess.run(
        [str(bare_host.root / COMMAND), "list", "--json"],
        cwd=str(tmp_path),
        env={"CLOUDSYNC_ROOT": str(bare_host.root)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(listed.stdout) == []


def test_a_file_that_was_edited_is_put_right(bare_host, options):
    bare_host.ok("runner", options)
    installed = sources(bare_host)
    path = bare_host.root / ENGINE / "_engine/common/errors.py"
    path.write_text("edited\n")
    (path.parent / "of_an_older_version.py").write_text("")
    result = bare_host.ok("runner", options)
    assert result["changed"]
    assert result["diff"]["before"]["files"][str(path)] == "edited\n"
    assert sources(bare_host) == installed


def test_another_rclone_changes_the_link(bare_host, options, tmp_path):
    bare_host.ok("runner", options)
    result = bare_host.ok("runner", dict(options, rclone=None))
    assert result["changed"]
    assert not os.path.lexists(str(bare_host.root / ENGINE / "rclone"))
    assert result["diff"]["before"]["rclone"] == options["rclone"]


def test_it_is_not_removed_while_there_are_tasks(host, documents, options):
    host.ok("runner", options)
    host.ok("task", documents)
    gone = {"state": "absent"}
    message = host.refused("runner", gone)
    assert message == (
        "The runner can't be removed while there are tasks: documents. Remove them first "
        "(skyhaul.cloudsync.host_config with purge)."
    )
    assert host.refused("runner", gone, check=True) == message
    host.ok("task", {"name": "documents", "state": "absent"})
    assert host.ok("runner", gone)["changed"]
    assert sorted(host.files()) == ["etc/cloudsync/credentials/offsite.json", "etc/cloudsync/seed"]
    assert not host.ok("runner", gone)["changed"]
