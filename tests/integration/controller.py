# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control node: run Ansible's commands for hosts that are folders of this machine."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from contextlib import contextmanager

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import apply as collection

COLLECTIONS = str(pathlib.Path(collection.__file__).parents[7])
HOME = pathlib.Path(__file__).parents[2]


class Playing:
    """A playbook that runs in the background."""

    def __init__(self, process, said):
        self.process, self._said = process, said

    def said(self):
        """Return its output so far."""
        return self._said.read_text()

    def ended(self, code=0):
        """Wait for its end, check its exit code, and return its output."""
        assert self.process.wait(timeout=180) == code, self.said()
        return self.said()


class Controller:
    """A control node. ``folder`` contains the inventory and is the current directory of all commands."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "ansible.cfg").touch()
        self.environment = {
            "PATH": os.pathsep.join([os.path.dirname(sys.executable), "/usr/bin", "/bin"]),
            "HOME": str(self.folder),
            "PWD": str(self.folder),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self.folder / "ansible" / "tmp"),
            "ANSIBLE_INVENTORY": str(self.folder / "inventory.json"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "ANSIBLE_PIPELINING": "true",
        }

    def inventory(self, **hosts):
        """Write an inventory of host names and their variables. By default, a host is this machine."""
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        content = {"all": {"hosts": {name: {**local, **variables} for name, variables in hosts.items()}}}
        (self.folder / "inventory.json").write_text(json.dumps(content))

    def call(self, *words, code=0, **environment):
        """Run a command, check its exit code, and return its output."""
        ended = subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=180,
            check=False,
        )
        assert ended.returncode == code, (
            f"{subprocess.list2cmdline(ended.args)}\nended with {ended.returncode}, not {code}:\n{ended.stdout}"
        )
        return ended.stdout

    @contextmanager
    def playing(self, playbook, *words, **variables):
        """Run a playbook of the collection in the background, and stop it at the end of the block."""
        extra = ["-e", json.dumps(variables)] if variables else []
        said = self.folder / "said.txt"
        with open(said, "w") as stream:
            process = subprocess.Popen(
                ["ansible-playbook", "skyhaul.cloudsync." + playbook, *words, *extra],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        try:
            yield Playing(process, said)
        finally:
            # SIGKILL would not end its workers.
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)

    def play(self, playbook, *words, code=0, **variables):
        """Run a playbook of the collection with ``-e variables``, and return its output."""
        extra = ["-e", json.dumps(variables)] if variables else []
        return self.call("ansible-playbook", "skyhaul.cloudsync." + playbook, *words, *extra, code=code)
