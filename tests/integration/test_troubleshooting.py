# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of docs/troubleshooting.md run on a host with the problem, and show it."""

from __future__ import annotations

import json
import shutil

import harness
import pytest
from guide import DOCS, list_commands, read_sections
from harness import write_tree

SECTIONS = read_sections("troubleshooting.md")
FILES = {"index.html": "<h1>Hello</h1>", "posts/one.html": "one", "draft.tmp": "not yet"}


@pytest.fixture(name="follow")
def fixture_follow(machine, s3_server, bucket):
    """Return a function that runs the commands of a section on a host with the task ``www``, and returns the output."""
    write_tree(machine.data / "www", FILES)
    task = {"name": "www", "credential": "offsite", "direction": "push", "mode": "sync", "exclude": ["*.tmp"]}
    task.update(path=str(machine.data / "www"), remote_path=f"{bucket.name}/www", schedule={"preset": "daily"})
    machine.declare([harness.s3_credential(s3_server[0], "offsite")], [task])

    def follow(section):
        said = {}
        for _prompt, command in (
            found for kind, text in SECTIONS[section] if kind == "console" for found in list_commands(text)
        ):
            words = command.split()
            if words[0] == "cloudsync":
                answer = machine.cloudsync(*words[1:])
                said[command] = (answer.code, answer.out + answer.err)
            else:
                assert words[0] in ("systemctl", "journalctl")
                # The timer of the task, and the drop-in of its service.
                assert list((machine.root / "etc/systemd/system").glob(words[-1] + "*"))
        return said

    return follow


def test_a_run_fails(machine, follow):
    machine.run("www")
    shutil.rmtree(machine.data / "www")
    machine.run("www", 3, "not_found")
    said = follow("A run fails")
    assert "Create it, or correct the task's path" in said["cloudsync status www"][1]
    assert "does not exist" in said["cloudsync logs www"][1]
    assert "success" in said["cloudsync history www"][1]
    assert said["cloudsync run www --dry-run"][0] == 3
    code, listed = said["cloudsync check"]
    assert code == 1 and "www" in listed


def test_a_login_fails(machine, s3_server, follow):
    wrong = harness.s3_credential(s3_server[0], "offsite")
    machine.declare([{**wrong, "secrets": {**wrong["secrets"], "secret_access_key": "wrong"}}])
    code, said = follow("A login fails")["cloudsync verify offsite"]
    assert code == 1 and "refused the login" in said


def test_a_task_does_not_start(follow):
    said = follow("A task does not start")
    assert said["cloudsync preview www"][0] == 0
    assert "cloudsync check" in said


def test_a_run_takes_too_long(machine, follow, bucket):
    write_tree(machine.data / "www", {"big.bin": b"0123456789abcdef" * 2**16})
    stored = json.loads((machine.root / "etc/cloudsync/tasks/www.json").read_text())
    task = {name: stored[name] for name in ("name", "credential", "direction", "mode", "path", "remote_path")}
    machine.declare([], [{**task, "bandwidth": [{"time": "00:00", "limit": "64k"}]}])
    run = machine.start("www")
    machine.wait_for_state("www", "running")
    said = follow("A run takes too long")
    assert "running" in said["cloudsync status www"][1]
    assert said["cloudsync stop www"][0] == 0
    machine.ended(run, 143)


def test_a_file_is_not_at_the_destination(machine, follow):
    machine.run("www")
    said = follow("A file is not at the destination")
    assert "index.html" in said["cloudsync ls www"][1] and "draft.tmp" not in said["cloudsync ls www"][1]
    assert said["cloudsync run www --dry-run"][0] == 0


def test_the_output_to_send_contains_no_secret(machine, follow):
    machine.run("www")
    said = follow("Asking for help")
    assert json.loads(said["cloudsync status www --json"][1])
    assert [command for command, (_code, text) in said.items() if harness.KEY in text or harness.KEY_ID in text] == []


def test_every_section_with_commands_is_tested():
    tests = (DOCS.parent / "tests/integration/test_troubleshooting.py").read_text(encoding="utf-8")
    sections = [heading for heading, blocks in SECTIONS.items() if "console" in dict(blocks)]
    assert [heading for heading in sections if f'follow("{heading}")' not in tests] == []
