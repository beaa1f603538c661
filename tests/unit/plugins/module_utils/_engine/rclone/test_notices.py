# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.log_lines import Message
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.notices import (
    DUPLICATE,
    KEPT_NAMES,
    LINK,
    NAME,
    Notices,
)


def read(*messages):
    notices = Notices()
    for text, name in messages:
        notices.read(Message("error", text, name))
    return notices


@pytest.mark.parametrize(
    ("text", "name", "kind", "shown"),
    [
        ('Entry doesn\'t belong in directory "a" (same as directory) - ignoring', "a/", NAME, "a/"),
        ('Entry doesn\'t belong in directory "a" (contains subdir) - ignoring', "a/b/c", NAME, "a/b/c"),
        ('Odd name received "x//y"', "S3 bucket b", NAME, "x//y"),
        ("Duplicate object found in source - ignoring", "é", DUPLICATE, "é"),
        ("Duplicate directory found in destination - ignoring", "d", DUPLICATE, "d"),
        ("Can't follow symlink without -L/--copy-links", "l", LINK, "l"),
    ],
)
def test_an_object_that_rclone_ignores_is_counted_with_its_name(text, name, kind, shown):
    notices = read((text, name))

    assert notices.count(kind) == 1
    assert f": {shown}. " in notices.describe()


def test_only_an_object_that_belongs_to_the_transfer_is_a_loss():
    assert not read(("Can't follow symlink without -L/--copy-links", "l")).has_loss
    assert read(("Duplicate object found in source - ignoring", "a")).has_loss


def test_a_name_that_looks_like_a_notice_is_none():
    notices = read(("Copied (new)", "Duplicate object found in source - ignoring"), ("Failed to copy: no", "x"))

    assert notices.describe() == ""


def test_many_objects_are_counted_and_the_first_are_named():
    notices = Notices()
    for number in range(KEPT_NAMES + 10):
        notices.add(LINK, f"l{number}")
    notices.add(LINK, "l0")

    assert notices.count(LINK) == KEPT_NAMES + 10
    assert notices.describe() == (
        "60 symbolic links were left out: l0, l1, l2, l3, l4 and 55 more. "
        "Set follow_symlinks to transfer their targets."
    )


def test_each_kind_has_one_sentence():
    notices = read(
        ("Can't follow symlink without -L/--copy-links", "l"), ("Duplicate object found in source - ignoring", "d")
    )

    assert notices.describe() == (
        "1 symbolic link was left out: l. Set follow_symlinks to transfer their targets. 1 object was skipped: d. "
        "Another object has the same name, except for letter case or the Unicode form. Rename or remove one of each."
    )
