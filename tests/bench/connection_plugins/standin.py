# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection to a host that does not exist: each module answers what a real host has answered before.

So the time of a play is that of the control node alone.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: standin
short_description: Answer as a host does
description:
  - The file in the environment variable C(STANDIN_ANSWERS) has the result of each module.
author: skyhaul contributors (@skyhaul)
options: {}
"""

import functools
import json
import os
import pathlib
import re

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

MODULE = re.compile(rb"""["'](?:ansible_collections\.skyhaul\.cloudsync\.plugins|ansible)\.modules\.(\w+)["']""")


@functools.lru_cache(maxsize=None)
def read_answers(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


class Connection(ConnectionBase):
    """Run nothing. A module comes as the input of its interpreter, because pipelining is on."""

    transport = "standin"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        found = MODULE.search(in_data or b"")
        if found is None:
            raise AnsibleConnectionFailure(f"This is no module: {cmd[:200]}")
        answer = read_answers(os.environ["STANDIN_ANSWERS"]).get(found.group(1).decode(), {"changed": False})
        return 0, json.dumps(answer).encode(), b""

    def put_file(self, in_path, out_path):
        raise AnsibleConnectionFailure("Files are not needed with pipelining.")

    def fetch_file(self, in_path, out_path):
        raise AnsibleConnectionFailure("Files are not needed with pipelining.")

    def close(self):
        self._connected = False
