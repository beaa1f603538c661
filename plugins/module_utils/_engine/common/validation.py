# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Check option names and values. An error names the option, its value and the nearest valid one."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any, Dict, Iterable, List, Mapping, Union

from .errors import CloudsyncError, usage_error

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
DURATION = re.compile(r"\A(?:\d{1,10}|(?:\d{1,10}[smhdw])+)\Z")
PART = re.compile(r"(\d+)([smhdw]?)")
WHOLE = re.compile(r"\A-?[0-9]{1,18}\Z")
# rclone, systemd and timestamps accept numbers up to this one.
LARGEST = 2**31 - 1
# Text options that also accept a whole number. Its meaning is the same in quotes.
CRON_FIELDS = ("minute", "hour", "day", "month", "weekday")
COUNTS = frozenset(("max_delete", "files", "timeout", "max_duration", "max_stall", "spread", *CRON_FIELDS))
IN_QUOTES = "Write it in quotes, because YAML changes values such as 0123, 18:00 or off."


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" with the most similar name, or the empty string if no name is similar."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def refuse_unknown_keys(what: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise a usage error for a key of ``given`` that is not in ``known``. ``what`` is the subject of the sentence."""
    names = sorted(known)
    for key in given:
        if key not in names:
            raise usage_error(
                f"{what} has no option {key!r}.{suggest_name(str(key), names)} Valid options: {', '.join(names)}."
            )


def check_choice(what: str, value: Any, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``, else raise a usage error. ``what`` names the option."""
    allowed = list(choices)
    if value not in allowed:
        raise usage_error(f"{what} is {value!r}. Use one of {', '.join(allowed)}.{suggest_name(str(value), allowed)}")
    return str(value)


def parse_duration(what: str, value: Union[int, str]) -> int:
    """Return the seconds in ``value`` (an int, "90", "10m", "1h30m", "2d"). ``what`` names the option in the error."""
    text = str(value).strip().lower().replace(" ", "")
    if isinstance(value, bool) or not DURATION.match(text):
        raise usage_error(f"{what} is {value!r}. Use a number of seconds, or a duration such as 90s, 10m or 1h30m.")
    seconds = sum(int(number) * UNITS[unit] for number, unit in PART.findall(text))
    if seconds > LARGEST:
        raise usage_error(f"{what} is {value!r}. Use at most {LARGEST} seconds.")
    return seconds


def parse_whole_number(what: str, value: Any, wanted: str, smallest: int = 0, largest: int = LARGEST) -> int:
    """Return ``value`` as a whole number. ``wanted`` ends the error, such as "Use a whole number, 0 or more."."""
    number = int(str(value)) if WHOLE.match(str(value)) else None
    if number is None or not smallest <= number <= largest:
        raise usage_error(f"{what} is {repr(value)[:40]}. {wanted}")
    return number


def parse_count(what: str, value: Any) -> int:
    """Return ``value`` as a whole number from 0 to LARGEST."""
    return parse_whole_number(
        what, value, f"Use a whole number, 0 or more{'' if len(str(value)) < 10 else f', up to {LARGEST}'}."
    )


def name_type(value: Any) -> str:
    """Return the type of a value that is not text in words, such as "a number"."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    return "a dictionary" if isinstance(value, Mapping) else "a list"


def check_types(spec: Mapping[str, Any], given: Mapping[str, Any], path: str = "") -> Dict[str, Any]:
    """Return ``given`` if each value has the type that ``spec``, an argument spec of Ansible, has for its option.

    Ansible converts some values without a word: a number to other text than the playbook has, a list to Python's
    notation. One text for a list of texts is one item, also if it contains a comma. No error shows a value.
    """
    try:
        return {name: _check_type(spec.get(name), path + str(name), value) for name, value in given.items()}
    except CloudsyncError as error:
        kind = "Task" if "direction" in spec else "Credential"
        if path.count(".") > 1 or "name" not in spec or not isinstance(given.get("name"), str):
            raise
        message = error.message[len(path) :] if error.message.startswith(path) else error.message
        raise usage_error(f"{kind} {given['name'][:63]} is invalid: {message}") from None


def _check_type(option: Any, path: str, value: Any) -> Any:
    kind = option.get("type", "str") if option else "raw"
    if value is None or kind == "raw":
        return value
    if kind == "list":
        return _check_list(option, path, value)
    if kind == "dict":
        return _check_dict(option, path, value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and path.rpartition(".")[2] in COUNTS
    # Ansible finds the choice that YAML took for a truth value, such as off.
    is_choice = isinstance(value, bool) and "choices" in option
    if kind in ("str", "path") and not isinstance(value, str) and not is_count and not is_choice:
        raise usage_error(f"{path} is {name_type(value)}, not text. {_advise(value)}")
    if (kind == "int" and not isinstance(value, (int, str))) or (kind == "int" and isinstance(value, bool)):
        raise usage_error(f"{path} is {name_type(value)}. Use a whole number.")
    return value


def _advise(value: Any) -> str:
    return "Use text." if isinstance(value, (list, tuple, Mapping)) else IN_QUOTES


def _check_list(option: Mapping[str, Any], path: str, value: Any) -> List[Any]:
    elements = option.get("elements", "raw")
    if isinstance(value, str) and elements == "str":
        return [value]
    if not isinstance(value, (list, tuple)):
        raise usage_error(f"{path} is {'text' if isinstance(value, str) else name_type(value)}. Use a list.")
    for index, item in enumerate(value):
        if item is None:
            raise usage_error(f"{path}[{index}] is empty. Set it to a value, or remove it.")
    return [_check_type({**option, "type": elements}, f"{path}[{index}]", item) for index, item in enumerate(value)]


def _check_dict(option: Mapping[str, Any], path: str, value: Any) -> Any:
    if isinstance(value, str) and (_is_object(value) or "=" in value):
        return value  # the notation of the command line, which Ansible parses
    if not isinstance(value, Mapping):
        raise usage_error(
            f"{path} is {'text' if isinstance(value, str) else name_type(value)}. Use a dictionary of its options."
        )
    return check_types(option["options"], value, path + ".") if "options" in option else value


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
