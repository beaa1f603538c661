# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host below a temporary CLOUDSYNC_ROOT with the installed command, and servers for it on loopback."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.files import atomic_write, make_directory
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credential_store import load_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.host import Host
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations import apply as collection
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted, converge
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.status import find_status
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.binary import identify_program, probe
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.schema import (
    load as load_providers,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.safekeeping.seed import converge_seed

COLLECTIONS = str(pathlib.Path(collection.__file__).parents[7])
PATIENCE = 30
# Part of every secret in these tests, so that a test can find a secret in clear text.
SECRET = "INTEGRATION-SECRET"
KEY_ID, KEY = "integration-key", SECRET + "-s3"
PASSWORD, SALT = SECRET + "-crypt", SECRET + "-salt"
# The owner mark, also as it is named where the content is encrypted, but not the names.
MARKS = (".cloudsync-owner", ".cloudsync-owner.bin")
SLOW = [{"time": "00:00", "limit": "256K"}]
MODULE = """
import importlib, json, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
basic._ANSIBLE_PROFILE = "legacy"
importlib.import_module("ansible_collections.skyhaul.cloudsync.plugins.modules." + sys.argv[1]).main()
"""


def scale(quick, soak):
    """Return the number of repetitions: ``quick`` in `make test`, ``soak`` in `make soak`."""
    return soak if os.environ.get("CLOUDSYNC_SOAK") else quick


def run_module(name, environment, options, collections=COLLECTIONS):
    """Run a module of the collection in ``collections`` as on a host, and return its result."""
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


@functools.lru_cache(maxsize=None)
def ask_rclone(program):
    """Return the files in which a host keeps the answers of ``program``: name to content. It is asked only once."""
    with tempfile.TemporaryDirectory() as folder:
        if identify_program(program):
            load_providers(probe(program, folder), folder)
        return read_tree(folder)


def install(root):
    """Install the engine and the command below ``root`` with the module runner."""
    result = run_module("runner", {"CLOUDSYNC_ROOT": str(root)}, {})
    assert result.get("changed"), result
    return root


def wait_for(condition, what, seconds=PATIENCE):
    """Call ``condition()`` until its result is true, and return that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"timed out after {seconds} s: {what}")


def write_tree(folder, files):
    """Write ``files``: path to text or bytes. A path that ends in / is an empty folder. All times are in the past."""
    for name, content in files.items():
        path = pathlib.Path(folder, name)
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (1600000000, 1600000000))


def read_tree(folder):
    """Return the files of ``folder`` as write_tree() takes them, without folders and without the owner mark.

    Empty if it does not exist.
    """
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(pathlib.Path(folder).rglob("*"))
        if path.is_file() and path.name not in MARKS
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
    """Return whether the process is running. A zombie is not."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def children(pid):
    """Return the running children of ``pid``: process id to argument vector."""
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
    """Run a server of rclone for ``folder``, and yield its port."""
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
    """Run the HTTP server ``server`` in a thread, and yield its port."""
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


def documents_task(machine, bucket, direction="push", **options):
    """Return the task ``documents``, a sync between the folders of that name on the machine and in the bucket."""
    return {
        "name": "documents",
        "credential": "store",
        "direction": direction,
        "mode": "sync",
        "path": str(machine.data / "documents"),
        "remote_path": bucket.name + "/documents",
        **options,
    }


class Answer:
    """The result of one call of the command."""

    def __init__(self, ended):
        self.code, self.out, self.err = ended.returncode, ended.stdout, ended.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"<exit {self.code}\n{self.out}\n{self.err}>"


class Machine:
    """A host. ``root`` is its CLOUDSYNC_ROOT. Its command is a link to that of the root ``installed``."""

    def __init__(self, root, installed, rclone):
        self.root = pathlib.Path(root)
        self.layout = Layout(str(root))
        self.data = self.root / "srv"
        self.data.mkdir()
        (self.root / "etc").mkdir()
        pathlib.Path(self.layout.machine_id).write_text(uuid.uuid4().hex + "\n")
        library = self.root / "usr" / "local" / "lib" / "cloudsync"
        library.mkdir(parents=True)
        (library / "rclone").symlink_to(rclone)
        command = pathlib.Path(self.layout.command)
        command.parent.mkdir(parents=True)
        command.symlink_to(pathlib.Path(installed, "usr/local/bin/cloudsync"))
        self.environment = {"CLOUDSYNC_ROOT": str(root), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        self._started = []
        make_directory(self.layout.state_dir)
        for name, content in ask_rclone(str(rclone)).items():
            atomic_write(f"{self.layout.state_dir}/{name}", content)
        converge_seed(self.layout, "present", "", "", False, False)

    @property
    def host(self):
        return Host(self.layout)

    def declare(self, credentials=(), tasks=(), **more):
        """Declare credentials and tasks as host_config does."""
        return converge(self.host, Wanted(credentials=list(credentials), tasks=list(tasks), **more), False)

    def module(self, name, /, **options):
        """Run a module as on a host, and return its result."""
        return run_module(name, self.environment, options)

    def cloudsync(self, *arguments, **environment):
        """Run the command, and return its result."""
        return Answer(
            subprocess.run(
                [self.layout.command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**self.environment, **environment},
                encoding="utf-8",
                timeout=scale(120, 1800),
                check=False,
            )
        )

    def run(self, task, code=0, reason=""):
        """Run a task, check its exit code and reason, and return its record."""
        answer = self.cloudsync("run", task, "--json")
        assert answer.code == code, answer
        record = answer.json
        assert record["reason"] == reason, record
        return record

    def plan(self, task, code=0, reason=""):
        """Make a dry run, check its exit code and reason, and return its plan."""
        answer = self.cloudsync("run", task, "--dry-run", "--json")
        assert answer.code == code, answer
        assert answer.json["reason"] == reason, answer
        return answer.json["plan"]

    def start(self, task, **environment):
        """Start a run in the background."""
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
        """Wait for a run in the background, check its exit code, and return its record."""
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
        """Wait until rclone has transferred data, and return the status."""

        def moving():
            status = find_status(self.layout, task)
            return status if (status["progress"] or {}).get("bytes") else None

        return wait_for(moving, f"a transfer of {task}")

    def wait_for_state(self, task, state):
        return wait_for(lambda: find_status(self.layout, task)["state"] == state, f"the state {state} of {task}")

    def rclone_of(self, run):
        """Return the rclone process of a run and its argument vector."""
        found = [
            (pid, words) for pid, words in children(run.pid).items() if words[0].endswith("rclone") and "--" in words
        ]
        return found[0] if found else None

    def stored(self, credential):
        """Return the stored credential, decrypted."""
        return load_credential(self.layout, self.host.seed, credential)

    def live(self):
        """Return the existing live configurations."""
        return sorted(pathlib.Path(self.layout.run_dir, "live").glob("*"))

    def left_behind(self):
        """Return all files in the folders of cloudsync with their content."""
        folders = [self.layout.config_dir, self.layout.state_dir, self.layout.log_dir, self.layout.run_dir]
        return {str(path): path.read_bytes() for folder in folders for path in walk(folder)}

    def close(self):
        """End the runs that are still active, and check that no file contains a secret."""
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
    """Copy a program into ``folder`` so that every user can run it."""
    target = pathlib.Path(folder, "rclone")
    shutil.copy2(os.path.realpath(program), target)
    target.chmod(0o755)
    return str(target)
