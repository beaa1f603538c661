# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every recipe of docs/recipes.md works as it is written, and does what it promises."""

from __future__ import annotations

import json
import pathlib
import re

import harness
import places
import pytest
from guide import DOCS, Fleet, read_sections
from harness import read_tree, text_tree, write_tree

RECIPES = read_sections("recipes.md")
FILES = {"index.html": "<h1>Hello</h1>", "posts/one.html": "one"}


@pytest.fixture(name="fleet")
def fixture_fleet(tmp_path, new_machine, rclone, s3_server, bucket):
    fleet = Fleet(tmp_path, new_machine, rclone, harness.s3_credential(s3_server[0], "offsite"))
    fleet.replaced.update({'"backup/': f'"{bucket.name}/', "datasets/": bucket.name + "/"})
    return fleet


def check_refusal(answer, said):
    assert said in answer and "Nothing was changed" in answer, answer


def test_nightly_encrypted_push(fleet, bucket):
    (web1,) = fleet.add("web1")
    write_tree(web1.data / "www", FILES)
    said = fleet.follow(RECIPES["Nightly encrypted push"])
    assert "01:30" in said["ansible-playbook skyhaul.cloudsync.preview -e cloudsync_task=www"]
    pushed = read_tree(bucket / "web1" / "www")
    assert len(pushed) >= len(FILES) and not [
        name for name, data in pushed.items() if b"Hello" in data or "posts" in name
    ]
    assert web1.history("drill-www")[0]["state"] == "success"


def test_a_data_set_for_a_group(fleet, bucket):
    hosts = fleet.add("worker1", "worker2", group="workers")
    write_tree(bucket / "current", {**FILES, ".complete": ""})
    fleet.follow(RECIPES["A data set for a group"])
    assert [text_tree(host.data / "dataset") for host in hosts] == [{**FILES, ".complete": ""}] * 2
    (bucket / "current/.complete").unlink()
    (bucket / "current/posts/one.html").unlink()
    hosts[0].run("dataset", 3, "marker_missing")
    assert text_tree(hosts[0].data / "dataset") == {**FILES, ".complete": ""}


def test_a_bandwidth_week(fleet, bucket):
    (web1,) = fleet.add("web1")
    write_tree(web1.data / "media", FILES)
    said = fleet.follow(RECIPES["A bandwidth week"], host="web1")
    assert "success" in said["cloudsync logs media"]
    assert text_tree(bucket / "web1" / "media") == FILES
    bandwidth = json.loads((web1.root / "etc/cloudsync/tasks/media.json").read_text())["bandwidth"]
    week = [(line["time"][:3], line["time"][4:], line["limit"]) for line in bandwidth]
    days = [day for day, _time, _limit in week]
    assert days == [day for day in ("Mon", "Tue", "Wed", "Thu", "Fri") for _half in range(2)]
    assert {time for _day, time, _limit in week} == {"08:00", "18:00"} and week[-1][2] == "off"


def test_copies_that_survive_ransomware(tmp_path, new_machine, rclone, seaweed_port, bucket_name):
    credential = {**places.seaweed(seaweed_port).credential, "name": "offsite"}
    fleet = Fleet(tmp_path, new_machine, rclone, credential)
    fleet.replaced.update({"backup/": bucket_name + "/", "name: backup\n": f"name: {bucket_name}\n"})
    (web1,) = fleet.add("web1")
    files = {f"{number}.txt": f"good {number}" for number in range(30)}
    write_tree(web1.data / "www", files)
    fleet.follow(RECIPES["Copies that survive ransomware"])
    good = web1.history("www")[0]["id"]
    for name in list(files)[:2]:
        (web1.data / "www" / name).write_text("encrypted by somebody")
    web1.run("www")
    for path in sorted((web1.data / "www").iterdir())[:3]:
        path.rename(path.with_suffix(".locked"))
    assert web1.run("www", 3, "max_delete")["deletes"] == 0
    assert web1.cloudsync("restore", "www", "--to", str(web1.data / "clean"), "--at", good).code == 0
    assert text_tree(web1.data / "clean") == files


def test_several_hosts_on_one_account(fleet, bucket):
    hosts = fleet.add("web1", "web2")
    for host in hosts:
        write_tree(host.data / "www", FILES)
    section = RECIPES["Several hosts on one account"]
    fleet.follow(section)
    assert text_tree(bucket / "web1" / "www").items() >= FILES.items() <= text_tree(bucket / "web2" / "www").items()
    constant = [(language, text.replace("{{ inventory_hostname }}", "web1")) for language, text in section[:1]]
    site = [("console", "$ ansible-playbook skyhaul.cloudsync.site\n")]
    fleet.follow([*constant, *site])
    assert hosts[1].run("www", 3, "foreign")["deletes"] == 0


def test_canary_roll_out(fleet, bucket):
    hosts = fleet.add("web1", "web2", "web3")
    nightly, (playbook, commands) = RECIPES["Nightly encrypted push"][0], RECIPES["Canary roll-out"]
    for host in hosts[1:]:
        write_tree(host.data / "www", FILES)
    # The source of the first host does not exist, so its run is refused, and no other host gets the task.
    fleet.follow([nightly, playbook])
    said = fleet.controller.call("ansible-playbook", "rollout.yml", code=2)
    assert "Source" in said and "does not exist" in said
    assert [len(host.cloudsync("list", "--json").json) for host in hosts] == [1, 0, 0]
    write_tree(hosts[0].data / "www", FILES)
    fleet.follow([commands])
    assert [host.history("www")[0]["state"] for host in hosts] == ["success"] * 3
    assert "web3" in pathlib.Path(fleet.folder, "cloudsync-report/report.json").read_text()


def test_every_recipe_is_in_the_table_and_tested():
    table = (DOCS / "recipes.md").read_text(encoding="utf-8").split("| you need | recipe |\n")[1].split("\n\n")[0]
    assert re.findall(r"\| \[([^]]+)\]\(#", table) == list(RECIPES)
    tests = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert [heading for heading in RECIPES if f'RECIPES["{heading}"]' not in tests] == []
