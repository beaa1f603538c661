# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``runner`` removes what it installed, and brings it back."""

from __future__ import annotations

import importlib
import os
import sys

import pytest

ENGINE = "ansible_collections.skyhaul.cloudsync.plugins.module_utils."
belongings = importlib.import_module(ENGINE + "_belongings")
systemctl = importlib.import_module(ENGINE + "_engine.systemd.systemctl")
GONE = {"state": "absent"}
EVERYTHING = {"state": "absent", "delete_everything": True}
UNITS = "etc/systemd/system/"


@pytest.fixture
def options(bare_host):
    return {"rclone": str(bare_host.rclone.program), "interpreter": sys.executable}


@pytest.fixture
def installed(host, documents, options):
    """Provide a host with the runner, a task and its drill."""
    host.ok("runner", options)
    host.ok("task", {**documents, "drill": {"schedule": {"cron": "0 5 * * *"}, "files": "2"}})
    return host


def paths(host):
    """Return the existing paths below the root, apart from those that have existed before: directories included."""
    found = (str(path.relative_to(host.root)) for path in host.root.rglob("*"))
    return [path for path in sorted(found) if not path.startswith("etc/systemd/system/timers.target.wants/")]


def contents(host):
    return {name: text for name, text in host.files().items() if "engine-" not in name and "current" not in name}


def left(host, result):
    """Return what a result says about kept paths below the root."""
    kept = {os.path.relpath(each["path"], host.root): each["content"] for each in result["left"]}
    return {path: content for path, content in kept.items() if not path.startswith("..")}


def test_a_removal_keeps_seed_credentials_tasks_records_and_logs_and_lists_them(installed):
    log = installed.root / "var/log/cloudsync/documents/a.log"
    record = installed.root / "var/lib/cloudsync/documents/runs/a.json"
    for path in (log, record):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    kept = [
        "etc/cloudsync/credentials/offsite.json",
        "etc/cloudsync/seed",
        "etc/cloudsync/tasks/documents.json",
        "var/lib/cloudsync/documents/runs/a.json",
        "var/log/cloudsync/documents/a.log",
    ]
    predicted = installed.ok("runner", GONE, check=True)
    assert (installed.root / "usr/local/bin/cloudsync").exists()
    result = installed.ok("runner", GONE)
    assert result == predicted
    assert result["changed"]
    assert sorted(installed.files()) == kept
    assert left(installed, result) == {
        "etc/cloudsync": "Seed, credentials and tasks",
        "var/lib/cloudsync": "Records of runs",
        "var/log/cloudsync": "Logs of runs",
    }
    assert {"/run/cloudsync", "/usr/local/lib/cloudsync", "/etc/systemd/system/cloudsync@.service.d"} & {
        "/" + path for path in paths(installed)
    } == set()
    again = installed.ok("runner", GONE)
    assert not again["changed"]
    assert again["diff"]["before"] == again["diff"]["after"]


def test_an_installation_after_a_removal_brings_all_units_back(installed, options):
    before = contents(installed)
    assert f"{UNITS}timers.target.wants/cloudsync@drill-documents.timer" in before
    installed.ok("runner", GONE)
    predicted = installed.ok("runner", options, check=True)
    result = installed.ok("runner", options)
    assert result == predicted
    assert set(result["diff"]["after"]["tasks"]) == {"documents", "drill-documents"}
    assert contents(installed) == before
    assert not installed.ok("runner", options)["changed"]
    assert not installed.ok("host_config", {})["changed"]


def test_a_removal_that_was_killed_is_completed(installed):
    (installed.root / "usr/local/bin/cloudsync").unlink()
    (installed.root / UNITS / "cloudsync@documents.timer").unlink()
    assert installed.ok("runner", GONE)["changed"]
    assert not [name for name in installed.files() if name.startswith(("usr", UNITS))]


def test_a_host_without_the_runner_has_nothing_to_remove(bare_host):
    result = bare_host.ok("runner", GONE)
    assert (result["changed"], result["left"]) == (False, [])
    assert paths(bare_host) == []


def test_a_removal_of_everything_leaves_nothing_but_foreign_files(installed, source):
    foreign = ["etc/cloudsync/id_ed25519", UNITS + "cloudsync@documents.service.d/60-own.conf"]
    for name in foreign:
        (installed.root / name).write_text("own")
    (installed.root / "var/lib/cloudsync/documents").mkdir(parents=True)
    predicted = installed.ok("runner", EVERYTHING, check=True)
    result = installed.ok("runner", EVERYTHING)
    assert result == predicted
    assert sorted(installed.files()) == foreign
    assert left(installed, result) == {
        "etc/cloudsync": "Files that cloudsync did not write, or a mount",
        foreign[1]: "Drop-in that cloudsync did not write",
    }
    assert os.listdir(source) == ["a"]
    assert not (installed.root / "var/lib/cloudsync").exists()
    assert not installed.ok("runner", EVERYTHING)["changed"]


def test_everything_is_not_deleted_by_an_installation(installed, options):
    message = installed.refused("runner", {**options, "delete_everything": True})
    assert message == "delete_everything needs state=absent. Nothing was changed."


@pytest.mark.parametrize(
    ("place", "gone"), [("usr/local/lib/cloudsync/data", GONE), ("var/lib/cloudsync/x", EVERYTHING)]
)
def test_the_folder_of_a_task_is_not_removed(installed, documents, place, gone):
    folder = installed.root / place
    folder.mkdir(parents=True)
    (folder / "a").write_text("precious")
    installed.ok("task", {**documents, "path": str(folder)})
    message = installed.refused("runner", gone)
    assert message.startswith(f"The path of task documents, {folder}, is inside ")
    assert message.endswith("Nothing was changed.")


def test_a_directory_with_a_mount_in_it_is_not_removed(installed, monkeypatch):
    data = installed.root / "var/lib/cloudsync/documents/mounted"
    data.mkdir(parents=True)
    (data / "a").write_text("precious")
    mount = belongings.read_mounts()[0]
    monkeypatch.setattr(
        belongings, "read_mounts", lambda: [type(mount)(1, 0, "1:1", "/", str(data), "ext4", "/dev/sda")]
    )
    result = installed.ok("runner", EVERYTHING)
    assert (data / "a").read_text() == "precious"
    assert left(installed, result) == {"var/lib/cloudsync": "Files that cloudsync did not write, or a mount"}


def test_a_task_that_is_damaged_keeps_no_host_from_a_removal_but_from_a_deletion(installed):
    path = installed.root / "etc/cloudsync/tasks/documents.json"
    path.write_text("{")
    assert f"{path} is damaged" in installed.refused("runner", EVERYTHING)
    assert installed.ok("runner", GONE)["changed"]
    assert path.read_text() == "{"


def test_an_installation_without_the_seed_warns_that_timers_are_missing(installed, options):
    installed.ok("runner", GONE)
    (installed.root / "etc/cloudsync/seed").rename(installed.root / "seed")
    result = installed.ok("runner", options)
    assert [text for text in result["warnings"] if text.startswith("The timer of task documents was not checked: ")]


def test_systemd_stops_timers_before_runs_and_forgets_the_units(installed, monkeypatch):
    calls = []

    def record(*words):
        calls.append(words)
        return "inactive\n"

    for name in ("_uninstall", "_engine.systemd.install", "_engine.operations.stop", "_belongings"):
        module = importlib.import_module(ENGINE + name)
        monkeypatch.setattr(module, "is_running", lambda layout: True)
        if hasattr(module, "systemctl"):
            monkeypatch.setattr(module, "systemctl", record)
    monkeypatch.setattr(importlib.import_module(ENGINE + "_engine.systemd.install"), "STAMP_DIR", str(installed.root))
    installed.ok("runner", GONE)
    said = [" ".join(words) for words in calls]
    expected = [
        "stop cloudsync-watch.* cloudsync@*.timer",
        "stop cloudsync@*.service",
        "stop cloudsync-helper*.socket",
        "daemon-reload",
        "reset-failed cloudsync*",
    ]
    assert [said.index(line) for line in expected[:3]] == sorted(said.index(line) for line in expected[:3])
    assert said[-2:] == expected[3:]
