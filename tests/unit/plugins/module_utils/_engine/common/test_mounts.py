# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import mounts
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError

# Recorded with Linux 6.18. The root comes after the mounts on it.
RECORDED = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334432k,nr_inodes=3083608,mode=755
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
63 27 0:39 / /srv/top rw,relatime shared:2 master:1 - btrfs /dev/loop0 rw,discard=async,subvolid=5,subvol=/
64 27 0:39 /@data /srv/data rw,relatime - btrfs /dev/loop0 rw,discard=async,subvolid=256,subvol=/@data
65 64 0:39 /@photos /srv/data/my\040photos rw,relatime - btrfs /dev/loop0 rw,subvolid=259,subvol=/@photos
"""


def parsed(text=RECORDED):
    return mounts.parse_mountinfo(text)


def test_parse_mountinfo_reads_escaped_blanks_and_optional_fields():
    found = {mount.point: mount for mount in parsed()}
    assert found["/srv/data/my photos"].root == "/@photos"
    assert found["/srv/top"].fstype == "btrfs"
    assert found["/srv/top"].source == "/dev/loop0"
    assert found["/"].device == "254:0"


@pytest.mark.parametrize(
    "path, point",
    [
        ("/", "/"),
        ("/srv", "/"),
        ("/srv/database", "/"),
        ("/srv/data", "/srv/data"),
        ("/srv/data/x", "/srv/data"),
        ("/srv/data/my photos/2024", "/srv/data/my photos"),
    ],
)
def test_holding_finds_the_mount_of_a_path(path, point):
    assert mounts.find_mount(path, parsed()).point == point


@pytest.mark.parametrize(
    "path, inside",
    [
        ("/srv/data", "/@data"),
        ("/srv/data/.hidden/x", "/@data/.hidden/x"),
        ("/srv/top", ""),
        ("/srv/top/a", "/a"),
        ("/etc/x", "/etc/x"),
        ("/", ""),
    ],
)
def test_inside_returns_the_path_within_the_filesystem(path, inside):
    assert mounts.find_mount(path, parsed()).inside(path) == inside


def test_below_lists_outer_mounts_first_and_omits_the_path_itself():
    assert [m.point for m in mounts.list_submounts("/srv", parsed())] == [
        "/srv/data",
        "/srv/data/my photos",
        "/srv/top",
    ]
    assert [m.point for m in mounts.list_submounts("/srv/data", parsed())] == ["/srv/data/my photos"]
    assert mounts.list_submounts("/srv/data/my photos", parsed()) == []


def test_a_mount_hides_the_mounts_below_it():
    hidden = parsed(RECORDED + "70 27 0:50 / /srv rw - tmpfs tmpfs rw\n")
    assert mounts.find_mount("/srv/data/x", hidden).fstype == "tmpfs"
    assert [m.point for m in mounts.list_submounts("/", hidden)] == ["/dev", "/proc", "/srv"]


def test_the_upper_one_of_two_mounts_at_one_place_is_used():
    double = parsed(RECORDED + "71 64 8:1 / /srv/data rw - xfs /dev/sda1 rw\n")
    assert mounts.find_mount("/srv/data/x", double).fstype == "xfs"
    assert [m.fstype for m in mounts.list_submounts("/srv", double)] == ["xfs", "btrfs"]


def test_a_path_without_any_mount_is_refused():
    with pytest.raises(CloudsyncError, match="/srv is on no filesystem"):
        mounts.find_mount("/srv", ())


def test_the_result_for_this_machine_agrees_with_the_kernel():
    for path in ("/", "/proc", os.path.realpath(os.getcwd()), os.path.realpath(__file__)):
        held = mounts.find_mount(os.path.realpath(path), mounts.read_mounts())
        descriptor = os.open(os.path.realpath(path), os.O_PATH)
        with open(f"/proc/self/fdinfo/{descriptor}") as stream:
            told = dict(line.split(":", 1) for line in stream)["mnt_id"]
        os.close(descriptor)
        assert held.id == int(told)
