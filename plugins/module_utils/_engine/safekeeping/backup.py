# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Back up a host's credentials, tasks and seed as one text.

The backup contains credentials and tasks as in the host's files, with secrets only as ciphertext. It contains the
seed only encrypted by a passphrase. Unchanged content results in the same text, byte for byte.

The seed authenticates each object and the whole backup. Without the passphrase, nobody can edit any of it.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..common.crypto import compute_checksum
from ..common.errors import CloudsyncError, Damaged, Edited, usage_error
from ..common.layout import Layout, check_name
from ..common.text import list_objects
from ..config import credentials, stored_tasks
from ..config.credential_store import list_credentials, read_credential, store_lock, unseal
from ..config.credentials import build_stored_view
from ..config.seed import Seed, get_code_key, load_seed, read_seed
from ..config.seed_passphrase import check_passphrase, unwrap_seed, wrap_seed
from ..config.stored_tasks import OPTIONS, build_stored_task_view, list_tasks, read_task
from ..config.task_store import unseal_task
from ..config.upgrade import upgrade_store
from ..host import identify

# 1 had no code and no checksum.
SCHEMA = 2
KIND = "backup"
CREDENTIAL, TASK = "credential", "task"
Stored = Dict[str, Any]
NEWEST = {CREDENTIAL: credentials.SCHEMA, TASK: stored_tasks.SCHEMA}
PARTS = {CREDENTIAL: credentials.STORED, TASK: OPTIONS}
USE_ANOTHER = "Use another backup. Nothing was changed."
MOVE_AWAY = "It is the value of previous. Move the file away, then back up again. Nothing was changed."
WITHOUT_SEED = (
    "The backup does not contain the current seed. Without the seed of this host, its secrets cannot be decrypted. Set "
    "passphrase to back up the seed, too."
)


@dataclass(frozen=True)
class Backup:
    """``credentials`` and ``tasks``: the stored forms by name. ``wrapped`` is the seed with ``key_ids``, or empty.

    ``hosts`` are the ids and names of the host and of those that it replaced. A restore makes them former hosts.

    ``code`` authenticates all of it. It is empty if the host had no seed, or in a backup of ``schema`` 1.
    """

    credentials: Mapping[str, Stored] = field(default_factory=dict)
    tasks: Mapping[str, Stored] = field(default_factory=dict)
    key_ids: Sequence[str] = ()
    wrapped: str = ""
    code: str = ""
    schema: int = SCHEMA
    hosts: Sequence[Tuple[str, str]] = ()

    def to_content(self) -> Dict[str, Any]:
        """Return the backup as JSON types, without its checksum."""
        return {
            "schema": self.schema,
            "credentials": dict(self.credentials),
            "tasks": dict(self.tasks),
            "seed": {"key_ids": list(self.key_ids), "wrapped": self.wrapped},
            "code": self.code,
            **({"hosts": [list(host) for host in self.hosts]} if self.hosts else {}),
        }

    def to_text(self) -> str:
        """Return the backup as indented, sorted JSON."""
        content = self.to_content()
        return json.dumps({**content, "checksum": compute_checksum(content)}, indent=2, sort_keys=True) + "\n"

    def add_code(self, ring: Optional[Seed]) -> Backup:
        """Return the backup with a code by ``ring``."""
        content = {key: value for key, value in self.to_content().items() if key != "code"}
        return replace(self, code=ring.add_code(KIND, content)["code"]) if ring is not None else self

    def build_view(self) -> Dict[str, Any]:
        """Return the public view."""
        return {
            "credentials": {name: build_object_view(CREDENTIAL, stored) for name, stored in self.credentials.items()},
            "tasks": {name: build_object_view(TASK, stored) for name, stored in self.tasks.items()},
            "seed": {"key_ids": list(self.key_ids), "wrapped": _fingerprint(self.wrapped)} if self.wrapped else {},
            **({"hosts": [name for _id, name in self.hosts]} if self.hosts else {}),
        }


def build_object_view(kind: str, stored: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the public view of a stored object with a fingerprint of its stored form."""
    view = build_stored_view(stored) if kind == CREDENTIAL else build_stored_task_view(stored)
    return {**view, "stored": _fingerprint(json.dumps(stored, sort_keys=True))}


def _fingerprint(text: str) -> str:
    return "SHA-256 " + hashlib.sha256(text.encode()).hexdigest()[:16]


def parse_backup(text: str, remedy: str = USE_ANOTHER) -> Backup:
    """Return the backup that Backup.to_text() wrote. Raise a usage error with ``remedy`` if it was changed."""
    try:
        content = json.loads(text)
        schema = content["schema"]
        if not isinstance(schema, int):
            raise ValueError(schema)
        if schema > SCHEMA:
            raise usage_error(
                f"The backup has schema {schema}, written by a newer version of cloudsync. This version reads schemas "
                f"up to {SCHEMA}. Nothing was changed. Upgrade the collection."
            )
        if schema == SCHEMA and content.pop("checksum") != compute_checksum(content):
            raise ValueError(schema)
        seed = content["seed"]
        backup = Backup(
            _check_objects(CREDENTIAL, content["credentials"]),
            _check_objects(TASK, content["tasks"]),
            tuple(str(key_id) for key_id in seed["key_ids"]),
            str(seed["wrapped"]),
            str(content.get("code", "")),
            schema,
            tuple((str(host_id), str(name)) for host_id, name in content.get("hosts", ())),
        )
        backup.build_view()
        if schema == SCHEMA and content != backup.to_content():
            raise ValueError(schema)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise build_damaged_error(remedy) from error
    return backup


def build_damaged_error(remedy: str) -> CloudsyncError:
    return CloudsyncError(
        "damaged",
        f"The backup is damaged: it was edited or truncated, or skyhaul.cloudsync.backup did not write it. {remedy}",
    )


def check_code(backup: Backup, ring: Seed, remedy: str = USE_ANOTHER) -> bool:
    """Return whether ``ring`` authenticates the backup. Raise an error if it shows that the backup was edited."""
    content = backup.to_content()
    if get_code_key(content) not in ring.keys:
        return False
    if not ring.is_authentic(KIND, content):
        raise build_damaged_error(remedy)
    return True


def _check_objects(kind: str, found: Mapping[str, Any]) -> Dict[str, Stored]:
    for name, stored in found.items():
        check_name(kind, name)
        if stored["schema"] > NEWEST[kind]:
            raise usage_error(
                f"{kind.capitalize()} {name} in the backup was written by a newer version of cloudsync. Nothing was "
                "changed. Upgrade the collection."
            )
        if stored["name"] != name or not set(PARTS[kind]) <= set(stored):
            raise ValueError(name)
    return dict(found)


@dataclass(frozen=True)
class Taken:
    """``text`` is the backup. ``before`` and ``after`` are the diff from the previous one."""

    text: str
    before: Dict[str, Any]
    after: Dict[str, Any]
    warnings: List[str]


def take_backup(layout: Layout, passphrase: str, previous: str, check_mode: bool) -> Taken:
    """Return the backup of the host. ``previous`` is the text of the last backup, or empty."""
    if passphrase:
        check_passphrase(passphrase)
    last = parse_backup(previous, MOVE_AWAY) if previous.strip() else None
    with ExitStack() as stack:
        if not check_mode:
            # A rotation, or a token that is refreshed, waits: seed and ciphertexts are to belong together.
            stack.enter_context(store_lock(layout))
            upgrade_store(layout)
        found = _read_objects(layout)
        ring = _read_ring(layout, bool(passphrase) and any(found))
    if last is not None and ring is not None:
        check_code(last, ring, MOVE_AWAY)
    unreadable = list_unreadable(layout, found, ring) if ring is not None else ""
    backup = replace(_add_seed(found, ring, passphrase, last or Backup()), hosts=_list_hosts(layout)).add_code(ring)
    _refuse_empty(backup, last)
    before = last.build_view() if last is not None else {}
    return Taken(backup.to_text(), before, backup.build_view(), _list_warnings(backup, ring, unreadable))


def _list_hosts(layout: Layout) -> List[Tuple[str, str]]:
    """Return the hosts whose owner marks a host may take over if the backup is restored there."""
    this = identify(layout)
    return [(this.id, this.name), *(former[:2] for former in this.former)] if this.id else []


def _read_objects(layout: Layout) -> Tuple[Dict[str, Stored], Dict[str, Stored]]:
    """Return the stored objects. Raise Damaged for a damaged file, because the last backup may contain its content."""
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
    """Return the backup with the seed. Keep the last wrapped seed if it is the same, because wrapping is not stable."""
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


def _refuse_empty(backup: Backup, last: Optional[Backup]) -> None:
    """Refuse to replace a backup with objects by an empty one: on a new host, the last backup is the only copy."""
    if last is None or backup.credentials or backup.tasks or not (last.credentials or last.tasks):
        return
    raise usage_error(
        "This host has no credentials and no tasks, but its last backup contains "
        f"{list_objects(list(last.credentials), list(last.tasks))}. The backup was not changed. Restore the host from "
        "it. If the host is meant to be empty, move the backup away."
    )


def _list_warnings(backup: Backup, ring: Optional[Seed], unreadable: str) -> List[str]:
    texts: List[str] = []
    if not backup.credentials and not backup.tasks:
        return texts
    if not backup.wrapped or (ring is not None and not set(ring.keys) <= set(backup.key_ids)):
        texts.append(WITHOUT_SEED)
    if unreadable:
        texts.append(f"The seed of this host cannot decrypt {unreadable}. The backup contains these objects unchanged.")
    return texts


def try_open(layout: Layout, ring: Seed, kind: str, stored: Mapping[str, Any]) -> Any:
    """Return the Credential or Task in the stored form, None if ``ring`` cannot decrypt it. Raise Edited."""
    try:
        return unseal(layout, ring, stored) if kind == CREDENTIAL else unseal_task(layout, ring, stored)
    except Edited:
        raise
    except CloudsyncError:
        return None


def list_unreadable(layout: Layout, found: Tuple[Mapping[str, Stored], Mapping[str, Stored]], ring: Seed) -> str:
    """Return the names of the credentials and of the tasks that ``ring`` cannot decrypt. Raise Edited."""
    credentials_found, tasks = found
    return list_objects(
        [name for name, each in credentials_found.items() if try_open(layout, ring, CREDENTIAL, each) is None],
        [name for name, each in tasks.items() if try_open(layout, ring, TASK, each) is None],
    )
