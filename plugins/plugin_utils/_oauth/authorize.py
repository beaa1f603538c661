# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Logging in to a provider on the control node: what somebody allowed in a browser, as parts of a credential."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, List, Mapping, Sequence

from ...module_utils._engine.common.errors import CloudsyncError, usage_error
from ...module_utils._engine.common.processes import Child, start_detached, watch_group
from ...module_utils._engine.host import Host
from ...module_utils._engine.rclone.binary import clean_environment
from ...module_utils._engine.rclone.conf_file import config_value
from ...module_utils._engine.rclone.providers.conf_section import build_remote_section
from ...module_utils._engine.rclone.providers.option_checks import check_options
from ...module_utils._engine.rclone.providers.schema import Provider, resolve
from ...module_utils._engine.rclone.providers.truenas_names import normalize_name
from . import rclone_login as oauth
from .drives import GRAPH, Drive, Graph

CLIENT_SECRET = "client_secret"  # noqa: S105
# Called with the address to open, and where the provider sends the browser back to.
Show = Callable[[str, str], None]


@dataclass(frozen=True)
class Login:
    """What a credential takes: ``provider`` as somebody named it, ``attributes`` and ``secrets``."""

    provider: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> Dict[str, Any]:
        return {"provider": self.provider, "attributes": dict(self.attributes), "secrets": dict(self.secrets)}


def parse_login(host: Host, provider: str, attributes: Mapping[str, Any], client_id: str, client_secret: str) -> Login:
    """What is asked for: no token yet. Raises CloudsyncError when it could not become one."""
    known = resolve(provider, host.providers)
    oauth.check_has_login(known)
    values = {name: config_value(value) for name, value in attributes.items() if value is not None}
    if client_id:
        values["client_id"] = client_id
    check_options(known, values)
    return Login(known.called, values, {CLIENT_SECRET: client_secret} if client_secret else {})


def differences(wanted: Login, kept: Mapping[str, Any]) -> List[str]:
    """The names of what ``wanted`` asks for and ``kept`` (a stored login) has otherwise."""
    found = [] if normalize_name(str(kept.get("provider"))) == wanted.provider else ["provider"]
    for group, values in (("attributes", wanted.attributes), ("secrets", wanted.secrets)):
        stored = kept.get(group) or {}
        found += [name for name, value in values.items() if stored.get(name) != value]
    return found


def log_in(host: Host, wanted: Login, seconds: float, show: Show) -> Login:
    """``wanted`` with the token, once somebody has allowed the access in a browser.

    ``seconds``: how long to wait for that. rclone answers on port 53682 of this machine meanwhile.
    """
    provider = resolve(wanted.provider, host.providers)
    section = build_remote_section(provider, wanted.attributes, wanted.secrets, {})
    output = _authorize(host.rclone.path, provider, section, seconds, show)
    attributes, secrets = oauth.split(provider, oauth.received(provider, output))
    return replace(wanted, attributes={**wanted.attributes, **attributes}, secrets={**wanted.secrets, **secrets})


def _authorize(path: str, provider: Provider, section: Mapping[str, str], seconds: float, show: Show) -> str:
    """rclone's output, which holds the token."""
    said: List[str] = []
    output: List[str] = []
    shown, parent = False, os.getppid()

    def look() -> None:
        nonlocal shown
        address = oauth.address_in(said)
        if address and not shown:
            show(address, oauth.redirect_in(said))
            shown = True
        # A worker of a playbook that was killed goes on, and would keep the port.
        if os.getppid() != parent:
            raise CloudsyncError("interrupted", "Nobody waits for the login any more.")

    environment = {**clean_environment(), **oauth.environment(provider, section)}
    child = Child([path, *oauth.arguments(provider)], environment, output.append, said.append, exact_lines=True)
    with watch_group(child):
        ended = child.follow(seconds, tick=look)
    if ended.timed_out:
        raise _too_late(provider, shown)
    if ended.exit_code != 0:
        raise oauth.refusal(provider, said)
    return "".join(output)


def _too_late(provider: Provider, shown: bool) -> CloudsyncError:
    if not shown:
        return CloudsyncError("other", "rclone did not say which address to open: start again with more time.")
    return CloudsyncError(
        "auth",
        f"Nobody allowed the access to {provider.name} in time. Start again, open the address that is shown, and allow "
        "it there; or give it more time.",
    )


def is_onedrive(host: Host, login: Login) -> bool:
    """Whether the login is complete only with a drive."""
    return resolve(login.provider, host.providers).name == "onedrive"


def with_drive(login: Login, graph_url: str) -> "tuple[Login, Sequence[Drive]]":
    """``login`` for the drive that it names, or else the account's own; and the drives that there are to choose from.

    ``graph_url``: where Microsoft Graph answers, empty for that of the login's region.
    """
    region = login.attributes.get("region", "global")
    if not graph_url and region not in GRAPH:
        raise usage_error(f"The region {region!r} has no known address of Microsoft Graph.")
    graph = Graph(graph_url or GRAPH[region], json.loads(login.secrets["token"])["access_token"])
    drives = graph.drives()
    chosen = graph.choose(login.attributes.get("drive_id", ""), drives)
    attributes = {**login.attributes, "drive_id": chosen.drive_id, "drive_type": chosen.drive_type}
    return replace(login, attributes=attributes), drives


def open_browser(address: str, environ: Mapping[str, str]) -> bool:
    """Open ``address`` in the browser of the desktop that ``environ`` belongs to; False when there is none.

    Without a desktop Python would start a text browser, in a terminal that Ansible is using.
    """
    desktop = any(environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    if not desktop and sys.platform != "darwin":
        return False
    start_detached([sys.executable, "-m", "webbrowser", "-t", address])
    return True
