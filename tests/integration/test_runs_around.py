# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands around a transfer: hooks, notifications, kept files, verification, retries, another user."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import tempfile

import fake_gcs
import pytest
from harness import PASSWORD, SECRET, SLOW, copy_of, read_tree, text_tree, wait_for, write_tree
from webhook import webhook

FILES = {"a.txt": "alpha", "deep/b.txt": "beta"}
HEARD = "the run fails, notification, `cloudsync check`"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a task as somebody else")


@pytest.fixture(name="site")
def fixture_site(machine, bucket, store):
    """The machine, with FILES, and a function that declares the task ``documents``, a push of them."""
    machine.source, machine.remote = machine.data / "documents", bucket / "documents"
    write_tree(machine.source, FILES)

    def declare(**options):
        task = {
            "name": "documents",
            "credential": "store",
            "direction": "push",
            "mode": "sync",
            "path": str(machine.source),
            "remote_path": bucket.name + "/documents",
        }
        machine.declare([store], [{**task, **options}])

    machine.task = declare
    return machine


def test_a24_a26_each_hook_runs_at_its_time_with_public_facts_and_without_a_secret(site):
    dump = f"env > {site.data}/$CLOUDSYNC_HOOK.env"
    hooks = dict.fromkeys(("before", "success", "failure", "always"), dump)
    site.task(hooks=hooks, encryption={"password": PASSWORD})
    record = site.run("documents")
    seen = {}
    for path in sorted(site.data.glob("*.env")):
        text = path.read_text()
        assert SECRET not in text
        seen[path.stem] = dict(line.split("=", 1) for line in text.splitlines())
    assert sorted(seen) == ["always", "before", "success"]
    for facts in seen.values():
        assert facts["CLOUDSYNC_TASK"] == "documents"
        assert facts["CLOUDSYNC_RUN_ID"] == record["id"]
        assert facts["CLOUDSYNC_DIRECTION"] == "push"
        assert facts["CLOUDSYNC_MODE"] == "sync"
        assert facts["CLOUDSYNC_PATH"] == str(site.source)
        assert not [name for name in facts if name.startswith("RCLONE")]
    assert seen["before"]["CLOUDSYNC_STATE"] == "running"
    assert seen["success"]["CLOUDSYNC_STATE"] == seen["always"]["CLOUDSYNC_STATE"] == "success"
    assert seen["always"]["CLOUDSYNC_BYTES"] == str(record["bytes"])
    assert seen["always"]["CLOUDSYNC_TRANSFERS"] == "2"


def test_a_before_hook_that_fails_ends_the_run(site, reliability):
    told = f"echo $CLOUDSYNC_STATE $CLOUDSYNC_REASON > {site.data}/told"
    site.task(hooks={"before": "echo the database is down >&2; exit 7", "failure": told})
    record = site.run("documents", 1, "hook")
    assert record["state"] == "failed"
    assert "exit code 7" in record["message"]
    assert "the database is down" in record["message"]
    assert not site.remote.exists()
    assert (site.data / "told").read_text() == "failed hook\n"
    assert "[before] the database is down" in site.log("documents")
    reliability.add("A before hook fails.", record, HEARD)


def test_a_success_hook_that_fails_fails_the_run(site, reliability):
    site.task(hooks={"success": "exit 3", "failure": f"touch {site.data}/failure"})
    record = site.run("documents", 1, "hook")
    assert record["transfers"] == 2
    assert (site.data / "failure").exists()
    reliability.add("A success hook fails.", record, HEARD)


def test_failure_and_always_run_when_a_guard_refuses(site):
    kinds = {kind: f"echo $CLOUDSYNC_REASON > {site.data}/{kind}" for kind in ("failure", "always")}
    site.task(hooks=kinds, guards={"marker": "absent"})
    site.run("documents", 3, "marker_missing")
    assert (site.data / "failure").read_text() == (site.data / "always").read_text() == "marker_missing\n"


def test_a_stopped_run_ends_its_hook(site, reliability):
    site.task(hooks={"before": f"touch {site.data}/began; sleep 60"})
    run = site.start("documents")
    wait_for((site.data / "began").exists, "the hook")
    site.cloudsync("stop", "documents")
    record = site.ended(run, 143)
    assert record["reason"] == "stopped"
    reliability.add("A run is stopped during a hook that hangs.", record, HEARD)


def test_a5_a_dry_run_leaves_nothing_behind(site):
    hooks = dict.fromkeys(("before", "success", "failure", "always"), f"touch {site.data}/hook")
    site.task(hooks=hooks, encryption={"password": PASSWORD})
    before = site.left_behind()
    site.plan("documents")
    left = {path for path in site.left_behind() if "/locks/" not in path and not path.endswith("providers.json")}
    assert left - set(before) == set()
    assert site.history("documents") == []
    assert not site.live()
    assert not site.remote.exists()
    assert not (site.data / "hook").exists()
    assert site.status("documents")["state"] == "pending"


def test_a_change_of_state_is_told_once(site):
    with webhook() as (address, posted):
        site.task(notify=[address])
        site.run("documents")
        assert posted == []
        site.task(notify=[address], guards={"marker": "absent"})
        site.run("documents", 3, "marker_missing")
        site.run("documents", 3, "marker_missing")
        assert [notice["event"] for notice in posted] == ["failed"]
        site.task(notify=[address])
        site.run("documents")
        site.run("documents")
    assert [notice["event"] for notice in posted] == ["failed", "recovered"]
    assert posted[0]["reason"] == "marker_missing"
    assert posted[0]["task"] == "documents"
    assert SECRET not in json.dumps(posted)


def test_an_overdue_run_is_told_once_and_cleared_by_the_next_success(site):
    with webhook() as (address, posted):
        site.task(notify=[address], schedule={"cron": "0 3 * * *"})
        assert site.cloudsync("check", "--notify").code == 0
        timer = pathlib.Path(site.layout.unit_dir, "cloudsync@documents.timer")
        os.utime(timer, (1600000000, 1600000000))
        assert site.cloudsync("check").code == 1
        assert posted == []
        assert site.cloudsync("check", "--notify").code == 0
        assert site.cloudsync("check", "--notify").code == 0
        assert [notice["event"] for notice in posted] == ["overdue"]
        site.run("documents")
        assert site.cloudsync("check", "--notify").code == 0
    assert [notice["event"] for notice in posted] == ["overdue", "recovered"]
    assert "No run has started since 2020-09-" in posted[0]["message"]
    assert SECRET not in json.dumps(posted)


def test_an_overdue_run_that_nobody_could_be_told_of_is_tried_again(site):
    site.task(notify=["http://127.0.0.1:9/" + SECRET], schedule={"cron": "0 3 * * *"})
    os.utime(pathlib.Path(site.layout.unit_dir, "cloudsync@documents.timer"), (1600000000, 1600000000))
    for _attempt in range(2):
        answer = site.cloudsync("check", "--notify")
        assert answer.code == 1 and "Cannot send the notification to" in answer.out
        assert SECRET not in answer.out


def test_a_damaged_task_keeps_nobody_from_being_told_of_another(site):
    with webhook() as (address, posted):
        site.task(notify=[address], schedule={"cron": "0 3 * * *"})
        os.utime(pathlib.Path(site.layout.unit_dir, "cloudsync@documents.timer"), (1600000000, 1600000000))
        pathlib.Path(site.layout.tasks_dir, "a-damaged-one.json").write_text("{cut")
        answer = site.cloudsync("check", "--notify")
    assert answer.code == 1 and "a-damaged-one" in answer.out
    assert [notice["event"] for notice in posted] == ["overdue"]


def test_a_later_overdue_run_is_told_although_a_stopped_one_came_between(site):
    with webhook() as (address, posted):
        site.task(notify=[address], schedule={"cron": "0 3 * * *"})
        timer = pathlib.Path(site.layout.unit_dir, "cloudsync@documents.timer")
        for told in (1600000000, 1500000000):
            os.utime(timer, (told, told))
            site.cloudsync("check", "--notify")
    assert [notice["event"] for notice in posted] == ["overdue", "overdue"]


def test_a_notice_that_fails_is_told_and_fails_no_run(site):
    site.task(notify=["http://127.0.0.1:9/" + SECRET], guards={"marker": "absent"})
    message = site.run("documents", 3, "marker_missing")["message"]
    assert "127.0.0.1" in message
    assert SECRET not in message


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_deleted_and_overwritten_files_are_kept_for_their_days(site, bucket, direction):
    local, remote = site.data / "here", site.remote
    source, destination = (local, remote) if direction == "push" else (remote, local)
    kept = bucket / "kept" if direction == "push" else site.data / "kept"
    place = bucket.name + "/kept" if direction == "push" else str(kept)
    write_tree(source, {"a.txt": "newer", "c.txt": "c"})
    write_tree(destination, {"a.txt": "old", "gone.txt": "gone"})
    own = f"documents@{os.uname().nodename}/"
    write_tree(kept, {own + "20200101T000000Z-abcdef/x.txt": "expired", own + "somebody/else.txt": "theirs"})
    guards = {"max_delete": 1}
    site.task(direction=direction, path=str(local), keep_deleted={"path": place, "days": 7}, guards=guards)
    plan = site.plan("documents")
    assert [entry["path"] for entry in plan["delete"]] == ["gone.txt"]
    assert [entry["path"] for entry in plan["overwrite"]] == ["a.txt"]
    record = site.run("documents")
    assert text_tree(destination) == {"a.txt": "newer", "c.txt": "c"}
    left = text_tree(kept)
    if direction == "push":
        assert record["id"] in left.pop(own + "history.json")
    assert left == {
        own + record["id"] + "/a.txt": "old",
        own + record["id"] + "/gone.txt": "gone",
        own + "somebody/else.txt": "theirs",
    }


def test_encrypted_files_are_kept_within_the_encryption_and_stay_out_of_the_next_runs(site, bucket):
    kept = {"path": bucket.name + "/documents/.kept", "days": 7}
    site.task(encryption={"password": PASSWORD, "filenames": "off"}, keep_deleted=kept)
    site.run("documents")
    (site.source / "a.txt").unlink()
    record = site.run("documents")
    folder = f".kept/documents@{os.uname().nodename}/{record['id']}"
    assert [name for name in read_tree(site.remote) if record["id"] in name] == [f"{folder}/a.txt.bin"]
    assert site.run("documents")["message"] == "Nothing had to be transferred."
    site.task(direction="pull", path=str(site.data / "back"), encryption={"password": PASSWORD, "filenames": "off"})
    site.plan("documents")


@pytest.mark.parametrize("how", ["size", "checksum"])
@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD}], ids=["plain", "crypt"])
def test_a_transfer_is_verified(site, how, encryption):
    site.task(verify_after=how, encryption=encryption)
    site.run("documents")
    site.task(verify_after=how, encryption=encryption, direction="pull", path=str(site.data / "back"))
    site.run("documents")
    assert text_tree(site.data / "back") == FILES


@pytest.mark.parametrize("encryption", [None, {"password": PASSWORD, "filenames": "off"}], ids=["plain", "crypt"])
def test_a_verification_finds_what_the_transfer_did_not(site, encryption, reliability):
    """The copy was changed behind our backs, its size and time kept: so it is not transferred again."""
    site.task(encryption=encryption)
    site.run("documents")
    stored = site.remote / ("a.txt.bin" if encryption else "a.txt")
    content, times = bytearray(stored.read_bytes()), stored.stat()
    content[-1] ^= 1
    stored.write_bytes(content)
    os.utime(stored, ns=(times.st_atime_ns, times.st_mtime_ns))
    site.task(encryption=encryption, verify_after="size")
    site.run("documents")
    site.task(encryption=encryption, verify_after="checksum")
    answer = site.cloudsync("run", "documents", "--json")
    assert answer.code == 1, answer
    assert "a.txt" in answer.json["message"], answer
    kind = "an encrypted" if encryption else "a"
    reliability.add(f"A byte of {kind} file is damaged at the destination (s3).", answer.json, "verify_after")


def test_a_file_that_can_not_be_read_suppresses_deletions(site, reliability):
    write_tree(site.remote, {"stale.txt": "stale"})
    os.mkfifo(site.source / "pipe")
    (site.source / "dangling").symlink_to("nowhere")
    site.task(follow_symlinks=True, retries=0)
    record = site.run("documents", 1, "deletions_suppressed")
    assert "dangling" in record["message"]
    assert text_tree(site.remote) == {**FILES, "stale.txt": "stale"}
    reliability.add("A file of the source cannot be read.", record, HEARD)


def test_as_many_attempts_as_asked_for(site):
    (site.source / "dangling").symlink_to("nowhere")
    for retries in (0, 1):
        site.task(follow_symlinks=True, retries=retries)
        site.run("documents", 1, "deletions_suppressed")
        assert site.log("documents").count("Attempt 1/1 failed") == retries + 1


@pytest.fixture(name="foreign")
def fixture_foreign(new_machine, rclone):
    """A machine whose rclone everybody can reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield new_machine(copy_of(rclone, folder))


@needs_root
def test_a_pull_as_another_user_gives_him_the_files(foreign, bucket, store):
    write_tree(bucket / "d", FILES)
    nobody = pwd.getpwnam("nobody")
    target = foreign.data / "target"
    target.mkdir()
    os.chown(target, nobody.pw_uid, nobody.pw_gid)
    task = {
        "name": "down",
        "credential": "store",
        "direction": "pull",
        "path": str(target),
        "remote_path": bucket.name + "/d",
        "user": "nobody",
        "bandwidth": SLOW,
        "hooks": {"before": "id -un", "always": "id -un"},
    }
    write_tree(bucket / "d", {"big.bin": b"x" * 1000000})
    foreign.declare([store], [task])
    run = foreign.start("down")
    foreign.wait_for_bytes("down")
    pid, words = foreign.rclone_of(run)
    assert os.stat(f"/proc/{pid}").st_uid == nobody.pw_uid
    assert words[words.index("--config") + 1].startswith("/proc/self/fd/")
    foreign.ended(run, 0)
    assert {path.stat().st_uid for path in target.rglob("*")} == {nobody.pw_uid}
    assert sorted(text_tree(target)) == ["a.txt", "big.bin", "deep/b.txt"]
    assert "[before] nobody" in foreign.log("down")
    assert not foreign.live()


@needs_root
def test_a_token_that_another_user_refreshed_is_saved(foreign):
    cloud = fake_gcs.Cloud()
    write_tree(foreign.data / "up", FILES)
    with fake_gcs.serving(cloud) as port:
        task = {
            "name": "up",
            "credential": "cloud",
            "direction": "push",
            "path": str(foreign.data / "up"),
            "remote_path": "bkt/up",
            "user": "nobody",
        }
        foreign.declare([fake_gcs.credential(port, cloud)], [task])
        record = foreign.run("up")
        assert "could not save" not in record["message"]
        foreign.run("up")
    assert cloud.rejected == 0
    assert json.loads(foreign.stored("cloud").merge_secrets()["token"])["refresh_token"] == cloud.refresh_token


@needs_root
def test_a_user_who_does_not_exist_is_named(site):
    site.task(user="no-such-user")
    record = site.cloudsync("run", "documents", "--json").json
    assert record["reason"] == "usage"
    assert "no-such-user" in record["message"]
    assert not site.live()
