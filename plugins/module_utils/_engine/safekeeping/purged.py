# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Keep what a purge removed for 30 days, and bring it back.

Each purge writes one file, a backup that only the seed of this host opens. A rotation of the seed encrypts it again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, List, Optional, Sequence, Tuple

from ..common.errors import CloudsyncError, Damaged, Edited, usage_error
from ..common.files import atomic_write, make_directory, read_text, remove
from ..common.layout import Layout
from ..common.text import list_objects, list_some
from ..config.credential_store import read_credential, seal
from ..config.credentials import Credential
from ..config.seed import Seed, read_seed
from ..config.stored_tasks import read_task
from ..config.task_store import seal_task
from ..config.upgrade import upgrade_store
from .backup import CREDENTIAL, TASK, Backup, check_code, parse_backup, try_open

DAYS = 30
NAME_FORMAT = "%Y%m%dT%H%M%SZ-%f"
ENDING = ".json"


def describe_purge(credentials: Sequence[str], tasks: Sequence[str]) -> str:
    """Return a sentence about the removal of these objects, for the user."""
    return (
        f"purge removes {list_objects(credentials, tasks)}. The host keeps what it removes, encrypted, for {DAYS} "
        "days. To bring it back, run on the host: cloudsync unpurge"
    )


def keep_purged(layout: Layout, credentials: Sequence[str], tasks: Sequence[str]) -> None:
    """Keep the stored objects of these names before they are removed.

    The caller holds credential_store.store_lock().
    """
    if not credentials and not tasks:
        return
    upgrade_store(layout)
    ring: Optional[Seed] = None
    with suppress(Damaged):
        ring = read_seed(layout)
    kept = Backup(
        {name: read_credential(layout, name) or {} for name in credentials},
        {name: read_task(layout, name) or {} for name in tasks},
    ).add_code(ring)
    name = datetime.now(timezone.utc).strftime(NAME_FORMAT)
    make_directory(layout.purged_dir)
    atomic_write(_locate(layout, name), kept.to_text().encode())
    remove_expired(layout)


def read_purged(layout: Layout, name: str) -> Tuple[str, str]:
    """Return the name and the backup of the purge ``name``, or of the last one."""
    names = list_purges(layout)
    if not names or (name and name not in names):
        known = f"Existing purges: {list_some(names)}." if names else f"Removed objects are kept for {DAYS} days."
        raise usage_error(f"This host keeps nothing of {f'purge {name}' if name else 'a purge'}. {known}")
    chosen = name or names[-1]
    return chosen, read_text(_locate(layout, chosen)) or ""


def list_purges(layout: Layout) -> List[str]:
    """Return the names of the purges whose objects are kept, oldest first."""
    with suppress(FileNotFoundError, NotADirectoryError):
        found = [entry[: -len(ENDING)] for entry in os.listdir(layout.purged_dir) if entry.endswith(ENDING)]
        return sorted(name for name in found if _parse_time(name) is not None)
    return []


def remove_expired(layout: Layout) -> None:
    """Remove what was purged more than DAYS ago. A file with another name is not the collection's."""
    oldest = datetime.now(timezone.utc) - timedelta(days=DAYS)
    for name in list_purges(layout):
        began = _parse_time(name)
        if began is not None and began < oldest:
            remove(_locate(layout, name))


def _parse_time(name: str) -> Optional[datetime]:
    try:
        return datetime.strptime(name, NAME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _locate(layout: Layout, name: str) -> str:
    return f"{layout.purged_dir}/{name}{ENDING}"


def plan_reencryption(layout: Layout, ring: Seed) -> Callable[[Seed], None]:
    """Open all kept objects with ``ring``. Return a function that encrypts them with another ring.

    A file that ``ring`` does not authenticate is not changed, because nothing could restore it.
    """
    opened: List[Tuple[str, Backup]] = []
    for name in list_purges(layout):
        with suppress(CloudsyncError):
            backup = parse_backup(read_text(_locate(layout, name)) or "")
            if check_code(backup, ring):
                opened.append((name, backup))

    def encrypt(new: Seed) -> None:
        for name, backup in opened:
            credentials = {key: _reseal(layout, new, CREDENTIAL, each) for key, each in backup.credentials.items()}
            tasks = {key: _reseal(layout, new, TASK, each) for key, each in backup.tasks.items()}
            text = Backup(credentials, tasks).add_code(new).to_text()
            atomic_write(_locate(layout, name), text.encode())

    return encrypt


def _reseal(layout: Layout, ring: Seed, kind: str, stored: Any) -> Any:
    """Return the stored form, encrypted by the primary key. Return it unchanged if ``ring`` cannot decrypt it."""
    try:
        value = try_open(layout, ring, kind, stored)
    except Edited:
        return stored
    if value is None:
        return stored
    return seal(layout, ring, value) if isinstance(value, Credential) else seal_task(layout, ring, value)
