# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The units as systemd itself reads them. No system manager is needed for that."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.files import atomic_write, make_directory
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_parser import parse_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd import unit_files as units
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd import unit_names
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd.install import UnitChange, apply_units

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")

TASKS = {
    "the fewest options": {},
    "a pull": {"direction": "pull", "keep_deleted": {"path": "/srv/old files"}},
    "a move": {"mode": "move"},
    "limits": {"limits": {"nice": -5, "io_weight": 50, "memory_max": "512M", "cpu_quota": "50%"}},
    "other limits": {"limits": {"nice": 19, "io_weight": 10000, "memory_max": "80%", "cpu_quota": "200%"}},
    "hooks": {"hooks": {"before": "true"}, "snapshot": "auto", "limits": {"nice": 5}},
    "a schedule": {"schedule": {"cron": "*/5 8-17 1,15 jan-mar mon-fri", "timezone": "Europe/Berlin"}},
    "a window": {"schedule": {"preset": "hourly", "begin": "22:30", "end": "03:15", "spread": "5m", "catch_up": True}},
}
PATHS = [
    "/srv/my data",
    "/srv/100%",
    "/srv/%i/%%",
    '/srv/a"b',
    "/srv/a\\b",
    "/srv/a\\",
    "/srv/it's",
    "/srv/$HOME;#é",
    "/",
]


def said_of(layout, path):
    """What systemd has to say about a unit, about ours only."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", path],
        env={**os.environ, "SYSTEMD_UNIT_PATH": layout.unit_dir + ":"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode().splitlines()
    return [line for line in said if "cloudsync" in line or layout.root in line] + [""] * done.returncode


@pytest.fixture(name="layout")
def fixture_layout(tmp_path):
    return Layout(str(tmp_path / "host"))


@pytest.fixture
def verify(layout):
    """Install the units of a task; what systemd has to say about them."""
    make_directory(os.path.dirname(layout.command), 0o755)
    atomic_write(layout.command, b"#!/bin/sh\n", 0o755)
    make_directory(layout.unit_dir, 0o755)
    atomic_write(f"{layout.unit_dir}/{unit_names.TEMPLATE}", units.render_service(layout).encode(), 0o644)

    def call(drop_in=None, **options):
        fewest = {"name": "nightly.1_a-b", "credential": "c", "direction": "push", "path": "/srv/data"}
        task = parse_task({**fewest, "remote_path": "bucket/data", "schedule": {"preset": "daily"}, **options})
        apply_units(
            layout, [UnitChange(task.name, units.render_timer(task), drop_in or units.render_drop_in(task, "s3", {}))]
        )
        return said_of(layout, unit_names.locate_timer(layout, task.name))

    return call


@pytest.mark.parametrize("name", TASKS)
def test_systemd_has_nothing_to_say_about_the_units(verify, name):
    assert verify(**TASKS[name]) == []


@pytest.mark.parametrize("path", PATHS)
def test_nor_about_any_path(verify, path):
    assert verify(direction="pull", path=path, guards={"allow_root": True}) == []


def test_nor_about_the_watch_for_overdue_runs(installed):
    layout = Layout(str(installed))
    for path in units.render_common_units(layout):
        assert said_of(layout, path) == []


def measure_exposure(layout, unit):
    """Return the exposure level of a service that systemd computes: 0 is best, 10 is worst."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", unit],
        env={**os.environ, "SYSTEMD_UNIT_PATH": layout.unit_dir + ":"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout.decode())
    if found is None and b"--offline" in done.stdout:
        pytest.skip("this systemd-analyze cannot measure a unit that is not loaded")
    return float(found.group(1))


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({}, 2.0),
        ({"direction": "pull", "keep_deleted": {"path": "/home/old"}}, 2.0),
        ({"mode": "move"}, 2.0),
        ({"hooks": {"before": "true"}, "snapshot": "auto", "notify": ["mailto:ops@example.net"]}, 2.0),
        # It has to change users. rclone itself then has no rights of root.
        ({"user": "nobody"}, 2.6),
    ],
)
def test_systemd_calls_a_run_well_confined(verify, layout, options, limit):
    assert verify(**options) == []
    instance = unit_names.name_service("nightly.1_a-b")
    assert measure_exposure(layout, f"{layout.unit_dir}/{instance}") <= limit


def test_systemd_calls_the_watch_well_confined(installed):
    layout = Layout(str(installed))
    assert measure_exposure(layout, f"{layout.unit_dir}/cloudsync-watch.service") <= 2.0


@pytest.mark.parametrize(
    "line", ["ReadWritePaths=srv", "Nice=fast", "MemoryMax=512MB", "ReadWritePaths=/srv/%z", "Nise=5"]
)
def test_a_wrong_line_would_have_been_noticed(verify, line):
    assert verify(drop_in=f"[Service]\n{line}\n") != []
