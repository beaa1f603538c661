# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine under a temporary CLOUDSYNC_ROOT, with the installed command; and real servers for it on loopback."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import load_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.host import Host
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import apply as collection
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted, converge
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.seed import converge_seed
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.status import find_status

COLLECTIONS = str(pathlib.Path(collection.__file__).parents[7])
PATIENCE = 30
# In every secret of these tests, so that none of them may show up anywhere in clear.
SECRET = "INTEGRATION-SECRET"
KEY_ID, KEY = "integration-key", SECRET + "-s3"
PASSWORD, SALT = SECRET + "-crypt", SECRET + "-salt"
SLOW = [{"time": "00:00", "limit": "256K"}]
MODULE = """
import importlib, json, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
basic._ANSIBLE_PROFILE = "legacy"
importlib.import_module("ansible_collections.skyhaul.cloudsync.plugins.modules." + sys.argv[1]).main()
"""


def run_module(name, environment, options, collections=COLLECTIONS):
    """The result of a module of the collection in ``collections``, run as it runs on a host."""
    ended = subprocess.run(
        [sys.executable, "-c", MODULE, name],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": options}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": collections, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment},
        cwd="/",
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert ended.stdout.strip().startswith("{"), ended
    return json.loads(ended.stdout)


def install(root):
    """A root with the engine and the command, as the module runner installs them."""
    result = run_module("runner", {"CLOUDSYNC_ROOT": str(root)}, {})
    assert result.get("changed"), result
    return root


def wait_for(condition, what, seconds=PATIENCE):
    """The first true answer of ``condition()``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds} s")


def write_tree(folder, files):
    """Files, path to text or bytes; a path that ends in / is an empty folder. Their times are in the past."""
    for name, content in files.items():
        path = pathlib.Path(folder, name)
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (1600000000, 1600000000))


def read_tree(folder):
    """What write_tree() takes, folders left out; nothing when there is no folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(pathlib.Path(folder).rglob("*"))
        if path.is_file()
    }


def text_tree(folder):
    return {name: content.decode() for name, content in read_tree(folder).items()}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def alive(pid):
    """Whether the process runs; a zombie does not."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def children(pid):
    """The living processes that ``pid`` started: process id to argument vector."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@contextmanager
def serving(rclone, kind, folder, *options):
    """One of rclone's own servers for ``folder``; gives its port."""
    port = free_port()
    server = subprocess.Popen(
        [rclone, "--config", "", "serve", kind, "--addr", f"127.0.0.1:{port}", *options, str(folder)],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: is_open(port), f"the {kind} server")
        yield port
    finally:
        server.kill()
        server.wait()


@contextmanager
def answering(server):
    """An HTTP server of the tests' own, in a thread; gives its port."""
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def s3_credential(port, name="store", **more):
    attributes = {"provider": "Other", "endpoint": f"http://127.0.0.1:{port}", "force_path_style": True}
    return {
        "name": name,
        "provider": "s3",
        "attributes": {**attributes, **more},
        "secrets": {"access_key_id": KEY_ID, "secret_access_key": KEY},
    }


class Answer:
    """What one call of the command said."""

    def __init__(self, ended):
        self.code, self.out, self.err = ended.returncode, ended.stdout, ended.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"<exit {self.code}\n{self.out}\n{self.err}>"


class Machine:
    """One host. ``root`` is its CLOUDSYNC_ROOT; the command is that of ``installed``, a root of its own."""

    def __init__(self, root, installed, rclone):
        self.root = pathlib.Path(root)
        self.layout = Layout(str(root))
        self.data = self.root / "srv"
        self.data.mkdir()
        library = self.root / "usr" / "local" / "lib" / "cloudsync"
        library.mkdir(parents=True)
        (library / "rclone").symlink_to(rclone)
        command = pathlib.Path(self.layout.command)
        command.parent.mkdir(parents=True)
        command.symlink_to(pathlib.Path(installed, "usr/local/bin/cloudsync"))
        self.environment = {"CLOUDSYNC_ROOT": str(root), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        self._started = []
        converge_seed(self.layout, "present", "", "", False, False)

    @property
    def host(self):
        return Host(self.layout)

    def declare(self, credentials=(), tasks=(), **more):
        """As host_config does."""
        return converge(self.host, Wanted(credentials=list(credentials), tasks=list(tasks), **more), False)

    def module(self, name, /, **options):
        """The result of a module, run as it runs on a host."""
        return run_module(name, self.environment, options)

    def cloudsync(self, *arguments, **environment):
        """One call of the command."""
        return Answer(
            subprocess.run(
                [self.layout.command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**self.environment, **environment},
                encoding="utf-8",
                timeout=120,
                check=False,
            )
        )

    def run(self, task, code=0, reason=""):
        """The record of a run, which must end with ``code`` and for ``reason``."""
        answer = self.cloudsync("run", task, "--json")
        assert answer.code == code, answer
        record = answer.json
        assert record["reason"] == reason, record
        return record

    def plan(self, task, code=0, reason=""):
        """The plan of a task, whose dry run must end with ``code`` and for ``reason``."""
        answer = self.cloudsync("run", task, "--dry-run", "--json")
        assert answer.code == code, answer
        assert answer.json["reason"] == reason, answer
        return answer.json["plan"]

    def start(self, task, **environment):
        """A run in the background."""
        run = subprocess.Popen(
            [self.layout.command, "run", task, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, **environment},
            encoding="utf-8",
        )
        self._started.append(run)
        return run

    def ended(self, run, code):
        """The record of a run that was started in the background, once it has ended with ``code``."""
        out, err = run.communicate(timeout=PATIENCE)
        assert run.returncode == code, (run.returncode, out, err)
        return json.loads(out)

    def status(self, task):
        return self.cloudsync("status", task, "--json").json

    def history(self, task):
        return self.cloudsync("history", task, "--json").json

    def log(self, task):
        return "\n".join(self.cloudsync("logs", task, "--json").json["lines"])

    def wait_for_bytes(self, task):
        """Until rclone has transferred something; its status then."""

        def moving():
            status = find_status(self.layout, task)
            return status if (status["progress"] or {}).get("bytes") else None

        return wait_for(moving, f"a transfer of {task}")

    def wait_for_state(self, task, state):
        return wait_for(lambda: find_status(self.layout, task)["state"] == state, f"the state {state} of {task}")

    def rclone_of(self, run):
        """The process of rclone under a run, and its argument vector."""
        found = [
            (pid, words) for pid, words in children(run.pid).items() if words[0].endswith("rclone") and "--" in words
        ]
        return found[0] if found else None

    def stored(self, credential):
        """The credential in the store, in clear."""
        return load_credential(self.layout, self.host.seed, credential)

    def live(self):
        """The live configurations that are there."""
        return sorted(pathlib.Path(self.layout.run_dir, "live").glob("*"))

    def left_behind(self):
        """Every file of cloudsync's own, with its content."""
        folders = [self.layout.config_dir, self.layout.state_dir, self.layout.log_dir, self.layout.run_dir]
        return {str(path): path.read_bytes() for folder in folders for path in walk(folder)}

    def close(self):
        """End what still runs; nothing may be left in clear."""
        for run in self._started:
            if run.poll() is None:
                run.send_signal(signal.SIGKILL)
            run.communicate()
        for path, content in self.left_behind().items():
            if "/run/cloudsync/live/" not in path:
                assert SECRET.encode() not in content, path


def walk(folder):
    return [path for path in pathlib.Path(folder).rglob("*") if path.is_file() and not path.is_symlink()]


def copy_of(program, folder):
    """A copy that every user can reach."""
    target = pathlib.Path(folder, "rclone")
    shutil.copy2(os.path.realpath(program), target)
    target.chmod(0o755)
    return str(target)
