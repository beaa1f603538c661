# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files a run compares, by what both sides said of them before and now."""

from __future__ import annotations

from array import array

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.changes.find import ChangeFinder
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.changes.known_files import KnownFiles
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.hashes.hashes import hash_path
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.log_lines import COPY, Item
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.session import Answer

OLD, NEW = "2020-01-01T00:00:00.000000000;5", "2021-01-01T00:00:00.000000000;5"
NOBODY = KnownFiles("here", "all", array("Q"), array("Q"), array("Q"))
EQUAL = {"a": OLD, "b": OLD, "c": OLD}


class Listed:
    """A session whose listing has these files, path to facts."""

    selection = ("--filter-from", "filters")

    def __init__(self, files, exit_code=0):
        self.files, self.exit_code = files, exit_code

    def query(self, _words, on_output_line):
        for path, facts in self.files.items():
            on_output_line(f"{facts};{path}" if facts else path)
        return Answer(self.exit_code, "", "")


def find(sources, copies, known=NOBODY, is_sync=True, exit_code=0):
    """Return the finder after its listings, and the names to compare."""
    finder = ChangeFinder(known, is_sync)
    for path, facts in sources.items():
        finder.hear_source(path, hash_path(path), facts)
    return finder, finder.find(Listed(copies, exit_code), "remote:place")


@pytest.fixture(name="known")
def fixture_known():
    return find(EQUAL, EQUAL)[0].conclude()


def test_without_memory_all_files_are_compared():
    assert find(EQUAL, EQUAL)[1] is None


@pytest.mark.parametrize(
    ("sources", "copies", "is_sync", "compared"),
    [
        (EQUAL, EQUAL, True, []),
        ({**EQUAL, "b": NEW}, EQUAL, True, ["b"]),
        (EQUAL, {**EQUAL, "b": NEW}, True, ["b"]),
        ({**EQUAL, "new": OLD}, EQUAL, True, ["new"]),
        ({"a": OLD, "b": OLD}, EQUAL, True, ["c"]),
        ({"a": OLD, "b": OLD}, EQUAL, False, []),
        (EQUAL, {**EQUAL, "stray": OLD}, True, ["stray"]),
        (EQUAL, {**EQUAL, "stray": OLD}, False, []),
        (EQUAL, {"a": OLD, "b": OLD}, True, None),
        ({**EQUAL, "line": ""}, EQUAL, True, None),
        (EQUAL, {**EQUAL, "line": ""}, True, None),
    ],
)
def test_only_what_differs_from_the_memory_is_compared(known, sources, copies, is_sync, compared):
    assert find(sources, copies, known, is_sync)[1] == compared


def test_a_name_that_occurs_twice_makes_all_doubtful(known):
    finder = ChangeFinder(known, True)
    for path in ("a", "a", "b", "c"):
        finder.hear_source(path, hash_path(path), OLD)
    assert finder.find(Listed(EQUAL), "remote:place") is None
    assert not finder.conclude().names


def test_a_listing_that_failed_leaves_no_memory(known):
    finder, compared = find(EQUAL, EQUAL, known, exit_code=1)
    assert compared is None
    assert not finder.conclude().names


def test_a_transferred_file_and_one_of_this_moment_are_not_remembered():
    finder, _compared = find(EQUAL, {**EQUAL, "b": "9999-01-01T00:00:00.000000000;5"})
    finder.hear(Item(COPY, "c", 5))
    assert list(finder.conclude().names) == [hash_path("a")]
