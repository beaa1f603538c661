# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
from collections import Counter

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.restores.sample import Sample
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer.entries import Entry

MANY = 10**9


def choose(wish, entries, max_bytes=MANY, seed=1):
    sample = Sample(wish, max_bytes, random.Random(seed))
    for entry in entries:
        sample.add(entry)
    return sample, sample.finish()


def files(count, size=1):
    return [Entry(f"{number:07}", size) for number in range(count)]


@pytest.mark.parametrize(
    ("wish", "count", "chosen"),
    [("20", 1000, 20), ("20", 7, 7), ("20", 0, 0), ("5%", 1000, 50), ("100%", 30, 30), ("5%", 3, 1), ("5%", 0, 0)],
)
def test_a_sample_has_the_count_or_the_percentage_and_at_least_one_file(wish, count, chosen):
    found = choose(wish, files(count))[1]
    assert len(set(found)) == len(found) == chosen
    assert found == sorted(found)


@pytest.mark.parametrize("wish", ["10", "10%"])
def test_every_file_has_the_same_chance(wish):
    counts = Counter(entry.path for seed in range(2000) for entry in choose(wish, files(100), seed=seed)[1])
    assert len(counts) == 100
    assert all(130 < count < 280 for count in counts.values()), counts


def test_a_sample_of_a_million_files_keeps_only_its_own():
    sample = Sample("20", MANY)
    for number in range(100_000):
        sample.add(Entry(str(number), 1))
    assert len(sample._chosen) == 20
    assert sample._by_share == []


def test_all_files_together_are_not_larger_than_the_limit_and_larger_files_are_counted():
    sample, chosen = choose("20", [*files(10, 40), Entry("huge", 101)], max_bytes=100)
    assert (len(chosen), sample.large) == (2, 1)
    assert choose("20", [Entry("unknown", -1)], max_bytes=1)[1] == [Entry("unknown", -1)]


@pytest.mark.parametrize("name", ["two\nlines", "a\rb", "quoted\u201bname", "not-utf8-\udcff"])
def test_names_that_a_list_of_names_cannot_have_are_not_chosen(name):
    assert choose("100%", [Entry(name, 1), Entry("a", 1)])[1] == [Entry("a", 1)]
