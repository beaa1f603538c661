# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the installed rclone can talk to: its providers and their options, as ``rclone config providers`` says."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from ...common.errors import CloudsyncError, usage_error
from ...common.files import read_json, write_json
from ...common.validation import suggest_name
from ..binary import Rclone, run_quietly
from .traits import is_bucket_based, is_read_only, refresh_token_is_single_use, state_options
from .truenas_names import ALIASES, SPELLINGS, Alias, rclone_name

__all__ = [
    "Option",
    "Provider",
    "is_bucket_based",
    "is_read_only",
    "load",
    "parse",
    "refresh_token_is_single_use",
    "resolve",
    "state_options",
]

CACHE_NAME = ".rclone-providers.json"  # no task can have this name
CACHE_FORM = 2  # 1 had no prefixes
DROPPED = {
    "hubic": "The service hubiC was closed and rclone dropped it: move the data to another provider.",
}


@dataclass(frozen=True)
class Option:
    """One option of a provider. ``default`` is rclone's spelling, empty when there is none.

    ``choices`` are the known values; ``is_exclusive``: no others are allowed. ``sub_provider`` restricts the option
    to some values of the option ``provider`` (s3: "AWS,Ceph"; "!AWS" excludes), empty = all.
    """

    name: str
    type: str = "string"
    required: bool = False
    is_password: bool = False
    advanced: bool = False
    sensitive: bool = False
    default: str = ""
    choices: Tuple[str, ...] = ()
    is_exclusive: bool = False
    sub_provider: str = ""

    def applies_to(self, sub_provider: str) -> bool:
        """Whether the option is one of those that ``sub_provider`` (may be empty) has."""
        if not self.sub_provider or not sub_provider:
            return True
        names = self.sub_provider.lstrip("!").split(",")
        return (sub_provider in names) != self.sub_provider.startswith("!")


@dataclass(frozen=True)
class Provider:
    """One rclone backend. ``called``: the name that a credential uses for it; ``alias``: what that brings along.

    ``prefix``: what its options are called by in rclone's environment and flags. An option can be there several
    times, with different ``sub_provider``.
    """

    name: str
    description: str = ""
    options: Tuple[Option, ...] = ()
    alias: Alias = field(default_factory=lambda: Alias(""))
    called: str = ""
    prefix: str = ""

    def all_options(self, name: str) -> Iterator[Option]:
        """Every form of the option ``name``."""
        return (option for option in self.options if option.name == name)

    def option(self, name: str) -> Optional[Option]:
        """The first form of the option ``name``; None when the provider has no such option."""
        return next(self.all_options(name), None)


def parse(json_text: str) -> Dict[str, Provider]:
    """The providers, by rclone's name, in an answer of ``rclone config providers``."""
    try:
        return {entry["Name"]: _provider(entry) for entry in json.loads(json_text)}
    except (ValueError, KeyError, TypeError):
        raise CloudsyncError(
            "other", "rclone's list of providers can't be read: run the role skyhaul.cloudsync.runner."
        ) from None


def _provider(entry: Mapping[str, Any]) -> Provider:
    options = tuple(_option(option) for option in entry["Options"] or ())
    return Provider(entry["Name"], entry.get("Description", ""), options, prefix=entry["Prefix"])


def _option(entry: Mapping[str, Any]) -> Option:
    return Option(
        name=entry["Name"],
        type=entry.get("Type", "string"),
        required=bool(entry.get("Required")),
        is_password=bool(entry.get("IsPassword")),
        advanced=bool(entry.get("Advanced")),
        sensitive=bool(entry.get("Sensitive")),
        default=entry.get("DefaultStr") or "",
        choices=tuple(str(example["Value"]) for example in entry.get("Examples") or ()),
        is_exclusive=bool(entry.get("Exclusive")),
        sub_provider=entry.get("Provider") or "",
    )


def load(rclone: Rclone, cache_dir: str) -> Dict[str, Provider]:
    """The providers of ``rclone``. Its answer is kept in ``cache_dir`` for as long as the program is the same file.

    A cache that can't be read or written is not used; nor is ``cache_dir`` created, as this also serves check mode.
    """
    path = os.path.join(cache_dir, CACHE_NAME)
    program = _identity(rclone.path)
    cached = _read_cache(path, program)
    if cached is not None:
        return cached
    answer = run_quietly(rclone.path, "config", "providers")
    found = parse(answer)
    with contextlib.suppress(OSError, CloudsyncError):
        write_json(path, {"form": CACHE_FORM, "program": program, "providers": _without_help(answer)})
    return found


def _identity(path: str) -> str:
    real = os.path.realpath(path)
    found = os.stat(real)
    return f"{real} {found.st_mtime_ns} {found.st_size}"


def _read_cache(path: str, program: str) -> Optional[Dict[str, Provider]]:
    try:
        content = read_json(path)
        if content is None or (content.get("form"), content.get("program")) != (CACHE_FORM, program):
            return None
        return parse(json.dumps(content["providers"]))
    except (OSError, KeyError, CloudsyncError):
        return None


def _without_help(answer: str) -> Any:
    """Nine tenths of the answer are texts for people, which would make every reading of the cache slower."""
    kept = ("Name", "Type", "Required", "IsPassword", "Advanced", "Sensitive", "DefaultStr", "Exclusive", "Provider")
    return [
        {
            "Name": entry["Name"],
            "Description": entry.get("Description", ""),
            "Prefix": entry["Prefix"],
            "Options": [
                {
                    **{key: option[key] for key in kept if option.get(key)},
                    "Examples": [{"Value": example["Value"]} for example in option.get("Examples") or ()],
                }
                for option in entry["Options"] or ()
            ],
        }
        for entry in json.loads(answer)
    ]


def resolve(name: str, providers: Mapping[str, Provider]) -> Provider:
    """The provider that a credential calls ``name``: rclone's name or TrueNAS's. An unknown one is refused."""
    wanted = rclone_name(name)
    if wanted in providers:
        return replace(providers[wanted], alias=ALIASES.get(name, Alias(wanted)), called=name)
    if wanted in DROPPED:
        raise usage_error(f"The provider {name!r} is gone. {DROPPED[wanted]}")
    if name in ALIASES or name in SPELLINGS:
        raise usage_error(
            f"The rclone of this host has no provider {wanted!r} ({name}): it was left out of this build, or is older "
            "or newer than this rclone. Run the role skyhaul.cloudsync.runner to install another one."
        )
    known = [*providers, *ALIASES, *SPELLINGS]
    raise usage_error(
        f"There is no provider {name!r}.{suggest_name(name, known)} 'rclone config providers' lists them."
    )
