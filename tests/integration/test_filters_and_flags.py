# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters and arguments of a task: rclone parses them at the declaration, and all commands of a run have the same."""

from __future__ import annotations

import json
import os
import pathlib
import socketserver
import threading
from dataclasses import replace

import harness
import pytest
from harness import read_tree, text_tree, write_tree

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import load_task, save_task

RECORDING = """#!/usr/bin/env python3
import json, os, socket, sys
paths = [sys.argv[i + 1] for i, word in enumerate(sys.argv) if word == "--filter-from"]
filters = [open(path).read() for path in paths if path != "-"]
# The confinement of rclone allows no file here.
with socket.socket(socket.AF_UNIX) as out:
    out.connect({calls!r})
    out.sendall(json.dumps([sys.argv[1:], filters]).encode())
os.execv({rclone!r}, [{rclone!r}, *sys.argv[1:]])
"""


def push(machine, **options):
    return {
        "name": "documents",
        "credential": "disk",
        "direction": "push",
        "path": str(machine.data / "source"),
        "remote_path": str(machine.data / "copies"),
        **options,
    }


@pytest.fixture(name="disk")
def fixture_disk(machine):
    machine.declare([{"name": "disk", "provider": "local"}])
    write_tree(machine.data / "source", {"a.txt": "a", "keep/b.txt": "b", "x.tmp": "x"})
    return machine


def refusal(machine, **options):
    """Return why host_config refuses a task. The task must not be stored."""
    answer = machine.module("host_config", tasks=[push(machine, **options)])
    assert answer.get("failed"), answer
    assert not pathlib.Path(machine.layout.task("documents")).exists()
    return answer["msg"]


@pytest.fixture(name="calls")
def fixture_calls(machine, rclone):
    """Put a program that sends its calls to a socket in the place of rclone, and return the list of calls."""
    calls, path = [], str(machine.root / "calls")

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            calls.append(json.loads(self.rfile.read()))

    server = socketserver.UnixStreamServer(path, Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    program = machine.root / "recording-rclone"
    program.write_text(RECORDING.format(calls=path, rclone=os.path.realpath(rclone)))
    program.chmod(0o755)
    link = pathlib.Path(machine.layout.rclone_link)
    link.unlink()
    link.symlink_to(program)
    yield calls
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_command_of_a_run_has_the_same_arguments_and_filters(machine, disk, calls):
    arguments = ["--checkers=3", "--local-no-check-updated", "--max-size=1M", "--ignore-case", "--max-transfer=1G"]
    task = push(
        machine,
        mode="sync",
        exclude=["*.TMP"],
        rclone_args=arguments,
        guards={"max_delete": "5"},
        verify_after="checksum",
        encryption={"password": harness.PASSWORD},
        keep_deleted={"path": str(machine.data / "copies" / "old"), "days": 1},
    )
    machine.declare([], [task])
    machine.run("documents")
    calls = [call for call in calls if "--ask-password=false" in call[0]]
    for words, _filters in calls:
        assert {"--checkers=3", "--local-no-check-updated"} < set(words)
    selecting = [call for call in calls if call[1]]
    commands = {
        next(word for word in words if word in ("lsf", "lsjson", "sync", "cryptcheck")) for words, _f in selecting
    }
    assert commands == {"lsf", "lsjson", "sync", "cryptcheck"}
    for words, filters in selecting:
        assert {"--max-size=1M", "--ignore-case"} < set(words)
        assert filters == selecting[0][1]
    # A filter without its others would hide the canary. A limit of data would end the comparison.
    for words, filters in calls:
        assert filters or not {"--max-size=1M", "--ignore-case"} & set(words)
        assert ("--max-transfer=1G" in words) == ("sync" in words)
    assert len(read_tree(machine.data / "copies")) == 5  # two files, two marks, and the beginning of the past


def test_forty_thousand_patterns_filter_a_run(each_machine):
    machine = each_machine
    machine.declare([{"name": "disk", "provider": "local"}])
    write_tree(machine.data / "source", {"a.txt": "a", "n39999/b": "b", "end ": "blank", "end": "none"})
    patterns = [f"/n{number}/**" for number in range(40000)]
    machine.declare([], [push(machine, mode="sync", exclude=[*patterns, "end "])])
    machine.run("documents")
    assert set(text_tree(machine.data / "copies")) == {"a.txt", "end"}


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_another_user_reads_the_filters_of_a_run_but_cannot_replace_them(machine, disk, rclone):
    machine.data.chmod(0o777)
    program = harness.copy_of(rclone, machine.root)
    link = pathlib.Path(machine.layout.rclone_link)
    link.unlink()
    link.symlink_to(program)
    write_tree(machine.data / "source", {"slow.bin": os.urandom(400000)})
    machine.declare([], [push(machine, user="nobody", exclude=["x.tmp"], bandwidth=harness.SLOW)])
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    filters = machine.live()[0] / "filters0"
    assert (filters.stat().st_uid, filters.stat().st_mode & 0o777) == (0, 0o644)
    assert filters.parent.stat().st_mode & 0o777 == 0o700
    machine.ended(run, 0)
    assert set(read_tree(machine.data / "copies")) == {"a.txt", "keep/b.txt", "slow.bin"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"exclude": ["*.tmp", "{foo"]}, "exclude[1] is '{foo', which rclone cannot parse: "),
        ({"include": ["[abc"]}, "include[0] is '[abc', which rclone cannot parse: "),
        ({"exclude": ["a***b"]}, "exclude[0] is 'a***b', which rclone cannot parse: "),
        ({"rclone_args": ["--chekers=4"]}, "This rclone has no flag --chekers. Did you mean '--checkers'?"),
        ({"rclone_args": ["--max-age=soon"]}, "rclone cannot use rclone_args. invalid argument"),
        ({"rclone_args": ["--order-by=colour"]}, "rclone cannot use rclone_args. "),
        ({"rclone_args": ["--user-agent"]}, "rclone cannot use rclone_args. "),
        ({"rclone_args": ["--no-check-dest"], "mode": "sync"}, "rclone cannot use rclone_args. "),
        (
            {"rclone_args": ["--exclude-if-present=.no"], "mode": "sync"},
            "--exclude-if-present is not allowed with mode",
        ),
        ({"rclone_args": ["--s3-endpoint=x"]}, "It is an option of the provider s3, but the credential's provider is"),
    ],
)
def test_what_rclone_refuses_is_refused_at_the_declaration(each_machine, options, sentence):
    each_machine.declare([{"name": "disk", "provider": "local"}])
    said = refusal(each_machine, **options)
    assert said.startswith("Task documents is invalid: ")
    assert sentence in said


def test_the_task_with_the_invalid_filter_is_named_among_many(machine, disk):
    tasks = [push(machine, name=f"t{number}", path=f"/srv/{number}", exclude=["*.tmp"]) for number in range(9)]
    tasks[5]["exclude"] = ["*.tmp", "{a,b"]
    answer = machine.module("host_config", tasks=tasks)
    assert answer["msg"].startswith("Task t5 is invalid: exclude[1] is '{a,b'")


def test_rclone_parses_the_filters_of_changed_tasks_once(machine, disk, calls):
    tasks = [push(machine, name=f"t{number}", path=f"/srv/{number}", exclude=["*.tmp"]) for number in range(30)]
    machine.declare([], tasks)
    assert len([words for words, _filters in calls if ":memory:a" in words]) == 1
    machine.declare([], tasks)
    assert len([words for words, _filters in calls if ":memory:a" in words]) == 1


def test_a_marked_folder_and_session_cookies_are_accepted(machine, disk):
    write_tree(machine.data / "source", {"private/.nobackup": "", "private/a": "a"})
    machine.declare([], [push(machine, rclone_args=["--exclude-if-present=.nobackup", "--use-cookies"])])
    machine.run("documents")
    assert set(text_tree(machine.data / "copies")) == {"a.txt", "keep/b.txt", "x.tmp"}


def test_a_stored_backend_flag_is_refused_by_the_run_and_can_be_replaced(machine, disk):
    machine.declare([], [push(machine)])
    stored = load_task(machine.layout, machine.host.seed, "documents")
    save_task(machine.layout, machine.host.seed, replace(stored, rclone_args=("--crypt-strict-names=false",)))
    message = machine.run("documents", 2, "usage")["message"]
    assert "rclone_args has --crypt-strict-names, which is not allowed. Use the option encryption." in message
    assert machine.status("documents")["state"] == "failed"
    machine.declare([], [push(machine)])
    machine.run("documents")


def test_a_credential_cannot_change_to_a_provider_that_its_tasks_cannot_use(machine, disk, s3_server):
    machine.declare([], [push(machine)])
    said = machine.module("credential", name="disk", provider="http", attributes={"url": "http://127.0.0.1:1"})["msg"]
    assert said.startswith("Credential disk cannot change its provider to http, because a task uses it. Task ")
    assert machine.stored("disk").provider == "local"
    other = {"name": "disk", "provider": "http", "attributes": {"url": "http://127.0.0.1:1"}}
    pull = push(machine, direction="pull")
    assert machine.declare([other], [pull]).changed
