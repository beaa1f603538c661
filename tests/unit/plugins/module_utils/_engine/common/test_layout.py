# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout, check_name

CONTRACT = [
    ("seed", "/etc/cloudsync/seed"),
    ("credentials_dir", "/etc/cloudsync/credentials"),
    ("tasks_dir", "/etc/cloudsync/tasks"),
    ("state_dir", "/var/lib/cloudsync"),
    ("log_dir", "/var/log/cloudsync"),
    ("run_dir", "/run/cloudsync"),
    ("unit_dir", "/etc/systemd/system"),
    ("command", "/usr/local/bin/cloudsync"),
    ("engine_dir", "/usr/local/lib/cloudsync"),
]


@pytest.mark.parametrize(("name", "path"), CONTRACT)
def test_all_paths_are_below_the_root(name, path):
    assert getattr(Layout(), name) == path
    assert getattr(Layout("/tmp/host"), name) == "/tmp/host" + path


def test_paths_of_credentials_and_tasks_contain_their_names():
    layout = Layout()
    assert layout.credential("offsite") == "/etc/cloudsync/credentials/offsite.json"
    assert layout.task("nightly") == "/etc/cloudsync/tasks/nightly.json"
    assert layout.task_state_dir("nightly") == "/var/lib/cloudsync/nightly"
    assert layout.task_log_dir("nightly") == "/var/log/cloudsync/nightly"


def test_a_host_is_real_only_without_a_root():
    assert Layout.from_environment({}).is_real_host
    assert Layout.from_environment({"CLOUDSYNC_ROOT": ""}).is_real_host
    assert not Layout.from_environment({"CLOUDSYNC_ROOT": "/tmp/host/"}).is_real_host
    assert Layout.from_environment({"CLOUDSYNC_ROOT": "/tmp/host/"}).root == "/tmp/host"


def test_a_relative_root_is_refused():
    with pytest.raises(CloudsyncError, match=r"CLOUDSYNC_ROOT is 'host'. Use an absolute path"):
        Layout.from_environment({"CLOUDSYNC_ROOT": "host"})


@pytest.mark.parametrize("name", ["a", "9", "a.b-c_D", "a" * 63])
def test_check_name_returns_a_valid_name(name):
    assert check_name("task", name) == name


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "-a", "a/b", "a b", "a\n", "ä", "a" * 64, "a\0", None, 5])
def test_check_name_refuses_names_that_cannot_be_file_and_unit_names(name):
    with pytest.raises(CloudsyncError, match=r"Task name .* is invalid. Use 1 to 63") as caught:
        check_name("task", name)

    assert caught.value.reason == "usage"
