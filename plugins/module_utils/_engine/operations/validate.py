# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Validate credentials and tasks with rclone's schema and the host, without access to a provider.

An error names the object. Valid options that may be unintended or unsafe are returned as warnings.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ..common.accounts import find_own_account
from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..config.credentials import Credential
from ..config.stored_tasks import list_tasks, read_task
from ..config.tasks import Task
from ..guards import b2_cleanup
from ..guards.declared import check_declared
from ..guards.destinations import compare_destinations, outline_task
from ..guards.placement import describe_unsafe_pull
from ..guards.same_place import check_same_place
from ..host import Host
from ..rclone.providers.option_checks import check, check_options
from ..rclone.providers.schema import Provider, resolve
from ..rclone.providers.truenas_names import get_rclone_name
from ..remote.host_keys import find_doubt
from ..remote.places import TaskPlaces, list_mounts, locate_task
from ..schedule import cron
from ..schedule import schedule as schedules


def vet_credential(host: Host, credential: Credential) -> List[str]:
    """Raise an error if the options cannot be a login at the provider. Return warnings."""
    providers = host.providers
    try:
        provider = resolve(credential.provider, providers)
        check(provider, credential.attributes, credential.secrets)
    except CloudsyncError as error:
        raise CloudsyncError(error.reason, f"Credential {credential.name} is invalid: {error.message}") from error
    text = find_doubt(host.layout, provider, {**credential.attributes, **credential.secrets}, find_own_account())
    return [f"Credential {credential.name}: {text}"] if text else []


def vet_task(task: Task, provider: str, providers: Mapping[str, Provider]) -> None:
    """Raise an error for what the ``provider`` of the task's credential does not support, and for unknown options.

    ``providers`` are those of rclone, empty if rclone is not installed.
    """
    with _naming(task):
        check_declared(task, provider)
        if task.provider_options and providers:
            check_options(resolve(provider, providers), task.provider_options)


def vet_places(
    layout: Layout,
    declared: Mapping[str, Task],
    gone: Sequence[str],
    find_credential: Callable[[str], Optional[Credential]],
) -> List[str]:
    """Refuse tasks that would delete their own source, or the files of another task of the host. Return warnings.

    ``gone`` are the names of stored tasks that this call removes. Each other stored task is read once.
    """
    stored, warnings = _outline_others(layout, {*declared, *gone})
    mounts, located = list_mounts(), []
    for task in [*declared.values(), *stored]:
        credential = find_credential(task.credential)
        if credential is not None:
            located.append((task, locate_task(task, credential, mounts)))
    for task, places in located:
        if task.name in declared:
            vet_own_places(task, places)
    return warnings + compare_destinations(declared, located)


def vet_own_places(task: Task, places: TaskPlaces) -> None:
    """Refuse a task that would write into its own source."""
    with _naming(task):
        check_same_place(task, places)


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


@contextmanager
def _naming(task: Task) -> Iterator[None]:
    """Name the task in every error inside the context."""
    try:
        yield
    except CloudsyncError as error:
        raise CloudsyncError(error.reason, f"Task {task.name} is invalid: {error.message}") from error


def list_doubts(host: Host, task: Task, provider: str) -> List[str]:
    """Return warnings about a task whose credential has the ``provider``."""
    doubts = cron.list_warnings(schedules.parse(task.schedule).cron) if task.schedule else []
    if not task.is_push and host.has_rclone and not host.rclone.has_safe_pull:
        doubts.append(describe_unsafe_pull(host.rclone))
    doubts += b2_cleanup.list_doubts(task, get_rclone_name(provider))
    return [f"Task {task.name}: {text}" for text in doubts]


def sort_originals_first(tasks: Sequence[Mapping[str, Any]]) -> List[Mapping[str, Any]]:
    """Return the tasks, each after the one that it reverses, because it copies the new options of that one."""
    originals = {task.get("name"): task.get("reverse_of") for task in tasks}

    def measure_depth(task: Mapping[str, Any]) -> int:
        chain = [task.get("name")]
        while originals.get(chain[-1]) and originals[chain[-1]] not in chain:
            chain.append(originals[chain[-1]])
        return len(chain)

    return sorted(tasks, key=measure_depth)
