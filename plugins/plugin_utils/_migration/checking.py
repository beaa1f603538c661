# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Whether what was found would be accepted on a host. Asked before it is written, so that nothing wrong stands there.

``providers`` is what the control node's rclone has; empty when there is none, and nothing can be asked.
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
from .findings import Findings, clear, is_complete

Providers = Mapping[str, Provider]


def add_credential(found: Findings, declared: Mapping[str, Any], providers: Providers) -> bool:
    """Take it up among the credentials; or, when a host would refuse it, among the refused ones. Whether it fits."""
    try:
        credential = parse_credential(clear(declared))
        if providers:
            provider = resolve(credential.provider, providers)
            if is_complete(declared):
                check(provider, credential.attributes, credential.secrets)
                render({"remote": build_remote_section(provider, credential.attributes, credential.secrets, {})})
    except CloudsyncError as error:
        found.need(f"The credential {declared['name']}", _refused(error))
        found.refused_credentials.append(dict(declared))
        return False
    found.credentials.append(dict(declared))
    return True


def add_task(found: Findings, declared: Mapping[str, Any], provider: str, providers: Providers) -> bool:
    """The same for a task, whose credential is one of ``provider``."""
    try:
        vet_task(parse_task(clear(declared)), provider, providers)
    except CloudsyncError as error:
        found.need(f"The task {declared['name']}", _refused(error))
        found.refused_tasks.append(dict(declared))
        return False
    found.tasks.append(dict(declared))
    return True


def _refused(error: CloudsyncError) -> str:
    return f"a host would refuse it. {error.message} It stands in cloudsync_import_refused: mend it, and move it up."
