# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Logging in at a provider in a browser, as ``rclone authorize`` does it: what goes in, what comes out.

The options go in by the environment. On the command line everybody on the machine could read a client secret; a
process's environment can be read by its own user and by root, who could read any file of it, too. No other process
inherits it, because the browser is not started by rclone.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ...module_utils._engine.common.errors import CloudsyncError, usage_error
from ...module_utils._engine.rclone.error_text import unwrap
from ...module_utils._engine.rclone.providers.schema import Provider
from ...module_utils._engine.rclone.providers.secret_options import must_be_secret
from ...module_utils._engine.rclone.providers.traits import SESSIONS, list_undeclared_options

PORT = 53682  # rclone's own, fixed, because it is a part of every redirect address
# The empty JSON object. Given one, rclone answers with one: all options that it learnt, not the token alone.
NO_MORE_OPTIONS = "e30"
ADDRESS = re.compile(r"Please go to the following link: (http\S+)")
REDIRECT = re.compile(r'Make sure your Redirect URL is set to "([^"]+)"')
RECEIVED = re.compile(r"--->\s*(\S+?)\s*<---End paste")
STEPS = re.compile(r"\A(Error: |config failed to refresh token: |failed to get (?:oauth )?token: |oauth2: )+")
NO_CODE = re.compile(r"No code returned by remote server(?:: (.*?))?(?: Help:.*)?\Z")


def has_login(provider: Provider) -> bool:
    """Whether one logs in to ``provider`` in a browser."""
    if provider.name in SESSIONS:
        return False
    return provider.option("token_url") is not None or "token_url" in list_undeclared_options(provider.name)


def check_has_login(provider: Provider) -> None:
    """Refuse a provider that is logged in to with keys."""
    if not has_login(provider):
        raise usage_error(
            f"The provider {provider.name} has no login in a browser: declare a credential with its keys instead, as "
            "attributes and secrets."
        )


def arguments(provider: Provider) -> List[str]:
    """What follows ``rclone`` on the command line."""
    return ["--config", "", "authorize", provider.name, NO_MORE_OPTIONS, "--auth-no-open-browser"]


def environment(provider: Provider, section: Mapping[str, str]) -> Dict[str, str]:
    """The options of ``section`` (as in rclone's configuration) as variables that rclone reads."""
    return {
        f"RCLONE_{provider.prefix}_{name}".upper().replace("-", "_"): value
        for name, value in section.items()
        if name != "type"
    }


def address_in(lines: Sequence[str]) -> Optional[str]:
    """The address to open, once rclone has said it."""
    return _first(ADDRESS, lines)


def redirect_in(lines: Sequence[str]) -> str:
    """Where the provider sends the browser back to: an own client must have it registered. Empty when not said."""
    return _first(REDIRECT, lines) or ""


def _first(pattern: "re.Pattern[str]", lines: Sequence[str]) -> Optional[str]:
    return next((found.group(1) for found in map(pattern.search, lines) if found), None)


def received(provider: Provider, output: str) -> Dict[str, str]:
    """The options in rclone's output, the token among them. What it says is in no message: it is the secret."""
    found = RECEIVED.search(output)
    options = _json_object(_decoded(found.group(1))) if found else {}
    token = _json_object(options.get("token"))
    if not token.get("access_token"):
        raise CloudsyncError(
            "auth",
            f"rclone ended without a token of {provider.name}. Leave out attributes of another way to log in, such as "
            "a service account, and start again.",
        )
    return {name: str(value) for name, value in options.items()}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
    except ValueError:
        return ""


def _json_object(text: Any) -> Dict[str, Any]:
    try:
        content = json.loads(text or "")
    except (TypeError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def split(provider: Provider, options: Mapping[str, str]) -> "tuple[Dict[str, str], Dict[str, str]]":
    """``options`` as attributes and secrets of a credential."""
    secrets = {name: value for name, value in options.items() if must_be_secret(provider, name)}
    return {name: value for name, value in options.items() if name not in secrets}, secrets


def refusal(provider: Provider, lines: Sequence[str]) -> CloudsyncError:
    """The sentence for an rclone that ended with an error; ``lines`` are what it said on standard error."""
    error = STEPS.sub("", _error_text(lines))
    if "address already in use" in error:
        return CloudsyncError(
            "locked",
            f"Port {PORT} of this machine is in use, and rclone needs it: end the other login that waits there, and "
            "start again.",
        )
    no_code = NO_CODE.search(error)
    if no_code:
        why = f" ({unwrap(no_code.group(1))})" if no_code.group(1) else ""
        return CloudsyncError(
            "auth",
            f"The login at {provider.name} was refused or given up in the browser{why}. Start again and allow the "
            "access.",
        )
    return CloudsyncError(
        "auth",
        f"rclone got no token from {provider.name}: {unwrap(error).rstrip('.') or 'it did not say why'}. Check the "
        f"attributes, the client id and the client secret{_registered(lines)}.",
    )


def _registered(lines: Sequence[str]) -> str:
    redirect = redirect_in(lines)
    return f", and that {redirect} is a redirect address of that client" if redirect else ""


def _error_text(lines: Sequence[str]) -> str:
    """From "Error: " to the usage that rclone prints after it, on one line."""
    _before, marker, error = " ".join(lines).partition("Error: ")
    return " ".join((marker + error).partition("Usage:")[0].split())
