# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""The types of TrueNAS's fields. A field of another type comes from something else, and is not interpreted."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

Fits = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _switch(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _fields(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_plain(each) for each in value.values())


def _slots(value: Any) -> bool:
    return isinstance(value, list) and all(_fields(each) for each in value)


def _attributes(value: Any) -> bool:
    return _fields(value) and all(isinstance(value.get(name), (str, type(None))) for name in ("bucket", "folder"))


def _provider(value: Any) -> bool:
    return _text(value) or (_fields(value) and _text(value.get("type")))


CREDENTIAL: Mapping[str, Fits] = {"id": _number, "name": _text, "provider": _provider, "attributes": _fields}
TASK: Mapping[str, Fits] = {
    "id": _number,
    "description": _text,
    "path": _text,
    "direction": _text,
    "transfer_mode": _text,
    "credentials": lambda value: _number(value) or (isinstance(value, Mapping) and not find_misfits(value, CREDENTIAL)),
    "attributes": _attributes,
    "schedule": _fields,
    "bwlimit": _slots,
    "include": _texts,
    "exclude": _texts,
    "transfers": _number,
    **dict.fromkeys(("args", "pre_script", "post_script", "encryption_password", "encryption_salt"), _text),
    **dict.fromkeys(("encryption", "filename_encryption", "snapshot", "enabled"), _switch),
    **dict.fromkeys(("create_empty_src_dirs", "follow_symlinks"), _switch),
}


def find_misfits(entry: Mapping[str, Any], shape: Mapping[str, Fits]) -> List[str]:
    """Return the fields of ``entry`` with another type than in ``shape``. Null and unknown fields always fit."""
    given: Dict[str, Any] = {name: value for name, value in entry.items() if value is not None}
    return sorted(name for name, fits in shape.items() if name in given and not fits(given[name]))


def explain_misfits(names: List[str]) -> str:
    """Return why an entry with such fields is not imported: the rest of a sentence that begins with its name."""
    return f"has fields with unexpected values: {', '.join(names)}"
