# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""From what a credential and a task ask for to what rclone gets: options of the remote, and global flags.

The credential's provider may go by TrueNAS's name; then TrueNAS's names and values of options are understood, and what
TrueNAS sets beside them is set here, too. What follows from a provider's own limits holds under either name. A value
that somebody set is never replaced by one that is derived, and an empty one counts as not set.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Callable, Dict, Mapping, Optional, Tuple
from urllib.parse import urlsplit

from .known_hosts import KNOWN_HOSTS
from .option_values import TRUE
from .schema import Option, Provider
from .sizes import MIB, in_bytes, in_words

FAST_LIST, CLEANUP = "fast_list", "cleanup"
# rclone's global flags that a task may set beside its provider's options.
FLAGS: Mapping[str, Option] = {
    FAST_LIST: Option(FAST_LIST, "bool"),
    "checkers": Option("checkers", "int"),
    "multi_thread_cutoff": Option("multi_thread_cutoff", "SizeSuffix"),
    "tpslimit": Option("tpslimit", "float64"),
}
SKIP_REGION = "skip_region"
# What only the collection reads, by the provider's name or the one that a credential uses for it.
OWN: Mapping[str, Mapping[str, Option]] = {
    "S3": {SKIP_REGION: Option(SKIP_REGION, "bool")},
    "b2": {CLEANUP: Option(CLEANUP, "bool")},
    "sftp": {KNOWN_HOSTS: Option(KNOWN_HOSTS)},
}
# From and to, both included; rclone or the provider refuses other sizes, but only at a run.
BOUNDS: Mapping[str, Mapping[str, Tuple[int, Optional[int]]]] = {
    "DROPBOX": {"chunk_size": (5 * MIB, 149 * MIB)},
    "b2": {"chunk_size": (5 * MIB, None)},
    "dropbox": {"chunk_size": (1, 150 * MIB)},
    "s3": {"chunk_size": (5 * MIB, 5120 * MIB), "upload_cutoff": (0, 5120 * MIB)},
}
B2_CUTOFF, MULTI_THREAD_CUTOFF = 200 * MIB, 256 * MIB
DEFAULT_REGION = "us-east-1"
SCALEWAY_PARTS = "1000"


@dataclass(frozen=True)
class Tuning:
    """``options`` of the remote, in clear; ``flags`` by their names, without dashes and with underscores."""

    options: Dict[str, str] = field(default_factory=dict)
    flags: Dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> Tuple[str, ...]:
        """The flags as rclone takes them; they go before the task's own arguments, which win."""
        return tuple(_argument(name, value) for name, value in sorted(self.flags.items()))


def _argument(name: str, value: str) -> str:
    return f"--{name.replace('_', '-')}={value}"


def own_options(provider: Provider) -> Dict[str, Option]:
    """The options that rclone does not have, but that ``provider`` may be given."""
    return {**OWN.get(provider.name, {}), **OWN.get(provider.called, {})}


def rclone_option(provider: Provider, name: str) -> Optional[Option]:
    """What a credential calls ``name``; None when the provider has no such option."""
    return own_options(provider).get(name) or provider.option(provider.alias.renamed.get(name, name))


def spelled(provider: Provider, name: str, value: str) -> str:
    """``value`` as rclone spells it."""
    if name in provider.alias.in_mib and value.isdigit():
        return value + "Mi"
    return provider.alias.spellings.get(name, {}).get(value, value)


def size_problem(provider: Provider, name: str, value: str) -> str:
    """What is wrong with a size that is a size, but not one that the provider takes; empty when nothing is."""
    smallest, largest = {**BOUNDS.get(provider.name, {}), **BOUNDS.get(provider.called, {})}.get(name, (0, None))
    size = in_bytes(value)
    if size is None or (size >= smallest and (largest is None or size <= largest)):
        return ""
    if largest is None:
        return f"must be {in_words(smallest)} or more"
    return f"must be {in_words(smallest)} to {in_words(largest)}"


def tune(provider: Provider, login: Mapping[str, str], provider_options: Mapping[str, str]) -> Tuning:
    """All that is set for ``provider``: by its name, by the credential (``login``), and by the task on top."""
    wanted = {name: value for name, value in _in_rclones_words(provider, provider_options).items() if value}
    on_top = {name: value for name, value in wanted.items() if name not in FLAGS}
    given = _said(provider, {**_in_rclones_words(provider, login), **on_top})
    options = {**provider.alias.implied, **{name: value for name, value in given.items() if value}}
    flags = dict(provider.alias.flags)
    for name in dict.fromkeys((provider.name, provider.called)):
        derived = DERIVED.get(name, _nothing)(options)
        options.update((key, value) for key, value in derived.options.items() if not given.get(key))
        flags.update(derived.flags)
    flags.update((name, value) for name, value in wanted.items() if name in FLAGS)
    # What is empty and stays so: an ftp server's password may be.
    options = {**{name: "" for name in given if name not in options}, **options}
    return Tuning({name: value for name, value in options.items() if name not in own_options(provider)}, flags)


def _in_rclones_words(provider: Provider, given: Mapping[str, str]) -> Dict[str, str]:
    return {provider.alias.renamed.get(name, name): spelled(provider, name, value) for name, value in given.items()}


def _said(provider: Provider, given: Mapping[str, str]) -> Dict[str, str]:
    skipped = ("region",) if given.get(SKIP_REGION) in TRUE else ()
    unsaid = provider.alias.unsaid
    return {name: value for name, value in given.items() if name not in skipped and unsaid.get(name) != value}


Derive = Callable[[Mapping[str, str]], Tuning]


def _nothing(_options: Mapping[str, str]) -> Tuning:
    return Tuning()


def _b2(options: Mapping[str, str]) -> Tuning:
    """A file is sent in parts only when it is bigger than one of them."""
    chunk = in_bytes(options.get("chunk_size", "")) or 0
    return Tuning(
        {"upload_cutoff": options["chunk_size"]} if chunk > B2_CUTOFF else {},
        {"multi_thread_cutoff": in_words(2 * chunk + MIB)} if 2 * chunk > MULTI_THREAD_CUTOFF else {},
    )


def _cloud_storage(options: Mapping[str, str]) -> Tuning:
    """Buckets can be listed only within a project, and the account's key says in which it is."""
    try:
        project = json.loads(options.get("service_account_credentials", ""))["project_id"]
    except (KeyError, TypeError, ValueError):
        return Tuning()
    return Tuning({"project_number": str(project)}) if project else Tuning()


def _google_drive(options: Mapping[str, str]) -> Tuning:
    return Tuning() if options.get("team_drive") else Tuning({"root_folder_id": "root"})


def _s3(options: Mapping[str, str]) -> Tuning:
    """Scaleway takes fewer parts than others, and rclone knows that only of its provider Scaleway."""
    endpoint = options.get("endpoint", "")
    host = urlsplit(endpoint if "://" in endpoint else "//" + endpoint).hostname or ""
    return Tuning({"max_upload_parts": SCALEWAY_PARTS}) if host.endswith(".scw.cloud") else Tuning()


def _truenas_s3(options: Mapping[str, str]) -> Tuning:
    return Tuning() if options.get(SKIP_REGION) in TRUE else Tuning({"region": DEFAULT_REGION})


DERIVED: Mapping[str, Derive] = {
    "GOOGLE_DRIVE": _google_drive,
    "S3": _truenas_s3,
    "b2": _b2,
    "google cloud storage": _cloud_storage,
    "s3": _s3,
}
