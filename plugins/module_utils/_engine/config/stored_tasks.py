# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read the stored tasks as they are in their files, without the seed.

Apart from task_store, so that ``cloudsync status`` does not load the code that decrypts and parses tasks.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..common.errors import CloudsyncError, Damaged, usage_error
from ..common.files import list_names, read_object
from ..common.layout import DRILL, NAME, Layout
from ..schedule import schedule as schedules

SCHEMA = 2
# The fields of tasks.Task. A separate list, because loading the class takes a tenth of the time of a status.
_FIELDS = (
    "name credential direction path remote_path mode description provider_options include exclude schedule enabled"
    " bandwidth transfers follow_symlinks create_empty_dirs encryption snapshot guards keep_deleted hooks on_overlap"
    " limits retries verify_after notify rclone_args user reverse_of"
)
OPTIONS = tuple(_FIELDS.split())
# A stored task has these only if they are set. Tasks of the first version do not have them.
ADDED = ("drill", "shard")
NOT_OPTIONS = ("schema", "code")
CRYPT_SECRETS = ("password", "salt")
_KINDS: Dict[str, Tuple[type, ...]] = {
    **dict.fromkeys(["credential", "direction", "path", "remote_path", "mode", "description", "user"], (str,)),
    **dict.fromkeys(["notify", "include", "exclude", "bandwidth", "rclone_args"], (list,)),
    **dict.fromkeys(["provider_options", "guards", "hooks", "limits"], (dict,)),
    **dict.fromkeys(["schedule", "encryption", "keep_deleted"], (dict, type(None))),
    "enabled": (bool,),
}


def list_tasks(layout: Layout) -> List[str]:
    """Return the names of the stored tasks."""
    return list_names(layout.tasks_dir)


def read_task(layout: Layout, name: str) -> Optional[Dict[str, Any]]:
    """Return the stored form (ciphertexts, as in the file), None if the task does not exist."""
    return _check(layout.task(name), read_object(layout.task(name), SCHEMA, "task", name, OPTIONS))


def read_onetime(layout: Layout, name: str) -> Optional[Dict[str, Any]]:
    """Return the stored form of the task of a one-time run, None if it does not exist."""
    path = layout.build_onetime_task(name)
    return _check(path, read_object(path, SCHEMA, "task", name, OPTIONS))


def _check(path: str, stored: Optional[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """Return ``stored``. Raise Damaged if a part of it that is read without the seed has not the right form."""
    if stored is None:
        return None
    try:
        wrong = [name for name, kinds in _KINDS.items() if not isinstance(stored[name], kinds)]
        wrong += [] if isinstance(stored["guards"]["mounted"], str) else ["guards"]
        wrong += [] if _is_shard(stored.get("shard")) else ["shard"]
        wrong += [] if all(isinstance(target["public"], str) for target in stored["notify"]) else ["notify"]
        if not wrong and stored["encryption"] is not None:
            build_public_encryption(stored["encryption"])
        drill = stored.get("drill") or {"schedule": None}
        for schedule in () if wrong else (stored["schedule"], drill["schedule"]):
            if schedule is not None:
                schedules.parse(schedule)
    except (CloudsyncError, AttributeError, LookupError, TypeError, ValueError) as error:
        wrong = [str(error) if isinstance(error, CloudsyncError) else type(error).__name__]
    if wrong:
        raise Damaged(
            "other",
            f"{path} is damaged ({', '.join(wrong).rstrip('.')}): the file was edited. It was not changed. Restore it "
            "from a backup, or remove it and declare the task again.",
        )
    return stored


def name_drill(layout: Layout, task: str) -> Optional[str]:
    """Return the name of the drill of ``task``, None if another task has it, or if it would be too long."""
    name = DRILL + task
    return name if NAME.match(name) and not os.path.lexists(layout.task(name)) else None


def find_drilled(layout: Layout, name: str) -> Optional[Dict[str, Any]]:
    """Return the stored form of the task that the drill ``name`` tests, None if ``name`` is not that of a drill."""
    original = name[len(DRILL) :]
    if not name.startswith(DRILL) or not NAME.match(original) or read_task(layout, name) is not None:
        return None
    stored = read_task(layout, original)
    return stored if stored is not None and can_be_drilled(stored["direction"], stored["mode"]) else None


def can_be_drilled(direction: str, mode: str) -> bool:
    """Return whether a task leaves a copy of its source. A move leaves no source, and a pull has its own elsewhere."""
    return direction == "push" and mode != "move"


def _read_drill(layout: Layout, name: str) -> Optional[Dict[str, Any]]:
    original = find_drilled(layout, name)
    return build_stored_drill(layout, original) if original is not None else None


def build_stored_drill(layout: Layout, original: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the stored form of the drill of a task: what tasks.build_drill() changes, as far as it is read here."""
    name, drill = DRILL + original["name"], original.get("drill") or {}
    scratch = layout.drill_scratch(original["name"], drill.get("scratch", ""))
    places = {"direction": "pull", "mode": "copy", "path": scratch, "reverse_of": original["name"]}
    guards = {**original["guards"], "mounted": ""}
    schedule = drill.get("schedule")
    return {**original, **places, "name": name, "schedule": schedule, "guards": guards, "keep_deleted": None}


def require_task(layout: Layout, name: str) -> Dict[str, Any]:
    """Return the stored form of a task, of a drill or of a one-time run's task. Raise a usage error without any."""
    stored = read_task(layout, name) or _read_drill(layout, name) or read_onetime(layout, name)
    if stored is None:
        known = ", ".join(list_tasks(layout)) or "none"
        raise usage_error(f"Task {name} does not exist on this host. Existing tasks: {known}.")
    return stored


def explain_missing_task(layout: Layout, name: str) -> Optional[str]:
    """Return a warning if the task does not exist yet. In check mode, an earlier task of the play may declare it."""
    if read_task(layout, name) or find_drilled(layout, name) or read_onetime(layout, name):
        return None
    return f"Task {name} does not exist on this host yet."


def _is_shard(value: Any) -> bool:
    if value is None:
        return True
    numbers = [part for part in value.values() if isinstance(part, int) and not isinstance(part, bool)]
    return set(value) == {"index", "count"} and len(numbers) == 2


def list_crypt_secrets(encryption: Mapping[str, Any]) -> List[str]:
    return [key for key in CRYPT_SECRETS if encryption[key]]


def build_stored_task_view(stored: Mapping[str, Any]) -> Dict[str, Any]:
    """Return task_store.build_public_task_view() of a stored task, without the seed."""
    view = {**dict.fromkeys(ADDED), **{key: value for key, value in stored.items() if key not in NOT_OPTIONS}}
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
