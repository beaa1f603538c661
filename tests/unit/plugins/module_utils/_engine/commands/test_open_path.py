# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.commands.open_path import (
    find_other_writer,
    make_folders,
    open_path,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import Refused


def reached(path, **options):
    with open_path(str(path), **options) as found:
        return os.readlink(f"/proc/self/fd/{found}")


def test_own_links_are_followed(tmp_path):
    (tmp_path / "real" / "in").mkdir(parents=True)
    (tmp_path / "relative").symlink_to("real")
    (tmp_path / "absolute").symlink_to(tmp_path / "real" / ".." / "relative")

    assert reached(tmp_path / "absolute" / "in") == str(tmp_path / "real" / "in")


def test_a_missing_path_is_an_error_or_its_nearest_parent_or_created(tmp_path):
    path = tmp_path / "a" / "b"

    with pytest.raises(FileNotFoundError):
        reached(path)
    assert reached(path, nearest=True) == str(tmp_path)
    make_folders([str(path)])
    assert reached(path) == str(path)
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(Refused, match="more than 40 symbolic links"):
        reached(tmp_path / "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_links_of_other_users_are_refused_and_their_folders_are_named(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    os.chown(tmp_path / "link", 4242, 4242, follow_symlinks=False)
    os.chown(tmp_path / "real", 4242, 4242)

    with pytest.raises(Refused, match="'link' of user 4242"):
        reached(tmp_path / "link")
    assert reached(tmp_path / "link", owner=4242) == str(tmp_path / "real")
    assert find_other_writer(str(tmp_path / "real" / "missing")) == "user 4242"
    make_folders([str(tmp_path / "real" / "made")])
    assert (tmp_path / "real" / "made").stat().st_uid == 4242
