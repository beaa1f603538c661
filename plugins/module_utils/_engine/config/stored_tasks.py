# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read the stored tasks as they are in their files, without the seed.

Apart from task_store, so that ``cloudsync status`` does not load the code that decrypts and parses tasks.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional

from ..common.errors import usage_error
from ..common.files import list_names, read_object
from ..common.layout import Layout

SCHEMA = 2
# The fields of tasks.Task. A separate list, because loading the class takes a tenth of the time of a status.
_FIELDS = (
    "name credential direction path remote_path mode description provider_options include exclude schedule enabled"
    " bandwidth transfers follow_symlinks create_empty_dirs encryption snapshot guards keep_deleted hooks on_overlap"
    " limits retries verify_after notify rclone_args user reverse_of"
)
OPTIONS = tuple(_FIELDS.split())
NOT_OPTIONS = ("schema", "code")
CRYPT_SECRETS = ("password", "salt")


def list_tasks(layout: Layout) -> List[str]:
    """Return the names of the stored tasks."""
    return list_names(layout.tasks_dir)


def read_task(layout: Layout, name: str) -> Optional[Dict[str, Any]]:
    """Return the stored form (ciphertexts, as in the file), None if the task does not exist."""
    return read_object(layout.task(name), SCHEMA, "task", name, OPTIONS)


def read_onetime(layout: Layout, name: str) -> Optional[Dict[str, Any]]:
    """Return the stored form of the task of a one-time run, None if it does not exist."""
    return read_object(layout.build_onetime_task(name), SCHEMA, "task", name, OPTIONS)


def require_task(layout: Layout, name: str) -> Dict[str, Any]:
    """Return the stored form of a task or of a one-time run's task. Raise a usage error if neither exists."""
    stored = read_task(layout, name) or read_onetime(layout, name)
    if stored is None:
        known = ", ".join(list_tasks(layout)) or "none"
        raise usage_error(f"Task {name} does not exist on this host. Existing tasks: {known}.")
    return stored


def explain_missing_task(layout: Layout, name: str) -> Optional[str]:
    """Return a warning if the task does not exist yet. In check mode, an earlier task of the play may declare it."""
    if read_task(layout, name) or read_onetime(layout, name):
        return None
    return f"Task {name} does not exist on this host yet."


def list_crypt_secrets(encryption: Mapping[str, Any]) -> List[str]:
    return [key for key in CRYPT_SECRETS if encryption[key]]


def build_stored_task_view(stored: Mapping[str, Any]) -> Dict[str, Any]:
    """Return task_store.build_public_task_view() of a stored task, without the seed."""
    view = {key: value for key, value in stored.items() if key not in NOT_OPTIONS}
    view["notify"] = [target["public"] for target in stored["notify"]]
    view["encryption"] = build_public_encryption(stored["encryption"])
    return view


def list_onetimes(layout: Layout) -> List[str]:
    """Return the names of the one-time runs since the last boot."""
    return list_names(os.path.dirname(layout.build_onetime_task("any")))


def build_public_encryption(encryption: Optional[Mapping[str, Any]]) -> Optional[Dict[str, Any]]:
    if encryption is None:
        return None
    public = {key: value for key, value in encryption.items() if key not in CRYPT_SECRETS}
    return {**public, "secrets": list_crypt_secrets(encryption)}
