# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of docs/ as their readers use them: sections with files and commands, and a fleet that follows them."""

from __future__ import annotations

import json
import pathlib
import re
import shlex
import sys

import yaml
from controller import Controller

DOCS = pathlib.Path(__file__).parents[2] / "docs"
PATH = r"/(?:srv|etc|var)/[\w./-]+"  # on a host
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_sections(page):
    """Return the blocks of each section of a page: their language and their text."""
    parts = re.split(r"^## (.+)$", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {heading: BLOCK.findall(text) for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def list_commands(text):
    """Return the prompt and the words of each command of a console block. A backslash continues a line."""
    return [(line[0], line[2:]) for line in re.findall(r"^[$#] .+$", text.replace("\\\n", ""), re.MULTILINE)]


class Fleet:
    """A control node in ``folder`` and its hosts. ``credential``: a login that all hosts get."""

    def __init__(self, folder, new_machine, rclone, credential=None):
        self.folder, self.controller, self.hosts = folder, Controller(folder), {}
        self._new_machine, self._rclone = new_machine, rclone
        self.replaced = {}
        if credential:
            secrets = {"vault_crypt_password": "a long random text", "cloudsync_passphrase": "another long random text"}
            variables = {"cloudsync_credentials": [credential], **secrets}
            self.write("group_vars/all/credentials.yml", yaml.safe_dump(variables))

    def add(self, *names, group="group"):
        """Create hosts with these names in ``group``, and return them."""
        for name in names:
            self.hosts[name] = machine = self._new_machine()
            # A module of a playbook finds the root of its host in the environment, as a play cannot set it.
            python = self.write(
                f"python-{name}", f'#!/bin/sh\nCLOUDSYNC_ROOT={machine.root} exec {sys.executable} "$@"\n'
            )
            python.chmod(0o755)
            self.write(f"host_vars/{name}.yml", yaml.safe_dump(self._describe(name)))
        hosts = dict.fromkeys(self.hosts)
        content = {"hosts": hosts, "children": {group: {"hosts": hosts}}}
        self.write("inventory.json", json.dumps({"all": content}))
        return [self.hosts[name] for name in names]

    def _describe(self, name):
        return {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": str(self.folder / f"python-{name}"),
            "cloudsync_root": str(self.hosts[name].root),
            "cloudsync_rclone_install": "none",
            "cloudsync_rclone_path": self._rclone,
        }

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def replace(self, text, root="{{ cloudsync_root }}"):
        """Return ``text`` with the reader's own values in place of the examples."""
        for example, own in self.replaced.items():
            text = text.replace(example, own)
        quoted = re.sub(rf"(?<=: ){PATH}$", r'"\g<0>"', text, flags=re.MULTILINE)
        return re.sub(rf"(?<![\w/.}}]){PATH}", lambda found: root + found.group(), quoted)

    def follow(self, blocks, host=None, code=0):
        """Write the files and run the commands of ``blocks``. Return what each command printed.

        ``host``: the name of the host whose shell runs commands after ``#``. ``code``: the exit code of each command.
        """
        said = {}
        for language, text in blocks:
            if language == "console":
                for prompt, command in list_commands(text):
                    said[command] = self.call(prompt, command, host, code)
            else:
                name = re.match(r"# (\S+)\n", text)
                assert name, f"The first line of a file is its name:\n{text}"
                self.write(name.group(1), self.replace(text))
        return said

    def call(self, prompt, command, host=None, code=0):
        """Run a command of the control node (``$``) or of a host (``#``), and return its output."""
        if prompt == "$":
            return self.controller.call(*shlex.split(self.replace(command)), code=code)
        machine = self.hosts[host]
        words = shlex.split(self.replace(command, str(machine.root)))
        assert words[0] == "cloudsync", command
        answer = machine.cloudsync(*words[1:])
        assert answer.code == code, (command, answer)
        return answer.out + answer.err
