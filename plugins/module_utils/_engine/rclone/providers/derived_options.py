# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Turn the options of a credential and of a task into the options and global flags that rclone gets.

Some options are derived from a provider's own limits. A derived value never replaces an explicit value, and an
empty value counts as not set.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Callable, Dict, Mapping, Optional, Tuple
from urllib.parse import urlsplit

from .known_hosts import KNOWN_HOSTS
from .schema import Option, Provider
from .sizes import MIB, parse_size, write_size
from .truenas_names import STORJ_IX, STORJ_OPTIONS

B2 = "b2"
FAST_LIST, CLEANUP, HARD_DELETE = "fast_list", "cleanup", "hard_delete"
# rclone's global flags that a task may set together with its provider's options.
FLAGS: Mapping[str, Option] = {
    FAST_LIST: Option(FAST_LIST, "bool"),
    "checkers": Option("checkers", "int"),
    "multi_thread_cutoff": Option("multi_thread_cutoff", "SizeSuffix"),
    "tpslimit": Option("tpslimit", "float64"),
}
# Options that rclone does not have and that only the collection reads.
OWN: Mapping[str, Mapping[str, Option]] = {
    B2: {CLEANUP: Option(CLEANUP, "bool")},
    "sftp": {KNOWN_HOSTS: Option(KNOWN_HOSTS)},
}
# The smallest and the largest size. rclone or the provider also refuses other sizes, but only during a run.
BOUNDS: Mapping[str, Mapping[str, Tuple[int, Optional[int]]]] = {
    B2: {"chunk_size": (5 * MIB, None)},
    "dropbox": {"chunk_size": (1, 150 * MIB)},
    "s3": {"chunk_size": (5 * MIB, 5120 * MIB), "upload_cutoff": (0, 5120 * MIB)},
}
# These join host and port with a colon. An IPv6 address needs brackets.
WITH_HOST = ("ftp", "sftp", "smb")
B2_CUTOFF, MULTI_THREAD_CUTOFF = 200 * MIB, 256 * MIB
SCALEWAY_PARTS = "1000"
# Faster than rclone's 4 transfers, which wait most of the time for a distant provider. docs/benchmarks.md has the
# measurements. A smaller buffer for each of more files takes no more memory. Other providers limit their requests, or
# were not measured.
SPEEDS: Mapping[str, Mapping[str, str]] = {
    "s3": {"buffer_size": "4M", "checkers": "16", "transfers": "16"},
    "sftp": {"transfers": "8"},
    "webdav": {"transfers": "8"},
}


@dataclass(frozen=True)
class Tuning:
    """``options`` of the remote, in clear; ``flags`` by their names, without dashes and with underscores."""

    options: Dict[str, str] = field(default_factory=dict)
    flags: Dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> Tuple[str, ...]:
        """Return the flags as rclone's arguments. They precede the task's own arguments, which override them."""
        return tuple(f"--{name.replace('_', '-')}={value}" for name, value in sorted(self.flags.items()))


def list_own_options(provider: Provider) -> Mapping[str, Option]:
    """Return the options of ``provider`` that only the collection reads."""
    return OWN.get(provider.name, {})


def find_option(provider: Provider, name: str) -> Optional[Option]:
    """Return the option ``name`` of ``provider``, rclone's or the collection's; None if there is no such option."""
    return list_own_options(provider).get(name) or provider.option(name)


def find_size_problem(provider: Provider, name: str, value: str) -> str:
    """Return why the provider does not accept the size ``value``, such as "must be 5Mi or more"; empty if it does."""
    smallest, largest = BOUNDS.get(provider.name, {}).get(name, (0, None))
    size = parse_size(value)
    if size is None or (size >= smallest and (largest is None or size <= largest)):
        return ""
    if largest is None:
        return f"must be {write_size(smallest)} or more"
    return f"must be {write_size(smallest)} to {write_size(largest)}"


def tune(provider: Provider, login: Mapping[str, str], provider_options: Mapping[str, str]) -> Tuning:
    """Collect all that is set for ``provider``: by the credential (``login``), and by the task, which overrides it."""
    task = {name: value for name, value in provider_options.items() if value}
    given = {**login, **{name: value for name, value in task.items() if name not in FLAGS}}
    implied = STORJ_OPTIONS if provider.called == STORJ_IX else {}
    options = {**implied, **{name: value for name, value in given.items() if value}}
    derived = DERIVED.get(provider.name, _derive_nothing)(options)
    possible = {name: value for name, value in derived.options.items() if find_option(provider, name) is not None}
    options = {**possible, **options}
    chosen = {name: value for name, value in task.items() if name in FLAGS}
    flags = {**SPEEDS.get(provider.name, {}), **derived.flags, **chosen}
    # An empty value without a replacement stays: the password of an ftp server may be empty.
    options = {**{name: "" for name in given if name not in options}, **options}
    if provider.name in WITH_HOST and _is_ipv6(options.get("host", "")):
        options["host"] = f"[{options['host']}]"
    own = list_own_options(provider)
    return Tuning({name: value for name, value in options.items() if name not in own}, flags)


def _is_ipv6(host: str) -> bool:
    return host.count(":") > 1 and not host.startswith("[")


Derive = Callable[[Mapping[str, str]], Tuning]


def _derive_nothing(_options: Mapping[str, str]) -> Tuning:
    return Tuning()


def _derive_b2(options: Mapping[str, str]) -> Tuning:
    """Derive the limits for large chunks: a file is sent in parts only if it is larger than a part."""
    chunk = parse_size(options.get("chunk_size", "")) or 0
    return Tuning(
        {"upload_cutoff": options["chunk_size"]} if chunk > B2_CUTOFF else {},
        {"multi_thread_cutoff": write_size(2 * chunk + MIB)} if 2 * chunk > MULTI_THREAD_CUTOFF else {},
    )


def _derive_google_cloud_storage(options: Mapping[str, str]) -> Tuning:
    """Derive the project from the account's key: buckets can be listed only within a project."""
    try:
        project = json.loads(options.get("service_account_credentials", ""))["project_id"]
    except (KeyError, TypeError, ValueError):
        return Tuning()
    return Tuning({"project_number": str(project)}) if project else Tuning()


def _derive_s3(options: Mapping[str, str]) -> Tuning:
    """Derive the provider, and the number of parts at Scaleway, which accepts fewer than others.

    rclone itself limits the parts only for its provider Scaleway. Without a provider, rclone logs a notice at each
    start, and then behaves as for Other.
    """
    endpoint = options.get("endpoint", "")
    try:
        host = urlsplit(endpoint if "://" in endpoint else "//" + endpoint).hostname or ""
    except ValueError:  # check() in option_checks refuses it
        host = ""
    parts = {"max_upload_parts": SCALEWAY_PARTS} if host.endswith(".scw.cloud") else {}
    return Tuning({"provider": "Other", **parts})


def _derive_webdav(_options: Mapping[str, str]) -> Tuning:
    """Derive no pause between requests. The number of transfers limits them, as in a browser."""
    return Tuning({"pacer_min_sleep": "0s"})


DERIVED: Mapping[str, Derive] = {
    B2: _derive_b2,
    "google cloud storage": _derive_google_cloud_storage,
    "s3": _derive_s3,
    "webdav": _derive_webdav,
}
