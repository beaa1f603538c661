# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upgrades of the engine while the command is in use: a start at any moment gets one engine, whole."""

from __future__ import annotations

import pathlib
import shutil
import threading

import pytest
from harness import COLLECTIONS, run_module, scale, wait_for, write_tree

STARTS = scale(80, 500)
UPGRADES = 5
PART = "ansible_collections/skyhaul/cloudsync/plugins"


@pytest.fixture(name="versions", scope="module")
def fixture_versions(tmp_path_factory):
    """Two versions of the collection: this one, and one whose engine differs in every file."""
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(pathlib.Path(COLLECTIONS, PART), other / PART, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (other / PART / "module_utils" / "_engine").rglob("*.py"):
        if path.name != "__init__.py":
            path.write_text(path.read_text() + "\n# Another version.\n")
    return [str(other), COLLECTIONS]


@pytest.fixture(name="host")
def fixture_host(machine, rclone):
    """A host with an engine of its own, and tasks that copy a folder to other ones."""
    pathlib.Path(machine.layout.command).unlink()
    machine.module("runner", rclone=rclone)
    write_tree(machine.data / "www", {"index.html": "hello"})
    disk = {"name": "disk", "provider": "local"}
    task = {"credential": "disk", "direction": "push", "path": str(machine.data / "www")}
    www = {**task, "name": "www", "remote_path": str(machine.data / "copy")}
    hold = f"touch {machine.data}/began; until test -e {machine.data}/go; do sleep 0.05; done"
    slow = {**task, "name": "slow", "remote_path": str(machine.data / "slow"), "hooks": {"before": hold}}
    machine.declare([disk], [www, slow])
    return machine


def keep_starting(host, arguments, answers, enough):
    """Start the command again and again, until the upgrades are over and there were enough starts of all kinds."""
    while not enough():
        answers.append((arguments, host.cloudsync(*arguments)))


@pytest.mark.soak
def test_no_start_fails_while_the_engine_is_upgraded_and_nothing_is_left(host, rclone, versions):
    run = host.start("slow")
    wait_for((host.data / "began").exists, "the run that lasts for all upgrades")
    answers, upgraded = [], threading.Event()
    loops = [
        threading.Thread(
            target=keep_starting,
            args=(host, arguments, answers, lambda: upgraded.is_set() and len(answers) >= STARTS),
        )
        for arguments in (("list",), ("list", "--json"), ("status", "www"), ("run", "www"))
    ]
    for loop in loops:
        loop.start()
    try:
        changes = [
            run_module("runner", host.environment, {"rclone": rclone}, versions[number % 2])
            for number in range(UPGRADES)
        ]
    finally:
        upgraded.set()
        for loop in loops:
            loop.join()
    assert [change["changed"] for change in changes] == [True] * UPGRADES
    assert len({arguments for arguments, _answer in answers}) == len(loops)
    assert [(arguments, answer) for arguments, answer in answers if answer.code != 0] == []
    (host.data / "go").touch()
    assert host.ended(run, 0)["state"] == "success"
    assert host.cloudsync("sweep", "slow").code == 0
    assert sorted(path.name for path in pathlib.Path(host.layout.engine_dir).iterdir()) == sorted(
        ["current", "rclone", pathlib.Path(host.layout.current_engine).resolve().name]
    )
