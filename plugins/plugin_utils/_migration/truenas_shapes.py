# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""The types of TrueNAS's fields. A field of another type comes from something else, and is not interpreted."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

Fits = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _are_fields(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_is_plain(each) for each in value.values())


def _are_slots(value: Any) -> bool:
    return isinstance(value, list) and all(_are_fields(each) for each in value)


def _are_attributes(value: Any) -> bool:
    return _are_fields(value) and all(isinstance(value.get(name), (str, type(None))) for name in ("bucket", "folder"))


def _is_provider(value: Any) -> bool:
    return _is_text(value) or (_are_fields(value) and _is_text(value.get("type")))


CREDENTIAL: Mapping[str, Fits] = {
    "id": _is_number,
    "name": _is_text,
    "provider": _is_provider,
    "attributes": _are_fields,
}
TASK: Mapping[str, Fits] = {
    "id": _is_number,
    "description": _is_text,
    "path": _is_text,
    "direction": _is_text,
    "transfer_mode": _is_text,
    "credentials": lambda value: (
        _is_number(value) or (isinstance(value, Mapping) and not find_misfits(value, CREDENTIAL))
    ),
    "attributes": _are_attributes,
    "schedule": _are_fields,
    "bwlimit": _are_slots,
    "include": _are_texts,
    "exclude": _are_texts,
    "transfers": _is_number,
    **dict.fromkeys(("args", "pre_script", "post_script", "encryption_password", "encryption_salt"), _is_text),
    **dict.fromkeys(("encryption", "filename_encryption", "snapshot", "enabled"), _is_switch),
    **dict.fromkeys(("create_empty_src_dirs", "follow_symlinks"), _is_switch),
}


def find_misfits(entry: Mapping[str, Any], shape: Mapping[str, Fits]) -> List[str]:
    """Return the fields of ``entry`` with another type than in ``shape``. Null and unknown fields always fit."""
    given: Dict[str, Any] = {name: value for name, value in entry.items() if value is not None}
    return sorted(name for name, fits in shape.items() if name in given and not fits(given[name]))


def explain_misfits(names: List[str]) -> str:
    """Return why an entry with such fields is not imported: the rest of a sentence that begins with its name."""
    return f"has fields with unexpected values: {', '.join(names)}"
