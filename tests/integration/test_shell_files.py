# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The completions of the command ``cloudsync`` in each shell, and its man page."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess

import pytest
from harness import install

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.cli.parser import OF_UNITS, build_parser
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._shell_files import TEXTS

BASH, ZSH, FISH, MAN = TEXTS


@pytest.fixture(name="root", scope="module")
def fixture_root(tmp_path_factory):
    """A host with the tasks ``documents`` and ``www``, on which the runner is installed."""
    root = install(tmp_path_factory.mktemp("host"))
    (root / "etc/cloudsync/tasks").mkdir(parents=True)
    for name in ("documents", "www"):
        (root / f"etc/cloudsync/tasks/{name}.json").touch()
    return root


@pytest.fixture(name="ask")
def fixture_ask(root, tmp_path):
    """Run a script in a shell of the host, and return the words that it prints."""

    def ask(shell, script):
        needed = {"zsh": "zsh", "fish": "fish"}.get(shell)
        if needed and not shutil.which(needed):
            pytest.skip(f"{needed} is not installed. Run: apt-get install {needed}")
        words = {"bash": ["bash", "--norc", "-c"], "zsh": ["zsh", "-f", "-c"], "fish": ["fish", "--private", "-c"]}
        done = subprocess.run(
            [*words[shell], script],
            env={"CLOUDSYNC_ROOT": str(root), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.split("\n")

    return ask


def list_words(parser):
    """Yield the verbs and the long options of all verbs."""
    for action in parser._actions:
        yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for name, verb in action.choices.items():
                yield name
                yield from list_words(verb)


@pytest.mark.parametrize("path", TEXTS)
def test_each_file_has_every_verb_and_option_and_no_verb_of_the_units(path):
    # fish has "-l dry-run" for --dry-run, and the man page has "\-\-dry\-run".
    found = set(re.findall(r"[a-z]+(?:-[a-z]+)*", TEXTS[path].replace("\\", "")))
    assert {word.lstrip("-") for word in list_words(build_parser())} - {"help"} <= found
    assert not set(OF_UNITS) & found


def test_the_runner_installs_the_files_and_changes_nothing_the_second_time(root):
    for path, text in TEXTS.items():
        installed = root / "usr/local/share" / path
        assert installed.read_text() == text
        assert installed.stat().st_mode & 0o777 == 0o644


def test_bash_completes_verbs_options_and_tasks(ask, root):
    def complete(*words):
        line = f"source {root}/usr/local/share/{BASH}; COMP_WORDS=({' '.join(map(repr, words))}); "
        line += f"COMP_CWORD={len(words) - 1}; _shtab_cloudsync; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        return list(filter(None, ask("bash", line)))

    assert complete("cloudsync", "st") == ["status", "stop"]
    assert complete("cloudsync", "run", "") == ["documents", "www"]
    assert complete("cloudsync", "run", "w") == ["www"]
    assert "--dry-run" in complete("cloudsync", "run", "www", "--")


def test_fish_completes_verbs_options_and_tasks(ask, root):
    def complete(line):
        found = ask("fish", f"source {root}/usr/local/share/{FISH}; complete -C '{line}'")
        return [each.split("\t")[0] for each in found if each]

    assert complete("cloudsync st") == ["status", "stop"]
    assert complete("cloudsync run ") == ["documents", "www"]
    assert "--dry-run" in complete("cloudsync run www --")


def test_zsh_loads_the_completion_and_lists_the_tasks(ask, root):
    prepare = f"autoload -U compinit; fpath=({root}/usr/local/share/{ZSH.rpartition('/')[0]} $fpath); compinit -u; "
    assert ask("zsh", prepare + "print ${_comps[cloudsync]}")[0] == "_cloudsync"
    stub = f"source {root}/usr/local/share/{ZSH}; compadd() {{ print -l -- $@ }}; _cloudsync_tasks"
    assert ask("zsh", prepare + stub)[:3] == ["--", "documents", "www"]


def test_the_man_page_is_readable_without_a_warning(root):
    if not shutil.which("man"):
        pytest.skip("man is not installed. Run: apt-get install man-db")
    done = subprocess.run(
        ["man", "--warnings", "--local-file", str(root / "usr/local/share" / MAN)],
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    for heading in ("SYNOPSIS", "EXAMPLES", "EXIT STATUS", "FILES"):
        assert f"\n{heading}\n" in done.stdout
    assert "the run was skipped, because the task is already running" in done.stdout
