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
def test_sizes_are_in_the_largest_fitting_unit(count, shown):
    assert text.format_size(count) == shown


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


def test_one_is_singular_and_none_is_plural():
    assert [text.format_count(count, "file") for count in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


def test_a_time_that_was_formatted_is_parsed_again():
    parsed = text.parse_time(text.format_now())
    assert parsed.utcoffset() == datetime.timedelta(0)
    assert abs(parsed - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(seconds=60)
    assert text.parse_time("2026-11-22T05:00:05+01:00") == text.parse_time("2026-11-22T04:00:05Z")
