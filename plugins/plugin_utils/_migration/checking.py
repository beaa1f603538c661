# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Check imported definitions as a host would check them, before they are written.

``providers`` are those of the control node's rclone. They are empty without rclone, and then less can be checked.
"""

from __future__ import annotations

from typing import Any, Mapping

from ...module_utils._engine.common.errors import CloudsyncError
from ...module_utils._engine.config.credentials import parse_credential
from ...module_utils._engine.config.task_parser import parse_task
from ...module_utils._engine.operations.validate import vet_task
from ...module_utils._engine.rclone.conf_file import render
from ...module_utils._engine.rclone.providers.conf_section import build_remote_section
from ...module_utils._engine.rclone.providers.option_checks import check
from ...module_utils._engine.rclone.providers.schema import Provider, resolve
from .findings import Findings, is_complete, reveal_secrets

Providers = Mapping[str, Provider]


def add_credential(found: Findings, declared: Mapping[str, Any], providers: Providers) -> bool:
    """Add the credential, or list it as refused if a host would refuse it. Return whether it was accepted."""
    try:
        credential = parse_credential(reveal_secrets(declared))
        if providers:
            provider = resolve(credential.provider, providers)
            if is_complete(declared):
                check(provider, credential.attributes, credential.secrets)
                render({"remote": build_remote_section(provider, credential.attributes, credential.secrets, {})})
    except CloudsyncError as error:
        found.need(f"The credential {declared['name']}", _advise(error, "cloudsync_credentials"))
        found.refused_credentials.append(dict(declared))
        return False
    found.credentials.append(dict(declared))
    return True


def add_task(found: Findings, declared: Mapping[str, Any], provider: str, providers: Providers) -> bool:
    """Add the task, or list it as refused. ``provider`` is that of its credential. Return whether it was accepted."""
    try:
        vet_task(parse_task(reveal_secrets(declared)), provider, providers)
    except CloudsyncError as error:
        found.need(f"The task {declared['name']}", _advise(error, "cloudsync_tasks"))
        found.refused_tasks.append(dict(declared))
        return False
    found.tasks.append(dict(declared))
    return True


def _advise(error: CloudsyncError, variable: str) -> str:
    return (
        f"this definition is invalid. {error.message} Fix it in cloudsync_import_refused, then move it to {variable}."
    )
