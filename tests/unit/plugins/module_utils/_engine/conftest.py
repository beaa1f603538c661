# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for a host below a temporary directory, with a seed and a simulated rclone."""

from __future__ import annotations

import importlib
import os
import pathlib

import pytest

ENGINE = "ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine."
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


@pytest.fixture
def make_task():
    """Declare a task with these options and the required ones."""

    def make(find_task=None, **options):
        fewest = {"name": "nightly", "credential": "offsite", "direction": "push", "path": "/srv/data"}
        return engine("config.task_parser").parse_task({**fewest, "remote_path": "bucket/data", **options}, find_task)

    return make
