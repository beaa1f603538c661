# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import text


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (5 * 1024**3, "5.0 GiB"),
        (3 * 1024**5, "3072.0 TiB"),
    ],
)
def test_sizes_use_the_largest_fitting_unit(count, shown):
    assert text.format_size(count) == shown


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["a"], "task a"),
        (["a", "b"], "tasks a and b"),
        (list("abcde"), "tasks a, b, c, d and e"),
        (list("abcdefg"), "tasks a, b, c, d, e and 2 more"),
    ],
)
def test_name_some_shows_at_most_five_names(names, shown):
    assert text.name_some("task", names) == shown


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b", "c", "d", "e"], "a, b, c, d, e"),
        (["a", "b", "c", "d", "e", "f"], "a, b, c, d, e and 1 more"),
        (["a", "b", "c", "d", "e", "f", "g", "h"], "a, b, c, d, e and 3 more"),
    ],
)
def test_a_list_shows_the_first_five_names_and_counts_the_rest(names, shown):
    assert text.list_some(names) == shown


def test_format_count_uses_the_plural_for_all_counts_but_one():
    assert [text.format_count(count, "file") for count in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


def test_parse_time_reads_what_format_now_returns():
    parsed = text.parse_time(text.format_now())
    assert parsed.utcoffset() == datetime.timedelta(0)
    assert abs(parsed - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(seconds=60)
    assert text.parse_time("2026-11-22T05:00:05+01:00") == text.parse_time("2026-11-22T04:00:05Z")


def test_a_byte_that_is_not_utf_8_is_shown_as_its_number():
    shown = text.escape_controls(b"\xe9t\xe9\x1b".decode("utf-8", "surrogateescape") + "\ud800é")
    assert shown == "\\xe9t\\xe9\\x1b\\ud800é"
    assert shown.encode()
