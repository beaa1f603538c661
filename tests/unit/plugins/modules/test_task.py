# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

FILE = "etc/cloudsync/tasks/documents.json"
TIMER = "etc/systemd/system/cloudsync@documents.timer"
ENABLED = "etc/systemd/system/timers.target.wants/cloudsync@documents.timer"
DROP_IN = "etc/systemd/system/cloudsync@documents.service.d/50-task.conf"


def test_a_task_is_stored_with_its_timer_and_its_secrets_encrypted(host, documents):
    result = host.ok("task", documents)
    assert result["changed"]
    stored = host.read(FILE)
    assert stored["encryption"]["password"].startswith("cs1:")
    assert stored["encryption"]["salt"].startswith("cs1:")
    assert stored["notify"][0]["target"].startswith("cs1:")
    assert stat.S_IMODE(os.stat(str(host.root / FILE)).st_mode) == 0o600
    assert "OnCalendar=Mon..Fri *-*-* 02:30:00 Europe/Berlin\n" in (host.root / TIMER).read_text()
    assert "Persistent=yes\n" in (host.root / TIMER).read_text()
    assert (host.root / ENABLED).resolve() == (host.root / TIMER).resolve()


def test_the_result_is_the_public_view(host, documents):
    task = host.ok("task", documents)["task"]
    assert task["encryption"] == {"filenames": "standard", "directory_names": True, "secrets": ["password", "salt"]}
    assert task["notify"] == ["https://hooks.example.com"]
    assert task["schedule"]["cron"] == "30 2 * * 1-5"
    assert task["guards"]["max_delete"] == "10%"
    assert (task["mode"], task["on_overlap"], task["retries"], task["user"]) == ("sync", "skip", 2, "root")


def test_a_second_application_changes_nothing(host, documents):
    host.ok("task", documents)
    before = host.files()
    result = host.ok("task", documents)
    assert not result["changed"]
    assert result["diff"]["before"] == result["diff"]["after"]
    assert host.files() == before


def test_another_notation_of_the_same_options_is_not_a_change(host, documents):
    host.ok("task", documents)
    spelled = dict(documents, path=documents["path"] + "/", remote_path="backups/documents/")
    spelled["schedule"] = {
        "minute": "30",
        "hour": "2",
        "weekday": "1-5",
        "timezone": "Europe/Berlin",
        "catch_up": True,
    }
    spelled["hooks"] = {"timeout": "1h"}
    assert not host.ok("task", spelled)["changed"]


def test_check_mode_predicts_the_changes_and_writes_nothing(host, documents):
    before = host.files()
    predicted = host.ok("task", documents, check=True)
    assert host.files() == before
    assert host.ok("task", documents) == predicted
    changed = dict(documents, enabled=False)
    predicted = host.ok("task", changed, check=True)
    assert (host.root / TIMER).exists()
    assert host.ok("task", changed) == predicted


@pytest.mark.parametrize(
    "change", [{"encryption": {"password": "2nd-crypt-password"}}, {"notify": ["https://hooks.example.com/2nd-path"]}]
)
def test_a_changed_secret_is_a_change_that_the_diff_shows_without_the_value(host, documents, change):
    host.ok("task", documents)
    host.secret("2nd-crypt-password")
    host.secret("2nd-path")
    changed = dict(documents, **change)
    predicted = host.ok("task", changed, check=True)
    result = host.ok("task", changed)
    assert result == predicted
    assert result["changed"]
    before, after = result["diff"]["before"], result["diff"]["after"]
    if "encryption" in change:
        assert before["encryption"]["secrets"] == {"password": "(set)", "salt": "(set)"}
        assert after["encryption"]["secrets"] == {"password": "(new value)"}
    else:
        assert before["notify"] == ["https://hooks.example.com"]
        assert after["notify"] == ["https://hooks.example.com (new value)"]
    assert not host.ok("task", changed)["changed"]


def test_notify_targets_without_a_secret_are_shown(host, documents):
    targets = ["mailto:ops@example.com", "unit:alert@.service"]
    task = host.ok("task", dict(documents, notify=targets))["task"]
    assert task["notify"] == targets


def test_a_removed_timer_is_installed_again(host, documents):
    host.ok("task", documents)
    (host.root / TIMER).unlink()
    (host.root / ENABLED).unlink()
    result = host.ok("task", documents)
    assert result["changed"]
    assert result["diff"]["before"]["units"]["timer"] is None
    assert (host.root / ENABLED).exists()
    assert not host.ok("task", documents)["changed"]


@pytest.mark.parametrize("change", [{"enabled": False}, {"schedule": None}])
def test_a_task_without_an_active_schedule_has_no_timer(host, documents, change):
    host.ok("task", documents)
    assert host.ok("task", dict(documents, **change))["changed"]
    assert not (host.root / TIMER).exists()
    assert not os.path.lexists(str(host.root / ENABLED))
    assert (host.root / DROP_IN).exists()


def test_absent_removes_the_task_and_its_units_and_needs_no_seed(host, documents):
    host.ok("task", documents)
    (host.root / "etc/cloudsync/seed").unlink()
    gone = {"name": "documents", "state": "absent"}
    predicted = host.ok("task", gone, check=True)
    result = host.ok("task", gone)
    assert result == predicted
    assert result["changed"]
    assert result["task"] == {}
    assert result["diff"]["before"]["path"] == documents["path"]
    assert result["diff"]["after"] == {}
    assert [name for name in host.files() if "documents" in name] == []
    assert not host.ok("task", gone)["changed"]


def test_the_reverse_of_a_push_is_a_disabled_pull_with_the_same_filters_and_encryption(host, documents):
    host.ok("task", dict(documents, hooks={"before": "true"}, guards={"marker": "a", "max_delete": "10%"}))
    restore = {"name": "restore", "reverse_of": "documents", "path": "/srv/restored"}
    task = host.ok("task", restore)["task"]
    assert (task["direction"], task["mode"], task["path"]) == ("pull", "copy", "/srv/restored")
    assert task["enabled"] is False
    assert task["exclude"] == ["*.tmp"]
    assert task["encryption"]["secrets"] == ["password", "salt"]
    assert task["hooks"]["before"] == ""
    assert (task["guards"]["marker"], task["guards"]["max_delete"]) == ("a", "10%")
    assert task["reverse_of"] == "documents"
    assert not host.ok("task", restore)["changed"]


def test_limits_and_write_paths_reach_the_unit(host, documents):
    limits = {"nice": 10, "io_weight": 50, "memory_max": "512M", "cpu_quota": "50%", "max_duration": "6h"}
    pull = dict(documents, direction="pull", path="/srv/in %n", limits=limits)
    assert host.ok("task", pull)["task"]["limits"]["max_duration"] == 21600
    drop_in = (host.root / DROP_IN).read_text()
    for line in ('ReadWritePaths="-/srv/in %%n"', "Nice=10", "IOWeight=50", "MemoryMax=512M", "CPUQuota=50%"):
        assert line + "\n" in drop_in


def test_an_ambiguous_schedule_warns(host, documents):
    result = host.ok("task", dict(documents, schedule={"cron": "0 0 */2 * 1"}))
    assert [text.split(": ")[0] for text in result["warnings"]] == ["Task documents"]


def test_a_task_with_edited_secrets_is_refused_and_not_changed(host, documents):
    host.ok("task", documents)
    path = host.root / FILE
    stored = host.read(FILE)
    text = path.read_text().replace(stored["encryption"]["salt"], stored["encryption"]["password"])
    path.write_text(text)
    message = host.refused("task", documents)
    assert f"encryption.salt of task documents in {path}" in message
    assert path.read_text() == text
