# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Count the tests that passed, failed and were skipped, from the exit codes and reports of the tools."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from xml.etree import ElementTree

LINE = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
PROBLEM = re.compile(r"^(?:WARNING|ERROR|CRITICAL): ", re.MULTILINE)  # in the log of galaxy-importer
NOTHING_TO_DO = "No tests applicable."  # ansible-test's message if a check applies to no file


@dataclasses.dataclass(frozen=True)
class Counts:
    """Numbers of tests. A skipped test does not count as passed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        line = f"{self.passed} passed, {self.failed} failed"
        return f"{line}, {self.skipped} skipped" if self.skipped else line


def from_exit(code: int) -> Counts:
    """Count one check by its exit code."""
    return Counts(failed=1) if code else Counts(passed=1)


def from_closing_line(text: str, code: int) -> Counts:
    """Read the last line of ``text``, ``N passed, N failed[, N skipped]``.

    Count one failure if the line is missing, or if the exit code is not 0 although the line has no failure.
    """
    lines = text.strip().splitlines()
    match = LINE.match(lines[-1].strip()) if lines else None
    if not match:
        return Counts(failed=1)
    return _at_least_one_failure(Counts(*(int(number or 0) for number in match.groups())), code)


def from_importer(text: str, code: int) -> Counts:
    """Count one import by galaxy-importer. A warning is a failure, although the exit code is 0."""
    return from_exit(code or len(PROBLEM.findall(text)))


def from_junit(paths: list[pathlib.Path], code: int) -> Counts:
    """Count the test cases in JUnit files.

    Count one failure if the exit code is not 0 although no case has failed.
    """
    total = Counts()
    for path in paths:
        for case in ElementTree.parse(path).iter("testcase"):
            total += _from_case(case)
    return _at_least_one_failure(total, code)


def _from_case(case: ElementTree.Element) -> Counts:
    if case.find("failure") is not None or case.find("error") is not None:
        return Counts(failed=1)
    skipped = case.find("skipped")
    if skipped is None:
        return Counts(passed=1)
    message = (skipped.get("message") or "") + (skipped.text or "")
    return Counts() if NOTHING_TO_DO in message else Counts(skipped=1)


def _at_least_one_failure(counts: Counts, code: int) -> Counts:
    return counts + Counts(failed=1) if code and not counts.failed else counts
