# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The states of the seed: present, rotated, restored. None of them ever leaves a secret without its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

from .credentials import (
    list_credentials,
    read_credential,
    save_credential,
    store_lock,
    unseal,
)
from .errors import CloudsyncError, usage_error
from .files import read_versioned
from .layout import Layout
from .seed import SCHEMA, Seed, load_seed, new_seed, parse_seed, save_seed
from .task_store import list_tasks, read_task, save_task, unseal_task
from .wrapping import unwrap_seed, wrap_seed


@dataclass(frozen=True)
class SeedOutcome:
    """``before`` and ``after`` tell the ids of the keys, never a key. ``wrapped`` is the backup, when asked for."""

    before: Dict[str, Any]
    after: Dict[str, Any]
    wrapped: str = ""

    @property
    def changed(self) -> bool:
        return self.before != self.after


def converge_seed(
    layout: Layout, state: str, passphrase: str, wrapped: str, backup: bool, check_mode: bool
) -> SeedOutcome:
    """Make the seed as ``state`` says. ``wrapped`` is what an earlier ``backup`` gave, for restored."""
    before = _present(layout)
    if state == "restored":
        after = _restored(before, unwrap_seed(wrapped, passphrase))
    elif state == "rotated" and before is not None:
        after = before.with_new_primary()
    else:
        after = before if before is not None else _first(layout)
    if not check_mode and after != before:
        _write(layout, after, rotate=state == "rotated" and before is not None)
        after = load_seed(layout)
    shown = after.only_primary() if state == "rotated" else after
    return SeedOutcome(_view(before), _view(shown), wrap_seed(after, passphrase) if backup and not check_mode else "")


def _present(layout: Layout) -> Optional[Seed]:
    content = read_versioned(layout.seed, SCHEMA)
    return parse_seed(content, layout.seed) if content is not None else None


def _first(layout: Layout) -> Seed:
    """A new seed, unless there are secrets that the lost one encrypted."""
    orphans = [*list_credentials(layout), *list_tasks(layout)]
    if orphans:
        raise CloudsyncError(
            "undecryptable",
            "The seed {0} is missing, but {1} were encrypted with it. A new seed could not read them: restore the old "
            "one with state=restored, or remove their files in {2} first.".format(
                layout.seed, ", ".join(sorted(set(orphans))), layout.config_dir
            ),
        )
    return new_seed()


def _restored(before: Optional[Seed], backup: Seed) -> Seed:
    """Keys are added, never taken away: what either seed encrypted stays readable."""
    if before is None:
        return backup
    for key_id, key in backup.keys.items():
        if before.keys.get(key_id, key) != key:
            raise usage_error("The seed of this host has another key with the id {0}.".format(key_id))
    if set(backup.keys) <= set(before.keys):
        return before
    return Seed({**backup.keys, **before.keys}, before.primary)


def _write(layout: Layout, seed: Seed, rotate: bool) -> None:
    with store_lock(layout):
        save_seed(layout, seed)
        if rotate:
            # The ring holds old and new keys until everything is re-encrypted, so being killed in between loses nothing.
            _reencrypt(layout, seed)
            save_seed(layout, seed.only_primary())


def _reencrypt(layout: Layout, seed: Seed) -> None:
    opened = [
        unseal(layout, seed, stored) for stored in _all(list_credentials(layout), lambda n: read_credential(layout, n))
    ]
    tasks = [unseal_task(layout, seed, stored) for stored in _all(list_tasks(layout), lambda n: read_task(layout, n))]
    for credential in opened:
        save_credential(layout, seed, credential)
    for task in tasks:
        save_task(layout, seed, task)


def _all(names: Sequence[str], read: Any) -> List[Dict[str, Any]]:
    return [stored for stored in map(read, names) if stored is not None]


def _view(seed: Optional[Seed]) -> Dict[str, Any]:
    return {"primary": seed.primary, "keys": sorted(seed.keys)} if seed is not None else {}
