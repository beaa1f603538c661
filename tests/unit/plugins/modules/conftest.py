# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Provide a host in a temporary CLOUDSYNC_ROOT, with a recorded rclone, for the real modules."""

from __future__ import annotations

import copy
import importlib
import json
import os
import pathlib

import pytest
from ansible.module_utils.ansible_release import __version__
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

CONFINE = "ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.commands.confine"
MODULES = "ansible_collections.skyhaul.cloudsync.plugins.modules."
RECORDED = pathlib.Path(__file__).parents[2] / "recorded"
VERSION = "1.75.2"
ANSWERING = """#!/bin/sh
# rclone --config FILE [--OPTION=VALUE ...] COMMAND ...
# rclone parses the options of a declared task.
case "$*" in *" :memory:a "*) exit 3;; esac
printf '%s\\n' "$*" >> '{folder}/called'
env >> '{folder}/environment'
shift 2
while [ "${{1#--}}" != "$1" ]; do shift; done
[ -e '{folder}/'"$1.code" ] || {{ echo "this rclone does not know $1" >&2; exit 97; }}
case "$*" in *" --dry-run "*) [ ! -e '{folder}/'"$1.plan" ] || {{ cat '{folder}/'"$1.plan" >&2; exit 0; }};; esac
[ ! -e '{folder}/'"$1.script" ] || . '{folder}/'"$1.script"
cat '{folder}/'"$1.err" >&2
cat '{folder}/'"$1.out"
exit "$(cat '{folder}/'"$1.code")"
"""


# ansible-core 2.21 and newer show the options of a module only if the control node asks for them.
NEW_CORE = tuple(map(int, __version__.split(".")[:2])) >= (2, 21)
SHOW_OPTIONS = {"_ansible_inject_invocation": True} if NEW_CORE else {}


class RecordedRclone:
    """A program that replays recorded output for each rclone command."""

    def __init__(self, folder):
        self.folder = folder
        self.program = folder / "rclone"
        self.program.write_text(ANSWERING.format(folder=folder))
        self.program.chmod(0o755)
        self.answers("version", f"rclone v{VERSION}\n- os/version: debian 12.11 (64 bit)\n")
        # The destination has no owner mark, and can get one.
        self.answers("cat")
        self.answers("rcat")
        self.answers("config", (RECORDED / f"providers-{VERSION}.json").read_text(encoding="utf-8"))

    def answers(self, command, out="", err="", code=0):
        for suffix, text in (("out", out), ("err", err), ("code", str(code))):
            (self.folder / f"{command}.{suffix}").write_text(text)

    def plans(self, command, err=""):
        """Answer ``command`` with ``--dry-run`` in this way."""
        (self.folder / f"{command}.plan").write_text(err)

    def does(self, command, script):
        """Run a line of shell at each call of ``command``, before it is answered."""
        (self.folder / f"{command}.script").write_text(script + "\n")

    def replays(self, command, recording):
        """Answer ``command`` as it was recorded under the name ``recording``."""
        runs = json.loads((RECORDED / "runs.json").read_text(encoding="utf-8"))
        found = next(run for run in runs if run["name"] == recording and run["version"] == VERSION)
        self.answers(command, err="\n".join(found["stderr"]) + "\n", code=found["exit_code"])

    def commands(self):
        """Return all command lines so far."""
        called = self.folder / "called"
        return called.read_text().splitlines() if called.exists() else []


class ManagedHost:
    """Run modules as Ansible does: call main(), and read the result from standard output."""

    def __init__(self, root, rclone, capsys):
        self.root = root
        self.rclone = rclone
        self.secrets = []
        self.output = []
        self.warnings = []
        self._capsys = capsys

    def secret(self, text):
        """Return ``text``, which must not be found in clear text from now on."""
        self.secrets.append(text)
        return text

    def run(self, module, options=None, check=False):
        """Return the result of one module call, with its ``warnings``."""
        arguments = copy.deepcopy(options or {})
        arguments.update(_ansible_check_mode=check, _ansible_diff=True, **SHOW_OPTIONS)
        main = importlib.import_module(MODULES + module).main
        self._capsys.readouterr()
        del self.warnings[:]
        with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        self.output += [said.out, said.err, *self.warnings]
        result = json.loads(said.out.strip().splitlines()[-1])
        result["warnings"] = self.warnings[:]
        assert bool(result.get("failed")) == bool(ended.value.code)
        return result

    def ok(self, module, options=None, check=False):
        """Return the result of a module call that must succeed."""
        result = self.run(module, options, check)
        assert not result.get("failed"), result["msg"]
        return result

    def refused(self, module, options=None, check=False):
        """Return the message of a module call that must fail and change nothing."""
        before = self.files()
        result = self.run(module, options, check)
        assert result.get("failed"), result
        assert self.files() == before
        assert "Traceback" not in result["msg"]
        return result["msg"]

    def files(self):
        """Return the content of every file by its path below the root, except locks and caches."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_symlink():
                found[name] = "-> " + os.readlink(str(path))
            elif path.is_file() and not name.startswith("run/") and not path.name.startswith(".rclone-"):
                found[name] = path.read_bytes()
        return found

    def read(self, name):
        return json.loads((self.root / name).read_text(encoding="utf-8"))

    def assert_no_secret_shows(self):
        places = {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}
        places.update({f"output {at}": text.encode() for at, text in enumerate(self.output)})
        for path in self.rclone.folder.iterdir():
            places[str(path)] = path.read_bytes()
        for secret in self.secrets:
            assert [name for name, content in places.items() if secret.encode() in content] == []


@pytest.fixture
def bare_host(tmp_path, monkeypatch, capsys):
    """Provide a host without an installation. Check at the end that no secret is found in clear text."""
    root = tmp_path / "root"
    folder = tmp_path / "bin"
    root.mkdir()
    folder.mkdir()
    monkeypatch.setenv("CLOUDSYNC_ROOT", str(root))
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    # The recorded rclone writes notes, which the confinement of a real one does not allow.
    monkeypatch.setattr(importlib.import_module(CONFINE), "find_version", lambda: 0)
    host = ManagedHost(root, RecordedRclone(folder), capsys)
    # Ansible collects the warnings of one process, which here is that of all module calls.
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text, **_more: host.warnings.append(text))
    yield host
    host.assert_no_secret_shows()


@pytest.fixture
def host(bare_host):
    """Provide a host with a seed."""
    bare_host.ok("seed")
    return bare_host


@pytest.fixture
def source(tmp_path):
    """Provide a folder to push."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a").write_text("hello\n")
    return str(folder)


@pytest.fixture
def offsite(host):
    """Provide the options of a credential with two watched secrets."""
    return {
        "name": "offsite",
        "provider": "s3",
        "attributes": {"provider": "Minio", "endpoint": "https://s3.example.com", "access_key_id": "backup"},
        "secrets": {"secret_access_key": host.secret("first-secret-key"), "session_token": host.secret("session-tok")},
        "description": "an S3 server",
    }


@pytest.fixture
def documents(host, offsite, source):
    """Provide the options of a task with most features, on a host that has its credential."""
    host.ok("credential", offsite)
    return {
        "name": "documents",
        "credential": "offsite",
        "direction": "push",
        "mode": "sync",
        "path": source,
        "remote_path": "backups/documents",
        "exclude": ["*.tmp"],
        "schedule": {"cron": "30 2 * * mon-fri", "timezone": "Europe/Berlin", "catch_up": True},
        "encryption": {"password": host.secret("first-crypt-password"), "salt": host.secret("grain-of-salt")},
        "guards": {"max_delete": "10%"},
        "notify": ["https://hooks.example.com/" + host.secret("hook-path-secret")],
    }
