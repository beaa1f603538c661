# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import list_writes, task_to_dict


def writes(make_task, provider="s3", attributes=None, **options):
    return list_writes(task_to_dict(make_task(**options)), provider, attributes or {})


def test_a_task_writes_its_local_destination_and_its_folder_for_deleted_files(make_task):
    assert writes(make_task) == []
    assert writes(make_task, mode="move") == ["/srv/data"]
    assert writes(make_task, direction="pull") == ["/srv/data"]
    assert writes(make_task, direction="pull", keep_deleted={"path": "/srv/old"}) == ["/srv/data", "/srv/old"]
    assert writes(make_task, direction="pull", keep_deleted={"path": "/srv/data/old"}) == ["/srv/data"]
    assert writes(make_task, keep_deleted={"path": "bucket/old"}) == []


@pytest.mark.parametrize(
    ("provider", "attributes", "options", "expected"),
    [
        ("local", {}, {"remote_path": "/mnt/disk/a"}, ["/mnt/disk/a"]),
        ("local", {}, {"remote_path": "mnt/disk"}, ["/mnt/disk"]),
        ("local", {}, {"remote_path": "/a", "keep_deleted": {"path": "/b"}}, ["/a", "/b"]),
        ("local", {}, {"remote_path": "/a", "direction": "pull"}, ["/srv/data"]),
        ("local", {}, {"remote_path": "/a", "direction": "pull", "mode": "move"}, ["/srv/data", "/a"]),
        ("alias", {"remote": "/mnt/disk"}, {"remote_path": "a"}, ["/mnt/disk/a"]),
        ("union", {"upstreams": "/mnt/a :local:/mnt/b:ro :sftp:c"}, {"remote_path": "x"}, ["/mnt/a", "/mnt/b"]),
        ("combine", {"upstreams": "one=/mnt/a two=:s3:b"}, {"remote_path": "one/x"}, ["/mnt/a"]),
        ("hasher", {"remote": ":sftp:/mnt"}, {}, []),
    ],
)
def test_a_remote_can_be_on_this_host(make_task, provider, attributes, options, expected):
    assert writes(make_task, provider, attributes, **options) == expected
