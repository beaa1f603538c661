# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control node: Ansible's own commands, for hosts that are folders of this machine."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine import converge as collection

COLLECTIONS = str(pathlib.Path(collection.__file__).parents[6])
HOME = pathlib.Path(__file__).parents[2]


class Controller:
    """``folder`` is the current directory of all commands; it holds the inventory."""

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
        """Write the inventory: host names to their variables. Each is this machine unless its variables say more."""
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        content = {"all": {"hosts": {name: {**local, **variables} for name, variables in hosts.items()}}}
        (self.folder / "inventory.json").write_text(json.dumps(content))

    def call(self, *words, code=0, **environment):
        """What a command says, which must end with ``code``."""
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
        assert ended.returncode == code, "{0}\nended with {1}, not {2}:\n{3}".format(
            subprocess.list2cmdline(ended.args), ended.returncode, code, ended.stdout
        )
        return ended.stdout

    def play(self, playbook, *words, code=0, **variables):
        """What ``ansible-playbook`` says of a playbook of the collection; ``variables`` are those of ``-e``."""
        extra = ["-e", json.dumps(variables)] if variables else []
        return self.call("ansible-playbook", "skyhaul.cloudsync." + playbook, *words, *extra, code=code)
