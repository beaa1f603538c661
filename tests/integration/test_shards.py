# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that share a file system each transfer their part of one folder, and delete nothing of another part."""

from __future__ import annotations

import json
import pathlib
import random
import re

import pytest
import yaml
from controller import Controller
from harness import PASSWORD, documents_task, scale, text_tree, write_tree

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "shards.md").read_text(encoding="utf-8")
FILES = {f"{number % 7}/{number}.txt": f"content {number}" for number in range(scale(120, 30_000))}


class Cluster:
    """Hosts with one shared folder."""

    def __init__(self, new_machine, folder, bucket, store):
        self.new_machine, self.folder, self.bucket, self.store = new_machine, folder, bucket, store
        self.hosts = []
        write_tree(folder, FILES)

    def declare(self, count, **options):
        """Declare the task on the first ``count`` hosts, each with its shard."""
        while len(self.hosts) < count:
            self.hosts.append(self.new_machine())
        for index, host in enumerate(self.hosts[:count]):
            host.declare([self.store], [self.build_task(host, shard={"index": index, "count": count}, **options)])

    def build_task(self, host, **options):
        return documents_task(host, self.bucket, **{"path": str(self.folder), **options})

    def run(self, *indexes):
        return [self.hosts[index].run("documents") for index in indexes]

    def uploaded(self):
        return text_tree(self.bucket / "documents")


@pytest.fixture(name="cluster")
def fixture_cluster(new_machine, tmp_path, bucket, store):
    # Every user can enter it, as a mount of a shared file system.
    (tmp_path / "shared").mkdir()
    return Cluster(new_machine, tmp_path / "shared", bucket, store)


def test_the_hosts_of_a_group_transfer_everything_once(cluster):
    cluster.declare(3)
    records = cluster.run(0, 1, 2)
    assert cluster.uploaded() == FILES
    transferred = [record["transfers"] for record in records]
    assert sum(transferred) == len(FILES) and all(transferred)
    assert [record["message"] for record in cluster.run(0, 1, 2)] == ["Nothing had to be transferred."] * 3


def test_a_plan_and_its_limit_are_about_the_part_of_the_host_only(cluster):
    cluster.declare(3, guards={"max_delete": "50%"})
    (own, *_others) = (record["transfers"] for record in cluster.run(0, 1, 2))
    for path in cluster.folder.rglob("*.txt"):
        path.unlink()
    write_tree(cluster.folder, {"new": "new"})
    said = cluster.hosts[0].cloudsync("run", "documents", "--dry-run", "--json").json
    assert (said["reason"], said["plan"]["totals"]["delete"]["files"]) == ("max_delete", own)
    assert f"The run would delete {own} of the {own} files at the destination." in said["message"]


@pytest.mark.soak
@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD}], ids=["plain", "crypt"])
def test_the_union_is_the_whole_while_a_host_dies_and_the_count_changes(cluster, rclone, encryption):
    options = {"encryption": encryption}
    chance = random.Random(1)
    cluster.declare(3, **options)
    cluster.run(0, 1, 2)

    def change(number):
        files = sorted(cluster.folder.rglob("*.txt"))
        for path in chance.sample(files, 9):
            path.unlink()
        write_tree(cluster.folder, {f"{number}/{each}.txt": f"new {number}" for each in range(9)})

    def restored():
        """Return what a restore by the first host brings back, which is that of all parts."""
        host = cluster.hosts[0]
        target = host.data / f"restored-{chance.random()}"
        answer = host.cloudsync("restore", "documents", "--to", str(target))
        assert answer.code == 0, answer
        return text_tree(target)

    whole = text_tree(cluster.folder)
    assert restored() == whole
    # The third host is dead. The others change nothing in its part.
    change(1)
    cluster.run(0, 1)
    now, found = text_tree(cluster.folder), restored()
    assert {path: found[path] for path in found if path in now} == {path: now[path] for path in now if path in found}
    assert set(found) - set(now) <= set(whole) and set(now) - set(found) <= {path for path in now if path not in whole}
    # The others take over its part.
    cluster.declare(2, **options)
    cluster.run(0, 1)
    assert restored() == now
    # It comes back with its old shard while the others have new ones, and is declared again later.
    change(2)
    cluster.run(0, 1, 2)
    now = text_tree(cluster.folder)
    assert restored() == now
    cluster.declare(3, **options)
    change(3)
    cluster.run(2, 1, 0)
    assert restored() == text_tree(cluster.folder)


def test_a_host_with_another_folder_is_refused(cluster, new_machine, tmp_path):
    cluster.declare(2)
    cluster.run(0, 1)
    (tmp_path / "other").mkdir()
    write_tree(tmp_path / "other", {"mine.txt": "mine"})
    stranger = new_machine()
    # The same path, but on another file system: a bind mount would need root.
    cluster.folder.rename(tmp_path / "away")
    (tmp_path / "other").rename(cluster.folder)
    stranger.declare([cluster.store], [cluster.build_task(stranger, shard={"index": 1, "count": 2})])
    said = stranger.run("documents", 3, "foreign")["message"]
    assert "its source is not the folder that this host has at" in said
    # Its own mark does not protect the first host from a file system that is not mounted.
    said = cluster.hosts[0].run("documents", 3, "foreign")["message"]
    assert said.startswith(f"{cluster.folder} is not the folder that this host has pushed from since ")
    assert cluster.uploaded() == FILES
    assert cluster.hosts[0].cloudsync("adopt", "documents").code == 0
    cluster.hosts[0].run("documents", 3, "max_delete")


def test_a_task_without_shards_and_one_with_shards_do_not_share_a_destination(cluster, new_machine):
    whole = new_machine()
    whole.declare([cluster.store], [cluster.build_task(whole)])
    whole.run("documents")
    cluster.declare(2)
    assert "That task is not sharded" in cluster.hosts[0].run("documents", 3, "foreign")["message"]
    # The host itself may begin to use shards. Its mark lets the other one in.
    whole.declare([cluster.store], [cluster.build_task(whole, shard={"index": 0, "count": 2})])
    whole.run("documents")
    cluster.run(1)
    third = new_machine()
    third.declare([cluster.store], [cluster.build_task(third)])
    third.run("documents", 3, "foreign")


def test_the_past_of_a_shard_comes_back_from_its_own_host(cluster):
    cluster.declare(2, keep_deleted={"path": cluster.bucket.name + "/kept"})
    first, _other = cluster.run(0, 1)
    own = first["transfers"]
    for path in sorted(cluster.folder.rglob("*.txt"))[:10]:
        path.unlink()
    cluster.run(0, 1)
    host = cluster.hosts[0]
    answer = host.cloudsync("restore", "documents", "--to", str(host.data / "past"), "--at", first["id"], "--json")
    assert answer.code == 0, answer
    found = text_tree(host.data / "past")
    assert len(found) == own and found.items() <= FILES.items()


def test_a_drill_proves_the_part_of_the_host(cluster):
    cluster.declare(2, drill={"files": "100%"})
    first, _other = cluster.run(0, 1)
    record = cluster.hosts[0].cloudsync("drill", "documents", "--json").json
    assert record["state"] == "success" and f"{first['transfers']} files" in record["message"], record


def test_an_old_rclone_is_refused_at_the_declaration(new_machine, old_rclone, bucket, store):
    machine = new_machine(old_rclone)
    task = documents_task(machine, bucket, shard={"index": 0, "count": 2})
    said = machine.module("host_config", credentials=[store], tasks=[task])["msg"]
    assert "Task documents is invalid: shard needs rclone 1.70 or later, but this host has 1.60.1." in said


def test_the_role_gives_each_host_of_the_group_its_shard_as_the_page_says(new_machine, store, tmp_path):
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    hosts = {f"store{number}": new_machine() for number in range(2)}
    controller = Controller(tmp_path)
    controller.inventory(**{name: {"cloudsync_root": str(machine.root)} for name, machine in hosts.items()})
    content = json.loads((tmp_path / "inventory.json").read_text())
    content["storage"] = {"hosts": dict.fromkeys(hosts)}
    (tmp_path / "inventory.json").write_text(json.dumps(content))
    declared = {"cloudsync_credentials": [{**store, "name": "offsite"}], "cloudsync_rclone_install": "none"}
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "storage.yml").write_text(example + yaml.safe_dump(declared))
    controller.play("site")
    shards = [machine.module("task_info", name="dataset")["tasks"][0]["shard"] for machine in hosts.values()]
    assert shards == [{"index": 0, "count": 2}, {"index": 1, "count": 2}]
    said = controller.play("site", "--limit", "store0", code=2, cloudsync_shard_group="")
    assert "cloudsync_shard_group is not set. Set it to the group whose hosts share a source." in said
