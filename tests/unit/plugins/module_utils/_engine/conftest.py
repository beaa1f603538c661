# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for a host below a temporary directory, with a seed and a simulated rclone."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import time

import pytest

ENGINE = "ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine."
SCRIPTED = """#!/bin/sh
# rclone --config FILE --FLAG=VALUE ... COMMAND ...
# rclone parses the options of a declared task.
case "$*" in *" :memory:a "*) exit 3;; esac
printf '%s\\n' "$*" >> '{folder}/called'
config="$2"
shift 2
while [ "${{1#--}}" != "$1" ]; do shift; done
[ -e "{folder}/$1.sh" ] || {{ echo "this rclone does not know $1" >&2; exit 97; }}
. "{folder}/$1.sh"
"""
RECORDED = pathlib.Path(__file__).parents[3] / "recorded" / "providers-1.75.2.json"


def engine(name):
    # Not imported above: pytest reads a conftest.py that it was pointed at before collections can be imported.
    return importlib.import_module(ENGINE + name)


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch):
    """Do not sync files: no test needs to survive a power failure, and syncing takes most of the time."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def layout(tmp_path):
    return engine("common.layout").Layout(str(tmp_path / "host"))


@pytest.fixture
def seed(layout):
    """Return the seed of the host."""
    made = engine("config.seed").make_seed()
    engine("config.seed").save_seed(layout, made)
    return made


@pytest.fixture(scope="session")
def known_providers():
    return engine("rclone.providers.schema").parse(RECORDED.read_text(encoding="utf-8"))


@pytest.fixture
def make_host(layout, known_providers):
    """Return a host with a simulated rclone, or without rclone if ``version`` is None."""

    def make(version=(1, 75, 2)):
        class KnownHost(engine("host").Host):
            rclone = version and engine("rclone.binary").Rclone("/usr/bin/rclone", version)
            has_rclone = version is not None
            providers = known_providers

        return KnownHost(layout)

    return make


@pytest.fixture
def host(make_host, seed):
    return make_host()


class ScriptedRclone:
    """A program that runs a shell script for each command of rclone; ``$config`` is its configuration."""

    def __init__(self, folder):
        self.folder = folder
        self.program = folder / "rclone"
        self.program.write_text(SCRIPTED.format(folder=folder))
        self.program.chmod(0o755)

    def on(self, command, script):
        """Run ``script`` for ``command``."""
        (self.folder / f"{command}.sh").write_text(script + "\n")

    def replay(self, command, recording):
        """Answer ``command`` as it was recorded under the name ``recording``."""
        runs = json.loads((RECORDED.parent / "runs.json").read_text(encoding="utf-8"))
        found = next(run for run in runs if run["name"] == recording and run["version"] == "1.75.2")
        (self.folder / f"{command}.err").write_text("\n".join(found["stderr"]) + "\n")
        self.on(command, f"cat {self.folder}/{command}.err >&2; exit {found['exit_code']}")

    def commands(self):
        """Return the names of the commands so far."""
        called = self.folder / "called"
        lines = called.read_text().splitlines() if called.exists() else []
        return [next(word for word in line.split()[2:] if not word.startswith("--")) for line in lines]


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """An rclone that does nothing yet. It finds no owner mark. It is not confined, because its scripts write notes."""
    monkeypatch.setattr(engine("commands.confine"), "find_version", lambda: 0)
    folder = tmp_path / "rclone"
    folder.mkdir()
    made = ScriptedRclone(folder)
    made.on("lsjson", "echo []")
    made.on("lsf", "echo a")
    made.on("cat", "true")
    made.on("rcat", "true")
    return made


@pytest.fixture
def scripted_host(layout, seed, known_providers, scripted):
    """A host with the scripted rclone and a stored credential, offsite."""

    class ScriptedHost(engine("host").Host):
        rclone = engine("rclone.binary").Rclone(str(scripted.program), (1, 75, 2))
        providers = known_providers

    attributes = {"provider": "Minio", "endpoint": "https://s3.example.com", "access_key_id": "backup"}
    secrets = {"secret_access_key": "an-s3-secret"}
    credential = engine("config.credentials").Credential("offsite", "s3", attributes=attributes, secrets=secrets)
    engine("config.credential_store").save_credential(layout, seed, credential)
    return ScriptedHost(layout)


@pytest.fixture
def store_task(layout, seed, make_task, tmp_path):
    """Store a task whose folder has one file."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a").write_text("hello\n")

    def store(**options):
        task = make_task(**{"path": str(folder), **options})
        engine("config.task_store").save_task(layout, seed, task)
        return task

    return store


@pytest.fixture
def make_task():
    """Declare a task with these options and the required ones."""

    def make(find_task=None, **options):
        fewest = {"name": "nightly", "credential": "offsite", "direction": "push", "path": "/srv/data"}
        return engine("config.task_parser").parse_task({**fewest, "remote_path": "bucket/data", **options}, find_task)

    return make


@pytest.fixture
def is_alive():
    """Return a function that says whether a process exists and has not ended."""

    def look(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
                return stream.read().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return look


@pytest.fixture
def wait_until():
    """Return a function that waits until a condition is true, at most some seconds, and returns whether it is."""

    def wait(condition, seconds=10.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.02)
        return False

    return wait
