# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kill -9 at every step that a rotation or a restore takes on the disk: nothing is lost, and the next call goes on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys

import harness
import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_store import load_task

PASSPHRASE = harness.SECRET + "-passphrase"
# Python tells an audit hook about each step before it is taken.
KILLED = """
import os, signal, sys

left, root = int(sys.argv.pop()), sys.argv.pop()

def hook(event, arguments):
    global left
    writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR) and str(arguments[0]).startswith(root)
    if writes or event in ("os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "tempfile.mkstemp"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
"""


def killed(machine, name, options, steps):
    """Run a module and kill it before its step ``steps`` on the disk; False when it ended before."""
    ended = subprocess.run(
        [sys.executable, "-c", KILLED + harness.MODULE, name, str(machine.root / "etc"), str(steps)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": options}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**machine.environment, "PYTHONPATH": harness.COLLECTIONS},
        cwd="/",
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended
    assert ended.returncode or json.loads(ended.stdout)["changed"]
    return ended.returncode != 0


@pytest.fixture(name="full")
def fixture_full(new_machine):
    """A machine with secrets in a credential and in a task."""
    machine = new_machine()
    crypt = {"encryption": {"password": harness.PASSWORD, "salt": harness.SALT}, "schedule": {"preset": "daily"}}
    push = {"credential": "store", "direction": "push", "path": str(machine.data), "remote_path": "bucket"}
    machine.declare([harness.s3_credential(9)], [{"name": "www", **push, **crypt}, {"name": "plain", **push}])
    return machine


def readable(machine):
    """Whether every secret can be read with the seed that is there."""
    task = load_task(machine.layout, machine.host.seed, "www")
    return machine.stored("store").secrets["secret_access_key"] == harness.KEY and task.encryption.salt == harness.SALT


def seeds_on_disk(machine):
    return sorted(path.name for path in (machine.root / "etc/cloudsync").iterdir() if "seed" in path.name)


def steps_until_done(machine, name, options, at_least):
    """Kill it before its first step, its second, and so on, until it ends before it can be killed."""
    steps = 0
    while killed(machine, name, options, steps):
        yield steps
        steps += 1
    assert steps > at_least


def test_a_rotation_killed_at_any_step_loses_nothing(full):
    former = full.host.seed.primary
    for step in steps_until_done(full, "seed", {"state": "rotated"}, 20):
        assert readable(full), step
        if step % 5 == 0:
            assert full.cloudsync("list", "--json").code == 0
    assert readable(full)
    assert former not in full.host.seed.keys and len(full.host.seed.keys) == 1
    assert seeds_on_disk(full) == ["seed"]


def test_a_restore_killed_at_any_step_goes_on_where_it_was(full):
    content = full.module("backup", passphrase=PASSPHRASE)["content"]
    etc = full.root / "etc"
    wanted = harness.read_tree(etc)
    machine_id = wanted["machine-id"]
    shutil.rmtree(etc)
    etc.mkdir()
    (etc / "machine-id").write_bytes(machine_id)

    for step in steps_until_done(full, "restore", {"content": content, "passphrase": PASSPHRASE}, 8):
        for name, there in harness.read_tree(etc).items():
            assert name not in wanted or there == wanted[name], (step, name)

    assert {name: text for name, text in harness.read_tree(etc).items() if "/." not in name} == wanted
    assert readable(full)
