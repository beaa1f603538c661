# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.log_lines import (
    Item,
    Message,
    Stats,
    parse_line,
    parse_problems,
    remember,
)

RECORDED = pathlib.Path(__file__).parents[4] / "recorded" / "runs.json"


def lines(name, version):
    with open(RECORDED, encoding="utf-8") as stream:
        return next(run["stderr"] for run in json.load(stream) if (run["name"], run["version"]) == (name, version))


def parsed(name, version, kind):
    return [line for line in map(parse_line, lines(name, version)) if isinstance(line, kind)]


both_versions = pytest.mark.parametrize("version", ["1.75.2", "1.60.1"])


@both_versions
def test_a_dry_run_says_what_it_would_copy_and_delete(version):
    items = {(item.action, item.path, item.size) for item in parsed("dry_run_sync", version, Item) if item.dry_run}
    assert {("copy", "a", 6), ("copy", "d/b", 3), ("delete", "old/z", 9), ("remove directory", "old", 0)} <= items


@both_versions
def test_a_run_says_what_it_did(version):
    items = {(item.action, item.path): item for item in parsed("sync", version, Item)}
    assert items["copy", "a"].replaced
    assert not items["copy", "d/b"].replaced
    assert {("delete", "x"), ("delete", "y"), ("delete", "old/z"), ("remove directory", "old")} <= set(items)
    assert not any(item.dry_run for item in items.values())


@both_versions
def test_a_file_kept_instead_of_deleted_is_told_from_a_moved_one(version):
    kept = {item.path for item in parsed("backup_dir", version, Item) if item.action == "keep"}
    assert {"y", "old/z"} <= kept


@both_versions
def test_the_statistics_of_both_versions_are_read(version):
    stats = parsed("sync", version, Stats)[-1]
    assert (stats.transfers, stats.total_transfers, stats.deletes, stats.bytes, stats.errors) == (2, 2, 3, 9, 0)
    assert stats.eta is None
    assert stats.elapsed > 0


@both_versions
def test_the_files_under_way_are_in_the_statistics(version):
    stats = parsed("sigkill", version, Stats)[-1]
    assert "big" in stats.transferring
    assert stats.total_bytes > stats.bytes > 0


@both_versions
def test_an_error_is_an_error_in_both_versions(version):
    errors = [m for m in parsed("unreadable", version, Message) if m.object == "a"]
    assert [m.level for m in errors] == ["error"]
    assert errors[0].text.startswith("Failed to copy: failed to open source object: open ")


@both_versions
def test_a_notice_is_a_notice_in_both_versions(version):
    notices = [m for m in parsed("max_transfer", version, Message) if m.text.startswith("Removing partially")]
    assert {m.level for m in notices} == {"notice"}


@both_versions
def test_the_sentence_with_which_a_run_fails_is_an_error_although_rclone_calls_it_a_notice(version):
    last = parsed("backup_overlap", version, Message)[-1]
    assert last.level == "error"
    assert "mustn't overlap" in last.text


@pytest.mark.parametrize(
    "line, message",
    [
        ("Error: unknown flag: --x", Message("plain", "Error: unknown flag: --x")),
        ("2026/11/22 20:08:32 ERROR : a/b: Failed to copy: no", Message("error", "a/b: Failed to copy: no")),
        ("2026/11/22 20:08:32 ERROR : : error listing: no", Message("error", "error listing: no")),
        ("2026/11/22 20:08:32 NOTICE: No host key", Message("notice", "No host key")),
        ("2026/11/22 20:08:32 CRITICAL: Failed to load", Message("critical", "Failed to load")),
        ("2026/11/22 20:08:32 Failed to copy: no", Message("error", "Failed to copy: no")),
        ('{"level":"emergency","msg":"x"}', Message("critical", "x")),
        ("{not json", Message("plain", "{not json")),
        ("[1]", Message("plain", "[1]")),
        ("", Message("plain", "")),
    ],
)
def test_lines_that_are_not_json_are_read_too(line, message):
    assert parse_line(line + "\n") == message


def test_strange_json_does_not_stop_the_reader():
    assert isinstance(parse_line('{"stats": {"bytes": null, "transferring": null, "eta": "x"}}'), Stats)
    assert parse_line('{"level": 3, "msg": null, "object": ["x"]}').level == "plain"
    assert parse_line('{"skipped":"copy","object":"a","size":"big"}') == Item("copy", "a", 0, dry_run=True)


def test_only_problems_are_remembered_and_each_once():
    problems = []
    for message in (Message("info", "x"), Message("error", "y", "f"), Message("error", "y", "f")):
        remember(problems, message)
    assert problems == [Message("error", "y", "f")]


def test_after_many_failed_files_the_errors_about_the_whole_run_are_still_remembered():
    problems = []
    for number in range(1000):
        remember(problems, Message("error", "Failed to copy: no", f"file{number}"))
    last = Message("error", "not deleting files as there were IO errors", "Local file system at /data")
    remember(problems, last)

    assert len(problems) < 100
    assert problems[-1] == last


def test_the_whole_standard_error_of_a_command_gives_its_problems():
    stderr = "2026/11/22 20:08:32 NOTICE: x\n2026/11/22 20:08:33 Failed to lsjson: y\n"
    assert parse_problems(stderr) == (Message("error", "Failed to lsjson: y"),)


KEYS = st.sampled_from(
    [
        "stats",
        "msg",
        "object",
        "level",
        "size",
        "skipped",
        "bytes",
        "eta",
        "speed",
        "elapsedTime",
        "transferring",
        "name",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**400, max_value=10**401)
    | st.floats()
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=8)


@settings(deadline=None, derandomize=True)
@given(OBJECTS.map(json.dumps) | OBJECTS.map(lambda stats: json.dumps({"stats": stats})) | st.text(st.characters()))
@example('{"stats": {"transferring": 3}}')
@example('{"stats": {"transferring": [3, null, {"name": 4}], "eta": "-", "speed": NaN, "bytes": 1e999}}')
@example('{"stats": {"bytes": 1' + "0" * 400 + '}, "speed": 1' + "0" * 400 + "}")
@example('{"msg": ' + "[" * 100000)
@example('{"msg": "a')
@example("{" + '"\\udcff\ud800')
def test_no_line_is_an_error_and_its_numbers_fit_into_64_bits(line):
    found = parse_line(line)

    numbers = vars(found).values() if isinstance(found, (Stats, Item)) else []
    assert all(abs(number) < 2**63 + 1 for number in numbers if isinstance(number, (int, float)))
    for problem in parse_problems(line):
        assert isinstance(problem, Message)
