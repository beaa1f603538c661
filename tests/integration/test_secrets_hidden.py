# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that a hook or a provider repeats do not leave the run."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import pathlib
import threading
import uuid

import harness
import pytest
from controller import Controller

PASSWORD = harness.SECRET + "/with+signs"

WHOLE = """
import json
from ansible.plugins.callback import CallbackBase
class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "whole"
    def v2_runner_on_failed(self, result, ignore_errors=False):
        print(json.dumps(result._result, default=str))
"""


class Echo(http.server.BaseHTTPRequestHandler):
    """A WebDAV server that refuses each request and repeats the login, as a careless proxy does."""

    def answer(self):
        login = self.headers.get("Authorization", "")
        plain = base64.b64decode(login.partition(" ")[2]).decode()
        body = f"no access for {login} ({plain})".encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_PROPFIND = do_HEAD = do_MKCOL = do_OPTIONS = answer  # noqa: N815

    def log_message(self, *_arguments):
        pass


class Ear(http.server.BaseHTTPRequestHandler):
    """A server for notifications."""

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_HEAD = answer  # noqa: N815

    def log_message(self, *_arguments):
        pass


class ProcessTable:
    """The arguments and the environments of all other processes during a block: content to its first file."""

    def __init__(self):
        self.seen = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        own = str(os.getpid())
        while not self._ended.is_set():
            for pid in os.listdir("/proc"):
                if pid.isdigit() and pid != own:
                    for name in ("cmdline", "environ"):
                        with contextlib.suppress(OSError):
                            path = f"/proc/{pid}/{name}"
                            self.seen.setdefault(pathlib.Path(path).read_bytes(), path)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._ended.set()
        self._thread.join()


def test_no_secret_is_in_the_process_table_the_output_or_the_backup(machine, rclone):
    """The journal of a host gets the output. The files of the host are searched at the end of each test."""
    # The other servers have their own secrets in their arguments.
    canary = f"{harness.SECRET}-{uuid.uuid4().hex}"
    harness.write_tree(machine.data / "www", {f"{number}.txt": "x" * 30000 for number in range(20)})
    served = machine.root / "served"
    (served / "bucket").mkdir(parents=True)
    dump = "env; sleep 0.3"
    common = {
        "path": str(machine.data / "www"),
        "direction": "push",
        "encryption": {"password": canary + "-crypt", "salt": canary + "-salt"},
        "hooks": dict.fromkeys(("before", "success", "failure", "always"), dump),
    }
    ears = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    key = ("--auth-key", f"{harness.KEY_ID},{canary}")
    with harness.serving(rclone, "s3", served, *key) as port, harness.answering(ears) as ear:
        store = {
            **harness.s3_credential(port),
            "secrets": {"access_key_id": harness.KEY_ID, "secret_access_key": canary},
        }
        dav = {
            "name": "dav",
            "provider": "webdav",
            "attributes": {"url": f"http://127.0.0.1:{port}", "vendor": "other", "user": "u"},
            "secrets": {"pass": canary + "-refused"},
        }
        notify = [f"{kind}http://127.0.0.1:{ear}/{canary}" for kind in ("", "ntfy+", "healthchecks+")]
        tasks = [
            {**common, "name": "kept", "credential": "store", "remote_path": "bucket/www", "notify": notify},
            {**common, "name": "refused", "credential": "dav", "remote_path": "www", "notify": notify, "retries": 0},
        ]
        with ProcessTable() as table:
            said = [machine.module("host_config", credentials=[store, dav], tasks=tasks)]
            runs = [machine.start(task["name"]) for task in tasks]
            said += [run.communicate(timeout=harness.PATIENCE) for run in runs]
            said += [machine.cloudsync(*words) for words in (["verify", "dav"], ["run", "kept", "--dry-run"])]
            taken = machine.module("backup", passphrase=canary + "-passphrase")
            said += [taken, machine.module("restore", content=taken["content"], passphrase=canary + "-wrong")]
            said += [machine.module("seed", state="rotated"), machine.cloudsync("check", "--notify")]

    assert [run.returncode for run in runs] == [0, 1]
    forms = (canary.encode(), base64.b64encode(canary.encode())[:-4])
    shown = {path: content for content, path in table.seen.items() if any(form in content for form in forms)}
    assert [content for content in shown.values() if b"\0serve\0" not in content] == []
    assert canary not in repr(said)
    # The table has seen what it has to see.
    seen = list(table.seen)
    assert [content for content in seen if b"rclone" in content and b"--use-json-log" in content]
    assert [content for content in seen if b"CLOUDSYNC_HOOK=failure" in content]
    assert "[before] CLOUDSYNC_HOOK=before" in machine.log("kept")


def test_a_secret_that_a_provider_or_a_hook_repeats_does_not_leave_the_run(machine):
    harness.write_tree(machine.data / "www", {"index.html": "hello"})
    with harness.answering(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)) as port:
        machine.declare(
            [
                {
                    "name": "dav",
                    "provider": "webdav",
                    "attributes": {"url": f"http://127.0.0.1:{port}", "vendor": "other", "user": "backup"},
                    "secrets": {"pass": PASSWORD},
                }
            ],
            [
                {
                    "name": "www",
                    "credential": "dav",
                    "direction": "push",
                    "path": str(machine.data / "www"),
                    "remote_path": "www",
                    "retries": 0,
                    "hooks": {
                        "failure": f"env > {machine.data}/environment; echo {PASSWORD[:5]}''{PASSWORD[5:]}; exit 3"
                    },
                }
            ],
        )
        said = [
            machine.cloudsync("run", "www", "--json"),
            machine.cloudsync("run", "www", "--dry-run"),
            machine.cloudsync("verify", "dav"),
            machine.cloudsync("status", "www", "--json"),
            machine.cloudsync("logs", "www"),
            machine.module("remote_info", credential="dav"),
        ]

    record = said[0].json
    assert (record["state"], record["reason"]) == ("failed", "auth")
    basic = base64.b64encode(f"backup:{PASSWORD}".encode()).decode()
    texts = [*map(repr, said), (machine.data / "environment").read_text()]
    texts += [content.decode("utf-8", "replace") for content in machine.left_behind().values()]
    assert [text for text in texts if PASSWORD in text or basic[12:-4] in text] == []
    assert "[failure] ***" in machine.log("www")
    assert "***" in json.dumps(record)


@pytest.mark.parametrize("callback", ["default", "ansible.builtin.minimal", "whole"])
def test_ansible_shows_no_refused_secret_with_any_callback(machine, tmp_path, callback):
    control = Controller(tmp_path)
    control.inventory(web1={"cloudsync_root": str(machine.root)})
    if callback == "whole":
        # ansible-core has no such callback: this one prints the whole result, as that of ansible.posix does.
        (tmp_path / "plugins").mkdir()
        (tmp_path / "plugins" / "whole.py").write_text(WHOLE)
    attributes = {"provider": "Minio", "endpoint": "https://s3.example.com", "secret_access_key": PASSWORD}
    wrong = {"name": "offsite", "provider": "s3", "attributes": attributes}
    tasks = [
        {"skyhaul.cloudsync.credential": wrong, "ignore_errors": True},
        {"skyhaul.cloudsync.host_config": {"credentials": [wrong]}, "ignore_errors": True},
        {"skyhaul.cloudsync.credential": {**wrong, "unknown": 1}},
    ]
    play = [{"hosts": "all", "gather_facts": False, "environment": machine.environment, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(play))

    said = control.call(
        "ansible-playbook",
        "-vvvv",
        "--diff",
        "play.yml",
        code=2,
        ANSIBLE_STDOUT_CALLBACK=callback,
        ANSIBLE_CALLBACK_PLUGINS=str(tmp_path / "plugins"),
    )

    assert PASSWORD not in said and PASSWORD.replace("/", "\\/") not in said
    assert "move it from attributes to secrets" in said
    assert "not shown, because the module failed" in said
