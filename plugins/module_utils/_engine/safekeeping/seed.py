# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Apply the states of the seed: present, rotated, restored. Each keeps the key of every stored secret."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Optional, Sequence

from ..common.errors import CloudsyncError, Damaged, usage_error
from ..common.files import keep_damaged
from ..common.layout import Layout
from ..common.text import list_objects
from ..config.credential_store import list_credentials, read_credential, save_credential, store_lock, unseal
from ..config.credentials import Credential
from ..config.seed import Seed, make_seed, read_seed, save_seed
from ..config.seed_binding import UNBOUND, check_can_bind
from ..config.seed_passphrase import check_passphrase, unwrap_seed, wrap_seed
from ..config.stored_tasks import list_onetimes, list_tasks, read_onetime, read_task
from ..config.task_store import save_onetime, save_task, unseal_task
from ..config.tasks import Task
from ..config.upgrade import upgrade_store
from ..systemd.install import apply_seed_drop_in, read_seed_drop_in
from ..systemd.unit_files import render_seed_drop_in
from .purged import plan_reencryption

PRESENT, ROTATED, RESTORED = "present", "rotated", "restored"


@dataclass(frozen=True)
class SeedChange:
    """A change of the seed. ``credentials``, ``tasks`` and ``onetimes`` (of one-time runs) are encrypted again.

    ``reencrypt_purged`` does the same for what a purge removed.
    """

    before: Optional[Seed]
    after: Seed
    drop_in: Optional[str] = None
    credentials: Sequence[Credential] = ()
    tasks: Sequence[Task] = ()
    onetimes: Sequence[Task] = ()
    reencrypt_purged: Optional[Callable[[Seed], None]] = None

    @property
    def changed(self) -> bool:
        return self.view_before() != self.view_after()

    def view_before(self) -> Dict[str, Any]:
        """Return the ids of the existing keys, never a key."""
        return {**build_seed_view(self.before), **_build_unit_view(self.drop_in)}

    def view_after(self) -> Dict[str, Any]:
        return {**build_seed_view(self.after), **_build_unit_view(render_seed_drop_in(self.after.bound))}


@dataclass(frozen=True)
class SeedOutcome:
    """``before`` and ``after`` contain the ids of the keys, never a key. ``wrapped`` is the requested backup."""

    before: Dict[str, Any]
    after: Dict[str, Any]
    seed: Dict[str, Any]
    reencrypted: Dict[str, int]
    wrapped: str = ""

    @property
    def changed(self) -> bool:
        return self.before != self.after


def converge_seed(
    layout: Layout,
    state: str,
    passphrase: str,
    wrapped: str,
    backup: bool,
    check_mode: bool,
    bound: Optional[str] = None,
) -> SeedOutcome:
    """Apply ``state`` to the seed. For RESTORED, ``wrapped`` is the text that ``backup`` returned.

    ``bound`` None keeps the binding of the seed. A new seed is not bound.
    """
    if backup:
        check_passphrase(passphrase)
    from_backup = unwrap_seed(wrapped, passphrase) if state == RESTORED else None
    with ExitStack() as stack:
        if not check_mode:
            # Before the seed is read, so that a seed that another process creates is not replaced.
            stack.enter_context(store_lock(layout))
            upgrade_store(layout)
        change = plan_seed(layout, state, bound, from_backup)
        if not check_mode:
            write_seed(layout, change)
    return SeedOutcome(
        before=change.view_before(),
        after=change.view_after(),
        seed=build_seed_view(change.after),
        reencrypted={"credentials": len(change.credentials), "tasks": len(change.tasks)},
        wrapped=wrap_seed(change.after, passphrase) if backup and not check_mode else "",
    )


def plan_seed(layout: Layout, state: str, bound: Optional[str], from_backup: Optional[Seed]) -> SeedChange:
    """Return the change that write_seed() makes. Raise an error if it is not possible. Write nothing."""
    before = _read_present(layout, damaged_is_none=state == RESTORED)
    if from_backup is not None:
        after = _merge_restored(before, from_backup)
    elif before is None:
        after = _make_first(layout)
    else:
        after = before.add_primary().drop_former_keys() if state == ROTATED else before
    after = replace(after, bound=bound or after.bound)
    if after.bound != UNBOUND and after != before:
        check_can_bind(after.bound)
    change = SeedChange(before, after, read_seed_drop_in(layout))
    if before is None or set(before.keys) <= set(after.keys):
        return change
    credentials = [unseal(layout, before, stored) for stored in _read_stored_credentials(layout)]
    tasks = [unseal_task(layout, before, stored) for stored in _read_stored_tasks(layout)]
    change = replace(change, credentials=credentials, tasks=tasks, onetimes=_read_onetimes(layout, before))
    return replace(change, reencrypt_purged=plan_reencryption(layout, before))


def _read_onetimes(layout: Layout, ring: Seed) -> List[Task]:
    """Return the tasks of one-time runs that can be decrypted. Others do not prevent a rotation."""
    found = []
    for name in list_onetimes(layout):
        with suppress(CloudsyncError):
            stored = read_onetime(layout, name)
            if stored is not None:
                found.append(unseal_task(layout, ring, stored))
    return found


def _read_present(layout: Layout, damaged_is_none: bool) -> Optional[Seed]:
    try:
        return read_seed(layout)
    except Damaged:
        if damaged_is_none:
            return None
        raise


def _make_first(layout: Layout) -> Seed:
    """Return a new seed. Raise an error if there are objects that a lost seed encrypted."""
    orphans = list_objects(list_credentials(layout), list_tasks(layout))
    if orphans:
        raise CloudsyncError(
            "undecryptable",
            f"The seed {layout.seed} is missing, but these objects are encrypted with it: {orphans}. A new seed cannot "
            "decrypt them. Restore the old seed with state=restored, or remove their files in "
            f"{layout.config_dir} first.",
        )
    return make_seed()


def _merge_restored(before: Optional[Seed], backup: Seed) -> Seed:
    """Return ``before`` with the keys of ``backup`` added, so that both seeds' ciphertexts can be decrypted."""
    if before is None:
        return backup
    for key_id, key in backup.keys.items():
        if before.keys.get(key_id, key) != key:
            raise usage_error(
                f"The backup and the seed of this host have different keys with the id {key_id}. Nothing was changed. "
                "Use the backup of this host. If the seed of this host is damaged, move it away, then restore it."
            )
    if set(backup.keys) <= set(before.keys):
        return before
    return replace(before, keys={**backup.keys, **before.keys})


def write_seed(layout: Layout, change: SeedChange) -> None:
    """Make the change of plan_seed(). The caller holds credential_store.store_lock() since before that call."""
    before, after, drop_in = change.before, change.after, render_seed_drop_in(change.after.bound)
    # The services must have access to the TPM before the seed needs it, and until it no longer does.
    if drop_in is not None:
        apply_seed_drop_in(layout, drop_in)
    if before is None:
        keep_damaged(layout.seed)
    elif not set(before.keys) <= set(after.keys):
        _reencrypt(layout, replace(after, keys={**before.keys, **after.keys}), change)
    if after != before:
        save_seed(layout, after)
    if drop_in is None:
        apply_seed_drop_in(layout, None)


def _reencrypt(layout: Layout, both: Seed, change: SeedChange) -> None:
    """Encrypt all objects again. Both rings are kept until then, so that a kill loses nothing."""
    save_seed(layout, both)
    for credential in change.credentials:
        save_credential(layout, both, credential)
    for task in change.tasks:
        save_task(layout, both, task)
    for task in change.onetimes:
        save_onetime(layout, both, task)
    if change.reencrypt_purged is not None:
        change.reencrypt_purged(both)


def _read_stored_credentials(layout: Layout) -> List[Dict[str, Any]]:
    found = [read_credential(layout, name) for name in list_credentials(layout)]
    return [stored for stored in found if stored is not None]


def _read_stored_tasks(layout: Layout) -> List[Dict[str, Any]]:
    found = [read_task(layout, name) for name in list_tasks(layout)]
    return [stored for stored in found if stored is not None]


def build_seed_view(seed: Optional[Seed]) -> Dict[str, Any]:
    """Return the public view: the ids of the keys and the binding. Empty without a seed."""
    if seed is None:
        return {}
    return {"primary": seed.primary, "key_ids": sorted(seed.keys), "bound": seed.bound}


def _build_unit_view(drop_in: Optional[str]) -> Dict[str, Any]:
    return {"unit": drop_in} if drop_in is not None else {}
