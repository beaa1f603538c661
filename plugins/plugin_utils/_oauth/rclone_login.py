# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Call ``rclone authorize`` for a login in a browser: its arguments, environment, output and errors.

The options are passed in the environment. On the command line, all users of the machine could read a client secret. An
environment is only readable for its user and root. rclone does not start the browser, so no process inherits it.
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

PORT = 53682  # rclone's fixed port, which is part of each redirect address
# The empty JSON object in base64. With it, rclone prints an object with all options, not only the token.
NO_MORE_OPTIONS = "e30"
ADDRESS = re.compile(r"Please go to the following link: (http\S+)")
REDIRECT = re.compile(r'Make sure your Redirect URL is set to "([^"]+)"')
RECEIVED = re.compile(r"--->\s*(\S+?)\s*<---End paste")
STEPS = re.compile(r"\A(Error: |config failed to refresh token: |failed to get (?:oauth )?token: |oauth2: )+")
NO_CODE = re.compile(r"No code returned by remote server(?:: (.*?))?(?: Help:.*)?\Z")


def has_login(provider: Provider) -> bool:
    """Whether ``provider`` has a login in a browser."""
    if provider.name in SESSIONS:
        return False
    return provider.option("token_url") is not None or "token_url" in list_undeclared_options(provider.name)


def check_has_login(provider: Provider) -> None:
    """Refuse a provider whose login uses keys."""
    if not has_login(provider):
        raise usage_error(
            f"The provider {provider.name} has no login in a browser. Declare a credential with its keys in attributes "
            "and secrets instead."
        )


def build_arguments(provider: Provider) -> List[str]:
    """Return the arguments of rclone."""
    return ["--config", "", "authorize", provider.name, NO_MORE_OPTIONS, "--auth-no-open-browser"]


def build_environment(provider: Provider, section: Mapping[str, str]) -> Dict[str, str]:
    """Return the options of ``section`` (as in rclone's configuration) as environment variables."""
    return {
        f"RCLONE_{provider.prefix}_{name}".upper().replace("-", "_"): value
        for name, value in section.items()
        if name != "type"
    }


def find_address(lines: Sequence[str]) -> Optional[str]:
    """Return the address to open; None if rclone has not printed it yet."""
    return _find_first(ADDRESS, lines)


def find_redirect(lines: Sequence[str]) -> str:
    """Return the redirect address, which your own client must have registered; empty if rclone did not print it."""
    return _find_first(REDIRECT, lines) or ""


def _find_first(pattern: "re.Pattern[str]", lines: Sequence[str]) -> Optional[str]:
    return next((found.group(1) for found in map(pattern.search, lines) if found), None)


def parse_output(provider: Provider, output: str) -> Dict[str, str]:
    """Return the options in rclone's output, with the token. Messages never show the output: it is the secret."""
    found = RECEIVED.search(output)
    options = _parse_object(_decode(found.group(1))) if found else {}
    token = _parse_object(options.get("token"))
    if not token.get("access_token"):
        raise CloudsyncError(
            "auth",
            f"rclone returned no token for {provider.name}. Remove attributes of other logins, such as a service "
            "account, and start again.",
        )
    return {name: str(value) for name, value in options.items()}


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
    except ValueError:
        return ""


def _parse_object(text: Any) -> Dict[str, Any]:
    try:
        content = json.loads(text or "")
    except (TypeError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def split_options(provider: Provider, options: Mapping[str, str]) -> "tuple[Dict[str, str], Dict[str, str]]":
    """Split ``options`` into attributes and secrets of a credential."""
    secrets = {name: value for name, value in options.items() if must_be_secret(provider, name)}
    return {name: value for name, value in options.items() if name not in secrets}, secrets


def build_error(provider: Provider, lines: Sequence[str]) -> CloudsyncError:
    """Return the error for an rclone that failed. ``lines`` are its standard error."""
    error = STEPS.sub("", _find_error(lines))
    if "address already in use" in error:
        return CloudsyncError(
            "locked",
            f"Port {PORT} of this machine is in use, but rclone needs it. End the other login that uses it, and start "
            "again.",
        )
    no_code = NO_CODE.search(error)
    if no_code:
        raw = f" It reported: {unwrap(no_code.group(1))}." if no_code.group(1) else ""
        return CloudsyncError(
            "auth",
            f"The login at {provider.name} was refused or cancelled in the browser. Start again and allow the "
            f"access.{raw}",
        )
    said = unwrap(error).rstrip(".")
    raw = f": {said}" if said else " no reason"
    return CloudsyncError(
        "auth",
        f"rclone got no token from {provider.name}. Check the attributes, the client id and the client "
        f"secret{_advise_redirect(lines)}. rclone reported{raw}.",
    )


def _advise_redirect(lines: Sequence[str]) -> str:
    redirect = find_redirect(lines)
    return f", and that {redirect} is a redirect address of that client" if redirect else ""


def _find_error(lines: Sequence[str]) -> str:
    """Return the text from "Error: " to the usage that rclone prints after it, on one line."""
    _before, marker, error = " ".join(lines).partition("Error: ")
    return " ".join((marker + error).partition("Usage:")[0].split())
