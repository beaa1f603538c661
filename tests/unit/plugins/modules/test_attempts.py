# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run makes several attempts, and each passes all guards first."""

from __future__ import annotations

import json
import os
import shlex

import pytest

TEMPORARY, NOT_RETRIED, FATAL = 5, 6, 7


@pytest.fixture
def task(host, documents):
    """A stored sync that is tried up to three times, and an rclone that answers the guards."""
    declared = dict(documents, encryption=None, notify=None, guards={}, retries=2)
    host.ok("task", declared)
    host.rclone.answers("lsf", "a\n")
    host.rclone.answers("lsjson", "[]")
    host.rclone.plans("sync")
    return declared


def transfers(host):
    """The command lines of the attempts that were made."""
    return [line for line in host.rclone.commands() if " sync " in line and " --dry-run " not in line]


def replace(folder):
    """A line of shell that puts an empty folder into the place of ``folder``."""
    quoted = shlex.quote(folder)
    return f"mv {quoted} {quoted}.away; mkdir {quoted}"


def stats(**values):
    return json.dumps({"level": "notice", "msg": "", "stats": values})


def test_an_attempt_that_fails_is_followed_by_another_one(host, task):
    host.ok("task", dict(task, guards={"max_delete": 6}))
    host.rclone.answers("sync", err=stats(bytes=5, transfers=1, deletes=2, errors=1), code=TEMPORARY)
    run = host.run("run", {"task": "documents"})["run"]
    assert (run["bytes"], run["transfers"], run["deletes"], run["errors"]) == (15, 3, 6, 1)
    assert len(transfers(host)) == 3
    assert all(" --retries 1 " in line for line in transfers(host))


@pytest.mark.parametrize("code", [NOT_RETRIED, FATAL])
def test_an_error_that_no_retry_helps_with_ends_the_run(host, task, code):
    host.rclone.answers("sync", code=code)
    assert host.run("run", {"task": "documents"})["run"]["state"] == "failed"
    assert len(transfers(host)) == 1


def test_a_move_may_have_emptied_its_source_in_the_attempt_before(host, task):
    host.ok("task", dict(task, mode="move"))
    host.rclone.answers("move", code=TEMPORARY)
    host.rclone.does("move", f": > {shlex.quote(str(host.rclone.folder))}/lsf.out")
    run = host.run("run", {"task": "documents"})["run"]
    assert run["reason"] != "empty_source"
    assert len([line for line in host.rclone.commands() if " move " in line]) == 3


def test_a_source_that_was_replaced_after_an_attempt_is_refused(host, task, source):
    host.rclone.answers("sync", code=TEMPORARY)
    host.rclone.does("sync", replace(source))
    run = host.run("run", {"task": "documents"})["run"]
    assert (run["reason"], len(transfers(host))) == ("source_changed", 1)
    assert f"Source {source} was unmounted or replaced during the run." in run["message"]
    assert run["message"].endswith(" Nothing more was changed.")


def test_a_source_that_lost_its_marker_after_an_attempt_is_refused(host, task, source):
    host.ok("task", dict(task, guards={"marker": "a"}))
    host.rclone.answers("sync", code=TEMPORARY)
    host.rclone.does("sync", f"rm -f {shlex.quote(source)}/a")
    assert host.run("run", {"task": "documents"})["run"]["reason"] == "marker_missing"
    assert len(transfers(host)) == 1


def test_the_target_of_a_pull_that_was_replaced_after_an_attempt_is_refused(host, task, source):
    host.ok("task", dict(task, direction="pull"))
    host.rclone.answers("lsjson", '{"IsDir": true, "Path": "", "Size": -1}')
    host.rclone.answers("sync", code=TEMPORARY)
    host.rclone.does("sync", replace(source))
    run = host.run("run", {"task": "documents"})["run"]
    assert (run["reason"], len(transfers(host))) == ("not_mounted", 1)


def test_rclone_works_on_the_directory_that_the_guards_saw(host, task, source):
    host.rclone.answers("sync")
    look = f"ls $word > {shlex.quote(str(host.root))}/seen"
    host.rclone.does("sync", f'{replace(source)}; for word in "$@"; do case $word in /proc/*) {look};; esac; done')
    host.ok("run", {"task": "documents"})
    assert (host.root / "seen").read_text() == "a\n"
    assert not os.listdir(source)


def test_the_log_names_the_path_of_the_task(host, task, source):
    host.rclone.answers("sync", err='{"level": "error", "msg": "x"}', code=NOT_RETRIED)
    host.rclone.does("sync", 'for word in "$@"; do case $word in /proc/*) at=$word;; esac; done; echo "open $at/a" >&2')
    run = host.run("run", {"task": "documents"})["run"]
    with open(run["log"], encoding="utf-8") as stream:
        log = stream.read()
    assert f"open {source}/a" in log
    assert "/proc/self" not in log


@pytest.mark.parametrize(
    ("guards", "kept", "expected"),
    [
        ({}, None, " --max-delete 0 "),
        ({"max_delete": "50%"}, None, " --max-delete 1 "),
        ({"max_delete": 7}, None, " --max-delete 7 "),
        ({"max_delete": 0}, None, " --max-delete 0 "),
        ({"max_delete": 7}, {"path": "backups/kept", "days": 3}, " --max-delete 15 "),
    ],
)
def test_rclone_gets_the_number_of_deletions_that_the_plan_allows(host, task, guards, kept, expected):
    host.ok("task", dict(task, guards=guards, keep_deleted=kept))
    host.rclone.answers("cat")
    host.rclone.answers("rcat")
    copied = {"level": "notice", "msg": "Skipped copy", "object": "a", "size": 6, "skipped": "copy"}
    # Without deletions, the destination is not listed: rclone says with how many files it compared the source.
    stats = {"level": "notice", "msg": "-", "stats": {"checks": 3}}
    host.rclone.plans("sync", "\n".join(map(json.dumps, (copied, stats))))
    host.rclone.answers("sync")
    host.ok("run", {"task": "documents"})
    assert expected in transfers(host)[0]


def test_a_second_sync_needs_no_plan_and_still_has_a_limit(host, task):
    host.rclone.answers("sync")
    host.ok("run", {"task": "documents"})
    host.ok("run", {"task": "documents"})
    assert [" --max-delete 0 " in transfers(host)[0], " --max-delete 10 " in transfers(host)[1]] == [True, True]
    assert len([line for line in host.rclone.commands() if " --dry-run " in line]) == 1


def test_deletions_of_an_earlier_attempt_count_in_the_next_one(host, task):
    host.ok("task", dict(task, guards={"max_delete": 5}))
    host.rclone.answers("sync", err=stats(deletes=2, errors=1), code=TEMPORARY)
    host.run("run", {"task": "documents"})
    limits = [line.partition("--max-delete ")[2].split()[0] for line in transfers(host)]
    assert limits == ["5", "3", "1"]


def test_the_first_sync_to_an_empty_destination_needs_no_plan_and_may_be_continued(host, task):
    nothing = f'case "$*" in *remote:*) [ -e {shlex.quote(str(host.root))}/begun ] || exit 0;; esac'
    host.rclone.does("lsf", nothing)
    host.rclone.answers("sync", code=NOT_RETRIED)
    host.run("run", {"task": "documents"})
    assert [line for line in host.rclone.commands() if " --dry-run " in line] == []
    assert " --max-delete 0 " in transfers(host)[0]
    (host.root / "begun").touch()
    gone = {"level": "notice", "msg": "Skipped delete", "object": "b", "skipped": "delete"}
    host.rclone.plans("sync", json.dumps(gone))
    host.rclone.answers("sync")
    host.ok("run", {"task": "documents"})
    assert " --max-delete 10 " in transfers(host)[1]


def test_a_source_that_cannot_be_read_completely_deletes_nothing(host, task):
    host.rclone.answers("sync")
    host.rclone.answers("lsf", "a\n", code=1)
    host.ok("run", {"task": "documents"})
    assert " --max-delete 0 " in transfers(host)[0]
    assert [line for line in host.rclone.commands() if " --dry-run " in line] == []
