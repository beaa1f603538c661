# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import processes
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd import install as systemd
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd import systemctl, unit_names
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd.install import UnitChange, apply_units

HOURLY, DAILY, KEEPING = "OnCalendar=hourly\n", "OnCalendar=daily\n", "OnCalendar=daily\nPersistent=yes\n"
DROP_IN = "[Service]\n"


class Manager:
    """A simulated systemctl. It records each call, and the files at the time of the call."""

    def __init__(self, layout):
        self.layout = layout
        self.calls = []
        self.refuses = ""

    def __call__(self, *arguments):
        files = sorted(os.listdir(self.layout.unit_dir)) if os.path.isdir(self.layout.unit_dir) else []
        self.calls.append((" ".join(arguments), [name for name in files if name.endswith(".timer")]))
        if arguments[0] == self.refuses:
            raise CloudsyncError("other", "systemctl failed")
        return ""

    def said(self):
        words = [words for words, _files in self.calls]
        self.calls.clear()
        return words


@pytest.fixture
def manager(layout, tmp_path, monkeypatch):
    found = Manager(layout)
    monkeypatch.setattr(systemd, "systemctl", found)
    monkeypatch.setattr(systemd, "is_running", lambda _layout: True)
    monkeypatch.setattr(systemd, "STAMP_DIR", str(tmp_path / "stamps"))
    return found


def change(task="nightly", timer=HOURLY, drop_in=DROP_IN):
    return UnitChange(task, timer, drop_in)


def stamps(tmp_path):
    return sorted(os.listdir(str(tmp_path / "stamps"))) if (tmp_path / "stamps").exists() else []


def text_of(path):
    with open(path) as stream:
        return stream.read()


def test_without_systemd_units_are_installed_and_enabled_without_systemctl(layout, monkeypatch):
    monkeypatch.setattr(systemd, "systemctl", lambda *words: pytest.fail(f"systemctl {words}"))

    apply_units(layout, [change()])

    assert text_of(unit_names.locate_enabled_link(layout, "nightly")) == HOURLY
    assert systemd.read_units(layout, "nightly") == {"timer": HOURLY, "drop_in": DROP_IN}
    assert os.stat(unit_names.locate_timer(layout, "nightly")).st_mode & 0o777 == 0o644
    apply_units(layout, [change(timer=None, drop_in=None)])
    assert os.listdir(layout.unit_dir) == ["timers.target.wants"]
    assert systemctl.list_next_elapses(layout) == {}


def test_without_changes_systemctl_is_not_called(layout, manager):
    apply_units(layout, [])
    assert manager.said() == []


def test_a_new_timer_is_written_loaded_and_started(layout, manager):
    apply_units(layout, [change()])

    assert manager.calls == [
        ("daemon-reload", ["cloudsync@nightly.timer"]),
        ("start cloudsync@nightly.timer", ["cloudsync@nightly.timer"]),
    ]


def test_a_changed_timer_is_stopped_and_unloaded_before_it_is_written(layout, manager):
    apply_units(layout, [change()])
    manager.said()

    apply_units(layout, [change(timer=DAILY)])

    assert manager.calls == [
        ("stop cloudsync@nightly.timer", ["cloudsync@nightly.timer"]),
        ("daemon-reload", []),
        ("daemon-reload", ["cloudsync@nightly.timer"]),
        ("start cloudsync@nightly.timer", ["cloudsync@nightly.timer"]),
    ]
    assert text_of(unit_names.locate_enabled_link(layout, "nightly")) == DAILY


def test_a_persistent_timer_stays_loaded_and_its_stamp_is_set_to_now(layout, manager, tmp_path):
    apply_units(layout, [change(timer=KEEPING)])
    assert stamps(tmp_path) == ["stamp-cloudsync@nightly.timer"]
    stamp = str(tmp_path / "stamps" / "stamp-cloudsync@nightly.timer")
    os.utime(stamp, (1, 1))
    manager.said()

    apply_units(layout, [change(timer=KEEPING + "AccuracySec=1s\n")])

    assert manager.said() == ["stop cloudsync@nightly.timer", "daemon-reload", "start cloudsync@nightly.timer"]
    assert os.stat(stamp).st_mtime > 1


def test_a_change_of_the_service_does_not_restart_the_timer(layout, manager, tmp_path):
    apply_units(layout, [change(timer=KEEPING)])
    stamp = str(tmp_path / "stamps" / "stamp-cloudsync@nightly.timer")
    os.utime(stamp, (1, 1))
    manager.said()

    apply_units(layout, [change(timer=KEEPING, drop_in="[Service]\nNice=5\n")])

    assert manager.said() == ["daemon-reload", "start cloudsync@nightly.timer"]
    assert os.stat(stamp).st_mtime == 1


def test_two_hundred_tasks_need_one_reload_and_one_start(layout, manager):
    changes = [change(f"t{number:03d}") for number in range(200)]

    apply_units(layout, changes)

    reload, start = manager.said()
    assert reload == "daemon-reload"
    assert len(start.split()) == 201
    apply_units(layout, [change(each.task, DAILY) for each in changes])
    assert [words.split()[0] for words in manager.said()] == ["stop", "daemon-reload", "daemon-reload", "start"]


def test_removing_a_task_removes_its_units_and_its_stamp(layout, manager, tmp_path):
    apply_units(layout, [change(timer=KEEPING)])
    manager.said()

    apply_units(layout, [change(timer=None, drop_in=None)])

    assert manager.said() == ["stop cloudsync@nightly.timer", "daemon-reload"]
    assert os.listdir(layout.unit_dir) == ["timers.target.wants"]
    assert os.listdir(layout.unit_dir + "/timers.target.wants") == []
    assert stamps(tmp_path) == []


def test_a_drop_in_of_the_operator_is_kept_when_its_task_is_removed(layout, manager):
    apply_units(layout, [change()])
    folder = os.path.dirname(unit_names.locate_drop_in(layout, "nightly"))
    with open(folder + "/override.conf", "w") as stream:
        stream.write("[Service]\n")

    apply_units(layout, [change(timer=None, drop_in=None)])

    assert os.listdir(folder) == ["override.conf"]


def test_a_task_without_a_schedule_starts_no_timer(layout, manager):
    apply_units(layout, [change(timer=None)])

    assert manager.said() == ["daemon-reload"]
    assert systemd.read_units(layout, "nightly") == {"timer": None, "drop_in": DROP_IN}


@pytest.mark.parametrize("refused", ["stop", "daemon-reload", "start"])
def test_a_step_that_systemd_refused_is_repeated_by_the_next_call(layout, manager, refused):
    apply_units(layout, [change()])
    manager.refuses = refused

    with pytest.raises(CloudsyncError, match="systemctl failed"):
        apply_units(layout, [change(timer=DAILY)])

    assert systemd.read_units(layout, "nightly")["timer"] != DAILY
    manager.refuses = ""
    manager.said()
    apply_units(layout, [change(timer=DAILY)])
    assert manager.said()[-1] == "start cloudsync@nightly.timer"
    assert systemd.read_units(layout, "nightly") == {"timer": DAILY, "drop_in": DROP_IN}


def test_next_elapses_returns_the_answer_of_systemd(layout, manager, monkeypatch):
    answer = '[{"next": 1700000000000000, "unit": "cloudsync@a.timer"}, {"next": null, "unit": "cloudsync@b.timer"}]'
    monkeypatch.setattr(systemctl, "systemctl", lambda *_words: answer)
    monkeypatch.setattr(systemctl, "is_running", lambda _layout: True)

    assert systemctl.list_next_elapses(layout) == {"cloudsync@a.timer": 1700000000000000}


def test_the_error_of_a_failing_systemctl_contains_its_output(tmp_path, monkeypatch):
    program = tmp_path / "systemctl"
    program.write_text("#!/bin/sh\necho 'Unit not found.' >&2\nexit 5\n")
    program.chmod(0o755)
    monkeypatch.setattr(processes, "SEARCH_PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(CloudsyncError) as caught:
        systemctl.systemctl("start", "x.timer")
    assert caught.value.message == "systemctl start x.timer failed: Unit not found."


def test_a_systemctl_that_does_not_answer_times_out(tmp_path, monkeypatch):
    program = tmp_path / "systemctl"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(processes, "SEARCH_PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(systemctl, "SECONDS", 0.1)

    with pytest.raises(CloudsyncError, match=r"systemctl timed out after 0\.1 s\.") as caught:
        systemctl.systemctl("daemon-reload")
    assert caught.value.reason == "other"


def test_systemd_is_not_used_below_a_root(layout, tmp_path, monkeypatch):
    monkeypatch.setattr(systemctl, "RUNNING_MARK", str(tmp_path))
    assert not systemctl.is_running(layout)
    assert systemctl.is_running(type(layout)())
