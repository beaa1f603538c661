# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import files
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.text import parse_time
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs import records
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.runs.records import Record

# A runner that says that it is alive, and is then killed.
RUNNER = """
import fcntl, os, sys, time
os.makedirs(os.path.dirname(sys.argv[1]))
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.write(descriptor, str(os.getpid()).encode())
print("up", flush=True)
time.sleep(60)
"""


def record(number, state="success", **fields):
    run_id = f"20261122T{number:06d}Z-abcdef"
    return Record(run_id, "nightly", state, "2026-11-22T00:00:00Z", **fields)


def ids(found):
    return [each.id for each in found]


@pytest.fixture
def full_disk(layout, monkeypatch):
    """Make every write below the state directory fail while the list is not empty."""
    full = []
    write = records.write_json

    def fails(path, *content):
        if full and path.startswith(layout.state_dir):
            raise OSError(28, "No space left on device")
        write(path, *content)

    monkeypatch.setattr(records, "write_json", fails)
    return full


def test_ids_sort_by_time_and_differ_within_a_second():
    made = [records.make_run_id() for _time in range(50)]
    seconds = [run_id.split("-")[0] for run_id in made]

    assert len(set(made)) == 50
    assert seconds == sorted(seconds)


def test_records_are_returned_newest_first(layout):
    saved = [record(number, transfers=number, message="m") for number in (3, 1, 2)]
    for each in saved:
        records.save_record(layout, each)

    assert records.load_records(layout, "nightly") == sorted(saved, key=lambda each: each.id, reverse=True)
    assert ids(records.load_records(layout, "nightly", 1)) == [record(3).id]
    assert records.load_records(layout, "other") == []
    assert os.stat(layout.task_state_dir("nightly")).st_mode & 0o777 == 0o700


def test_the_public_record_has_the_keys_of_the_contract_and_no_process():
    shown = set(record(1).public())

    assert shown >= {"id", "state", "reason", "message", "started", "ended", "exit_code", "log"}
    assert shown >= {"bytes", "transfers", "deletes", "errors"}
    assert "pid" not in shown


def test_a_run_is_active_while_its_runner_lives(layout):
    running = record(1, "running")
    alive = records.hold_run(layout, "nightly", running.id)
    records.save_record(layout, running)

    assert records.load_records(layout, "nightly") == [running]
    assert records.find_runner_pid(layout, "nightly", running.id) == os.getpid()
    assert list(records.read_interrupted_records(layout, "nightly")) == []
    records.drop_run(alive)
    assert records.find_runner_pid(layout, "nightly", running.id) is None


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_the_run_of_a_killed_runner_was_interrupted_even_if_nobody_wrote_that_down(layout, state):
    run = record(1, state)
    lock = f"{layout.run_dir}/locks/runs/nightly/{run.id}"
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, lock], stdout=subprocess.PIPE)
    runner.stdout.readline()
    records.save_record(layout, run)
    assert records.load_records(layout, "nightly") == [run]
    assert records.find_runner_pid(layout, "nightly", run.id) == runner.pid
    runner.kill()
    runner.communicate()

    seen = records.load_records(layout, "nightly")[0]

    assert (seen.state, seen.reason) == ("aborted", "interrupted")
    assert "Run the task again" in seen.message
    assert list(records.read_interrupted_records(layout, "nightly")) == [seen]
    records.save_record(layout, seen)
    assert list(records.read_interrupted_records(layout, "nightly")) == []


def test_on_a_full_disk_a_record_is_kept_in_run_until_one_fits_again(layout, full_disk):
    records.save_record(layout, record(1, "running"))
    full_disk.append(True)
    last = record(1, "failed", reason="disk_full")
    records.save_record(layout, last)
    assert records.load_records(layout, "nightly") == [last]
    assert list(records.read_interrupted_records(layout, "nightly")) == []

    full_disk.clear()
    records.save_record(layout, record(2))

    assert records.load_records(layout, "nightly") == [record(2), last]
    assert files.list_names(layout.run_dir + "/unsaved/nightly") == []
    assert len(files.list_names(layout.task_state_dir("nightly") + "/runs")) == 2


def test_a_newer_record_is_not_replaced_by_the_one_kept_in_run(layout, full_disk):
    full_disk.append(True)
    records.save_record(layout, record(1, "waiting"))
    full_disk.clear()
    records.save_record(layout, record(1, "success"))
    records.save_record(layout, record(2))

    assert [each.state for each in records.load_records(layout, "nightly")] == ["success", "success"]


def test_the_record_of_an_active_run_is_not_moved_by_another_run(layout, full_disk):
    alive = records.hold_run(layout, "nightly", record(1).id)
    full_disk.append(True)
    records.save_record(layout, record(1, "running"))
    full_disk.clear()

    records.save_record(layout, record(2, "skipped"))

    assert files.list_names(layout.run_dir + "/unsaved/nightly") == [record(1).id]
    assert records.load_records(layout, "nightly")[1].state == "running"
    records.drop_run(alive)


def test_a_run_that_ends_while_its_record_is_read_was_not_interrupted(layout, monkeypatch):
    """The record is read before the lock of the run. In between, the run saves its end and releases the lock."""
    run = record(1, "running")
    alive = records.hold_run(layout, "nightly", run.id)
    records.save_record(layout, run)
    load = records._load

    def pause(path):
        found = load(path)
        if found is not None and alive.descriptor >= 0:
            records.save_record(layout, run._replace(state="skipped", ended="2026-11-22T00:00:01Z"))
            records.drop_run(alive)
        return found

    monkeypatch.setattr(records, "_load", pause)

    assert list(records.read_interrupted_records(layout, "nightly")) == []
    assert [each.state for each in records.load_records(layout, "nightly")] == ["skipped"]


def test_a_record_of_a_killed_run_in_run_is_left_to_its_recovery(layout, full_disk):
    full_disk.append(True)
    records.save_record(layout, record(1, "running"))
    full_disk.clear()
    records.save_record(layout, record(2))

    closed = next(records.read_interrupted_records(layout, "nightly"))
    records.save_record(layout, closed)

    assert records.load_records(layout, "nightly") == [record(2), closed]
    assert files.list_names(layout.run_dir + "/unsaved/nightly") == []


def test_lock_files_of_killed_runs_are_removed_once_their_records_are_closed(layout):
    alive = records.hold_run(layout, "nightly", record(1).id)
    for number, state in ((2, "success"), (3, "running")):
        records.hold_run(layout, "nightly", record(number).id).release()
        records.save_record(layout, record(number, state))
    records.hold_run(layout, "nightly", record(4).id).release()

    records.forget_run_locks(layout, "nightly")

    assert sorted(os.listdir(layout.run_dir + "/locks/runs/nightly")) == [record(1).id, record(3).id]
    records.drop_run(alive)


def locate(number):
    return pathlib.Path("runs", record(number).id + ".json")


def damage(layout, number, content):
    path = pathlib.Path(layout.task_state_dir("nightly"), locate(number))
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"id": "x"}', "\0", "\xff", '{"schema": 99}', "[" * 100000])
def test_a_damaged_record_is_a_failed_run_that_names_the_file_and_hides_no_other(layout, content):
    records.save_record(layout, record(1))
    records.save_record(layout, record(3))
    path = damage(layout, 2, content)

    found = records.load_records(layout, "nightly")

    assert ids(found) == [record(3).id, record(2).id, record(1).id]
    assert (found[1].task, found[1].state, found[1].reason) == ("nightly", "failed", "damaged")
    assert found[1].started == "2026-11-22T00:00:02Z"
    assert path in found[1].message


def test_no_flipped_byte_of_a_record_is_passed_over_or_ends_in_another_error(layout):
    records.save_record(layout, record(1, message="hello"))
    path = pathlib.Path(layout.task_state_dir("nightly"), locate(1))
    whole = path.read_bytes()
    for position in range(len(whole)):
        for bit in (0, 3, 7):
            changed = bytearray(whole)
            changed[position] ^= 1 << bit
            path.write_bytes(changed)
            (found,) = records.load_records(layout, "nightly")
            assert (found.id, found.task, found.state in records.STATES) == (record(1).id, "nightly", True)
            assert parse_time(found.started).tzinfo
            assert all(isinstance(value, int) for value in (found.bytes, found.transfers, found.pid))


@pytest.mark.parametrize(
    "changes",
    [{"started": "yesterday"}, {"started": "2026-11-22T00:00:00"}, {"bytes": "12"}, {"state": "fine"}, {"pid": None}],
)
def test_a_record_with_an_invalid_value_is_damaged(layout, changes):
    records.save_record(layout, record(1)._replace(**changes))

    assert records.load_records(layout, "nightly")[0].reason == "damaged"


def test_a_directory_and_a_dangling_link_in_place_of_a_record_are_damage(layout):
    records.save_record(layout, record(1))
    folder = pathlib.Path(layout.task_state_dir("nightly"), "runs")
    (folder / (record(2).id + ".json")).mkdir()
    (folder / (record(3).id + ".json")).symlink_to("nowhere")

    assert [run.reason for run in records.load_records(layout, "nightly")] == ["damaged", "damaged", ""]


def test_a_damaged_record_in_run_is_kept_there(layout, full_disk):
    full_disk.append(True)
    records.save_record(layout, record(1))
    full_disk.clear()
    path = pathlib.Path(layout.run_dir, "unsaved", "nightly", record(1).id + ".json")
    path.write_text("{")

    records.save_record(layout, record(2))

    assert path.read_text() == "{"
    assert [run.reason for run in records.load_records(layout, "nightly")] == ["", "damaged"]


def test_the_last_record_ignores_skipped_runs(layout):
    assert records.find_last_record(layout, "nightly") is None
    for each in (record(1), record(2, "failed"), record(3, "skipped"), record(4, "skipped")):
        records.save_record(layout, each)

    assert records.find_last_record(layout, "nightly").id == record(2).id


def test_the_last_record_is_a_skipped_one_if_all_runs_were_skipped(layout):
    records.save_record(layout, record(1, "skipped"))
    records.save_record(layout, record(2, "skipped"))

    assert records.find_last_record(layout, "nightly").id == record(2).id


def test_no_more_records_are_read_than_requested(layout, monkeypatch):
    for number in range(20):
        records.save_record(layout, record(number))
    read = []
    load = records.read_versioned
    monkeypatch.setattr(records, "read_versioned", lambda path, newest: (read.append(path), load(path, newest))[1])

    records.load_records(layout, "nightly", 2)
    records.find_last_record(layout, "nightly")

    assert [os.path.basename(path) for path in read if "/unsaved/" not in path] == [
        f"{record(number).id}.json" for number in (19, 18, 19)
    ]


def test_old_records_go_and_the_newest_stay(layout, monkeypatch):
    monkeypatch.setattr(records, "KEPT_RECORDS", 3)
    for number in range(6):
        records.save_record(layout, record(number))

    records.prune_records(layout, "nightly")

    assert ids(records.load_records(layout, "nightly")) == [record(5).id, record(4).id, record(3).id]


def test_a_record_has_a_place_although_the_state_directory_is_a_file(layout):
    os.makedirs(os.path.dirname(layout.state_dir))
    with open(layout.state_dir, "w") as stream:
        stream.write("not a directory")

    records.save_record(layout, record(1))

    assert records.load_records(layout, "nightly") == [record(1)]


def test_saving_a_record_again_replaces_it(layout):
    records.save_record(layout, record(1, "running"))
    records.save_record(layout, record(1)._replace(ended="2026-11-22T00:01:00Z"))

    assert len(records.load_records(layout, "nightly")) == 1


def test_the_facts_of_a_run_are_those_of_its_task_and_its_record(make_task):
    task = make_task(direction="pull", mode="copy", description="photos")
    facts = records.collect_facts(task, record(1, reason="network", bytes=12, exit_code=0))
    assert {name: facts[name] for name in ("task", "run_id", "direction", "mode", "path", "remote_path")} == {
        "task": "nightly",
        "run_id": "20261122T000001Z-abcdef",
        "direction": "pull",
        "mode": "copy",
        "path": "/srv/data",
        "remote_path": "bucket/data",
    }
    assert (facts["description"], facts["credential"], facts["reason"]) == ("photos", "offsite", "network")
    assert (facts["bytes"], facts["errors"], facts["exit_code"]) == ("12", "0", "0")


def test_a_fact_that_is_not_known_is_empty_and_still_there(make_task):
    facts = records.collect_facts(make_task(), record(1, "running"))
    assert {name for name, value in facts.items() if not value} == {
        *("description", "reason", "message", "ended", "exit_code", "log")
    }
