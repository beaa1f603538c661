# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Parse the declared options of a task. Return a valid Task, or raise an error that says what is invalid."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple, Union

from ..common.errors import CloudsyncError, usage_error
from ..common.layout import DRILL, LONGEST_NAME, check_name
from ..common.validation import check_choice, parse_count, parse_duration, parse_whole_number, refuse_unknown_keys
from ..notify.targets import parse_target
from ..rclone.conf_file import format_option_value
from ..rclone.providers.flags import check_arguments
from ..schedule import schedule as schedules
from .stored_tasks import ADDED, OPTIONS
from .task_checks import (
    check_bandwidth,
    check_bytes,
    check_local_path,
    check_max_delete,
    check_patterns,
    check_quota,
    check_remote_path,
    check_share,
    check_size,
    check_task,
)
from .tasks import (
    Drill,
    Encryption,
    Guards,
    Hooks,
    KeepDeleted,
    Limits,
    Restore,
    Shard,
    Task,
    reverse_task,
    task_to_dict,
)


def parse_task(declared: Mapping[str, Any], find_task: Optional[Callable[[str], Optional[Task]]] = None) -> Task:
    """Return the task that ``declared`` (the options of the ``task`` module, None for an omitted one) defines.

    ``find_task`` returns the task that ``reverse_of`` names. Declared options override those of that task.
    """
    name = check_name("task", declared.get("name") or "")
    with name_invalid_task(name):
        refuse_unknown_keys("a task", declared, (*OPTIONS, *ADDED))
        given = {key: value for key, value in declared.items() if value is not None}
        if given.get("reverse_of"):
            given = {**_load_reversed_options(name, given, find_task), **given}
        task = _build(name, given)
        check_task(task)
        check_arguments(task.rclone_args)
    return task


def parse_stored_task(content: Mapping[str, Any]) -> Task:
    """Return the task that tasks.task_to_dict() wrote.

    Rules that a later version added are checked when the task is declared again and when it runs, not here. A host
    must be able to show, back up and replace all of its tasks.
    """
    with name_invalid_task(content["name"]):
        return _build(content["name"], {key: value for key, value in content.items() if value is not None})


@contextmanager
def name_invalid_task(name: str) -> Iterator[None]:
    """Begin each error with the name of the task."""
    try:
        yield
    except CloudsyncError as error:
        raise CloudsyncError(error.reason, f"Task {name} is invalid: {error.message}") from error


def _load_reversed_options(
    name: str, given: Mapping[str, Any], find_task: Optional[Callable[[str], Optional[Task]]]
) -> Dict[str, Any]:
    original_name = given["reverse_of"]
    if original_name == name:
        raise usage_error("reverse_of is the name of the task itself. Use the name of the task to restore.")
    original = find_task(original_name) if find_task else None
    if original is None:
        raise usage_error(f"reverse_of is {original_name!r}, but this task does not exist on this host.")
    if given.get("direction") == original.direction:
        raise usage_error(
            f"direction is {original.direction}, as in task {original_name}, which reverse_of names. Omit direction."
        )
    return task_to_dict(reverse_task(original, name, str(given.get("path") or "")))


def _build(name: str, given: Mapping[str, Any]) -> Task:
    for option in ("credential", "direction", "path"):
        if not given.get(option):
            raise usage_error(f"{option} is required.")
    return Task(
        name=name,
        description=given.get("description", ""),
        credential=check_name("credential", given["credential"]),
        direction=check_choice("direction", given["direction"], ("push", "pull")),
        mode=check_choice("mode", given.get("mode", "copy"), ("sync", "copy", "move")),
        path=check_local_path("path", given["path"]),
        remote_path=check_remote_path("remote_path", given.get("remote_path", "")),
        provider_options={
            k: format_option_value(v) for k, v in given.get("provider_options", {}).items() if v is not None
        },
        include=check_patterns("include", given.get("include", ())),
        exclude=check_patterns("exclude", given.get("exclude", ())),
        schedule=_parse_schedule(given.get("schedule")),
        enabled=_parse_switch("enabled", given.get("enabled", True)),
        bandwidth=check_bandwidth(given.get("bandwidth", ())),
        transfers=parse_count("transfers", given.get("transfers", 0)),
        follow_symlinks=_parse_switch("follow_symlinks", given.get("follow_symlinks", False)),
        create_empty_dirs=_parse_switch("create_empty_dirs", given.get("create_empty_dirs", False)),
        encryption=parse_encryption(given.get("encryption")),
        snapshot=check_choice("snapshot", given.get("snapshot", "none"), ("none", "auto", "zfs", "btrfs", "lvm")),
        guards=_parse_guards(given.get("guards") or {}),
        keep_deleted=_parse_keep_deleted(given.get("keep_deleted")),
        hooks=_parse_hooks(given.get("hooks") or {}),
        on_overlap=check_choice("on_overlap", given.get("on_overlap", "skip"), ("skip", "wait")),
        limits=_parse_limits(given.get("limits") or {}),
        retries=parse_count("retries", given.get("retries", Task.retries)),
        verify_after=check_choice("verify_after", given.get("verify_after", "none"), ("none", "size", "checksum")),
        notify=_check_targets(given.get("notify", ())),
        rclone_args=tuple(str(argument) for argument in given.get("rclone_args", ())),
        user=given.get("user") or "root",
        reverse_of=given.get("reverse_of", ""),
        drill=_parse_drill(name, given.get("drill")),
        shard=_parse_shard(given.get("shard")),
        restore=Restore(**_select_given("restore", given["restore"], Restore)) if given.get("restore") else None,
    )


def _select_given(what: str, options: Mapping[str, Any], shape: Any) -> Dict[str, Any]:
    refuse_unknown_keys(what, options, shape.__dataclass_fields__)
    return {key: value for key, value in options.items() if value is not None}


def _parse_switch(what: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise usage_error(f"{what} is {value!r}. Use true or false.")
    return value


def _parse_schedule(given: Any) -> Optional[Mapping[str, Any]]:
    return schedules.to_dict(schedules.parse(given)) if given else None


def _check_targets(given: Union[str, Sequence[Any]]) -> Tuple[str, ...]:
    targets = check_patterns("notify", given)
    for target in targets:
        parse_target(target)
    return targets


def parse_encryption(given: Optional[Mapping[str, Any]]) -> Optional[Encryption]:
    """Return the encryption that ``given`` (the option ``encryption`` of the ``task`` module) defines, or None."""
    if not given:
        return None
    options = _select_given("encryption", given, Encryption)
    if not options.get("password"):
        raise usage_error("encryption.password is required if encryption is set.")
    return Encryption(
        password=str(options["password"]),
        salt=str(options.get("salt", "")),
        filenames=check_choice(
            "encryption.filenames", options.get("filenames", "standard"), ("standard", "obfuscate", "off")
        ),
        directory_names=_parse_switch("encryption.directory_names", options.get("directory_names", True)),
    )


def _parse_guards(given: Mapping[str, Any]) -> Guards:
    options = _select_given("guards", given, Guards)
    mounted = options.get("mounted", "")
    return Guards(
        empty_source=check_choice("guards.empty_source", options.get("empty_source", "refuse"), ("refuse", "allow")),
        mounted=check_local_path("guards.mounted", mounted) if mounted else "",
        marker=check_remote_path("guards.marker", options.get("marker", "")).lstrip("/"),
        allow_root=_parse_switch("guards.allow_root", options.get("allow_root", False)),
        max_delete=check_max_delete(options.get("max_delete", "")),
        owner=check_choice("guards.owner", options.get("owner", "refuse"), ("refuse", "allow")),
    )


def _parse_keep_deleted(given: Optional[Mapping[str, Any]]) -> Optional[KeepDeleted]:
    if not given:
        return None
    options = _select_given("keep_deleted", given, KeepDeleted)
    if not options.get("path"):
        raise usage_error("keep_deleted.path is required. Use a folder on the same side as the destination.")
    return KeepDeleted(
        check_remote_path("keep_deleted.path", options["path"]),
        parse_count("keep_deleted.days", options.get("days", 0)),
    )


def _parse_drill(name: str, given: Optional[Mapping[str, Any]]) -> Optional[Drill]:
    if given is None:
        return None
    options = _select_given("drill", given, Drill)
    if len(DRILL + name) > LONGEST_NAME:
        raise usage_error(f"drill needs a task name of at most {LONGEST_NAME - len(DRILL)} characters.")
    scratch = options.get("scratch", "")
    try:
        schedule = _parse_schedule(options.get("schedule"))
    except CloudsyncError as error:
        raise CloudsyncError(error.reason, f"drill.schedule: {error.message}") from error
    return Drill(
        schedule=schedule,
        files=check_share("drill.files", options.get("files", Drill.files)),
        max_bytes=check_bytes("drill.max_bytes", options.get("max_bytes", Drill.max_bytes)),
        scratch=check_local_path("drill.scratch", scratch) if scratch else "",
    )


def _parse_shard(given: Optional[Mapping[str, Any]]) -> Optional[Shard]:
    if given is None:
        return None
    options = _select_given("shard", given, Shard)
    missing = [name for name in ("index", "count") if name not in options]
    if missing:
        raise usage_error(f"shard.{missing[0]} is required. The first of three hosts has index 0 and count 3.")
    count = parse_whole_number("shard.count", options["count"], "Use 1 to 1000.", 1, 1000)
    index = parse_whole_number("shard.index", options["index"], f"Use 0 to {count}.", 0, count)
    return Shard(index % count, count)


def _parse_hooks(given: Mapping[str, Any]) -> Hooks:
    options = _select_given("hooks", given, Hooks)
    texts = {key: str(options[key]) for key in ("before", "success", "failure", "always") if key in options}
    return Hooks(timeout=parse_duration("hooks.timeout", options.get("timeout", 3600)), **texts)


def _parse_limits(given: Mapping[str, Any]) -> Limits:
    options = _select_given("limits", given, Limits)
    nice = parse_whole_number(
        "limits.nice", options.get("nice", 0), "Use -20 (highest priority) to 19 (lowest).", -20, 19
    )
    io_weight = parse_whole_number("limits.io_weight", options.get("io_weight", 0), "Use 1 to 10000.", 0, 10000)
    return Limits(
        max_duration=parse_duration("limits.max_duration", options.get("max_duration", 0)),
        max_stall=parse_duration("limits.max_stall", options.get("max_stall", Limits.max_stall)),
        nice=nice,
        io_weight=io_weight,
        memory_max=check_size("limits.memory_max", options.get("memory_max", "")),
        cpu_quota=check_quota("limits.cpu_quota", options.get("cpu_quota", "")),
    )
