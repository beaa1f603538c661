# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README works: one host follows it from top to bottom, as a reader would who pastes everything.

Only what the README tells the reader to replace is replaced: the host, the endpoint and the secrets. The root of the
host's paths is a folder of this machine.
"""

from __future__ import annotations

import glob
import importlib.metadata
import json
import os
import pathlib
import re
import shlex
from dataclasses import dataclass

import pytest
import yaml

HOME = pathlib.Path(__file__).parents[2]
README = (HOME / "README.md").read_text(encoding="utf-8")
MODULES = ["credential", "credential_info", "task", "task_info", "run", "seed", "remote_info", "host_config", "runner"]
MODULES += ["backup", "restore", "authorize", "bucket", "thaw", "fleet_report"]
PLUGINS = {
    "module": MODULES,
    "lookup": ["schedule_preview"],
    "filter": ["to_oncalendar", "fleet_report", "task_previews", "from_truenas", "from_rclone_conf", "shard"],
    "role": ["runner", "sync_tasks", "report"],
}
PLAYBOOKS = ["demo", "site", "preview", "run", "stop", "report", "backup", "restore", "rotate_seed"]
PLAYBOOKS += ["import_truenas", "import_rclone", "authorize", "recover", "thaw", "drill"]
# Sections whose commands may change the credentials, the tasks or the timers of the host.
CHANGING = {"Quick start"}


@dataclass(frozen=True)
class Step:
    """One thing to do: ``kind`` is file (``text`` is its content), command (on the control node) or host."""

    section: str
    kind: str
    text: str
    expected: str = ""


def read_steps():
    """Return every file and every command of the README, also those between backticks, in their order."""
    section, steps = "", []
    parts = r"^##+ ([^\n]+)$|^```(\w+)\n(.*?)^```$|`(cloudsync [^`]+)`"
    for found in re.finditer(parts, README, re.MULTILINE | re.DOTALL):
        heading, kind, block, inline = found.groups()
        if heading:
            section = heading
        elif inline:
            steps += [Step(section, "host", inline)]
        elif kind == "console":
            steps += [
                Step(section, {"$": "command", "#": "host"}[prompt], command, expected)
                for prompt, command, expected in re.findall(r"^([$#]) (.+)\n((?:(?![$#] ).*\n)*)", block, re.MULTILINE)
            ]
        else:
            steps.append(Step(section, "file", block))
    return steps


STEPS = read_steps()


def commands(*words):
    """Return the commands of the control node that begin with these words, in order."""
    return [step.text for step in STEPS if step.kind == "command" and step.text.split()[: len(words)] == list(words)]


def inline(first_word):
    """Return the commands between backticks, each once, in order."""
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    return list(dict.fromkeys(re.findall(f"`({first_word} [^`]+)`", prose)))


class Reader:
    """Somebody who follows the README on a control node with one host, whose root is ``root``."""

    def __init__(self, folder, rclone, s3_server):
        import harness
        from controller import Controller

        self.controller, self.root, self.folder = Controller(folder), folder / "host", folder
        environment = self.controller.environment
        # Nothing that the README sets is set here: the inventory and the password for Vault are its own.
        del environment["ANSIBLE_INVENTORY"]
        (folder / "vault-password").write_text("the password for Ansible Vault")
        environment.update(
            CLOUDSYNC_ROOT=str(self.root),
            ANSIBLE_ASK_VAULT_PASS="false",
            ANSIBLE_VAULT_PASSWORD_FILE=str(folder / "vault-password"),
            PATH=os.pathsep.join([str(self.root / "usr/local/bin"), environment["PATH"]]),
        )
        self._replaced = {
            "https://s3.example.com": f"http://127.0.0.1:{s3_server[0]}",
            "/srv/": f"{self.root}/srv/",
            "KEYID": harness.KEY_ID,
            "SECRET": harness.KEY,
            "another long random text": harness.SECRET + "-passphrase",
            "a long random text": harness.PASSWORD,
        }
        self.store = pathlib.Path(s3_server[1], "backup")
        self._write("host_vars/web1.yml", yaml.safe_dump(self._describe_host(rclone)))

    def _describe_host(self, rclone):
        """Return what makes the README's host a folder of this machine."""
        import sys

        return {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "ansible_become": False,
            "cloudsync_root": str(self.root),
            "cloudsync_rclone_install": "none",
            "cloudsync_rclone_path": rclone,
        }

    def _write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def replace(self, text):
        """Return ``text`` with what the reader replaces."""
        for example, own in self._replaced.items():
            text = text.replace(example, own)
        return text

    def follow(self, step):
        """Do one step and return what it printed."""
        if step.kind == "file":
            name = re.match(r"# (\S+)\n", step.text).group(1)
            self._write(name, self.replace(step.text))
            return ""
        words = shlex.split(self.replace(step.text))
        if words[0] == "pip":
            for package in words[2:]:
                assert importlib.metadata.version(package)
            return ""
        if words[0] in ("ansible-galaxy", "make"):
            return ""  # The collection is there, and a test of its own looks at the targets.
        return self.controller.call(*words)

    def read_host(self):
        """Return what a reader would not want to be changed unasked: store, units, command and the link to rclone."""
        parts = [self.root / part for part in ("etc/cloudsync", "etc/systemd/system", "usr/local/bin")]
        state = {
            str(path.relative_to(self.root)): os.readlink(path) if path.is_symlink() else path.read_bytes()
            for part in parts
            for path in sorted(part.rglob("*"))
            if path.is_symlink() or path.is_file()
        }
        link = self.root / "usr/local/lib/cloudsync/rclone"
        return {**state, "rclone": os.readlink(link)} if link.is_symlink() else state


def list_changes(before, after):
    """Return the names of what is not the same in both."""
    return sorted(name for name in {**before, **after} if before.get(name) != after.get(name))


@pytest.fixture(name="reader")
def fixture_reader(tmp_path, rclone, s3_server):
    import harness

    reader = Reader(tmp_path, rclone, s3_server)
    reader.store.mkdir(exist_ok=True)
    harness.write_tree(reader.root / "srv" / "www", {"index.html": "<h1>Hello</h1>", "img/logo.svg": "<svg/>"})
    return reader


def test_one_host_follows_the_readme_from_top_to_bottom(reader):
    """Nothing after the quick start may change what the quick start made, not even when it is pasted line by line."""
    import harness

    source = harness.read_tree(reader.root / "srv" / "www")
    state = reader.read_host()
    for step in STEPS:
        printed = reader.follow(step)
        assert harness.SECRET not in printed, step
        if step.kind == "host" and "--follow" not in step.text:
            json.loads(reader.controller.call(*shlex.split(step.text), "--json"))
        if step.kind == "command" and step.text.startswith("ansible "):
            assert "web1 | SUCCESS" in printed or "web1 | CHANGED" in printed, (step, printed)
        if "site --check" in step.text:
            assert reader.read_host() == {}
        if step.expected:
            check_output(printed, step.expected)
        if step.section in CHANGING:
            state = reader.read_host()
        assert list_changes(state, reader.read_host()) == [], step

    pushed = harness.read_tree(reader.store / "web1" / "www")
    assert len(pushed) >= 2 and not [name for name, content in pushed.items() if b"Hello" in content or "img" in name]
    assert harness.read_tree(reader.root / "srv" / "restored") == source
    assert (reader.folder / "group_vars/all/vault.yml").read_text().startswith("$ANSIBLE_VAULT;")
    assert (reader.folder / "cloudsync-report/index.html").is_file()
    assert (reader.folder / "cloudsync-backup/web1.json").is_file()
    check_the_paths(reader)
    check_the_options_in_the_text(reader, source)


def check_output(printed, expected):
    """Compare a table with the README's example: the same columns, and the same first three cells."""
    printed, expected = (
        [re.split(r"\s{2,}", line) for line in text.strip().splitlines()] for text in (printed, expected)
    )
    assert printed[0] == expected[0]
    assert [row[:3] for row in printed[1:]] == [row[:3] for row in expected[1:]]


def check_the_paths(reader):
    table = README.split("| what | where |\n")[1].split("\n\n")[0]
    paths = [path for line in table.splitlines()[1:] for path in re.findall(r"`(/[^`]+)`", line)]
    assert len(paths) > 5
    for path in paths:
        assert glob.glob(str(reader.root) + path.replace("TASK", "www")), path


def find_options(section):
    """Return the options of the module ``task`` that a section names between backticks."""
    text = re.search(rf"^### {section}\n(.*?)^##", README, re.MULTILINE | re.DOTALL).group(1)
    return [yaml.safe_load(option) for option in re.findall(r"`(\w+: [^`]+)`", text)]


def check_the_options_in_the_text(reader, source):
    """A task that restores, and removing tasks, with the options that the text names."""
    import harness

    environment = {key: reader.controller.environment[key] for key in ("CLOUDSYNC_ROOT", "PATH")}
    restore = {key: value for option in find_options("Get data back") for key, value in option.items()}
    restore["path"] = reader.replace(restore["path"]) + "-again"
    assert "failed" not in harness.run_module("task", environment, {"name": "restored", **restore})
    reader.controller.call("cloudsync", "run", "restored")
    assert harness.read_tree(restore["path"]) == source

    purge, state = find_options("Change and remove")
    assert purge == {"cloudsync_purge": True}
    assert harness.run_module("task", environment, {"name": "restored", **state})["changed"]
    variables = reader.folder / "group_vars/all/cloudsync.yml"
    variables.write_text(variables.read_text().split("cloudsync_tasks:")[0] + "cloudsync_tasks: []\n")
    reader.controller.play("site", **purge)
    assert json.loads(reader.controller.call("cloudsync", "list", "--json")) == []


def test_every_command_is_one_that_is_tested():
    known = {"make", "ansible-playbook", "ansible", "ansible-vault", "ansible-galaxy", "pip"}
    assert {step.text.split()[0] for step in STEPS if step.kind == "command"} == known
    assert {step.text.split()[0] for step in STEPS if step.kind == "host"} == {"cloudsync"}
    assert len([step for step in STEPS if step.expected]) == 1
    assert inline("ansible-doc")


def test_the_collection_that_is_installed_is_this_one():
    galaxy = yaml.safe_load((HOME / "galaxy.yml").read_text())
    assert commands("ansible-galaxy") == [f"ansible-galaxy collection install {galaxy['namespace']}.{galaxy['name']}"]


def test_every_module_and_playbook_is_named():
    table = README.split("| modules | purpose |\n")[1].split("\n\n")[0]
    named = [name for line in table.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(named) == sorted(MODULES)
    for name in set(PLAYBOOKS) - {"demo"}:
        assert f"skyhaul.cloudsync.{name}" in README, name


def test_a_command_that_replaces_or_deletes_is_shown_in_check_mode_only():
    replacing = ("task", "credential", "host_config", "restore")
    modules = [step.text for step in STEPS if re.search(rf"-m skyhaul\.cloudsync\.({'|'.join(replacing)}) ", step.text)]
    playbooks = [*commands("ansible-playbook", "skyhaul.cloudsync.restore")]
    playbooks += commands("ansible-playbook", "skyhaul.cloudsync.rotate_seed")
    assert modules and len(playbooks) == 2
    assert [command for command in [*modules, *playbooks] if "--check" not in command] == []


def test_every_make_target_exists():
    targets = [words.split()[1] for words in [*commands("make"), *inline("make")]]
    makefile = (HOME / "Makefile").read_text()
    assert {"demo", "test", "docs"} <= set(targets)
    for target in targets:
        assert re.search(f"^{target}:", makefile, re.MULTILINE), target


def test_the_options_can_be_looked_up_as_it_says(reader):
    for command in inline("ansible-doc"):
        assert "OPTIONS" in reader.controller.call(*shlex.split(command), ANSIBLE_NOCOLOR="1").upper(), command


@pytest.mark.parametrize("kind", sorted(PLUGINS))
def test_every_public_name_is_documented(reader, kind):
    names = ["skyhaul.cloudsync." + name for name in PLUGINS[kind]]
    documented = json.loads(reader.controller.call("ansible-doc", "--json", "-t", kind, *names))
    assert set(documented) == set(names)
    for name in names:
        found = documented[name]
        if kind == "role":
            assert found["entry_points"]["main"]["short_description"]
        else:
            assert found["doc"]["short_description"] and found["examples"] and found["return"]


def test_every_module_and_role_is_a_public_name():
    assert sorted(path.stem for path in (HOME / "plugins" / "modules").glob("*.py")) == sorted(PLUGINS["module"])
    assert sorted(path.name for path in (HOME / "roles").iterdir()) == sorted(PLUGINS["role"])


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_every_playbook_says_how_it_is_called(name):
    text = (HOME / "playbooks" / (name + ".yml")).read_text()
    assert re.search(f"^#   ansible-playbook .*skyhaul\\.cloudsync\\.{name}\\b", text, re.MULTILINE)
