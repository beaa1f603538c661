# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""From the options that somebody declared to a valid Task, or to a sentence that says what is wrong with them."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple, Union

from ..common.errors import CloudsyncError, usage_error
from ..common.layout import checked_name
from ..common.validation import choice, parse_duration, refuse_unknown_keys
from ..notify.targets import parse_target
from ..rclone.conf_file import config_value
from ..schedule import schedule as schedules
from .task_checks import (
    check_task,
    checked_bandwidth,
    checked_local_path,
    checked_max_delete,
    checked_patterns,
    checked_quota,
    checked_rclone_args,
    checked_remote_path,
    checked_size,
)
from .tasks import Encryption, Guards, Hooks, KeepDeleted, Limits, Task, reversed_task, task_to_dict

OPTIONS = tuple(Task.__dataclass_fields__)


def parse_task(declared: Mapping[str, Any], find_task: Optional[Callable[[str], Optional[Task]]] = None) -> Task:
    """The Task that ``declared`` (the options of the ``task`` module; None = not given) asks for.

    ``find_task`` gives the task that ``reverse_of`` names; what is declared beside it wins over what it gives.
    """
    name = checked_name("task", declared.get("name") or "")
    try:
        refuse_unknown_keys("It", declared, OPTIONS)
        given = {key: value for key, value in declared.items() if value is not None}
        if given.get("reverse_of"):
            given = {**_reversed_options(name, given["reverse_of"], find_task), **given}
        task = _build(name, given)
        check_task(task)
    except CloudsyncError as error:
        raise CloudsyncError(error.reason, f"The task {name} is wrong. {error.message}") from error
    return task


def _reversed_options(
    name: str, original_name: str, find_task: Optional[Callable[[str], Optional[Task]]]
) -> Dict[str, Any]:
    if original_name == name:
        raise usage_error("reverse_of names the task itself: name the one that it restores.")
    original = find_task(original_name) if find_task else None
    if original is None:
        raise usage_error(f"reverse_of names the task {original_name!r}, which this host does not have.")
    return task_to_dict(reversed_task(original, name))


def _build(name: str, given: Mapping[str, Any]) -> Task:
    for option in ("credential", "direction", "path"):
        if not given.get(option):
            raise usage_error(f"{option} is missing.")
    return Task(
        name=name,
        description=given.get("description", ""),
        credential=checked_name("credential", given["credential"]),
        direction=choice("direction", given["direction"], ("push", "pull")),
        mode=choice("mode", given.get("mode", "copy"), ("sync", "copy", "move")),
        path=checked_local_path("path", given["path"]),
        remote_path=checked_remote_path("remote_path", given.get("remote_path", "")),
        provider_options={k: config_value(v) for k, v in given.get("provider_options", {}).items() if v is not None},
        include=checked_patterns("include", given.get("include", ())),
        exclude=checked_patterns("exclude", given.get("exclude", ())),
        schedule=_schedule(given.get("schedule")),
        enabled=_switch("enabled", given.get("enabled", True)),
        bandwidth=checked_bandwidth(given.get("bandwidth", ())),
        transfers=_count("transfers", given.get("transfers", 0)),
        follow_symlinks=_switch("follow_symlinks", given.get("follow_symlinks", False)),
        create_empty_dirs=_switch("create_empty_dirs", given.get("create_empty_dirs", False)),
        encryption=parse_encryption(given.get("encryption")),
        snapshot=choice("snapshot", given.get("snapshot", "none"), ("none", "auto", "zfs", "btrfs", "lvm")),
        guards=_guards(given.get("guards") or {}),
        keep_deleted=_keep_deleted(given.get("keep_deleted")),
        hooks=_hooks(given.get("hooks") or {}),
        on_overlap=choice("on_overlap", given.get("on_overlap", "skip"), ("skip", "wait")),
        limits=_limits(given.get("limits") or {}),
        retries=_count("retries", given.get("retries", Task.retries)),
        verify_after=choice("verify_after", given.get("verify_after", "none"), ("none", "size", "checksum")),
        notify=_targets(given.get("notify", ())),
        rclone_args=checked_rclone_args(given.get("rclone_args", ())),
        user=given.get("user") or "root",
        reverse_of=given.get("reverse_of", ""),
    )


def _given(what: str, options: Mapping[str, Any], shape: Any) -> Dict[str, Any]:
    refuse_unknown_keys(what, options, shape.__dataclass_fields__)
    return {key: value for key, value in options.items() if value is not None}


def _switch(what: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise usage_error(f"{what} is {value!r}: use true or false.")
    return value


def _count(what: str, value: Any) -> int:
    number = _whole_number(value)
    if number is None or number < 0:
        raise usage_error(f"{what} is {value!r}: use a whole number, 0 or more.")
    return number


def _whole_number(value: Any) -> Optional[int]:
    return int(str(value)) if re.match(r"\A-?[0-9]+\Z", str(value)) else None


def _schedule(given: Any) -> Optional[Mapping[str, Any]]:
    return schedules.to_dict(schedules.parse(given)) if given else None


def _targets(given: Union[str, Sequence[Any]]) -> Tuple[str, ...]:
    targets = checked_patterns("notify", given)
    for target in targets:
        parse_target(target)
    return targets


def parse_encryption(given: Optional[Mapping[str, Any]]) -> Optional[Encryption]:
    """The encryption that ``given`` (the option ``encryption`` of the ``task`` module) asks for, None for none."""
    if not given:
        return None
    options = _given("encryption", given, Encryption)
    if not options.get("password"):
        raise usage_error("encryption.password is missing: it is required when encryption is given.")
    return Encryption(
        password=str(options["password"]),
        salt=str(options.get("salt", "")),
        filenames=choice(
            "encryption.filenames", options.get("filenames", "standard"), ("standard", "obfuscate", "off")
        ),
        directory_names=_switch("encryption.directory_names", options.get("directory_names", True)),
    )


def _guards(given: Mapping[str, Any]) -> Guards:
    options = _given("guards", given, Guards)
    mounted = options.get("mounted", "")
    return Guards(
        empty_source=choice("guards.empty_source", options.get("empty_source", "refuse"), ("refuse", "allow")),
        mounted=checked_local_path("guards.mounted", mounted) if mounted else "",
        marker=checked_remote_path("guards.marker", options.get("marker", "")).lstrip("/"),
        allow_root=_switch("guards.allow_root", options.get("allow_root", False)),
        max_delete=checked_max_delete(options.get("max_delete", "")),
    )


def _keep_deleted(given: Optional[Mapping[str, Any]]) -> Optional[KeepDeleted]:
    if not given:
        return None
    options = _given("keep_deleted", given, KeepDeleted)
    if not options.get("path"):
        raise usage_error("keep_deleted.path is missing: name a folder beside the destination, on the same side.")
    return KeepDeleted(
        checked_remote_path("keep_deleted.path", options["path"]), _count("keep_deleted.days", options.get("days", 0))
    )


def _hooks(given: Mapping[str, Any]) -> Hooks:
    options = _given("hooks", given, Hooks)
    texts = {key: str(options[key]) for key in ("before", "success", "failure", "always") if key in options}
    return Hooks(timeout=parse_duration("hooks.timeout", options.get("timeout", 3600)), **texts)


def _limits(given: Mapping[str, Any]) -> Limits:
    options = _given("limits", given, Limits)
    nice = _whole_number(options.get("nice", 0))
    if nice is None or not -20 <= nice <= 19:
        raise usage_error(f"limits.nice is {options['nice']!r}: use -20 (first) to 19 (last).")
    io_weight = _count("limits.io_weight", options.get("io_weight", 0))
    if io_weight > 10000:
        raise usage_error(f"limits.io_weight is {io_weight}: use 1 to 10000.")
    return Limits(
        max_duration=parse_duration("limits.max_duration", options.get("max_duration", 0)),
        nice=nice,
        io_weight=io_weight,
        memory_max=checked_size("limits.memory_max", options.get("memory_max", "")),
        cpu_quota=checked_quota("limits.cpu_quota", options.get("cpu_quota", "")),
    )
