# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Validate credentials and tasks with rclone's schema and the host, without access to a provider.

An error names the object. Valid options that may be unintended or unsafe are returned as warnings.
"""

from __future__ import annotations

import json
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ..commands.confine import find_version
from ..commands.open_path import find_other_writer
from ..common.accounts import find_own_account
from ..common.errors import CloudsyncError, Refused, usage_error
from ..common.layout import Layout
from ..config.credentials import Credential
from ..config.stored_tasks import list_tasks, read_task
from ..config.task_parser import name_invalid_task
from ..config.tasks import COPY, MOVE, Task
from ..guards.declared import check_declared
from ..guards.destinations import compare_destinations, outline_task
from ..guards.placement import describe_unsafe_pull, warn_of_hard_delete
from ..guards.same_place import check_same_place
from ..host import Host
from ..rclone.binary import Rclone
from ..rclone.conf_file import render
from ..rclone.providers.conf_section import build_remote_section
from ..rclone.providers.flags import build_pattern_rules, check_backend_flags, check_shard, find_complaint
from ..rclone.providers.option_checks import check, check_options
from ..rclone.providers.schema import Provider, resolve
from ..rclone.providers.truenas_names import get_rclone_name
from ..remote.host_keys import find_doubt
from ..remote.places import list_mounts, locate_task
from ..schedule import cron
from ..schedule import schedule as schedules


def vet_credential(host: Host, credential: Credential) -> List[str]:
    """Raise an error if the options cannot be a login at the provider. Return warnings."""
    providers = host.providers
    try:
        provider = resolve(credential.provider, providers)
        check(provider, credential.attributes, credential.secrets)
        render({"remote": build_remote_section(provider, credential.attributes, credential.secrets, {})})
    except CloudsyncError as error:
        raise CloudsyncError(error.reason, f"Credential {credential.name} is invalid: {error.message}") from error
    text = find_doubt(host.layout, provider, {**credential.attributes, **credential.secrets}, find_own_account())
    return [f"Credential {credential.name}: {text}"] if text else []


def vet_task(task: Task, provider: str, providers: Mapping[str, Provider]) -> None:
    """Raise an error for what the ``provider`` of the task's credential does not support, and for unknown options.

    ``providers`` are those of rclone, empty if rclone is not installed.
    """
    with name_invalid_task(task.name):
        check_declared(task, provider)
        check_backend_flags(task.rclone_args, provider, providers)
        if task.provider_options and providers:
            found = resolve(provider, providers)
            check_options(found, task.provider_options)
            render({"remote": build_remote_section(found, {}, {}, task.provider_options)})
        if task.encryption is not None:
            _check_crypt_path(task, provider)


def _check_crypt_path(task: Task, provider: str) -> None:
    """Refuse a remote path that rclone's configuration cannot contain, as encryption needs it there."""
    remote = {"type": get_rclone_name(provider)}
    try:
        render({"remote": remote, "crypt": {"type": "crypt", "remote": f"remote:{task.remote_path}"}})
    except CloudsyncError:
        raise usage_error(
            f"remote_path is {task.remote_path!r}, which rclone's configuration cannot contain. With encryption, use a "
            "path without a blank at its end, without backticks and without '%(...)s'."
        ) from None


def list_needed_providers(host: Host, task: Task, check_mode: bool) -> Mapping[str, Provider]:
    """Return the providers of rclone if vet_task() needs them. Without rclone, the run of the task checks it."""
    lenient = check_mode or not task.provider_options
    asked = task.provider_options or task.rclone_args
    return host.providers if asked and not (lenient and not host.has_rclone) else {}


def has_other_provider(before: Optional[Credential], now: Credential) -> bool:
    """Return whether a credential changes its provider."""
    return before is not None and get_rclone_name(before.provider) != get_rclone_name(now.provider)


def vet_new_provider(host: Host, users: Iterable[Task], credential: Credential, check_mode: bool) -> None:
    """Raise an error if one of the tasks that use ``credential`` cannot use its new provider."""
    for task in users:
        try:
            vet_task(task, credential.provider, list_needed_providers(host, task, check_mode))
        except CloudsyncError as error:
            raise usage_error(
                f"Credential {credential.name} cannot change its provider to {credential.provider}, because a task "
                f"uses it. {error.message} Change the task in the same call, or remove it first. Nothing was changed."
            ) from error


def try_tasks(host: Host, tasks: Iterable[Task]) -> None:
    """Raise an error if rclone cannot do what the tasks ask for, or parse it. Without rclone, do nothing.

    One call of rclone tries all tasks that have the same mode and arguments.
    """
    groups: Dict[Tuple[str, Tuple[str, ...]], List[Task]] = {}
    for task in tasks:
        if task.shard is not None and host.has_rclone:
            with name_invalid_task(task.name):
                check_shard(host.rclone)
        if task.rclone_args or task.exclude or task.include:
            groups.setdefault((task.mode if task.rclone_args else COPY, task.rclone_args), []).append(task)
    if not groups or not host.has_rclone:
        return
    for (mode, arguments), members in groups.items():
        lines = [line for task in members for line in build_pattern_rules(task.exclude, task.include)]
        if find_complaint(host.rclone, mode, arguments, lines):
            for task in members:
                with name_invalid_task(task.name):
                    _try_task(host.rclone, task)


def _try_task(rclone: Rclone, task: Task) -> None:
    complaint = find_complaint(rclone, task.mode, task.rclone_args, ())
    if complaint:
        raise usage_error(f"rclone cannot use rclone_args. {complaint}")
    complaint = find_complaint(rclone, task.mode, task.rclone_args, build_pattern_rules(task.exclude, task.include))
    for option, patterns in (("include", task.include), ("exclude", task.exclude)):
        for index, pattern in enumerate(patterns):
            if complaint and json.dumps(pattern, ensure_ascii=False) in complaint:
                raise usage_error(f"{option}[{index}] is {pattern!r}, which rclone cannot parse: {complaint}")
    if complaint:
        raise usage_error(f"rclone cannot parse include and exclude. {complaint}")


def vet_places(
    layout: Layout,
    declared: Mapping[str, Task],
    gone: Sequence[str],
    find_credential: Callable[[str], Optional[Credential]],
    former: Optional[Mapping[str, Optional[Credential]]] = None,
) -> List[str]:
    """Refuse tasks that would delete their own source, or the files of another task of the host. Return warnings.

    ``gone`` are the names of stored tasks that this call removes. Each other stored task is read once, and judged, too,
    if the ``former`` credential of its name led to another place.
    """
    stored, warnings = _outline_others(layout, {*declared, *gone})
    mounts, located, judged = list_mounts(), [], set(declared)
    for task in [*declared.values(), *stored]:
        credential = find_credential(task.credential)
        if credential is None:
            continue
        places, before = locate_task(task, credential, mounts), (former or {}).get(task.credential)
        located.append((task, places))
        if before is not None and before != credential and locate_task(task, before, mounts) != places:
            judged.add(task.name)
    for task, places in located:
        if task.name in judged:
            with name_invalid_task(task.name):
                check_same_place(task, places)
    return warnings + compare_destinations(judged, located)


def _outline_others(layout: Layout, known: Set[str]) -> Tuple[List[Task], List[str]]:
    """Return the stored tasks that are not ``known``, and warnings about those that cannot be read."""
    tasks, warnings = [], []
    for name in list_tasks(layout):
        if name in known:
            continue
        try:
            stored = read_task(layout, name)
        except CloudsyncError as error:
            warnings.append(
                f"The destination of task {name} was not compared with those of other tasks. {error.message}"
            )
        else:
            tasks += [outline_task(stored)] if stored else []
    return tasks, warnings


def list_doubts(host: Host, task: Task, provider: str) -> List[str]:
    """Return warnings about a task whose credential has the ``provider``."""
    doubts = cron.list_warnings(schedules.parse(task.schedule).cron) if task.schedule else []
    if not task.is_push and host.has_rclone and not host.rclone.has_safe_pull:
        doubts.append(describe_unsafe_pull(host.rclone))
    doubts += _list_other_writers(task)
    doubts += warn_of_hard_delete(task, get_rclone_name(provider))
    return [f"Task {task.name}: {text}" for text in doubts]


def _list_other_writers(task: Task) -> List[str]:
    """Return a warning if root would write into a folder that another user can change."""
    if task.user != "root" or (task.is_push and task.mode != MOVE):
        return []
    try:
        writer = find_other_writer(task.path)
    except Refused as refusal:
        return [refusal.message]
    if not writer:
        return []
    unconfined = "" if find_version() else " The kernel of this host has no Landlock, so links there are followed."
    return [
        f"It writes to {task.path} as root, but {writer} can change files there, for example replace them by symbolic "
        f"links. Set the task's user to the owner of that folder.{unconfined}"
    ]
