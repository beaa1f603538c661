# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action: log in at a provider in a browser. It runs on the control node; the module of this name documents it."""

from __future__ import annotations

import getpass
import os
import re
import socket
from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._engine.common.errors import CloudsyncError, system_error, usage_error
from ..module_utils._engine.host import Host
from ..plugin_utils._oauth import authorize as authorizing
from ..plugin_utils._oauth.authorize import Login
from ..plugin_utils._oauth.rclone_login import PORT
from ..plugin_utils._vault.vault_file import VaultFile

ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "provider": {"type": "str", "required": True},
    "file": {"type": "path", "required": True},
    "variable": {"type": "str"},
    "attributes": {"type": "dict", "default": {}},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "drive_id": {"type": "str"},
    "graph_url": {"type": "str"},
    "vault_id": {"type": "str"},
    "open_browser": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 300},
    "replace": {"type": "bool", "default": False},
}
VARIABLE = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z")

display = Display()


class ActionModule(ActionBase):
    """Only an action can show the address while it waits for somebody to open it."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """The result, without a secret; a failed one with a sentence."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(ARGUMENTS)
        try:
            return {**result, **self._answer(options)}
        except CloudsyncError as error:
            return {**result, "failed": True, "msg": error.message, "reason": error.reason}
        except OSError as error:
            refusal = system_error(error)
            return {**result, "failed": True, "msg": refusal.message, "reason": refusal.reason}

    def _answer(self, options: Dict[str, Any]) -> Dict[str, Any]:
        host = Host.from_environment(os.environ)
        wanted = _wanted(host, options)
        variable = _variable(options)
        file = VaultFile(options["file"], variable, options["vault_id"] or "")
        answer: Dict[str, Any] = {"file": file.path, "variable": variable, "drives": []}
        kept = file.read()
        if kept is not None and not options["replace"]:
            _check_same(file.path, wanted, kept)
            return {**answer, "changed": False, "msg": f"{file.path} holds the login already."}
        if self._task.check_mode:
            return {**answer, "changed": True, "msg": f"A login would be written to {file.path}."}
        file.prepare()
        login = authorizing.log_in(
            host, wanted, options["timeout"], _shown(options["open_browser"], "client_id" in wanted.attributes)
        )
        if authorizing.is_onedrive(host, login):
            login, drives = authorizing.with_drive(login, options["graph_url"] or "")
            answer["drives"] = [drive.public() for drive in drives]
        file.write(login.to_dict())
        return {**answer, "changed": True, "msg": _said(file.path, variable, login)}


def _wanted(host: Host, options: Dict[str, Any]) -> Login:
    attributes = {**options["attributes"]}
    if options["drive_id"]:
        attributes["drive_id"] = options["drive_id"]
    return authorizing.parse_login(
        host, options["provider"], attributes, options["client_id"] or "", options["client_secret"] or ""
    )


def _variable(options: Dict[str, Any]) -> str:
    """The name of the variable that the file is to hold."""
    name: str = options["variable"] or "cloudsync_login_" + re.sub(r"\W+", "_", options["provider"].lower())
    if not VARIABLE.match(name):
        raise usage_error(f"{name!r} is no name for a variable: use letters, digits and _.")
    return name


def _check_same(path: str, wanted: Login, kept: Any) -> None:
    different = authorizing.differences(wanted, kept)
    if different:
        raise usage_error(
            f"{path} holds another login (other: {', '.join(different)}). It is left as it is: name another file, or "
            "say replace to log in again."
        )


def _shown(may_open: bool, own_client: bool) -> authorizing.Show:
    """Tells the operator what to do, at once."""

    def show(address: str, redirect: str) -> None:
        opened = may_open and authorizing.open_browser(address, os.environ)
        lines = [
            "A browser was opened. If it shows nothing, open this address:" if opened else "Open in a browser:",
            "",
            "    " + address,
            "",
            "From another computer, first make this machine's port reachable there:",
            "",
            f"    ssh -L {PORT}:127.0.0.1:{PORT} {getpass.getuser()}@{socket.gethostname()}",
        ]
        if own_client and redirect:
            lines += ["", f"The client has to have the redirect address {redirect}"]
        # On standard error, because Ansible's standard output is kept back when it is no terminal. Not into Ansible's
        # log: whoever has the address could answer in the operator's place.
        display.display("\n".join(lines), stderr=True, screen_only=True)

    return show


def _said(path: str, variable: str, login: Login) -> str:
    return (
        f"Logged in. {path} holds it as {variable}, with attributes ({', '.join(login.attributes) or 'none'}) and "
        f"secrets ({', '.join(login.secrets)}) for a credential."
    )
