# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The providers of the installed rclone and their options, from ``rclone config providers``."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Iterator, Mapping, Optional, Tuple

from ...common.errors import CloudsyncError, usage_error
from ...common.validation import suggest_name
from ..binary import Rclone, identify_program, keep, read_kept, run_quietly
from .truenas_names import SYNONYMS, get_rclone_name, normalize_name

CACHE_NAME = ".rclone-providers.json"  # no task can have this name
CACHE_FORM = 2  # the form 1 had no prefixes
DROPPED = {
    "hubic": "hubiC was closed, and rclone dropped it. Move the data to another provider.",
}


@dataclass(frozen=True)
class Option:
    """One option of a provider. ``default`` is rclone's spelling, empty if there is none.

    ``choices`` are the known values; ``is_exclusive``: no others are allowed. ``sub_provider`` restricts the option
    to some values of the option ``provider`` (s3: "AWS,Ceph"; "!AWS" excludes); empty means all.
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
        """Whether ``sub_provider`` (may be empty) has the option."""
        if not self.sub_provider or not sub_provider:
            return True
        names = self.sub_provider.lstrip("!").split(",")
        return (sub_provider in names) != self.sub_provider.startswith("!")


@dataclass(frozen=True)
class Provider:
    """One backend of rclone. ``called`` is the normalized name that a credential uses for it.

    ``prefix`` begins the names of its options in rclone's environment and flags. An option can occur several times,
    with different ``sub_provider``.
    """

    name: str
    description: str = ""
    options: Tuple[Option, ...] = ()
    called: str = ""
    prefix: str = ""

    def list_all_options(self, name: str) -> Iterator[Option]:
        """Return every form of the option ``name``."""
        return (option for option in self.options if option.name == name)

    def option(self, name: str) -> Optional[Option]:
        """Return the first form of the option ``name``; None if the provider has no such option."""
        return next(self.list_all_options(name), None)


def parse(json_text: str) -> Dict[str, Provider]:
    """Return the providers in an answer of ``rclone config providers``, by rclone's name."""
    try:
        return _parse_entries(json.loads(json_text))
    except (ValueError, KeyError, TypeError):
        raise CloudsyncError(
            "other",
            "Cannot read rclone's list of providers. Run the role skyhaul.cloudsync.runner to install another rclone.",
        ) from None


def _parse_entries(entries: Iterable[Mapping[str, Any]]) -> Dict[str, Provider]:
    return {entry["Name"]: _parse_provider(entry) for entry in entries}


def _parse_provider(entry: Mapping[str, Any]) -> Provider:
    options = tuple(_parse_option(option) for option in entry["Options"] or ())
    return Provider(entry["Name"], entry.get("Description", ""), options, prefix=entry["Prefix"])


def _parse_option(entry: Mapping[str, Any]) -> Option:
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
    """Return the providers of ``rclone``. ``cache_dir`` keeps its answer until the program's file changes.

    A cache that cannot be read or written is not used. ``cache_dir`` is not created: check mode changes nothing.
    """
    path = os.path.join(cache_dir, CACHE_NAME)
    program = identify_program(rclone.path)
    program = program and f"{program} {CACHE_FORM}"
    with contextlib.suppress(KeyError, TypeError):
        return _parse_entries(read_kept(path, program))
    answer = run_quietly(rclone.path, "config", "providers")
    found = parse(answer)
    keep(path, program, _remove_help(answer))
    return found


def _remove_help(answer: str) -> Any:
    """Return the answer without its help texts, which are nine tenths of it and would slow down every start."""
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
    """Return the provider that a credential calls ``name``, an accepted name in any letter case.

    Raises CloudsyncError for an unknown name, and for a provider that this rclone does not have.
    """
    called, wanted = normalize_name(name), get_rclone_name(name)
    if wanted in providers:
        return replace(providers[wanted], called=called)
    if wanted in DROPPED:
        raise usage_error(f"The provider {called!r} no longer exists. {DROPPED[wanted]}")
    if wanted in SYNONYMS.values():
        raise usage_error(
            f"The rclone of this host does not have the provider {wanted!r}. Its version may be too old or too new, or "
            "the build may omit the provider. Run the role skyhaul.cloudsync.runner to install another rclone."
        )
    raise usage_error(
        f"There is no provider {called!r}.{suggest_name(called, [*providers, *SYNONYMS])} 'rclone config providers' "
        "lists them."
    )
