# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that a hook or a provider repeats do not leave the run."""

from __future__ import annotations

import base64
import http.server
import json

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
