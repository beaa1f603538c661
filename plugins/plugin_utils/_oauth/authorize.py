# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Log in to a provider on the control node, in a browser, and return the login as parts of a credential."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, List, Mapping, Sequence

from ...module_utils._engine.common.errors import CloudsyncError, usage_error
from ...module_utils._engine.common.processes import Child, start_detached, watch_group
from ...module_utils._engine.host import Host
from ...module_utils._engine.rclone.binary import build_clean_environment
from ...module_utils._engine.rclone.conf_file import format_option_value
from ...module_utils._engine.rclone.providers.conf_section import build_remote_section
from ...module_utils._engine.rclone.providers.option_checks import check_options
from ...module_utils._engine.rclone.providers.schema import Provider, resolve
from ...module_utils._engine.rclone.providers.truenas_names import normalize_name
from . import rclone_login as oauth
from .drives import GRAPH, Drive, Graph

CLIENT_SECRET = "client_secret"  # noqa: S105
# Called with the address to open, and the redirect address, to which the provider sends the browser back.
Show = Callable[[str, str], None]


@dataclass(frozen=True)
class Login:
    """The parts of a credential: ``provider`` (its normalized name), ``attributes`` and ``secrets``."""

    provider: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> Dict[str, Any]:
        return {"provider": self.provider, "attributes": dict(self.attributes), "secrets": dict(self.secrets)}


def parse_login(host: Host, provider: str, attributes: Mapping[str, Any], client_id: str, client_secret: str) -> Login:
    """Return the requested login, without a token. Raises CloudsyncError if its options are invalid."""
    known = resolve(provider, host.providers)
    oauth.check_has_login(known)
    values = {name: format_option_value(value) for name, value in attributes.items() if value is not None}
    if client_id:
        values["client_id"] = client_id
    check_options(known, values)
    return Login(known.called, values, {CLIENT_SECRET: client_secret} if client_secret else {})


def list_differences(wanted: Login, kept: Mapping[str, Any]) -> List[str]:
    """Return the names of the options of ``wanted`` that differ in ``kept`` (a stored login)."""
    found = [] if normalize_name(str(kept.get("provider"))) == wanted.provider else ["provider"]
    for group, values in (("attributes", wanted.attributes), ("secrets", wanted.secrets)):
        stored = kept.get(group) or {}
        found += [name for name, value in values.items() if stored.get(name) != value]
    return found


def log_in(host: Host, wanted: Login, seconds: float, show: Show) -> Login:
    """Return ``wanted`` with the token, after somebody has allowed the access in a browser.

    ``seconds`` is the time limit. Until then rclone listens on port 53682 of this machine.
    """
    provider = resolve(wanted.provider, host.providers)
    section = build_remote_section(provider, wanted.attributes, wanted.secrets, {})
    output = _run_authorize(host.rclone.path, provider, section, seconds, show)
    attributes, secrets = oauth.split_options(provider, oauth.parse_output(provider, output))
    return replace(wanted, attributes={**wanted.attributes, **attributes}, secrets={**wanted.secrets, **secrets})


def _run_authorize(path: str, provider: Provider, section: Mapping[str, str], seconds: float, show: Show) -> str:
    """Run ``rclone authorize``, and return its output, which contains the token."""
    said: List[str] = []
    output: List[str] = []
    shown, parent = False, os.getppid()

    def look() -> None:
        nonlocal shown
        address = oauth.find_address(said)
        if address and not shown:
            show(address, oauth.find_redirect(said))
            shown = True
        # The worker of a killed playbook keeps running, and would keep the port.
        if os.getppid() != parent:
            raise CloudsyncError("interrupted", "The playbook ended, so the login was cancelled. Nothing was changed.")

    environment = {**build_clean_environment(), **oauth.build_environment(provider, section)}
    child = Child([path, *oauth.build_arguments(provider)], environment, output.append, said.append, exact_lines=True)
    with watch_group(child):
        ended = child.follow(seconds, tick=look)
    if ended.timed_out:
        raise _build_timeout(provider, shown)
    if ended.exit_code != 0:
        raise oauth.build_error(provider, said)
    return "".join(output)


def _build_timeout(provider: Provider, shown: bool) -> CloudsyncError:
    if not shown:
        return CloudsyncError("other", "rclone showed no address in time. Start again with a longer timeout.")
    return CloudsyncError(
        "auth",
        f"The access to {provider.name} was not allowed in time. Start again, open the address that is shown, and "
        "allow the access there. Or set a longer timeout.",
    )


def is_onedrive(host: Host, login: Login) -> bool:
    """Whether the login also needs a drive."""
    return resolve(login.provider, host.providers).name == "onedrive"


def choose_drive(login: Login, graph_url: str) -> "tuple[Login, Sequence[Drive]]":
    """Return ``login`` with the drive that it names, else with the account's own, and all drives of the account.

    ``graph_url`` is the address of Microsoft Graph; empty for that of the login's region.
    """
    region = login.attributes.get("region", "global")
    if not graph_url and region not in GRAPH:
        raise usage_error(f"The address of Microsoft Graph for the region {region!r} is unknown. Set graph_url.")
    graph = Graph(graph_url or GRAPH[region], json.loads(login.secrets["token"])["access_token"])
    drives = graph.list_drives()
    chosen = graph.choose(login.attributes.get("drive_id", ""), drives)
    attributes = {**login.attributes, "drive_id": chosen.drive_id, "drive_type": chosen.drive_type}
    return replace(login, attributes=attributes), drives


def open_browser(address: str, environ: Mapping[str, str]) -> bool:
    """Open ``address`` in the browser of the desktop that ``environ`` belongs to. Return False without a desktop.

    Without a desktop, Python would start a text browser in the terminal that Ansible uses.
    """
    desktop = any(environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    if not desktop and sys.platform != "darwin":
        return False
    start_detached([sys.executable, "-m", "webbrowser", "-t", address])
    return True
