# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read and write tasks: one JSON file each, with crypt passwords and notify targets only as ciphertext."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Optional, Tuple

from ..common.errors import Edited
from ..common.files import make_directory, remove, write_json
from ..common.layout import Layout
from ..notify.targets import parse_target, redact_target
from .credentials import NEW_VALUE, SET
from .seed import Place, Seed
from .stored_tasks import (
    ADDED,
    CRYPT_SECRETS,
    NOT_OPTIONS,
    SCHEMA,
    build_public_encryption,
    find_drilled,
    list_crypt_secrets,
    read_task,
    require_task,
)
from .task_parser import parse_stored_task
from .tasks import Task, build_drill, task_to_dict

KIND = "task"


def seal_task(layout: Layout, seed: Seed, task: Task) -> Dict[str, Any]:
    """Return the stored form, with every secret encrypted and a code."""
    content = {"schema": SCHEMA, **task_to_dict(task)}
    for name in ADDED:
        if content[name] is None:
            del content[name]
    if task.encryption is not None:
        for key in list_crypt_secrets(content["encryption"]):
            content["encryption"][key] = seed.encrypt(
                content["encryption"][key], _locate(layout, task.name, "encryption." + key)
            )
    content["notify"] = [
        {
            "public": redact_target(parse_target(target)),
            "target": seed.encrypt(target, _locate(layout, task.name, f"notify.{index}")),
        }
        for index, target in enumerate(task.notify)
    ]
    return seed.add_code(KIND, content)


def unseal_task(layout: Layout, seed: Seed, stored: Mapping[str, Any]) -> Task:
    """Return the task in the stored form, decrypted. Raise Edited if it is not as it was stored."""
    path = layout.task(stored["name"])
    if not os.path.lexists(path):
        path = layout.build_onetime_task(stored["name"])
    return task_from_dict(seed.open_object(KIND, path, stored, lambda: _decrypt_secrets(layout, seed, stored)))


def _decrypt_secrets(layout: Layout, seed: Seed, stored: Mapping[str, Any]) -> Dict[str, Any]:
    name = stored["name"]
    content = {key: value for key, value in stored.items() if key not in NOT_OPTIONS}
    if content["encryption"] is not None:
        content["encryption"] = {
            **content["encryption"],
            **{
                key: seed.decrypt(content["encryption"][key], _locate(layout, name, "encryption." + key))
                for key in list_crypt_secrets(content["encryption"])
            },
        }
    content["notify"] = [
        seed.decrypt(target["target"], _locate(layout, name, f"notify.{index}"))
        for index, target in enumerate(content["notify"])
    ]
    return content


def load_former_task(layout: Layout, seed: Seed, name: str) -> Tuple[Optional[Task], bool]:
    """Return the task that a declaration replaces, None if there is none, and whether its file was edited."""
    stored = read_task(layout, name)
    try:
        return unseal_task(layout, seed, stored) if stored else None, False
    except Edited:
        return None, True


def task_from_dict(content: Mapping[str, Any]) -> Task:
    """Return the task that tasks.task_to_dict() wrote."""
    return parse_stored_task(content)


def _locate(layout: Layout, name: str, field: str) -> Place:
    return Place(KIND, name, field, layout.task(name))


def load_task(layout: Layout, seed: Seed, name: str) -> Task:
    """Return the stored task, decrypted, or the drill of one. Raise a usage error if it does not exist."""
    drilled = find_drilled(layout, name)
    if drilled is not None:
        return build_drill(layout, unseal_task(layout, seed, drilled))
    return unseal_task(layout, seed, require_task(layout, name))


def build_public_task_view(task: Task) -> Dict[str, Any]:
    """Return the public view: the options, the names of the secrets that are set, and redacted notify targets."""
    view = task_to_dict(task)
    view["notify"] = [redact_target(parse_target(target)) for target in task.notify]
    view["encryption"] = build_public_encryption(view["encryption"])
    return view


def build_diff_task_view(task: Optional[Task], other: Optional[Task]) -> Dict[str, Any]:
    """Return build_public_task_view() for a diff with ``other``.

    A secret is a word that shows whether the value differs.
    """
    if task is None:
        return {}
    view = build_public_task_view(task)
    if task.encryption is not None:
        theirs = other.encryption if other else None
        view["encryption"]["secrets"] = {
            key: SET if theirs is None or getattr(theirs, key) == getattr(task.encryption, key) else NEW_VALUE
            for key in CRYPT_SECRETS
            if getattr(task.encryption, key)
        }
    if other is not None and other.notify != task.notify:
        view["notify"] = [f"{target} {NEW_VALUE}" for target in view["notify"]]
    return view


def save_task(layout: Layout, seed: Seed, task: Task) -> None:
    """Write the task. The caller holds credential_store.store_lock()."""
    make_directory(layout.config_dir)
    make_directory(layout.tasks_dir)
    write_json(layout.task(task.name), seal_task(layout, seed, task))
    # The task of an earlier one-time run with this name must not reappear when this task is removed.
    remove(layout.build_onetime_task(task.name))


def save_onetime(layout: Layout, seed: Seed, task: Task) -> None:
    """Write the task of a one-time run."""
    path = layout.build_onetime_task(task.name)
    make_directory(layout.run_dir)
    make_directory(os.path.dirname(path))
    write_json(path, seal_task(layout, seed, task))


def remove_task(layout: Layout, name: str) -> None:
    """Remove the task. Its records and logs are kept. The caller holds credential_store.store_lock()."""
    remove(layout.task(name))
