# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A host's credentials, tasks and seed as one text, to be kept elsewhere.

Credentials and tasks are in it as in the host's files, secrets only as ciphertext; the seed only wrapped by a
passphrase. The same content is the same text, byte for byte, so a backup of what did not change is no change.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..common.errors import CloudsyncError, Damaged, usage_error
from ..common.layout import Layout, check_name
from ..config import credentials, stored_tasks
from ..config.credential_store import list_credentials, read_credential, store_lock, unseal
from ..config.credentials import build_stored_view
from ..config.seed import Seed, load_seed, read_seed
from ..config.seed_passphrase import check_passphrase, unwrap_seed, wrap_seed
from ..config.stored_tasks import OPTIONS, build_stored_task_view, list_tasks, read_task
from ..config.task_store import unseal_task

SCHEMA = 1
CREDENTIAL, TASK = "credential", "task"
Stored = Dict[str, Any]
NEWEST = {CREDENTIAL: credentials.SCHEMA, TASK: stored_tasks.SCHEMA}
PARTS = {CREDENTIAL: credentials.STORED, TASK: OPTIONS}
SET_ASIDE = "It was given as the previous one: move that file away, then back up again."
WITHOUT_SEED = (
    "The backup has no seed that opens all of it: without the seed of this host, the secrets in it can't be read "
    "again. Give a passphrase, and the seed is backed up, too."
)


@dataclass(frozen=True)
class Backup:
    """``credentials`` and ``tasks``: the stored forms by name. ``wrapped`` is the ring of ``key_ids``, or empty."""

    credentials: Mapping[str, Stored] = field(default_factory=dict)
    tasks: Mapping[str, Stored] = field(default_factory=dict)
    key_ids: Sequence[str] = ()
    wrapped: str = ""

    def to_text(self) -> str:
        """The whole as a JSON file that a person can read and diff."""
        content = {
            "schema": SCHEMA,
            "credentials": dict(self.credentials),
            "tasks": dict(self.tasks),
            "seed": {"key_ids": list(self.key_ids), "wrapped": self.wrapped},
        }
        return json.dumps(content, indent=2, sort_keys=True) + "\n"

    def build_view(self) -> Dict[str, Any]:
        """What may be shown of it."""
        return {
            "credentials": {name: build_object_view(CREDENTIAL, stored) for name, stored in self.credentials.items()},
            "tasks": {name: build_object_view(TASK, stored) for name, stored in self.tasks.items()},
            "seed": {"key_ids": list(self.key_ids), "wrapped": _fingerprint(self.wrapped)} if self.wrapped else {},
        }


def build_object_view(kind: str, stored: Mapping[str, Any]) -> Dict[str, Any]:
    """The public view of a stored object, and what tells it from another with the same one."""
    view = build_stored_view(stored) if kind == CREDENTIAL else build_stored_task_view(stored)
    return {**view, "stored": _fingerprint(json.dumps(stored, sort_keys=True))}


def _fingerprint(text: str) -> str:
    return "SHA-256 " + hashlib.sha256(text.encode()).hexdigest()[:16]


def parse_backup(text: str, remedy: str = "Take another one.") -> Backup:
    """The backup that text() wrote. Nothing of one that was edited or cut short is used; ``remedy`` is what to do."""
    try:
        content = json.loads(text)
        schema = content["schema"]
        if not isinstance(schema, int):
            raise ValueError(schema)
        if schema > SCHEMA:
            raise usage_error(
                f"The backup has schema {schema}, written by a newer cloudsync; this one reads up to {SCHEMA}. Upgrade "
                "the collection."
            )
        seed = content["seed"]
        backup = Backup(
            _check_objects(CREDENTIAL, content["credentials"]),
            _check_objects(TASK, content["tasks"]),
            tuple(str(key_id) for key_id in seed["key_ids"]),
            str(seed["wrapped"]),
        )
        backup.build_view()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise usage_error(
            "The backup is not what skyhaul.cloudsync.backup wrote: it was edited or cut short. " + remedy
        ) from error
    return backup


def _check_objects(kind: str, found: Mapping[str, Any]) -> Dict[str, Stored]:
    for name, stored in found.items():
        check_name(kind, name)
        if stored["schema"] > NEWEST[kind]:
            raise usage_error(
                f"The {kind} {name} in the backup was written by a newer cloudsync. Upgrade the collection."
            )
        if stored["name"] != name or not set(PARTS[kind]) <= set(stored):
            raise ValueError(name)
    return dict(found)


@dataclass(frozen=True)
class Taken:
    """``text`` is the backup; ``before`` and ``after`` tell what it changes in the one that was there."""

    text: str
    before: Dict[str, Any]
    after: Dict[str, Any]
    warnings: List[str]


def take_backup(layout: Layout, passphrase: str, previous: str, check_mode: bool) -> Taken:
    """The backup of the host as it is. ``previous`` is the text of the last one, or empty."""
    if passphrase:
        check_passphrase(passphrase)
    last = parse_backup(previous, SET_ASIDE) if previous.strip() else None
    with ExitStack() as stack:
        if not check_mode:
            # A rotation, or a token that is refreshed, waits: seed and ciphertexts are to belong together.
            stack.enter_context(store_lock(layout))
        found = _read_objects(layout)
        ring = _read_ring(layout, bool(passphrase) and any(found))
    backup = _add_seed(found, ring, passphrase, last or Backup())
    _refuse_to_forget(backup, last)
    before = last.build_view() if last is not None else {}
    return Taken(backup.to_text(), before, backup.build_view(), _list_warnings(layout, backup, ring))


def _read_objects(layout: Layout) -> Tuple[Dict[str, Stored], Dict[str, Stored]]:
    """A damaged file ends it: the last backup, which may have what was in it, is not to be replaced."""
    stored = {name: read_credential(layout, name) for name in list_credentials(layout)}
    tasks = {name: read_task(layout, name) for name in list_tasks(layout)}
    return (
        {name: content for name, content in stored.items() if content is not None},
        {name: content for name, content in tasks.items() if content is not None},
    )


def _read_ring(layout: Layout, needed: bool) -> Optional[Seed]:
    if needed:
        return load_seed(layout)
    try:
        return read_seed(layout)
    except Damaged:
        return None


def _add_seed(
    found: Tuple[Dict[str, Stored], Dict[str, Stored]], ring: Optional[Seed], passphrase: str, last: Backup
) -> Backup:
    """Wrapping is never the same twice: what was wrapped before stays when it still opens to the same ring."""
    stored, tasks = found
    if ring is None or not passphrase:
        return Backup(stored, tasks, last.key_ids, last.wrapped)
    key_ids = tuple(sorted(ring.keys))
    wrapped = last.wrapped if _is_same_ring(last, ring, passphrase) else wrap_seed(ring, passphrase)
    return Backup(stored, tasks, key_ids, wrapped)


def _is_same_ring(last: Backup, ring: Seed, passphrase: str) -> bool:
    if set(last.key_ids) != set(ring.keys):
        return False
    try:
        opened = unwrap_seed(last.wrapped, passphrase)
    except CloudsyncError:
        return False
    return opened.to_dict() == ring.to_dict()


def _refuse_to_forget(backup: Backup, last: Optional[Backup]) -> None:
    """A host that was installed anew has nothing yet; its backup is then the only copy."""
    if last is None or backup.credentials or backup.tasks or not (last.credentials or last.tasks):
        return
    raise usage_error(
        "This host has no credentials and no tasks, but its last backup has "
        f"{list_objects(list(last.credentials), list(last.tasks))}. That backup stays as it is: restore the host from "
        "it, or move it away when the host is meant to be empty."
    )


def _list_warnings(layout: Layout, backup: Backup, ring: Optional[Seed]) -> List[str]:
    texts: List[str] = []
    if not backup.credentials and not backup.tasks:
        return texts
    if not backup.wrapped or (ring is not None and not set(ring.keys) <= set(backup.key_ids)):
        texts.append(WITHOUT_SEED)
    unreadable = list_objects(*list_unreadable(layout, backup, ring)) if ring is not None else ""
    if unreadable:
        texts.append(f"This host's own seed can't read: {unreadable}. They are in the backup as they are.")
    return texts


def try_open(layout: Layout, ring: Seed, kind: str, stored: Mapping[str, Any]) -> Any:
    """The Credential or Task in the stored form; None when ``ring`` can't open it."""
    try:
        return unseal(layout, ring, stored) if kind == CREDENTIAL else unseal_task(layout, ring, stored)
    except (CloudsyncError, AttributeError, KeyError, TypeError, ValueError):
        return None


def list_unreadable(layout: Layout, backup: Backup, ring: Seed) -> Tuple[List[str], List[str]]:
    """The names of the credentials and tasks in ``backup`` that ``ring`` can't open."""
    return (
        [name for name, each in backup.credentials.items() if try_open(layout, ring, CREDENTIAL, each) is None],
        [name for name, each in backup.tasks.items() if try_open(layout, ring, TASK, each) is None],
    )


def list_objects(names: Sequence[str], tasks: Sequence[str]) -> str:
    """Names of credentials and tasks for a sentence; empty when there are none."""
    texts = [f"the credential {name}" for name in sorted(names)]
    return ", ".join(texts + [f"the task {name}" for name in sorted(tasks)])
