# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action: log in to a provider in a browser, on the control node. The module of this name documents it."""

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
    """The action authorize. Only an action can show the address while it waits for the login."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return the result, without a secret. A failed one has a message."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(ARGUMENTS)
        try:
            return {**result, **self._log_in(options)}
        except CloudsyncError as error:
            return {**result, "failed": True, "msg": error.message, "reason": error.reason}
        except OSError as error:
            refusal = system_error(error)
            return {**result, "failed": True, "msg": refusal.message, "reason": refusal.reason}

    def _log_in(self, options: Dict[str, Any]) -> Dict[str, Any]:
        host = Host.from_environment(os.environ)
        wanted = _parse_wanted(host, options)
        variable = _check_variable(options)
        file = VaultFile(options["file"], variable, options["vault_id"] or "")
        answer: Dict[str, Any] = {"file": file.path, "variable": variable, "drives": []}
        kept = file.read()
        if kept is not None and not options["replace"]:
            _check_same(file.path, wanted, kept)
            return {**answer, "changed": False, "msg": f"{file.path} already contains the login."}
        if self._task.check_mode:
            return {**answer, "changed": True, "msg": f"A login would be saved in {file.path}."}
        file.prepare()
        login = authorizing.log_in(
            host, wanted, options["timeout"], _make_show(options["open_browser"], "client_id" in wanted.attributes)
        )
        if authorizing.is_onedrive(host, login):
            login, drives = authorizing.choose_drive(login, options["graph_url"] or "")
            answer["drives"] = [drive.to_dict() for drive in drives]
        file.write(login.to_dict())
        return {**answer, "changed": True, "msg": _describe(file.path, variable, login)}


def _parse_wanted(host: Host, options: Dict[str, Any]) -> Login:
    attributes = {**options["attributes"]}
    if options["drive_id"]:
        attributes["drive_id"] = options["drive_id"]
    return authorizing.parse_login(
        host, options["provider"], attributes, options["client_id"] or "", options["client_secret"] or ""
    )


def _check_variable(options: Dict[str, Any]) -> str:
    """Return the name of the variable in the file."""
    name: str = options["variable"] or "cloudsync_login_" + re.sub(r"\W+", "_", options["provider"].lower())
    if not VARIABLE.match(name):
        raise usage_error(f"{name!r} is not a valid name for a variable. Use letters, digits and _.")
    return name


def _check_same(path: str, wanted: Login, kept: Any) -> None:
    different = authorizing.list_differences(wanted, kept)
    if different:
        raise usage_error(
            f"{path} contains a login with other options: {', '.join(different)}. Nothing was changed. Set file to "
            "another path, or set replace to log in again."
        )


def _make_show(may_open: bool, own_client: bool) -> authorizing.Show:
    """Return a function that shows the operator at once what to do."""

    def show(address: str, redirect: str) -> None:
        opened = may_open and authorizing.open_browser(address, os.environ)
        lines = [
            "A browser was opened. If it shows nothing, open this address:"
            if opened
            else "Open this address in a browser:",
            "",
            "    " + address,
            "",
            "On another computer, first forward the port to this machine:",
            "",
            f"    ssh -L {PORT}:127.0.0.1:{PORT} {_find_user()}@{socket.gethostname()}",
        ]
        if own_client and redirect:
            lines += ["", f"Register this redirect address for your client: {redirect}"]
        # On standard error, because Ansible buffers standard output without a terminal. Not in Ansible's log, because
        # anybody with the address could log in instead of the operator.
        display.display("\n".join(lines), stderr=True, screen_only=True)

    return show


def _find_user() -> str:
    """Return the name of this user for the example. In a container, the user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "USER"


def _describe(path: str, variable: str, login: Login) -> str:
    return (
        f"Logged in. The variable {variable} in {path} contains the attributes "
        f"({', '.join(login.attributes) or 'none'}) and the secrets ({', '.join(login.secrets)}) for a credential."
    )
