# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots on real filesystems: btrfs, LVM (thick and thin, ext4 and xfs) and ZFS, on loop devices and files.

What the kernel at hand lacks is skipped, with the reason.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
from harness import SLOW, documents_task, read_tree

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import accounts as privileges
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.mounts import read_mounts
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import Task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.snapshots import snapshot as snapshots

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(snapshots.__file__))))
RUN_ID = "20260801T020000Z-a1b2c3"
NAME = "cloudsync-nightly-20260801T020000Za1b2c3"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def sh(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def need(*tools):
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip("not installed: " + ", ".join(missing))


class Place:
    """A filesystem to work on, and a host layout beside it."""

    def __init__(self, tmp_path):
        self.tmp = tmp_path
        self.layout = Layout(str(tmp_path / "root"))
        self.said = []
        self._undo = []

    def later(self, *argv):
        self._undo.append(argv)

    def loop(self, megabytes):
        image = str(self.tmp / f"disk{len(self._undo)}.img")
        with open(image, "wb") as stream:
            stream.truncate(megabytes << 20)
        try:
            device = sh("losetup", "--find", "--show", image)
        except AssertionError as error:
            pytest.skip(f"no loop device: {error}")
        self.later("losetup", "--detach", device)
        return device

    def mount(self, source, name, *options):
        point = self.tmp / name
        point.mkdir(parents=True, exist_ok=True)
        sh("mount", *options, source, str(point))
        self.later("umount", str(point))
        return point

    def task(self, path, kind="auto", **changes):
        return Task("nightly", "c", "push", str(path), "bucket", snapshot=kind, **changes)

    def take(self, task):
        return snapshots.take_snapshot(task, RUN_ID, self.layout, self.said.append)

    def close(self):
        while self._undo:
            subprocess.run(self._undo.pop(), check=False)

    def left(self):
        """What is still mounted, the directories of views, and the notes."""
        work = self.layout.root + "/run/cloudsync-snapshots"
        notes = self.layout.task_state_dir("nightly") + "/snapshots"
        mounted = [m.point for m in read_mounts() if m.point.startswith(work)]
        return mounted + os.listdir(work) + os.listdir(notes)


@pytest.fixture
def place(tmp_path, monkeypatch):
    if not os.path.exists("/run/udev/control"):
        monkeypatch.setenv("DM_DISABLE_UDEV", "1")
    made = Place(tmp_path.resolve())
    yield made
    made.close()


@pytest.fixture
def btrfs(place):
    """Subvolumes @data (mounted at data), in it nested and nested/deep; @photos is mounted in it."""
    need("mkfs.btrfs", "btrfs", "losetup")
    if "btrfs" not in pathlib.Path("/proc/filesystems").read_text():
        pytest.skip("this kernel has no btrfs")
    device = place.loop(200)
    sh("mkfs.btrfs", "--quiet", device)
    top = place.mount(device, "top")
    for name in ("@data", "@data/nested", "@data/nested/my deep one", "@photos", "@other"):
        sh("btrfs", "subvolume", "create", str(top / name))
        (top / name / "file").write_text(name)
    (top / "@data" / "sub" / "dir").mkdir(parents=True)
    (top / "@data" / "sub" / "dir" / "file").write_text("sub")
    (top / "@data" / "photos").mkdir()
    place.data = place.mount(device, "data", "-o", "subvol=@data")
    place.mount(device, "data/photos", "-o", "subvol=@photos")
    place.top = top
    return place


def tree(path):
    """All files below ``path`` with their content."""
    found = {}
    for directory, _dirs, files in os.walk(str(path)):
        for name in files:
            full = os.path.join(directory, name)
            with open(full, "rb") as stream:
                found[os.path.relpath(full, str(path))] = stream.read()
    return found


def subvolumes(place):
    return sorted(line.split(" path ")[1] for line in sh("btrfs", "subvolume", "list", str(place.top)).splitlines())


def test_btrfs_shows_the_path_frozen_with_nested_and_mounted_subvolumes(btrfs):
    before, listed = tree(btrfs.data), subvolumes(btrfs)
    assert {"file", "nested/file", "nested/my deep one/file", "photos/file", "sub/dir/file"} == set(before)
    with btrfs.take(btrfs.task(btrfs.data)) as view:
        (btrfs.data / "file").write_text("changed meanwhile")
        (btrfs.data / "nested" / "my deep one" / "new").write_text("new")
        (btrfs.data / "photos" / "file").unlink()
        assert tree(view) == before
        with pytest.raises(OSError, match="Read-only"):
            pathlib.Path(view, "nested", "file").write_text("x")
    assert btrfs.left() == []
    assert subvolumes(btrfs) == listed
    assert not (btrfs.top / ".cloudsync-snapshots").exists()
    assert btrfs.said == [f"transferring from snapshot {NAME} of {btrfs.data}"]


def test_btrfs_of_a_sub_directory_shows_just_that(btrfs):
    with btrfs.take(btrfs.task(btrfs.data / "sub", "btrfs")) as view:
        assert tree(view) == {"dir/file": b"sub"}
        assert subvolumes(btrfs)[0] == ".cloudsync-snapshots/" + NAME
    assert btrfs.left() == []


def test_btrfs_mounted_by_its_top_leaves_its_own_snapshots_out(btrfs):
    with btrfs.take(btrfs.task(btrfs.top)) as view:
        assert "@photos/file" in tree(view)
        assert not any("cloudsync-snapshots" in name for name in tree(view))
        with snapshots.take_snapshot(
            Task("other", "c", "push", str(btrfs.top), "b", snapshot="auto"), RUN_ID, btrfs.layout, print
        ) as second:
            assert tree(second) == tree(view)
    assert btrfs.left() == []


def test_a_bind_mount_of_a_directory_is_followed_to_its_subvolume(btrfs):
    bound = btrfs.mount(str(btrfs.data / "sub"), "bound", "--bind")
    with btrfs.take(btrfs.task(bound / "dir")) as view:
        assert tree(view) == {"file": b"sub"}
    assert btrfs.left() == []


def test_the_snapshot_is_released_when_the_transfer_fails(btrfs):
    listed = subvolumes(btrfs)
    with pytest.raises(CloudsyncError, match="no network"), btrfs.take(btrfs.task(btrfs.data)):
        raise CloudsyncError("network", "no network")
    with pytest.raises(ZeroDivisionError), btrfs.take(btrfs.task(btrfs.data)):
        raise ZeroDivisionError
    assert btrfs.left() == []
    assert subvolumes(btrfs) == listed


def test_a_view_that_is_still_in_use_is_detached_and_the_snapshot_removed(btrfs):
    listed = subvolumes(btrfs)
    with btrfs.take(btrfs.task(btrfs.data)) as view:
        lurker = subprocess.Popen(["sleep", "60"], cwd=view)
    lurker.kill()
    lurker.wait()
    assert btrfs.left() == []
    assert subvolumes(btrfs) == listed


def killed_run(place, task):
    """SIGKILL a run in the middle of its transfer."""
    code = textwrap.dedent(
        """
        import sys, time
        sys.path.insert(0, {package!r})
        from _engine.snapshots import snapshot as snapshots
        from _engine.common.layout import Layout
        from _engine.config.tasks import Task
        task = Task("nightly", "c", "push", {path!r}, "bucket", snapshot={kind!r})
        with snapshots.take_snapshot(task, {run_id!r}, Layout({root!r}), lambda line: None) as view:
            print(view, flush=True)
            time.sleep(600)
        """
    ).format(package=PACKAGE, path=task.path, kind=task.snapshot, run_id=RUN_ID, root=place.layout.root)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, universal_newlines=True)
    with process.stdout:
        view = process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
        process.wait()
    return view


def test_the_leftovers_of_a_killed_run_are_swept_although_the_task_has_changed(btrfs):
    listed = subvolumes(btrfs)
    view = killed_run(btrfs, btrfs.task(btrfs.data))
    assert os.path.exists(view + "/nested/file")
    assert len(subvolumes(btrfs)) == len(listed) + 4
    assert snapshots.sweep(btrfs.task("/elsewhere", "none"), btrfs.layout) == []
    assert subvolumes(btrfs) == listed
    assert btrfs.left() == []
    assert "file" in tree(btrfs.data)


def test_the_leftovers_are_swept_also_after_a_restart_of_the_host(btrfs):
    listed = subvolumes(btrfs)
    killed_run(btrfs, btrfs.task(btrfs.data))
    work = btrfs.layout.root + "/run/cloudsync-snapshots"
    for mount in reversed([m.point for m in read_mounts() if m.point.startswith(work)]):
        sh("umount", mount)
    shutil.rmtree(work)
    assert snapshots.sweep(btrfs.task(btrfs.data), btrfs.layout) == []
    assert subvolumes(btrfs) == listed
    assert btrfs.left() == []


def test_what_can_not_be_removed_stays_noted_and_is_told(btrfs):
    killed_run(btrfs, btrfs.task(btrfs.data))
    notes = btrfs.layout.task_state_dir("nightly") + "/snapshots"
    with open(f"{notes}/{NAME}.json") as stream:
        uuid = json.load(stream)["volumes"][0]["name"].split("/")[0]

    def broken(argv):
        if argv[:3] == ["btrfs", "subvolume", "delete"]:
            raise CloudsyncError("other", "no")
        return snapshots.run_command(argv)

    problems = snapshots.sweep(btrfs.task(btrfs.data), btrfs.layout, broken)
    assert problems[0] == f"Cannot remove snapshot {NAME} of a killed run: no"
    assert os.listdir(notes) == [NAME + ".json"]
    assert uuid
    assert snapshots.sweep(btrfs.task(btrfs.data), btrfs.layout) == []
    assert btrfs.left() == []


def test_the_user_of_the_task_reads_the_view_and_nobody_else_enters_it(btrfs):
    os.chmod(str(btrfs.tmp), 0o755)
    for parent in btrfs.tmp.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            os.chmod(str(parent), 0o755)
    with btrfs.take(btrfs.task(btrfs.data, user="nobody")) as view:

        def read_as(user):
            return subprocess.run(
                ["cat", view + "/nested/file"],
                preexec_fn=privileges.make_child_setup(user),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                universal_newlines=True,
                cwd="/",
                check=False,
            ).stdout

        assert read_as("nobody") == "@data/nested"
        assert read_as("daemon") == ""
        volumes = os.path.dirname(view) + "/volumes"
        assert os.stat(volumes).st_mode & 0o077 == 0


def test_another_filesystem_inside_the_path_is_refused_by_name(btrfs):
    (btrfs.top / "@data" / "cache").mkdir()
    btrfs.mount("tmpfs", "data/cache", "-t", "tmpfs")
    with pytest.raises(CloudsyncError) as caught, btrfs.take(btrfs.task(btrfs.data)):
        pytest.fail("taken")
    assert caught.value.reason == "usage"
    assert f"cannot include these mounts: {btrfs.data}/cache (tmpfs)" in caught.value.message
    assert btrfs.left() == []


def test_a_filesystem_without_snapshots_is_refused_by_name(place):
    need("mkfs.ext4")
    device = place.loop(16)
    sh("mkfs.ext4", "-q", device)
    point = place.mount(device, "plain")
    with pytest.raises(CloudsyncError) as caught, place.take(place.task(point)):
        pytest.fail("taken")
    assert caught.value.message == (
        f"Path {point} is on {device} (ext4), which does not support snapshots. Set the task's snapshot to none."
    )
    btrfs_asked = place.take(place.task(point, "btrfs"))
    with pytest.raises(CloudsyncError, match="which does not support btrfs snapshots"), btrfs_asked:
        pytest.fail("taken")
    assert place.left() == []


@pytest.fixture(params=["thick-ext4", "thick-xfs", "thin-ext4", "thin-xfs"])
def lvm(place, request):
    """A logical volume mounted at data, and another one in it, at data/inner."""
    layout, fstype = request.param.split("-")
    need("lvcreate", "losetup", "dmsetup", "mkfs." + fstype)
    if "device-mapper" not in pathlib.Path("/proc/misc").read_text():
        pytest.skip("this kernel has no device-mapper")
    device = place.loop(1200)
    group = f"cstest{os.getpid()}"
    sh("vgcreate", "--yes", group, device)
    place.later("vgremove", "--yes", "--force", group)
    if layout == "thin":
        sh("lvcreate", "--yes", "--type", "thin-pool", "--size", "800M", "--name", "pool", group)
    for name in ("data", "inner"):
        size = ["--virtualsize", "340M", "--thinpool", "pool"] if layout == "thin" else ["--size", "340M"]
        sh("lvcreate", "--yes", *size, "--name", name, group)
        sh("mkfs." + fstype, "-q", f"/dev/{group}/{name}")
    place.data = place.mount(f"/dev/{group}/data", "data")
    (place.data / "file").write_text("outer")
    (place.data / "inner").mkdir()
    place.mount(f"/dev/{group}/inner", "data/inner")
    (place.data / "inner" / "file").write_text("inner")
    place.group = group
    place.is_thin = layout == "thin"
    return place


def volumes_of(place):
    return sorted(sh("lvs", "--noheadings", "-o", "lv_name", place.group).split())


def test_lvm_shows_the_path_frozen_with_the_volume_that_is_mounted_in_it(lvm):
    listed = volumes_of(lvm)
    with lvm.take(lvm.task(lvm.data)) as view:
        (lvm.data / "file").write_text("changed meanwhile")
        (lvm.data / "inner" / "new").write_text("new")
        seen = {name: text for name, text in tree(view).items() if "lost+found" not in name}
        assert seen == {"file": b"outer", "inner/file": b"inner"}
        with pytest.raises(OSError, match="Read-only"):
            pathlib.Path(view, "file").write_text("x")
        assert set(volumes_of(lvm)) - set(listed) == {NAME, NAME + ".1"}
    assert lvm.left() == [], lvm.said
    assert volumes_of(lvm) == listed


def test_lvm_leftovers_of_a_killed_run_are_swept(lvm):
    listed = volumes_of(lvm)
    view = killed_run(lvm, lvm.task(lvm.data, "lvm"))
    assert os.path.exists(view + "/inner/file")
    assert snapshots.sweep(lvm.task(lvm.data), lvm.layout) == []
    assert volumes_of(lvm) == listed
    assert lvm.left() == [], lvm.said


def test_an_lvm_snapshot_that_runs_full_fails_the_run(lvm):
    if lvm.is_thin:
        pytest.skip("a thin snapshot shares the room of its pool")

    def overwrite():
        with open(str(lvm.data / "big"), "wb") as stream:
            stream.write(os.urandom(60 << 20))
            os.fsync(stream.fileno())

    with pytest.raises(CloudsyncError) as caught, lvm.take(lvm.task(lvm.data)):
        overwrite()
    assert caught.value.reason == "disk_full"
    assert "ran out of space" in caught.value.message
    assert lvm.left() == [], lvm.said


@pytest.fixture
def zfs(place):
    """A pool mounted at data, in it the datasets child and child/deep."""
    need("zpool", "zfs")
    if (
        subprocess.run(["zpool", "list"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        != 0
    ):
        pytest.skip("this kernel has no ZFS")
    image = place.tmp / "pool.img"
    with open(str(image), "wb") as stream:
        stream.truncate(256 << 20)
    place.pool = f"cstest{os.getpid()}"
    place.data = place.tmp / "data"
    sh("zpool", "create", "-m", str(place.data), place.pool, str(image))
    place.later("zpool", "destroy", "-f", place.pool)
    for name in ("", "/child", "/child/deep"):
        if name:
            sh("zfs", "create", place.pool + name)
        (place.tmp / ("data" + name) / "file").write_text("in" + name)
    (place.data / "dir1" / "dir2").mkdir(parents=True)
    (place.data / "dir1" / "dir2" / "file").write_text("sub")
    return place


def zfs_snapshots(place):
    return sh("zfs", "list", "-H", "-r", "-t", "snapshot", "-o", "name", place.pool).split()


def test_a33_zfs_shows_the_path_frozen_with_its_child_datasets(zfs):
    before = tree(zfs.data)
    assert set(before) == {"file", "child/file", "child/deep/file", "dir1/dir2/file"}
    with zfs.take(zfs.task(zfs.data)) as view:
        (zfs.data / "file").write_text("changed meanwhile")
        (zfs.data / "child" / "deep" / "new").write_text("new")
        assert tree(view) == before
        assert len(zfs_snapshots(zfs)) == 3
        with pytest.raises(OSError, match="Read-only"):
            pathlib.Path(view, "child", "file").write_text("x")
    assert zfs_snapshots(zfs) == []
    assert zfs.left() == [], zfs.said


@pytest.mark.parametrize("with_zvol", [False, True])
def test_a4_zfs_of_a_sub_directory_is_read_below_the_hidden_directory(zfs, with_zvol):
    if with_zvol:
        sh("zfs", "create", "-s", "-V", "16M", zfs.pool + "/disk")
    with zfs.take(zfs.task(zfs.data / "dir1" / "dir2", "zfs")) as view:
        assert view == f"{zfs.data}/.zfs/snapshot/{NAME}/dir1/dir2"
        (zfs.data / "dir1" / "dir2" / "file").write_text("changed meanwhile")
        assert tree(view) == {"file": b"sub"}
        assert zfs_snapshots(zfs) == [f"{zfs.pool}@{NAME}"]
    assert zfs_snapshots(zfs) == []
    assert zfs.left() == [], zfs.said


def test_zfs_leftovers_of_a_killed_run_are_swept_and_other_snapshots_kept(zfs):
    sh("zfs", "snapshot", "-r", zfs.pool + "@daily")
    view = killed_run(zfs, zfs.task(zfs.data))
    assert os.path.exists(view + "/child/deep/file")
    assert snapshots.sweep(zfs.task("/elsewhere", "none"), zfs.layout) == []
    assert [name.split("@")[1] for name in zfs_snapshots(zfs)] == ["daily"] * 3
    assert zfs.left() == []


def test_a_zfs_snapshot_that_somebody_destroyed_is_no_problem_for_the_sweep(zfs):
    killed_run(zfs, zfs.task(zfs.data / "dir1"))
    sh("zfs", "destroy", f"{zfs.pool}@{NAME}")
    assert snapshots.sweep(zfs.task(zfs.data), zfs.layout) == []
    assert zfs.left() == []


def test_a_child_dataset_that_is_not_mounted_refuses_the_run(zfs):
    sh("zfs", "unmount", zfs.pool + "/child/deep")
    with pytest.raises(CloudsyncError) as caught, zfs.take(zfs.task(zfs.data)):
        pytest.fail("taken")
    assert caught.value.reason == "not_mounted"
    assert f"belong to path {zfs.data} but are not mounted: {zfs.pool}/child/deep" in caught.value.message
    assert zfs_snapshots(zfs) == []


def test_a_zfs_snapshot_shown_by_an_earlier_look_is_no_part_of_the_view(zfs):
    sh("zfs", "snapshot", "-r", zfs.pool + "@daily")
    os.listdir(str(zfs.data / ".zfs" / "snapshot" / "daily"))
    os.listdir(str(zfs.data / "child" / ".zfs" / "snapshot" / "daily"))
    with zfs.take(zfs.task(zfs.data)) as view:
        assert set(tree(view)) == {"file", "child/file", "child/deep/file", "dir1/dir2/file"}
    assert zfs.left() == [], zfs.said


def test_a_run_transfers_the_files_of_the_moment_when_it_began(btrfs, machine, bucket, store):
    listed = subvolumes(btrfs)
    (btrfs.data / "big.bin").write_bytes(b"x" * 1000000)
    options = {"path": str(btrfs.data), "snapshot": "auto", "bandwidth": SLOW}
    machine.declare([store], [documents_task(machine, bucket, **options)])
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    (btrfs.data / "big.bin").write_bytes(b"y")
    (btrfs.data / "nested" / "file").unlink()
    assert machine.ended(run, 0)["transfers"] > 1
    stored = read_tree(bucket / "documents")
    assert stored["big.bin"] == b"x" * 1000000
    assert {"nested/file", "photos/file"} < set(stored)
    assert subvolumes(btrfs) == listed
