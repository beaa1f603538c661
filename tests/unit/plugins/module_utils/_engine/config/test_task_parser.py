# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.stored_tasks import OPTIONS
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_parser import parse_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import (
    Guards,
    Hooks,
    KeepDeleted,
    Limits,
)

CONTRACT = (
    "name description credential direction mode path remote_path provider_options include exclude schedule enabled "
    "bandwidth transfers follow_symlinks create_empty_dirs encryption snapshot guards keep_deleted hooks on_overlap "
    "limits retries verify_after notify rclone_args user reverse_of"
)


def refused(make_task, **options):
    with pytest.raises(CloudsyncError) as caught:
        make_task(**options)
    assert caught.value.reason == "usage"
    assert caught.value.message.startswith("Task nightly is invalid: ")
    return caught.value.message


def test_a_task_has_the_options_of_the_contract():
    assert sorted(OPTIONS) == sorted(CONTRACT.split())


def test_the_required_options_define_a_copy_without_a_schedule(make_task):
    task = make_task()

    assert (task.mode, task.schedule, task.enabled, task.user) == ("copy", None, True, "root")
    assert task.guards == Guards(empty_source="refuse", mounted="", marker="", allow_root=False, max_delete="")
    assert (task.on_overlap, task.snapshot, task.verify_after, task.retries) == ("skip", "none", "none", 2)
    assert (task.hooks, task.limits, task.keep_deleted, task.encryption) == (Hooks(), Limits(), None, None)


def test_an_option_without_a_value_is_treated_as_omitted(make_task):
    nothing = {option: None for option in OPTIONS if option not in ("name", "credential", "direction", "path")}

    assert make_task(**{**nothing, "remote_path": "bucket/data"}) == make_task()
    assert make_task(guards={"marker": None}, hooks={}, limits={}, schedule={}, keep_deleted={}) == make_task()


def test_every_option_is_parsed(make_task):
    task = make_task(
        description="all of it",
        mode="sync",
        provider_options={"fast_list": True, "chunk_size": "64Mi", "unset": None},
        include=["*.jpg"],
        exclude="*.tmp",
        schedule={"preset": "daily", "spread": "5m"},
        enabled=False,
        bandwidth=[{"time": "8:00", "limit": "1M"}],
        transfers="8",
        follow_symlinks=True,
        create_empty_dirs=True,
        encryption={"password": "P", "salt": "S", "filenames": "obfuscate", "directory_names": False},
        snapshot="zfs",
        guards={"mounted": "/srv/", "marker": "/a/.here", "max_delete": "10 %", "empty_source": "allow"},
        keep_deleted={"path": "bucket/data/.deleted", "days": 30},
        hooks={"before": "true", "timeout": "5m"},
        on_overlap="wait",
        limits={"max_duration": "2h", "nice": "-5", "io_weight": 50, "memory_max": "512M", "cpu_quota": "50%"},
        retries=0,
        verify_after="checksum",
        notify=["mailto:ops@example.net"],
        rclone_args=["--order-by=size"],
        user="backup",
    )

    assert task.provider_options == {"fast_list": "true", "chunk_size": "64Mi"}
    assert (task.include, task.exclude) == (("*.jpg",), ("*.tmp",))
    assert task.schedule["cron"] == "0 0 * * *"
    assert task.schedule["spread"] == 300
    assert (task.bandwidth[0].time, task.bandwidth[0].limit) == ("08:00", "1M")
    assert (task.transfers, task.retries) == (8, 0)
    assert task.encryption.salt == "S"
    assert not task.encryption.directory_names
    assert task.guards == Guards("allow", "/srv", "a/.here", False, "10%")
    assert task.keep_deleted == KeepDeleted("bucket/data/.deleted", 30)
    assert task.hooks == Hooks(before="true", timeout=300)
    assert task.limits == Limits(7200, 600, -5, 50, "512M", "50%")
    assert task.notify == ("mailto:ops@example.net",)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"credential": None}, "credential is required."),
        ({"direction": ""}, "direction is required."),
        ({"path": None}, "path is required."),
        ({"credential": "a/b"}, "Credential name 'a/b' is invalid"),
        ({"remotepath": "x"}, "a task has no option 'remotepath'. Did you mean 'remote_path'?"),
        ({"direction": "pul"}, "direction is 'pul'. Use one of push, pull. Did you mean 'pull'?"),
        ({"mode": "mirror"}, "mode is 'mirror'. Use one of sync, copy, move."),
        ({"snapshot": "xfs"}, "snapshot is 'xfs'. Use one of none, auto, zfs, btrfs, lvm."),
        ({"on_overlap": "queue"}, "on_overlap is 'queue'. Use one of skip, wait."),
        ({"verify_after": True}, "verify_after is True. Use one of none, size, checksum."),
        ({"enabled": "false"}, "enabled is 'false'. Use true or false."),
        ({"follow_symlinks": 1}, "follow_symlinks is 1. Use true or false."),
        ({"transfers": -1}, "transfers is -1. Use a whole number, 0 or more."),
        ({"transfers": 1.5}, "transfers is 1.5. Use a whole number"),
        ({"retries": True}, "retries is True. Use a whole number"),
        ({"retries": "three"}, "retries is 'three'. Use a whole number"),
        ({"encryption": {"salt": "S"}}, "encryption.password is required if encryption is set."),
        ({"encryption": {"password": "P", "filename": "off"}}, "no option 'filename'. Did you mean 'filenames'"),
        ({"encryption": {"password": "P", "filenames": "on"}}, "encryption.filenames is 'on'. Use one of standard"),
        ({"encryption": {"password": "P", "directory_names": 0}}, "encryption.directory_names is 0. Use true or false"),
        ({"guards": {"empty_source": "ok"}}, "guards.empty_source is 'ok'. Use one of refuse, allow."),
        ({"guards": {"mounted": "srv"}}, "guards.mounted is 'srv'. Use an absolute path"),
        ({"guards": {"marker": "../x"}}, "guards.marker is '../x'. Use a path on one line, without '..'"),
        ({"guards": {"allow_root": "yes"}}, "guards.allow_root is 'yes'. Use true or false."),
        ({"guards": {"markers": "x"}}, "guards has no option 'markers'. Did you mean 'marker'?"),
        (
            {"keep_deleted": {"days": 3}},
            "keep_deleted.path is required. Use a folder on the same side as the destination.",
        ),
        ({"keep_deleted": {"path": "b/old", "days": -1}}, "keep_deleted.days is -1. Use a whole number"),
        ({"hooks": {"after": "x"}}, "hooks has no option 'after'."),
        ({"hooks": {"timeout": "soon"}}, "hooks.timeout is 'soon'. Use a number of seconds"),
        ({"limits": {"nice": 20}}, "limits.nice is 20. Use -20 (highest priority) to 19 (lowest)."),
        ({"limits": {"nice": "--5"}}, "limits.nice is '--5'. Use -20"),
        ({"limits": {"nice": "²"}}, "limits.nice is '²'. Use -20"),
        ({"limits": {"io_weight": 10001}}, "limits.io_weight is 10001. Use 1 to 10000."),
        (
            {"limits": {"memory_max": "512MB"}},
            "limits.memory_max is '512MB'. Use a size such as 512M, or a percentage.",
        ),
        ({"limits": {"cpu_quota": "0.5"}}, "limits.cpu_quota is '0.5'. Use a percentage of one processor"),
        ({"limits": {"max_duration": "-1"}}, "limits.max_duration is '-1'. Use a number of seconds"),
        ({"schedule": {"cron": "61 * * * *"}}, "minute"),
        ({"notify": [""]}, "notify[0] is empty or has more than one line. Use one line of text."),
    ],
)
def test_an_invalid_option_is_refused_with_the_valid_values(make_task, options, sentence):
    assert sentence in refused(make_task, **options)


def test_no_message_contains_a_crypt_password(make_task):
    assert "s3cr3t" not in refused(make_task, encryption={"password": "s3cr3t", "filenames": "s3cr3"})


def test_an_invalid_task_name_is_refused(make_task):
    with pytest.raises(CloudsyncError, match="Task name 'a b' is invalid"):
        make_task(name="a b")


class TestReverse:
    @pytest.fixture
    def known(self, make_task):
        tasks = {
            "nightly": make_task(
                mode="sync",
                schedule={"preset": "daily"},
                encryption={"password": "P"},
                exclude=["*.tmp"],
                guards={"mounted": "/srv", "marker": ".here", "max_delete": "5"},
                hooks={"before": "true"},
                keep_deleted={"path": "bucket/data/.deleted"},
                snapshot="auto",
            ),
            "away": make_task(name="away", mode="move"),
        }
        return tasks.get

    def test_the_reverse_is_the_same_transfer_in_the_other_direction_disabled(self, make_task, known):
        original = known("nightly")

        task = parse_task({"name": "restore", "reverse_of": "nightly"}, known)

        assert (task.direction, task.mode, task.enabled) == ("pull", "copy", False)
        assert (task.credential, task.path, task.remote_path) == ("offsite", "/srv/data", "bucket/data")
        assert (task.encryption, task.exclude, task.schedule) == (
            original.encryption,
            ("/.deleted/**", "*.tmp"),
            original.schedule,
        )
        assert (task.hooks, task.keep_deleted, task.snapshot) == (Hooks(), None, "none")
        assert task.guards == original.guards
        assert task.reverse_of == "nightly"

    def test_declared_options_override_those_of_the_original(self, known):
        task = parse_task({"name": "restore", "reverse_of": "nightly", "path": "/tmp/x", "mode": "copy"}, known)

        assert (task.path, task.mode, task.remote_path) == ("/tmp/x", "copy", "bucket/data")

    def test_a_restore_to_another_folder_does_not_need_the_original_mount_point(self, known):
        task = parse_task({"name": "restore", "reverse_of": "nightly", "path": "/tmp/x"}, known)

        assert task.guards == Guards(marker=".here", max_delete="5")

    def test_a_reverse_syncs_only_if_that_is_declared(self, known):
        assert parse_task({"name": "restore", "reverse_of": "nightly", "mode": "sync"}, known).mode == "sync"

    @pytest.mark.parametrize(("original", "direction"), [("nightly", "push"), ("restore", "pull")])
    def test_a_direction_that_does_not_reverse_is_refused(self, known, original, direction):
        tasks = {
            "nightly": known("nightly"),
            "restore": parse_task({"name": "restore", "reverse_of": "nightly"}, known),
        }
        with pytest.raises(CloudsyncError, match=f"direction is {direction}, as in task {original}, which reverse_of"):
            parse_task({"name": "again", "reverse_of": original, "direction": direction}, tasks.get)

    def test_the_reverse_of_a_move_copies(self, known):
        assert parse_task({"name": "back", "reverse_of": "away"}, known).mode == "copy"

    @pytest.mark.parametrize(
        ("original", "sentence"),
        [
            ("none", "reverse_of is 'none', but this task does not exist on this host."),
            ("restore", "reverse_of is the name of the task itself. Use the name of the task to restore."),
        ],
    )
    def test_a_task_that_cannot_be_reversed_is_refused_by_name(self, known, original, sentence):
        with pytest.raises(CloudsyncError) as caught:
            parse_task({"name": "restore", "reverse_of": original}, known)
        assert caught.value.message == "Task restore is invalid: " + sentence
