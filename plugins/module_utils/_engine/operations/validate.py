# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Validate credentials and tasks with rclone's schema and the host, without access to a provider.

An error names the object. Valid options that may be unintended or unsafe are returned as warnings.
"""

from __future__ import annotations

from typing import List, Mapping

from ..common.accounts import find_own_account
from ..common.errors import CloudsyncError
from ..config.credentials import Credential
from ..config.tasks import Task
from ..guards import b2_cleanup
from ..guards.declared import check_declared
from ..guards.placement import describe_unsafe_pull
from ..host import Host
from ..rclone.providers.option_checks import check, check_options
from ..rclone.providers.schema import Provider, resolve
from ..rclone.providers.truenas_names import get_rclone_name
from ..remote.host_keys import find_doubt
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
    try:
        check_declared(task, provider)
        if task.provider_options and providers:
            check_options(resolve(provider, providers), task.provider_options)
    except CloudsyncError as error:
        raise CloudsyncError(error.reason, f"Task {task.name} is invalid: {error.message}") from error


def list_doubts(host: Host, task: Task, provider: str) -> List[str]:
    """Return warnings about a task whose credential has the ``provider``."""
    doubts = cron.list_warnings(schedules.parse(task.schedule).cron) if task.schedule else []
    if not task.is_push and host.has_rclone and not host.rclone.has_safe_pull:
        doubts.append(describe_unsafe_pull(host.rclone))
    doubts += b2_cleanup.list_doubts(task, get_rclone_name(provider))
    return [f"Task {task.name}: {text}" for text in doubts]
