# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No callback shows a secret at -vvvv with --diff, whether a module succeeds, fails or is only checked.

`make test` runs this with the oldest and the newest supported ansible-core.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

PLAYBOOK = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
pytestmark = pytest.mark.skipif(not os.path.exists(PLAYBOOK), reason="this Python has no ansible-playbook")
# It prints whole results, as the callback json of the collection ansible.posix does.
WHOLE = """
import json
from ansible.plugins.callback import CallbackBase
class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "whole"
    def v2_runner_on_ok(self, result):
        print(json.dumps(result._result, default=str))
    def v2_runner_on_failed(self, result, ignore_errors=False):
        print(json.dumps(result._result, default=str))
    def v2_on_file_diff(self, result):
        print(json.dumps(result._result.get("diff"), default=str))
"""
CALLBACKS = {
    "json": {"ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    "yaml": {"ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
    "whole": {"ANSIBLE_STDOUT_CALLBACK": "whole"},
}


def list_tasks(host, offsite, documents):
    """Return tasks of a play that have a secret in every option that may be one."""
    passphrase = host.secret("canary-passphrase")
    task = {
        **documents,
        "encryption": {"password": host.secret("canary-crypt"), "salt": host.secret("canary-salt")},
        "notify": ["https://hooks.example.net/" + host.secret("canary-hook")],
    }
    wrong = {**offsite, "attributes": {**offsite["attributes"], "secret_access_key": host.secret("canary-attribute")}}
    backup = {"passphrase": passphrase}
    modules = [
        ("host_config", {"credentials": [offsite], "tasks": [task]}),
        ("host_config", {"credentials": [{**offsite, "description": "changed"}], "tasks": [{**task, "retries": 5}]}),
        ("credential_info", {}),
        ("task_info", {}),
        ("backup", backup),
        ("restore", {"content": "{{ taken.content }}", "passphrase": host.secret("canary-wrong-passphrase")}),
        ("credential", wrong),
        ("task", {**task, "unknown": 1}),
    ]
    tasks = [{f"skyhaul.cloudsync.{name}": options, "ignore_errors": True} for name, options in modules]
    tasks[4]["register"] = "taken"
    return tasks


@pytest.mark.parametrize("callback", CALLBACKS)
def test_no_callback_shows_a_secret(host, offsite, documents, tmp_path, callback):
    (tmp_path / "whole.py").write_text(WHOLE)
    play = {"hosts": "localhost", "gather_facts": False, "tasks": list_tasks(host, offsite, documents)}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    # The collection is below ansible_collections/skyhaul/cloudsync/tests/unit/plugins/modules/.
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(pathlib.Path(__file__).parents[7]),
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_CALLBACK_PLUGINS": str(tmp_path),
        **CALLBACKS[callback],
    }
    ended = subprocess.run(
        [PLAYBOOK, "-vvvv", "--diff", "play.yml"],
        cwd=str(tmp_path),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=180,
        check=False,
    )

    said = ended.stdout
    assert ended.returncode == 0, said
    assert "offsite" in said and "move it from attributes to secrets" in said
    assert [secret for secret in host.secrets if secret in said] == []
