# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kill runs at random moments. The next run succeeds by itself, and nothing is half, lost, stale or in clear."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from itertools import cycle

import harness
import pytest
from harness import PASSWORD, SALT, SECRET, read_tree, scale, write_tree
from killing import (
    MOST_STEPS,
    age_temporary_files,
    build_step_killer,
    can_trace,
    find_hooks,
    find_rclones,
    kill,
    wait_for_release,
)

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import load_records

FILES = 300
HEARD = "notification, `cloudsync check`. The next run succeeds by itself."
# For each victim: the sentence of the page, and the state and reason of a run that the kill has hit.
VICTIMS = {
    "runner": ("The runner of {} is killed.", "aborted", "interrupted"),
    "rclone": ("The rclone of {} is killed.", "failed", "interrupted"),
    "both": ("The runner and the rclone of {} are killed.", "aborted", "interrupted"),
    "hook": ("A hook of {} is killed.", "failed", "hook"),
    "step": ("The runner of {} is killed between two system calls.", "aborted", "interrupted"),
}
TASKS = {"push": "a push (sync)", "pull": "a pull (sync)", "move": "a push (move)", "restore": "a restore"}
# The hooks that the sweep kills, in turn. An always hook that fails does not fail the run.
HOOKS = ("before", "always", "success")
# It reads the files of the bucket without the S3 server.
JUDGE = """[push]
type = crypt
remote = {bucket}/push
password = {password}
password2 = {salt}

[move]
type = crypt
remote = {bucket}/move
password = {password}
password2 = {salt}
"""


class Sweep:
    """A machine with the tasks ``push``, ``pull``, ``move`` and ``restore``, and an rclone that judges the result."""

    def __init__(self, machine, store, bucket, rclone):
        self.machine, self.rclone, self.folder = machine, rclone, machine.root / "judge"
        self.folder.mkdir()
        # The seconds that a run takes on this machine, at least: a later moment might be after its end.
        self.took = float("inf")
        self.kills = 0
        self.hooks = cycle(HOOKS)
        # A hook ends at once, unless it has to wait to be killed.
        self.hold = machine.root / "hold"
        obscured = {
            name: subprocess.run([rclone, "obscure", text], capture_output=True, check=True, encoding="utf-8").stdout
            for name, text in (("password", PASSWORD), ("salt", SALT))
        }
        self.folder.joinpath("judge.conf").write_text(JUDGE.format(bucket=bucket, **obscured))
        common = {
            "credential": "store",
            "encryption": {"password": PASSWORD, "salt": SALT},
            "remote_path": bucket.name + "/push",
            "hooks": dict.fromkeys(HOOKS, f"test ! -e {self.hold} || ! grep -q $CLOUDSYNC_HOOK {self.hold} || sleep 9"),
            "transfers": 16,
            "retries": 0,
        }
        self.tasks = [
            {**common, "name": "push", "direction": "push", "mode": "sync", "path": self.path("push")},
            {**common, "name": "pull", "direction": "pull", "mode": "sync", "path": self.path("pull")},
            {**common, "name": "restore", "reverse_of": "push", "path": self.path("restore")},
            {**common, "name": "move", "direction": "push", "mode": "move", "path": self.path("move")},
        ]
        self.tasks[2] = {key: self.tasks[2][key] for key in ("name", "reverse_of", "path", "hooks")}
        self.tasks[3]["remote_path"] = bucket.name + "/move"
        write_tree(self.path("push"), self.make_files("first"))
        machine.declare([store], self.tasks)
        self.run("push")

    def path(self, name):
        return str(self.machine.data / name)

    def make_files(self, content):
        return {f"{number % 10}/{number}.txt": f"{content} {number}\n" for number in range(FILES)}

    def run(self, task):
        """Run a task, and remember how long that takes."""
        began = time.monotonic()
        record = self.machine.run(task)
        self.took = min(self.took, time.monotonic() - began)
        return record

    def prepare(self, task, content):
        """Give the task work to do, and return the files that its destination has to have."""
        if task in ("push", "move"):
            shutil.rmtree(self.path(task), ignore_errors=True)
            write_tree(self.path(task), self.make_files(content))
            for path in pathlib.Path(self.path(task)).rglob("*.txt"):
                # The size is the same each time, so only the time says that the content has changed.
                path.touch()
        else:
            shutil.rmtree(self.path(task), ignore_errors=True)
            pathlib.Path(self.path(task)).mkdir()
        return read_tree(self.path(task if task == "move" else "push"))

    def start(self, task, prefix):
        return subprocess.Popen(
            [*prefix, self.machine.layout.command, "run", task],
            env=self.machine.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def find_last(self, task):
        """Return the id and the state of the newest run, as it is recorded."""
        found = load_records(self.machine.layout, task, 1)
        return (found[0].id, found[0].state) if found else None

    def read_destination(self, task):
        """Return the files of the destination, of an encrypted one as rclone alone decrypts them."""
        if task in ("pull", "restore"):
            return read_tree(self.path(task))
        target = self.folder / "judged"
        shutil.rmtree(target, ignore_errors=True)
        command = [self.rclone, "--config", str(self.folder / "judge.conf"), "copy", task + ":", str(target)]
        options = ["--transfers=32", "--exclude=/.cloudsync-canary", "--exclude=/.cloudsync-owner"]
        subprocess.run([*command, *options], check=True, capture_output=True)
        return read_tree(target)

    def kill_one(self, task, victim, chance):
        """Start a run, and kill its victim at a random moment. Return the ended run."""
        if victim == "hook":
            self.hold.write_text(next(self.hooks))
        run = self.start(task, build_step_killer(chance.randint(1, MOST_STEPS)) if victim == "step" else [])
        if victim != "step":
            find = {"rclone": find_rclones, "hook": find_hooks}.get(victim, lambda _run: True)
            # A hook that is held lasts until it is killed.
            time.sleep(0 if victim == "hook" else chance.uniform(0, self.took))
            while run.poll() is None and not (find(run) and self.is_held(run, victim) and kill(run, victim)):
                time.sleep(0.05 if victim == "hook" else 0.01)
        return run

    def is_held(self, run, victim):
        """Return whether the hook of the run is the one that has to be killed."""
        if victim != "hook":
            return True
        with suppress(OSError):
            words = [pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") for pid in find_hooks(run)]
            return any(b"CLOUDSYNC_HOOK=" + self.hold.read_bytes() in each for each in words)
        return False

    def do(self, task, victim, chance, content):
        """Kill one run of the task. Check that the next one does what was left.

        Return the final record of the killed run, None if it has none.
        """
        wanted = self.prepare(task, content)
        before = self.find_last(task)
        run = self.kill_one(task, victim, chance)
        run.communicate()
        self.hold.unlink(missing_ok=True)
        self.kills += run.returncode != 0
        print(f"{task}: {victim}, exit code {run.returncode}")
        wait_for_release(self.machine, task)

        last = self.find_last(task)
        # A move that was killed after it has recorded its success has left nothing to move.
        if task != "move" or last == before or last[1] != "success":
            assert self.run(task)["state"] == "success"
        else:
            # As systemd does after each run, also after a killed one.
            assert self.machine.cloudsync("sweep", task).code == 0

        assert self.read_destination(task) == wanted
        if task == "move":
            assert read_tree(self.path(task)) == {}
        self.check_leftovers(task)
        return (
            None
            if last == before
            else next(each for each in load_records(self.machine.layout, task) if each.id == last[0])
        )

    def check_leftovers(self, task):
        machine = self.machine
        assert not machine.live()
        run_dir = pathlib.Path(machine.layout.run_dir)
        for folder in (f"locks/runs/{task}", "locks/claims", "progress", f"unsaved/{task}"):
            # The test looks for temporary files at its end.
            names = [path.name for path in (run_dir / folder).glob("*")]
            assert [name for name in names if not name.endswith(".cloudsync-new")] == [], folder
        history = load_records(machine.layout, task)
        assert all(record.ended and record.state in ("success", "failed", "aborted") for record in history)
        assert all(record.reason in ("", "interrupted", "hook") for record in history), history
        for path, found in machine.left_behind().items():
            assert SECRET.encode() not in found, path


@pytest.fixture(name="sweep")
def fixture_sweep(machine, store, bucket, rclone):
    return Sweep(machine, store, bucket, rclone)


@pytest.mark.soak
@pytest.mark.parametrize("task", TASKS)
def test_after_every_kill_the_next_run_completes_what_was_left(sweep, new_rounds, reliability, task):
    rounds = new_rounds(TASKS[task], list(VICTIMS))
    victims = [victim for victim in VICTIMS if victim != "step" or can_trace()]
    first = list(TASKS).index(task) % len(HOOKS)
    sweep.hooks = cycle(HOOKS[first:] + HOOKS[:first])
    wanted = scale(10, 50)
    hit = {}
    for number in range(2 * wanted):
        # Each victim has its turn. After the wanted rounds, only those that no kill has hit yet.
        left = victims if number < wanted else [victim for victim in victims if victim not in hit]
        if not left:
            break
        victim = left[number % len(left)]
        record = sweep.do(task, victim, next(rounds)[1], f"{number:04d}")
        if record is not None and (record.state, record.reason) == VICTIMS[victim][1:]:
            hit[victim] = record
    print(f"{sweep.kills} of {number} runs were killed before their end")
    assert sweep.kills > wanted / 2
    assert set(hit) == set(victims)
    assert sweep.machine.cloudsync("check").code == 0
    left = age_temporary_files(sweep.machine.root)
    for name in TASKS:
        pathlib.Path(sweep.path(name)).mkdir(exist_ok=True)
    write_tree(sweep.path(task), {"new": "new"})
    sweep.run(task)
    assert not [path for path in left if path.exists()]
    for victim, record in hit.items():
        reliability.add(VICTIMS[victim][0].format(TASKS[task]), record.public(), HEARD)
    if not can_trace():
        pytest.skip("without strace, no run was killed between two system calls")


@pytest.mark.soak
def test_after_a_kill_of_a_declaration_at_any_system_call_the_next_one_completes_it(machine, store, new_rounds):
    rounds = new_rounds("declarations", ["step"])
    common = {"credential": "store", "direction": "push", "path": str(machine.data), "schedule": {"preset": "daily"}}
    killed = 0
    for number in range(scale(8, 60)):
        victim, chance = next(rounds)
        tasks = [
            {**common, "name": f"task-{place}", "remote_path": f"bucket/{number}", "encryption": {"password": PASSWORD}}
            for place in range(3)
        ]
        options = {"credentials": [{**store, "description": f"{number}"}], "tasks": tasks}
        prefix = (
            build_step_killer(chance.randint(1, MOST_STEPS)) if victim == "step" else ["timeout", "--signal=KILL", "1"]
        )
        ended = subprocess.run(
            [*prefix, sys.executable, "-c", harness.MODULE, "host_config"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": options}),
            env={"PYTHONPATH": harness.COLLECTIONS, **machine.environment},
            cwd="/",
            encoding="utf-8",
            capture_output=True,
            check=False,
        )
        killed += ended.returncode != 0
        assert not machine.module("host_config", **options).get("failed")
        assert machine.stored("store").description == f"{number}"
        views = machine.module("task_info")["tasks"]
        assert [view["remote_path"] for view in views] == [f"bucket/{number}"] * 3
        left = age_temporary_files(machine.root / "etc")
        # A call removes the temporary files of the folders that it writes to, so this one writes to all of them.
        other = {"description": "again", "schedule": {"preset": "weekly"}, "limits": {"memory_max": "1G"}}
        machine.declare([{**store, "description": "again"}], [{**task, **other} for task in tasks])
        assert not [path for path in left if path.exists()]
    assert killed
