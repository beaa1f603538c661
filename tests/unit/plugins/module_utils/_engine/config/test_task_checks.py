# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import task_checks as task_rules


def refuses(sentence):
    return pytest.raises(CloudsyncError, match=re.escape(sentence))


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/srv/data", "/srv/data"),
        ("/srv/data/", "/srv/data"),
        ("//srv//./data", "/srv/data"),
        ("/", "/"),
        ("/a b%", "/a b%"),
    ],
)
def test_a_local_path_is_normalized(given, path):
    assert task_rules.check_local_path("path", given) == path


@pytest.mark.parametrize("given", ["", "srv", "~/x", "./x", "/a\nb", "/a\0b", "C:\\x", "EXTERNAL:/mnt/x"])
def test_a_relative_local_path_is_refused(given):
    with refuses(f"path is {given!r}. Use an absolute path, such as /srv/data."):
        task_rules.check_local_path("path", given)


def test_a_local_path_with_two_dots_is_refused():
    with refuses("path is '/srv/../etc'. Use a path without '..'."):
        task_rules.check_local_path("path", "/srv/../etc")
    assert task_rules.check_local_path("path", "/srv/..data") == "/srv/..data"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("", ""),
        ("bucket/data/", "bucket/data"),
        ("bucket//data", "bucket/data"),
        ("/home/me", "/home/me"),
        ("//home", "/home"),
        ("/", "/"),
        ("//", "/"),
        (".", ""),
        ("./", ""),
        ("./a/.", "a"),
        ("a/..b", "a/..b"),
    ],
)
def test_a_remote_path_is_normalized(given, path):
    assert task_rules.check_remote_path("remote_path", given) == path


@pytest.mark.parametrize("given", ["..", "a/../b", "a\nb", "a\0b"])
def test_a_remote_path_with_a_line_break_or_two_dots_is_refused(given):
    with refuses(f"remote_path is {given!r}. Use a path on one line, without '..'."):
        task_rules.check_remote_path("remote_path", given)


@pytest.mark.parametrize("given", ["", "  ", "a\n- *", "a\rb"])
def test_a_pattern_that_is_empty_or_has_two_lines_is_refused(given):
    with refuses("exclude[1] is empty or has more than one line. Use one line of text."):
        task_rules.check_patterns("exclude", ["*.tmp", given])


@pytest.mark.parametrize(
    ("given", "limit"), [("", ""), (0, "0"), (5, "5"), ("5", "5"), ("10%", "10%"), ("10 %", "10%"), ("100%", "100%")]
)
def test_max_delete_is_a_count_or_a_percentage(given, limit):
    assert task_rules.check_max_delete(given) == limit


@pytest.mark.parametrize("given", ["-1", "101%", "ten", "5.5", "%", True, "5%%"])
def test_an_invalid_max_delete_is_refused(given):
    with refuses(f"guards.max_delete is {given!r}. Use a number of files, or a percentage from 0% to 100%."):
        task_rules.check_max_delete(given)


def slots(*pairs):
    return [{"time": time, "limit": limit} for time, limit in pairs]


@pytest.mark.parametrize(
    "given",
    [
        slots(("00:00", "10M"), ("9:30", "512K"), ("23:59", "off")),
        slots(("Mon-00:00", "1M:10M"), ("mon-12:00", "off:1M"), ("SUN-00:00", "1.5G")),
    ],
)
def test_a_timetable_in_ascending_order_is_accepted(given):
    assert len(task_rules.check_bandwidth(given)) == 3


def test_days_and_times_of_a_timetable_are_normalized():
    assert [slot.time for slot in task_rules.check_bandwidth(slots(("mon-8:00", "1M"), ("TUE-09:00", "1M")))] == [
        "Mon-08:00",
        "Tue-09:00",
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (slots(("24:00", "1M")), "bandwidth[0].time is '24:00'. Use HH:MM or Mon-HH:MM."),
        (slots(("08:60", "1M")), "bandwidth[0].time is '08:60'"),
        (slots(("Mo-08:00", "1M")), "bandwidth[0].time is 'Mo-08:00'"),
        ([{"limit": "1M"}], "bandwidth[0].time is None"),
        (slots(("08:00", "10")), "bandwidth[0].limit is '10'. Use bytes per second with a unit"),
        (slots(("08:00", "10 M")), "bandwidth[0].limit is '10 M'"),
        (
            slots(("08:00", "1M"), ("08:00", "2M")),
            "bandwidth[1].time is 08:00, which is not after 08:00. List the times",
        ),
        (slots(("Tue-08:00", "1M"), ("Mon-09:00", "2M")), "bandwidth[1].time is Mon-09:00, which is not after Tue"),
    ],
)
def test_the_error_for_an_invalid_timetable_names_the_slot(given, sentence):
    with refuses(sentence):
        task_rules.check_bandwidth(given)


@pytest.mark.parametrize("size", ["", "512M", "1.5G", "1024", "80%", "infinity"])
def test_check_size_accepts_the_sizes_of_systemd(size):
    assert task_rules.check_size("limits.memory_max", size) == size


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"path": "/"}, "path is '/', the whole host. Use a folder, or set guards.allow_root."),
        (
            {"direction": "pull", "snapshot": "zfs"},
            "snapshot is only allowed for push tasks. A pull has no local source.",
        ),
        ({"mode": "move", "snapshot": "auto"}, "snapshot is not allowed with mode move. The files of"),
        ({"direction": "pull", "keep_deleted": {"path": "old"}}, "keep_deleted.path is 'old'. A pull keeps deleted"),
        (
            {"keep_deleted": {"path": "bucket"}},
            "keep_deleted.path is 'bucket', which contains the destination 'bucket/data'. Use another folder.",
        ),
        ({"keep_deleted": {"path": "/bucket/data/"}}, "keep_deleted.path is '/bucket/data', which contains"),
        (
            {"direction": "pull", "keep_deleted": {"path": "/srv"}},
            "keep_deleted.path is '/srv', which contains the destination '/srv/data'",
        ),
        (
            {"keep_deleted": {"path": "bucket/old"}, "encryption": {"password": "P"}},
            "keep_deleted.path is 'bucket/old', but files are encrypted only in remote_path 'bucket/data'.",
        ),
    ],
)
def test_options_that_exclude_each_other_are_refused(make_task, options, sentence):
    with refuses(sentence):
        make_task(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/", "guards": {"allow_root": True}},
        {"keep_deleted": {"path": "bucket/data2"}},
        {"keep_deleted": {"path": "bucket/data/.old"}, "encryption": {"password": "P"}},
        {"keep_deleted": {"path": "old"}, "remote_path": "", "encryption": {"password": "P"}},
        {"direction": "pull", "keep_deleted": {"path": "/srv/old"}, "encryption": {"password": "P"}},
    ],
)
def test_compatible_options_are_accepted(make_task, options):
    assert make_task(**options)
