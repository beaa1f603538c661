# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import Refused
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.guards.deletions import (
    check_deletions,
    check_links,
    compute_rclone_limit,
    find_safe_limit,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.guards.last_success import LastSuccess
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer.plan import Entry, Plan
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer.source_names import build_names

LAST = LastSuccess("place", "selection", "ext4:/data", is_synced=True)


def plan(delete, present, *names):
    return Plan(delete=tuple(Entry(name, 1) for name in (*map(str, range(delete)), *names)), present=present)


def names(count, *more):
    return build_names([*(f"d/{number}" for number in range(count)), *more])


@pytest.fixture
def check(make_task):
    """Return the number of deletions that are left, or the reason and the message of the refusal."""

    def call(limit, *arguments, last=LAST, now=LAST):
        task = make_task(mode="sync", guards={"max_delete": limit})
        try:
            return check_deletions(task, arguments[0], last, now, *arguments[1:])
        except Refused as refused:
            assert "cloudsync run nightly --dry-run" in refused.message
            return refused.reason, refused.message

    return call


@pytest.mark.parametrize(
    ("limit", "delete", "present", "left"),
    [
        ("0", 0, 10, 0),
        ("0", 1, 10, None),
        ("5", 5, 10, 5),
        ("5", 6, 10000, None),
        ("10%", 1, 10, 1),
        ("10%", 1, 9, None),
        ("33%", 33, 100, 33),
        ("29%", 29, 100, 29),
        ("0%", 0, 0, 0),
        ("100%", 10, 10, 10),
        ("", 10, 10, 10),
        ("", 11, 11, None),
        ("", 10, 19, 10),
        ("", 50, 100, 50),
        ("", 51, 101, None),
    ],
)
def test_a_run_deletes_no_more_than_it_may(check, limit, delete, present, left):
    found = check(limit, plan(delete, present))
    if left is not None:
        assert found == left
        return
    assert found[0] == "max_delete"
    assert f"would delete {delete} of the {present} files" in found[1]


@pytest.mark.parametrize("last", [None, replace(LAST, is_synced=False)])
def test_the_first_sync_deletes_nothing_unless_it_is_told(check, last):
    reason, message = check("", plan(1, 100), last=last)
    assert reason == "max_delete"
    assert "set guards.max_delete for one run, for example to 100%. To keep these files, use mode copy." in message
    assert check("", plan(0, 100), last=last) == 0
    assert check("100%", plan(100, 100), last=last) == 100


def test_a_sync_from_another_volume_deletes_nothing_unless_it_is_told(check):
    elsewhere = replace(LAST, volume="ext4:/mnt/data")
    reason, message = check("", plan(1, 100), now=elsewhere)
    assert reason == "source_changed"
    assert "another volume than at the last successful run (ext4:/mnt/data, was ext4:/data)" in message
    assert check("", plan(51, 100), now=elsewhere)[0] == "max_delete"
    assert check("", plan(0, 100), now=elsewhere) == 0
    assert check("1%", plan(1, 100), now=elsewhere) == 1


@pytest.mark.parametrize(("limit", "left"), [("", 20), ("50%", 20), ("40", 10)])
def test_the_deletions_of_earlier_attempts_count(check, limit, left):
    assert check(limit, plan(10, 70), 30) == left
    assert check(limit, plan(21, 70), 30)[0] == "max_delete"


def test_unfinished_files_of_a_killed_rclone_may_be_deleted(check):
    assert check("", plan(0, 5, "d/big.iso.1a2b3c4d.partial"), last=None) == 1


def test_rclone_counts_a_kept_file_up_to_twice(make_task):
    assert compute_rclone_limit(make_task(mode="sync"), 7, 3) == 7
    kept = {"path": "bucket/kept", "days": 1}
    assert compute_rclone_limit(make_task(mode="sync", keep_deleted=kept), 7, 3) == 17


@pytest.mark.parametrize(
    ("before", "now", "limit"),
    [
        (100, names(100), 10),
        (100, names(50), 50),
        (100, names(49), None),
        (100, build_names(f"renamed/{number}" for number in range(100)), None),
        (100, names(95), 15),
        (12, names(2), 10),
        (12, names(1), None),
        (3, names(0, "new"), 10),
    ],
)
def test_a_push_needs_no_plan_while_few_files_are_gone(make_task, tmp_path, before, now, limit):
    last = replace(LAST, names=names(before))
    assert find_safe_limit(make_task(mode="sync"), last, LAST, now, str(tmp_path)) == limit


@pytest.mark.parametrize(
    ("last", "now"),
    [
        (None, LAST),
        (LAST, LAST),
        (replace(LAST, names=names(9), is_synced=False), LAST),
        (replace(LAST, names=names(9)), replace(LAST, selection="other filters")),
        (replace(LAST, names=names(9)), replace(LAST, volume="another")),
    ],
)
def test_a_push_needs_a_plan_when_in_doubt(make_task, tmp_path, last, now):
    assert find_safe_limit(make_task(mode="sync"), last, now, names(8), str(tmp_path)) is None


def test_another_volume_with_the_same_files_needs_no_plan(make_task, tmp_path):
    last = replace(LAST, names=names(9))
    assert find_safe_limit(make_task(mode="sync"), last, replace(LAST, volume="new"), names(9), str(tmp_path)) == 10


@pytest.mark.parametrize("link", ["photos", "photos/2025", "photos/2025/a.jpg"])
def test_a_known_path_that_turned_into_a_link_is_refused(make_task, tmp_path, link):
    task, source = make_task(mode="sync"), str(tmp_path)
    last = replace(LAST, names=build_names(["photos/2025/a.jpg", "b", "c"]))
    (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "unrelated").symlink_to("/nowhere")
    assert find_safe_limit(task, last, LAST, build_names(["b", "c"]), source) == 10
    (tmp_path / link).symlink_to("/nowhere")
    assert find_safe_limit(task, last, LAST, build_names(["b", "c"]), source) is None
    assert find_safe_limit(make_task(mode="sync", follow_symlinks=True), last, LAST, build_names(["b"]), source) == 10
    check_links(task, plan(0, 3, "unrelated.txt", "b"), source)
    with pytest.raises(Refused) as caught:
        check_links(task, plan(0, 3, "photos/2025/a.jpg"), source)
    assert caught.value.reason == "source_changed"
    assert f"1 path in source /srv/data changed to a symbolic link: {link}." in caught.value.message
