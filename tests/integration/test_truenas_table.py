# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tests/truenas.md: no row without a test, no test that is not there, and none of TrueNAS's own checks forgotten."""

from __future__ import annotations

import pathlib
import re

import pytest

HOME = pathlib.Path(__file__).parents[2]
TEXT = (HOME / "tests" / "truenas.md").read_text(encoding="utf-8")
# TrueNAS's checks of its own Cloud Sync, as this project numbers them.
CHECKS = {
    1, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 18, 19, 20, 21, 22, 24, 25, 26, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39,
    40, 41, 43, 44, 45, 46, 47, 48, 49, 50, 51, 54, 55, 56, 57, 58, 59, 62, 63, 64, 67, 69, 70, 72,
}  # fmt: skip
HEADING = "| TrueNAS | here | shown by |\n| --- | --- | --- |\n"


def every_test():
    """Every test, as ``name`` and as ``file::name``."""
    for folder in ("tests", "extensions/molecule"):
        for path in (HOME / folder).rglob("test_*.py"):
            for name in re.findall(r"^ *def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE):
                yield name
                yield path.stem + "::" + name


TESTS = set(every_test())


def rows():
    """The rows of every table that has something to show."""
    for table in TEXT.split(HEADING)[1:]:
        yield from table.split("\n\n")[0].strip().splitlines()


def without_counterpart():
    return {
        int(number) for number in re.findall(r"^\* A(\d+), \S", TEXT.split("## Has no counterpart")[1], re.MULTILINE)
    }


def numbers_in(names):
    return {int(number) for name in names for number in re.findall(r"(?<=_)a(\d+)(?=_)", name)}


def test_there_are_tables_and_they_are_found():
    assert TEXT.count("shown by") == TEXT.count(HEADING)
    assert len(list(rows())) > 150


@pytest.mark.parametrize("row", list(rows()))
def test_a_row_names_tests_that_exist(row):
    cells = row.strip().strip("|").split(" | ")
    assert len(cells) == 3, row
    named = re.findall(r"`((?:test_\w+::)?test_\w+)`", cells[2])
    assert named, row
    assert cells[2].strip() == ", ".join(f"`{name}`" for name in named), row
    assert [name for name in named if name not in TESTS] == []


def test_each_check_of_truenas_is_a_test_or_has_no_counterpart():
    assert sorted(CHECKS - numbers_in(TESTS) - without_counterpart()) == []


def test_no_check_is_said_to_have_no_counterpart_although_it_is_tested():
    assert sorted(numbers_in(TESTS) & without_counterpart()) == []
    assert without_counterpart() < CHECKS


@pytest.mark.parametrize("row", list(rows()))
def test_a_number_in_a_row_is_shown_by_a_test_of_that_number(row):
    told, _here, shown = row.strip().strip("|").split(" | ")
    assert {int(number) for number in re.findall(r"\bA(\d+)\b", told)} <= numbers_in([shown])


def test_every_test_that_the_prose_names_exists():
    assert [name for name in re.findall(r"`(test_\w+)`", TEXT) if name not in TESTS] == []


def test_every_file_that_is_linked_exists():
    assert [name for name in re.findall(r"\]\(([^)#]+)\)", TEXT) if not (HOME / "tests" / name).is_file()] == []
