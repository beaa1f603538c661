# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages, the command's help and the pages for users follow the rules of style in CONTRIBUTING.md."""

from __future__ import annotations

import pathlib
import sys

import pytest

CLONE = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(CLONE / "tests"))

import language

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.cli.parser import build_parser

CODE = sorted(str(path.relative_to(CLONE)) for path in (CLONE / "plugins").rglob("*.py") if path.stat().st_size)
# CHANGELOG.md is generated, and describes former releases.
PAGES = sorted(
    str(path.relative_to(CLONE))
    for pattern in ("[!C]*.md", "CO*.md", "docs/*.md", "roles/*/README.md")
    for path in CLONE.glob(pattern)
)


def read(name):
    return (CLONE / name).read_text(encoding="utf-8")


def list_help(parser):
    """Yield the texts that ``--help`` of ``parser`` and of its verbs prints."""
    yield parser.description or ""
    for action in parser._actions:
        yield action.help or ""
        for added in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            yield from list_help(added)


@pytest.mark.parametrize("name", CODE)
def test_messages_follow_the_rules_of_style(name):
    assert [
        f"line {text.line}: {fault}"
        for text, faults in language.list_messages(read(name))
        for fault in [*language.find_faults(text.text), *faults]
    ] == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_follow_the_rules_of_style(name):
    assert [
        f"line {text.line}: {fault}"
        for text in language.list_paragraphs(read(name))
        for fault in language.find_faults(text.text)
    ] == []


def test_the_help_of_the_command_follows_the_rules_of_style():
    texts = list(list_help(build_parser()))
    assert len(texts) > 20
    assert [fault for text in texts for fault in language.find_faults(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Delete the file; then run the task again.",
        "word " * 25 + "word.",
        "What is deleted stays deleted.",
        "The run fails. One that has no schedule never runs.",
        "Of web addresses only the host is shown.",
        "The credential lacks a key.",
        "X is no schedule.",
        "These differ, other than the last.",
        "The run is under way.",
        "The module knows the provider.",
        "The room of the engine.",
    ],
)
def test_the_check_finds_a_fault(text):
    assert len(language.find_faults(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Run `a; b` and C(stands; wins), or V(other than\\)).",
        "There is no task. The task is no longer active. It won't run again.",
        "word " * 24 + "`a`, `b`, `c` and `d`.",
        "What happens when a disk is full?",
        "Make room on the disk, or run a standalone copy or a stand-in.",
        "See [the page](https://example.com/house;floor).",
        "Besides, if you want to stop it, tell systemd with 'systemctl stop --now'.",
        "rclone is old. rclone is new. " * 5,
    ],
)
def test_the_check_has_no_false_alarm(text):
    assert language.find_faults(text) == []


def find_in_code(source):
    return [
        fault
        for text, faults in language.list_messages(source)
        for fault in [*language.find_faults(text.text), *faults]
    ]


@pytest.mark.parametrize(
    "source",
    [
        'raise usage_error(f"{name} lacks a key")',
        'raise CloudsyncError("usage", "short; text")',
        'MESSAGE = "The task was declared; it does not run."',
        'raise usage_error(f"zfs failed: {done.stderr}. Check the pool.")',
        'def f(error):\n    why = error.stdout.decode().strip()\n    return "The snapshot failed: " + why + ". Retry."',
        'raise usage_error(f"zfs failed: {shorten(stderr)} (see the log)")',
    ],
)
def test_the_check_finds_a_fault_in_code(source):
    assert len(find_in_code(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        'def stands():\n    """It stands; it wins."""\n    # It lacks everything;\n    return wins["other than"]',
        'raise ValueError("a; b")',
        'raise usage_error(f"zfs failed: {done.stderr}.")',
        'raise usage_error(f"zfs printed {len(done.stdout)} bytes. Check the pool.")',
        'raise usage_error(f"cron is {text!r}. Use five fields.")',
        'PATTERN = re.compile("[a-z]; is no room (other than this)")',
    ],
)
def test_the_check_has_no_false_alarm_in_code(source):
    assert find_in_code(source) == []
