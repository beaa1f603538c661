# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from array import array

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.hashes.hashes import list_missing
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.history import pushed as listing
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.history.pushed import Pushed, hash_name


def build(*names):
    hashes = array("Q", sorted(map(hash_name, names)))
    return Pushed("r", "p", "s", hashes, array("Q", [1] * len(names)), array("Q", [2] * len(names)))


def test_what_was_pushed_is_remembered_and_forgotten(layout):
    said = []
    assert listing.load_pushed(layout, "docs", said.append) is None
    listing.save_pushed(layout, "docs", build("a", "b"), said.append)
    assert listing.load_pushed(layout, "docs", said.append) == build("a", "b")
    listing.save_pushed(layout, "docs", None, said.append)
    assert listing.load_pushed(layout, "docs", said.append) is None
    assert said == []


def test_a_damaged_file_is_the_same_as_none(layout):
    said = []
    listing.save_pushed(layout, "docs", build("a"), said.append)
    with open(f"{layout.state_dir}/docs/pushed", "ab") as stream:
        stream.write(b"x")
    assert listing.load_pushed(layout, "docs", said.append) is None
    assert "is damaged, so the names that the destination must have are unknown" in said[0]


def test_names_that_a_provider_treats_as_one_are_not_missing():
    assert list(list_missing(build("Ä.txt", "b").hashes, build("a\u0308.TXT").hashes)) == [hash_name("b")]
    assert list(list_missing(build("a").hashes, build("a", "b").hashes)) == []
