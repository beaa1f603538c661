# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The targets of notifications. An address may contain a secret, so only redact_target() of it is ever shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import FrozenSet, Tuple
from urllib.parse import SplitResult, urlsplit

from ..common.errors import CloudsyncError, usage_error

FORMS = (
    "mailto:ops@example.com, https://HOST/PATH (a webhook), ntfy+https://HOST/TOPIC, "
    "healthchecks+https://HOST/UUID, unit:NAME.service"
)
MAIL = re.compile(r"\A[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+\Z")
# The kinds that start a program on this host.
COMMAND_KINDS = ("mail", "unit")
UNIT = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9:_.\\-]*(@[A-Za-z0-9:_.\\-]*)?\.(service|target)\Z")
URL_LETTERS = re.compile(r"\A[!-~]+\Z")
HTTP_KINDS = {
    "https": "webhook",
    "http": "webhook",
    "ntfy+https": "ntfy",
    "ntfy+http": "ntfy",
    "healthchecks+https": "healthchecks",
    "healthchecks+http": "healthchecks",
}
ALERTS = frozenset(("failed", "recovered", "overdue", "problem"))
TAKEN = {
    "mail": ALERTS,
    "webhook": ALERTS,
    "ntfy": ALERTS,
    "healthchecks": frozenset(("started", "succeeded", "failed")),
    "unit": frozenset(("failed", "overdue", "problem")),
}


@dataclass(frozen=True)
class Target:
    """One target. ``kind`` is mail, webhook, ntfy, healthchecks or unit. ``address`` may be secret: never show it."""

    kind: str
    address: str = field(repr=False)

    @property
    def takes(self) -> FrozenSet[str]:
        """The kinds of events that are sent to this target."""
        return TAKEN[self.kind]

    @property
    def pings(self) -> bool:
        """Whether it gets an event for every run, not only for changes of state."""
        return self.kind == "healthchecks"


def parse_target(text: str) -> Target:
    """Return the target in ``text``. Raise a usage error that shows only its scheme."""
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon:
        raise usage_error(f"A notify target has no scheme. Use one of {FORMS}.")
    if scheme == "mailto":
        if not all(MAIL.match(address) for address in rest.split(",")):
            raise usage_error(
                "A notify target with mailto: is not an e-mail address. Use mailto:ops@example.com. Separate several "
                "addresses by commas."
            )
        return Target("mail", rest)
    if scheme == "unit":
        if not UNIT.match(rest):
            raise usage_error("A notify target with unit: is not a unit. Use the name of a .service or .target unit.")
        return Target("unit", rest)
    if scheme in HTTP_KINDS:
        return _parse_http_target(scheme, rest)
    shown = f"the unknown scheme {scheme!r}" if re.match(r"\A[a-z+.-]{1,20}\Z", scheme) else "an invalid scheme"
    raise usage_error(f"A notify target has {shown}. Use one of {FORMS}.")


def _parse_http_target(scheme: str, rest: str) -> Target:
    kind = HTTP_KINDS[scheme]
    address = f"{scheme.split('+')[-1]}:{rest}"
    try:
        parts = urlsplit(address)
        complete = bool(parts.hostname) and rest.startswith("//") and parts.port != 0
    except ValueError:
        complete = False
    if not complete or not URL_LETTERS.match(address):
        raise usage_error(
            f"A notify target with {scheme}: is not a web address. Use {scheme}://HOST/PATH, with blanks and non-ASCII "
            "letters as %XX."
        )
    if kind != "webhook" and not parts.path.strip("/"):
        needed = "topic" if kind == "ntfy" else "check's UUID"
        raise usage_error(f"A notify target with {scheme}: has no path. Add the {needed} after the host.")
    return Target(kind, address)


def redact_target(target: Target) -> str:
    """Return what may be shown of the target: scheme and host of a web address, the whole of any other."""
    if target.kind == "mail":
        return "mailto:" + target.address
    if target.kind == "unit":
        return "unit:" + target.address
    parts = urlsplit(target.address)
    prefix = "" if target.kind == "webhook" else target.kind + "+"
    return f"{prefix}{parts.scheme}://{_format_host(parts)}"


def redact_text(text: str) -> str:
    """Return redact_target() of a target that may be invalid."""
    try:
        return redact_target(parse_target(text))
    except CloudsyncError:
        return "an invalid target"


def split_login(address: str) -> Tuple[str, str, str]:
    """Return the web address without its login, the user and the password (%-escaped, "" for none)."""
    parts = urlsplit(address)
    clean = parts._replace(netloc=_format_host(parts), fragment="").geturl()
    return clean, parts.username or "", parts.password or ""


def _format_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else "")
