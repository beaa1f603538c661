# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/first-hour.md works as it is written, from the first push of two hosts to the end of the trial."""

from __future__ import annotations

import pathlib
import re

import harness
import pytest
from guide import BLOCK, DOCS, Fleet, list_commands, read_sections
from harness import read_tree, text_tree, write_tree
from webhook import webhook

STEPS = read_sections("first-hour.md")
FILES = {"index.html": "<h1>Hello</h1>", "posts/one.html": "one"}


@pytest.fixture(name="fleet")
def fixture_fleet(tmp_path, new_machine, rclone, s3_server, bucket):
    fleet = Fleet(tmp_path, new_machine, rclone)
    fleet.replaced.update(
        {
            "https://s3.example.com": f"http://127.0.0.1:{s3_server[0]}",
            "KEYID": harness.KEY_ID,
            "SECRET": harness.KEY,
            '"backup/': f'"{bucket.name}/',
            "another long random text": harness.SECRET + "-passphrase",
            "a long random text": harness.PASSWORD,
        }
    )
    # The inventory and the password for Vault are those of the page.
    (tmp_path / "vault-password").write_text("the password for Ansible Vault")
    environment = fleet.controller.environment
    environment.update(ANSIBLE_ASK_VAULT_PASS="false", ANSIBLE_VAULT_PASSWORD_FILE=str(tmp_path / "vault-password"))
    del environment["ANSIBLE_INVENTORY"]
    return fleet


def test_the_first_hour(fleet, bucket):
    with webhook() as (address, posted):
        fleet.replaced["ntfy+https://ntfy.sh/a-topic-that-nobody-guesses"] = address
        spend_the_hour(fleet, bucket, posted)


def spend_the_hour(fleet, bucket, posted):
    web1, web2 = fleet.add("web1", "web2")
    for host in (web1, web2):
        write_tree(host.data / "www", FILES)
    # Ansible and the collection are installed. The reader takes the files of the README, then those of the page.
    quick_start = (DOCS.parent / "README.md").read_text(encoding="utf-8").split("## Quick start")[1].split("\n## ")[0]
    fleet.follow([block for block in BLOCK.findall(quick_start) if block[0] != "console"])
    fleet.follow(STEPS["2. Declare"])
    said = fleet.follow(STEPS["3. Look, then apply"])
    assert all(harness.SECRET not in text for text in said.values())
    said = fleet.follow(STEPS["4. Push for the first time"], host="web1")
    assert "success" in said["cloudsync status"]
    for name in ("web1", "web2"):
        pushed = read_tree(bucket / name / "www")
        assert len(pushed) >= len(FILES) and not [path for path, data in pushed.items() if b"Hello" in data]
    (_language, line), apply = STEPS["5. Get notifications"]
    declared = fleet.folder / "group_vars/all/cloudsync.yml"
    declared.write_text(declared.read_text() + fleet.replace(line))
    fleet.follow([apply])
    (web1.data / "www").rename(web1.data / "www-away")
    broken = STEPS["6. Break it"]
    fleet.follow(broken[:1], host="web1", code=3)
    status, check, report = list_commands(broken[1][1])
    assert "not_found" in fleet.call(*status, host="web1")
    assert "www" in fleet.call(*check, host="web1", code=1)
    fleet.call(*report)
    assert "not_found" in (fleet.folder / "cloudsync-report/report.json").read_text()
    assert [(notice["event"], notice["reason"]) for notice in posted] == [("failed", "not_found")]
    (web1.data / "www-away").rename(web1.data / "www")
    fleet.follow(STEPS["7. Repair it"], host="web1")
    assert [notice["event"] for notice in posted] == ["failed", "recovered"]
    said = fleet.follow(STEPS["8. Get a file back"], host="web1")
    assert "index.html" in said["cloudsync ls www"]
    assert text_tree(web1.data / "one-file") == {"index.html": FILES["index.html"]}
    fleet.follow(STEPS["9. Keep what you need for the worst day"])
    assert sorted(path.name for path in (fleet.folder / "cloudsync-backup").glob("*.json")) == [
        "web1.json",
        "web2.json",
    ]
    fleet.follow(STEPS["10. Uninstall"])
    for host in (web1, web2):
        assert text_tree(host.data / "www") == FILES
        assert not pathlib.Path(host.layout.command).exists()
        assert not list(pathlib.Path(host.layout.unit_dir).glob("cloudsync*"))
        assert pathlib.Path(host.layout.task("www")).exists()


def test_every_step_is_tested():
    tests = pathlib.Path(__file__).read_text(encoding="utf-8")
    steps = [heading for heading, blocks in STEPS.items() if blocks and heading != "1. Install"]
    assert [heading for heading in steps if f'"{heading}"' not in tests] == []
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert all(block in BLOCK.findall(readme) for block in STEPS["1. Install"])
    assert re.search(r"^demo:", (DOCS.parent / "Makefile").read_text(), re.MULTILINE)
