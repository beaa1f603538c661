# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The states of the seed: present, rotated, restored. None of them ever leaves a secret without its key."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Dict, List, Optional

from .credentials import list_credentials, read_credential, save_credential, store_lock, unseal
from .errors import CloudsyncError, usage_error
from .files import Damaged, read_versioned
from .layout import Layout
from .seed import SCHEMA, Seed, new_seed, parse_seed, save_seed
from .task_store import list_tasks, read_task, save_task, unseal_task
from .wrapping import check_passphrase, unwrap_seed, wrap_seed


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
    if backup:
        check_passphrase(passphrase)
    with ExitStack() as stack:
        if not check_mode:
            # From the first look on, or a seed that is made meanwhile would be replaced.
            stack.enter_context(store_lock(layout))
        before = _present(layout, damaged_is_none=state == "restored")
        if state == "restored":
            after = _restored(before, unwrap_seed(wrapped, passphrase))
        elif before is None:
            after = _first(layout)
        else:
            after = before.with_new_primary().only_primary() if state == "rotated" else before
        if not check_mode and after != before:
            _write(layout, before, after)
    return SeedOutcome(_view(before), _view(after), wrap_seed(after, passphrase) if backup and not check_mode else "")


def _present(layout: Layout, damaged_is_none: bool) -> Optional[Seed]:
    try:
        content = read_versioned(layout.seed, SCHEMA)
        return parse_seed(content, layout.seed) if content is not None else None
    except Damaged:
        if damaged_is_none:
            return None
        raise


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


def _write(layout: Layout, before: Optional[Seed], after: Seed) -> None:
    if before is None:
        _set_damaged_aside(layout)
    elif not set(before.keys) <= set(after.keys):
        _reencrypt(layout, before, after)
    save_seed(layout, after)


def _set_damaged_aside(layout: Layout) -> None:
    """Somebody may still be able to read a key in it."""
    if os.path.lexists(layout.seed):
        os.rename(layout.seed, "{0}.damaged-{1}".format(layout.seed, int(time.time())))


def _reencrypt(layout: Layout, before: Seed, after: Seed) -> None:
    """Both rings stay until everything is encrypted anew, so that being killed in between loses nothing."""
    both = Seed({**before.keys, **after.keys}, after.primary)
    credentials = [unseal(layout, both, stored) for stored in _stored_credentials(layout)]
    tasks = [unseal_task(layout, both, stored) for stored in _stored_tasks(layout)]
    save_seed(layout, both)
    for credential in credentials:
        save_credential(layout, both, credential)
    for task in tasks:
        save_task(layout, both, task)


def _stored_credentials(layout: Layout) -> List[Dict[str, Any]]:
    found = [read_credential(layout, name) for name in list_credentials(layout)]
    return [stored for stored in found if stored is not None]


def _stored_tasks(layout: Layout) -> List[Dict[str, Any]]:
    found = [read_task(layout, name) for name in list_tasks(layout)]
    return [stored for stored in found if stored is not None]


def _view(seed: Optional[Seed]) -> Dict[str, Any]:
    return {"primary": seed.primary, "key_ids": sorted(seed.keys)} if seed is not None else {}
