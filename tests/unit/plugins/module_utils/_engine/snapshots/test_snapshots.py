# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test snapshots against transcripts. tests/integration/test_snapshots_for_real.py uses real filesystems.

The answers are what the tools gave: lvm2 2.03.16, btrfs-progs 6.2, OpenZFS 2.2.2.
"""

from __future__ import annotations

import json
import os
import pwd

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.mounts import parse_mountinfo
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import Task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.snapshots import btrfs
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.snapshots import snapshot as snapshots
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.snapshots import tools as commands

RUN_ID = "20260801T020000Z-a1b2c3"
NAME = "cloudsync-nightly-20260801T020000Za1b2c3"
ROOT = "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
UUID = "f52e2278-b539-4248-953c-f30dd210813e"
NO_ROWS = '  {\n      "report": [\n          {\n              "lv": [\n              ]\n          }\n      ]\n  }\n'


def lv_row(name, layout="linear", invalid="unknown", group="vg0"):
    row = '{{"vg_name":"{0}", "lv_name":"{1}", "lv_layout":"{2}", "lv_snapshot_invalid":"{3}"}}'
    return NO_ROWS.replace('"lv": [\n', '"lv": [\n                  ' + row.format(group, name, layout, invalid) + "\n")


class Transcript:
    """Answer commands as the tools did. The first answer whose words all occur in the command is used."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.called = []

    def __call__(self, argv):
        line = " ".join(argv)
        self.called.append(line)
        for words, answer in self.answers:
            if all(word in line for word in words.split()):
                if isinstance(answer, str):
                    return answer
                raise commands.build_command_error(argv, *answer)
        return ""

    def of(self, *tools):
        return [line for line in self.called if line.split()[0] in tools]


class Here:
    """A directory below tmp_path, and mounts in it."""

    def __init__(self, tmp_path):
        self.base = os.path.realpath(str(tmp_path))
        self.data = self.base + "/data"
        os.makedirs(self.data + "/dir1/dir2")
        self.work = self.base + "/work"
        self.notes = self.base + "/state/nightly/snapshots"
        self.view = f"{self.work}/{NAME}"
        self.said = []

    def take(self, execute, *mounts, kind="auto", path=None):
        lines = [line.replace("DATA", self.data) for line in mounts]
        return snapshots.take(
            kind,
            path or self.data,
            NAME,
            self.work,
            self.notes,
            self.said.append,
            execute,
            read=lambda: parse_mountinfo(ROOT + "\n".join(lines)),
        )

    def refusal(self, execute, *mounts, **options):
        with pytest.raises(CloudsyncError) as caught, self.take(execute, *mounts, **options):
            pytest.fail("taken")
        assert self.left() == []
        return caught.value

    def left(self):
        return os.listdir(self.notes) + os.listdir(self.work)


@pytest.fixture
def here(tmp_path):
    return Here(tmp_path)


@pytest.mark.parametrize(
    "task, name",
    [
        ("nightly", NAME),
        ("a-b.c", "cloudsync-a-b.c-20260801T020000Za1b2c3"),
        # LVM refuses names with _tdata in them, and long ones.
        ("my_tdata", "cloudsync-my.tdata.e143ecc9-20260801T020000Za1b2c3"),
        ("x" * 63, "cloudsync-" + "x" * 24 + ".75220b47-20260801T020000Za1b2c3"),
    ],
)
def test_a_snapshot_is_named_after_the_task_and_the_run(task, name):
    assert snapshots.make_snapshot_name(task, RUN_ID) == name


def test_different_tasks_have_different_names():
    names = {snapshots.make_snapshot_name(task, RUN_ID) for task in ("a_b", "a.b", "a-b", "x" * 40, "x" * 41)}
    assert len(names) == 5


# ZFS

ZFS = "40 27 0:50 / DATA rw - zfs tank/data rw,xattr"
ZFS_CHILD = "41 40 0:51 / DATA/child rw - zfs tank/data/child rw,xattr"


def zfs_list(here, *rows):
    return "".join(row.replace("DATA", here.data) + "\n" for row in rows)


def test_a4_zfs_of_a_sub_directory_is_read_below_the_hidden_directory(here):
    path = here.data + "/dir1/dir2"
    hidden = f"{here.data}/.zfs/snapshot/{NAME}"
    os.makedirs(hidden + "/dir1/dir2")
    run = Transcript(("zfs list", zfs_list(here, "tank/data\tDATA\ton\tyes")))
    with here.take(run, ZFS, path=path) as view:
        assert view == hidden + "/dir1/dir2"
    assert run.called == [
        "zfs list -H -r -t filesystem -o name,mountpoint,canmount,mounted tank/data",
        "zfs snapshot tank/data@" + NAME,
        "zfs destroy tank/data@" + NAME,
    ]
    assert here.left() == []


def test_a33_zfs_children_are_frozen_in_one_transaction_and_put_in_their_places(here):
    run = Transcript(("zfs list", zfs_list(here, "tank/data\tDATA\ton\tyes", "tank/data/child\tDATA/child\ton\tyes")))
    with here.take(run, ZFS, ZFS_CHILD) as view:
        assert view == here.view + "/tree"
    assert run.of("zfs")[2:] == [
        f"zfs snapshot tank/data@{NAME} tank/data/child@{NAME}",
        "zfs destroy tank/data/child@" + NAME,
        "zfs destroy tank/data@" + NAME,
    ]
    assert run.of("mount", "umount") == [
        f"mount -t zfs -o ro,nosuid,nodev tank/data@{NAME} {here.view}/volumes/1",
        f"mount -t zfs -o ro,nosuid,nodev tank/data/child@{NAME} {here.view}/volumes/2",
        f"mount --bind {here.view}/volumes/1 {here.view}/tree",
        f"mount --bind {here.view}/volumes/2 {here.view}/tree/child",
        f"umount {here.view}/tree/child",
        f"umount {here.view}/tree",
        f"umount {here.view}/volumes/2",
        f"umount {here.view}/volumes/1",
    ]
    assert here.left() == []


def test_a_bind_mounted_directory_is_read_from_its_dataset(here):
    run = Transcript()
    with here.take(run, "40 27 0:50 /deep/dir DATA rw - zfs tank/data rw"):
        pass
    assert f"mount --bind {here.view}/volumes/1/deep/dir {here.view}/tree" in run.called


@pytest.mark.parametrize(
    "row, refused",
    [
        ("tank/data/locked\tDATA/locked\ton\tno", True),
        ("tank/data/locked\tDATA\ton\tno", True),
        ("tank/data/off\tDATA/off\toff\tno", False),
        ("tank/data/manual\tDATA/manual\tnoauto\tno", False),
        ("tank/data/none\tnone\ton\tno", False),
        ("tank/data/away\t/elsewhere\ton\tno", False),
        ("tank/data/there\tDATA/there\ton\tyes", False),
    ],
)
def test_an_unmounted_child_dataset_is_refused(here, row, refused):
    run = Transcript(("zfs list", zfs_list(here, "tank/data\tDATA\ton\tyes", row)))
    if refused:
        error = here.refusal(run, ZFS)
        assert error.reason == "not_mounted"
        assert f"belong to path {here.data} but are not mounted: tank/data/locked. They" in error.message
        assert not any("snapshot" in line.split() for line in run.called)
    else:
        with here.take(run, ZFS):
            pass


def test_snapshots_in_the_zfs_directory_are_ignored(here):
    shown = "42 40 0:60 / DATA/.zfs/snapshot/daily ro - zfs tank/data@daily ro"
    run = Transcript()
    with here.take(run, ZFS, shown):
        pass
    assert "daily" not in " ".join(run.called)


def test_a_path_in_a_snapshot_is_refused(here):
    error = here.refusal(Transcript(), "42 27 0:60 / DATA ro - zfs tank/data@daily ro")
    assert "is already in a snapshot" in error.message


def test_a_failed_zfs_snapshot_leaves_nothing(here):
    run = Transcript(("zfs snapshot", (1, "cannot create snapshot 'tank/data@x': out of space\n")))
    error = here.refusal(run, ZFS)
    assert error.reason == "disk_full"
    assert error.message == "zfs snapshot failed with exit code 1: cannot create snapshot 'tank/data@x': out of space"
    assert not any("destroy" in line for line in run.called)


def test_the_next_run_removes_a_snapshot_that_could_not_be_removed(here):
    run = Transcript(("zfs destroy", (1, "cannot destroy snapshot tank/data@x: dataset is busy\n")))
    with here.take(run, ZFS):
        pass
    assert len(here.said) == 1
    assert f"Cannot remove snapshot {NAME}. The next run tries again: zfs destroy failed" in here.said[0]
    assert os.listdir(here.notes) == [NAME + ".json"]
    again = Transcript()
    assert snapshots.sweep_notes(here.notes, again, lambda: ()) == []
    assert again.called == ["zfs destroy tank/data@" + NAME]
    assert here.left() == []


@pytest.mark.parametrize(
    "words",
    ["could not find any snapshots to destroy; check snapshot names.", "cannot open 'tank/x': dataset does not exist"],
)
def test_a_missing_zfs_snapshot_is_swept_without_an_error(here, words):
    run = Transcript(("zfs destroy", (1, "cannot destroy snapshot tank/data@x: dataset is busy\n")))
    with here.take(run, ZFS):
        pass
    assert snapshots.sweep_notes(here.notes, Transcript(("zfs destroy", (1, words))), lambda: ()) == []
    assert here.left() == []


# btrfs

BTRFS = "50 27 0:39 /@data DATA rw - btrfs /dev/loop0 rw,subvolid=256,subvol=/@data"
LISTING = (
    "ID 256 gen 7 top level 5 path @data\n"
    "ID 257 gen 7 top level 256 path @data/nested one\n"
    "ID 258 gen 7 top level 257 path @data/nested one/deep\n"
    "ID 259 gen 7 top level 5 path @data2\n"
    "ID 260 gen 7 top level 5 path .cloudsync-snapshots/cloudsync-other-1\n"
)


@pytest.mark.parametrize(
    "tree, found",
    [
        (
            "/@data",
            [
                ("", "/@data", ""),
                ("nested one", "/@data/nested one", ""),
                ("nested one/deep", "/@data/nested one/deep", ""),
            ],
        ),
        ("/@data/a/b", [("", "/@data", "/a/b")]),
        ("/@data/nested one/x", [("", "/@data/nested one", "/x")]),
        ("/@data2", [("", "/@data2", "")]),
        ("/plain", [("", "", "/plain")]),
        (
            "",
            [
                ("", "", ""),
                ("@data", "/@data", ""),
                ("@data/nested one", "/@data/nested one", ""),
                ("@data/nested one/deep", "/@data/nested one/deep", ""),
                ("@data2", "/@data2", ""),
            ],
        ),
    ],
)
def test_a_btrfs_path_consists_of_its_nested_subvolumes(tree, found):
    assert btrfs.list_nested(LISTING, tree) == found


def test_each_btrfs_subvolume_is_frozen_and_put_in_its_place(here):
    run = Transcript(("blkid", UUID + "\n"), ("btrfs subvolume list", LISTING))
    top = here.view + "/volumes/1"
    with here.take(run, BTRFS) as view:
        assert view == here.view + "/tree"
        assert os.listdir(top) == [".cloudsync-snapshots"]
    frozen = f"{top}/.cloudsync-snapshots/{NAME}"
    assert run.called[:8] == [
        "blkid -s UUID -o value /dev/loop0",
        f"mount -t btrfs -o subvolid=5,nosuid,nodev UUID={UUID} {top}",
        "btrfs subvolume list " + top,
        f"btrfs subvolume snapshot -r {top}/@data {frozen}",
        f"btrfs subvolume snapshot -r {top}/@data/nested one {frozen}.1",
        f"btrfs subvolume snapshot -r {top}/@data/nested one/deep {frozen}.2",
        f"mount --bind {frozen} {here.view}/tree",
        f"mount --bind {frozen}.1 {here.view}/tree/nested one",
    ]
    assert here.left() == []


def test_a_subvolume_hidden_by_a_mount_is_not_frozen(here):
    inner = "51 50 0:50 / DATA/nested\\040one rw - zfs tank/x rw"
    run = Transcript(("blkid", UUID + "\n"), ("btrfs subvolume list", LISTING))
    with here.take(run, BTRFS, inner):
        pass
    assert len([line for line in run.called if "subvolume snapshot" in line]) == 1
    assert "zfs snapshot tank/x@" + NAME in run.called
    assert f"mount --bind {here.view}/volumes/2 {here.view}/tree/nested one" in run.called


def test_a_failed_btrfs_snapshot_removes_those_already_taken(here):
    run = Transcript(
        ("blkid", UUID + "\n"),
        ("btrfs subvolume list", LISTING),
        ("btrfs snapshot deep", (1, "ERROR: cannot snapshot 'r/@data': Read-only file system\n")),
    )
    frozen = f"{here.view}/volumes/1/.cloudsync-snapshots/{NAME}"

    def execute(argv):
        answer = run(argv)
        # The real command makes and removes a directory.
        if "snapshot" in argv:
            os.mkdir(argv[-1])
        if "delete" in argv:
            os.rmdir(argv[-1])
        return answer

    error = here.refusal(execute, BTRFS)
    assert "btrfs subvolume snapshot failed with exit code 1: ERROR: cannot snapshot" in error.message
    assert [line for line in run.called if "delete" in line] == [
        f"btrfs subvolume delete --commit-after {frozen}.1",
        f"btrfs subvolume delete --commit-after {frozen}",
    ]


# LVM

LVM = "29 27 254:3 / DATA rw - {0} /dev/mapper/vg0-data rw"


def lvm_transcript(*answers, layout="linear", snapshot_rows=("", "")):
    rows = list(snapshot_rows)
    return Transcript(
        *answers,
        ("lvs lv_kernel_major=254", lv_row("data", layout)),
        ('lvs lv_name="data"', lv_row("data", layout)),
        (f'lvs lv_name="{NAME}"', lv_row(NAME, layout, *rows[:1])),
    )


@pytest.mark.parametrize(
    "fstype, layout, size, options",
    [
        ("ext4", "linear", " --extents 10%ORIGIN", "ro,nosuid,nodev,noload"),
        ("xfs", "thin,sparse", "", "ro,nosuid,nodev,nouuid,norecovery"),
        ("vfat", "raid,raid1", " --extents 10%ORIGIN", "ro,nosuid,nodev"),
    ],
)
def test_thick_and_thin_volumes_are_frozen_and_mounted_with_the_options_of_their_filesystem(
    here, fstype, layout, size, options
):
    run = lvm_transcript(layout=layout)
    with here.take(run, LVM.format(fstype), path=here.data + "/dir1") as view:
        assert view == here.view + "/tree"
    assert run.of("lvcreate", "mount", "umount", "lvremove") == [
        f"lvcreate --snapshot --name {NAME} --permission r --setactivationskip n{size} vg0/data",
        f"mount -t {fstype} -o {options} /dev/vg0/{NAME} {here.view}/volumes/1",
        f"mount --bind {here.view}/volumes/1/dir1 {here.view}/tree",
        f"umount {here.view}/tree",
        f"umount {here.view}/volumes/1",
        "lvremove --yes vg0/" + NAME,
    ]
    assert here.left() == []


def test_an_lvm_snapshot_out_of_space_fails_a_successful_transfer(here):
    run = lvm_transcript(snapshot_rows=["snapshot invalid"])
    with pytest.raises(CloudsyncError) as caught, here.take(run, LVM.format("ext4")):
        pass
    assert caught.value.reason == "disk_full"
    assert "The snapshot of volume vg0/data ran out of space" in caught.value.message
    assert "More than 10% of the volume changed during the run." in caught.value.message
    assert here.left() == []


def test_an_lvm_snapshot_out_of_space_is_the_reason_of_a_failed_transfer(here):
    run = lvm_transcript(snapshot_rows=["snapshot invalid"])
    with pytest.raises(CloudsyncError) as caught, here.take(run, LVM.format("ext4")):
        raise CloudsyncError("other", "input/output error")
    assert caught.value.reason == "disk_full"
    with pytest.raises(CloudsyncError) as caught, here.take(run, LVM.format("ext4")):
        raise CloudsyncError("stopped", "The run was stopped.")
    assert caught.value.reason == "stopped"


def test_a_failed_transfer_keeps_its_reason_if_the_snapshot_cannot_be_checked(here):
    run = lvm_transcript((f'lvs lv_name="{NAME}"', (5, "no answer")))
    with pytest.raises(CloudsyncError, match="no network"), here.take(run, LVM.format("ext4")):
        raise CloudsyncError("network", "no network")
    with pytest.raises(CloudsyncError, match="no answer"), here.take(run, LVM.format("ext4")):
        pass


def test_a_full_volume_group_is_reported_as_disk_full(here):
    words = "  Insufficient suitable allocatable extents found for logical volume full.\n"
    error = here.refusal(lvm_transcript(("lvcreate", (5, words))), LVM.format("ext4"))
    assert error.reason == "disk_full"
    assert "lvcreate failed with exit code 5: Insufficient suitable allocatable extents" in error.message


def test_a_mapped_device_that_is_not_a_logical_volume_is_refused(here):
    luks = "29 27 254:9 / DATA rw - ext4 /dev/mapper/luks-1 rw"
    error = here.refusal(Transcript(("lvs", NO_ROWS)), luks)
    assert error.reason == "usage"
    assert "is on /dev/mapper/luks-1 (ext4), which is not an LVM logical volume" in error.message


def test_two_logical_volumes_of_a_group_get_different_names(here):
    inner = "30 29 254:4 / DATA/inner rw - ext4 /dev/mapper/vg0-inner rw"
    run = Transcript(
        ("lvs lv_kernel_minor=3", lv_row("data")),
        ("lvs lv_kernel_minor=4", lv_row("inner")),
        ('lvs lv_name="' + NAME, lv_row("snapshot", invalid="")),
        ('lvs lv_name="data"', lv_row("data")),
        ('lvs lv_name="inner"', lv_row("inner")),
    )
    with here.take(run, LVM.format("ext4"), inner):
        pass
    assert [line.split()[3] for line in run.of("lvcreate")] == [NAME, NAME + ".1"]


# All of them


def test_a_filesystem_without_snapshots_is_refused(here):
    error = here.refusal(Transcript(), "29 27 8:1 / DATA rw - xfs /dev/sda1 rw")
    assert error.reason == "usage"
    assert error.message == (
        f"Path {here.data} is on /dev/sda1 (xfs), which does not support snapshots. Set the task's snapshot to none."
    )


@pytest.mark.parametrize(
    "kind, mount, words",
    [
        ("zfs", BTRFS, "(btrfs), which does not support zfs snapshots. Set the task's snapshot to btrfs."),
        ("lvm", BTRFS, "(btrfs), which does not support lvm snapshots. Set the task's snapshot to btrfs."),
        ("btrfs", LVM.format("ext4"), "which does not support btrfs snapshots. Set the task's snapshot to lvm."),
        ("btrfs", "29 27 0:9 / DATA rw - tmpfs none rw", "(tmpfs), which does not support btrfs snapshots"),
    ],
)
def test_a_filesystem_of_another_kind_is_refused(here, kind, mount, words):
    assert words in here.refusal(Transcript(), mount, kind=kind).message


def test_snapshot_lvm_accepts_any_device_name_of_a_logical_volume(here):
    run = Transcript(("lvs lv_kernel_major=254", lv_row("root")), ("lvs", lv_row("root", invalid="")))
    with here.take(run, "29 27 254:0 / DATA rw - ext4 /dev/root rw", kind="lvm"):
        pass
    assert len(run.of("lvcreate")) == 1


def test_an_inner_mount_that_cannot_be_frozen_is_refused(here):
    error = here.refusal(
        Transcript(),
        ZFS,
        "60 40 0:70 / DATA/nfs rw - nfs4 server:/x rw",
        "61 40 0:71 / DATA/auto rw - autofs systemd-1 rw",
    )
    assert error.reason == "usage"
    assert f"cannot include these mounts: {here.data}/auto (autofs), {here.data}/nfs (nfs4)" in error.message


def test_virtual_filesystems_inside_the_path_are_ignored(here):
    run = Transcript()
    with here.take(
        run,
        ZFS,
        "60 40 0:70 / DATA/proc rw - proc proc rw",
        "61 60 0:71 / DATA/proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw",
    ):
        pass
    assert len(run.of("zfs")) == 3


def test_nothing_is_mounted_on_a_directory_that_became_a_link(here):
    run = Transcript(("zfs list", ""))
    victim = here.base + "/victim"
    os.mkdir(victim)

    def execute(argv):
        if argv[:2] == ["mount", "--bind"] and argv[-1].endswith("/tree"):
            os.symlink(victim, argv[-1] + "/child")
        if argv[0] == "umount" and argv[-1].endswith("/tree"):
            os.unlink(argv[-1] + "/child")
        return run(argv)

    error = here.refusal(execute, ZFS, ZFS_CHILD)
    assert "changed during its snapshot" in error.message
    assert not any("child" in line for line in run.of("mount") if "--bind" in line)


def test_the_note_is_written_before_anything_is_frozen(here):
    seen = []

    def execute(argv):
        if argv[1] == "snapshot":
            with open(f"{here.notes}/{NAME}.json") as stream:
                seen.append(json.load(stream))
        return ""

    with here.take(execute, ZFS):
        pass
    assert seen[0]["volumes"] == [{"kind": "zfs", "name": "tank/data", "fstype": "zfs", "label": NAME}]
    assert seen[0]["directory"] == here.view
    assert os.stat(here.notes).st_mode & 0o777 == 0o700


def test_an_edited_note_removes_nothing(here):
    os.makedirs(here.notes)
    run = Transcript()
    for name, content in {
        "a": '{"schema": 1, "directory": "/x", "volumes": ['
        '{"kind": "zfs", "name": "t", "fstype": "", "label": "all"}]}',
        "b": '{"schema": 1, "volumes": []}',
        "c": "{",
        "d": '{"schema": 99}',
    }.items():
        with open(f"{here.notes}/{name}.json", "w") as stream:
            stream.write(content)
    problems = snapshots.sweep_notes(here.notes, run, lambda: ())
    assert [problem.partition(": ")[0] for problem in problems] == [
        f"Cannot remove snapshot {name} of a killed run" for name in "abcd"
    ]
    assert run.called == []
    assert len(os.listdir(here.notes)) == 4


def test_a_sweep_without_notes_calls_no_tool(here):
    run = Transcript()
    assert snapshots.sweep_notes(here.notes, run, lambda: ()) == []
    assert run.called == []


def test_a_task_without_a_snapshot_is_transferred_from_its_path(here):
    task = Task("nightly", "c", "push", here.data, "b")
    with snapshots.take_snapshot(task, RUN_ID, Layout(here.base), here.said.append) as view:
        assert view == here.data
    assert here.said == []


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming nobody needs root")
def test_a_snapshot_without_root_is_a_usage_error(here):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            with snapshots.take_snapshot(
                Task("nightly", "c", "push", here.data, "b", snapshot="auto"), RUN_ID, Layout(here.base), print
            ):
                pass
        except CloudsyncError as error:
            os.write(writer, (error.reason + " " + error.message).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    assert said.startswith("usage A snapshot needs root")


def test_a_missing_tool_names_the_package():
    with pytest.raises(CloudsyncError) as caught:
        commands.run_command(["lvs-that-is-not-there"])
    assert caught.value.reason == "usage"
    assert "needs the command lvs-that-is-not-there" in caught.value.message
    assert commands.build_missing_tool_error("lvs").message.endswith("Install package lvm2.")
    assert "btrfs-progs" in commands.build_missing_tool_error("btrfs").message


def test_the_error_of_a_failed_tool_omits_its_operands():
    with pytest.raises(CloudsyncError) as caught:
        commands.run_command(["sh", "-c", "echo WARNING: noise >&2; echo first >&2; echo second >&2; exit 3"])
    assert caught.value.message == "sh failed with exit code 3: first second"
