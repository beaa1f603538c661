# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Restore a backup on the same or another host: the seed, the credentials, the tasks, then their units.

A restore loses nothing. Keys are added to the host's seed. Existing objects are kept, or replaced by objects that can
be decrypted. An object of the backup that cannot be decrypted is restored, too, and reported.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..common.crypto import load_aes_gcm
from ..common.errors import CloudsyncError, Damaged, Edited, usage_error
from ..common.files import keep_damaged, make_directory, write_json
from ..common.layout import Layout
from ..common.text import format_now, list_objects
from ..config.credential_store import read_credential, seal, store_lock
from ..config.credentials import Credential, declare
from ..config.seed import Seed, read_seed
from ..config.seed_passphrase import unwrap_seed
from ..config.stored_tasks import read_task
from ..config.tasks import Task
from ..host import FormerHost, identify, save_former
from ..systemd.install import UnitChange, apply_units, plan_units, read_units
from ..systemd.unit_files import render_all_units
from .backup import (
    CREDENTIAL,
    SCHEMA,
    TASK,
    USE_ANOTHER,
    Backup,
    Stored,
    build_damaged_error,
    build_object_view,
    check_code,
    parse_backup,
    try_open,
)
from .seed import RESTORED, SeedChange, build_seed_view, plan_seed, write_seed

KEEP, REPLACE = "keep", "replace"
NOT_AUTHENTICATED = (
    "No seed can authenticate the backup as a whole, so credentials or tasks may be missing in it. Each object is "
    "authenticated when it is used."
)
NO_SEED = Seed({}, "")
NO_CREDENTIAL: Stored = {"provider": "", "attributes": {}}


@dataclass
class Names:
    """Names of credentials and tasks."""

    credentials: List[str] = field(default_factory=list)
    tasks: List[str] = field(default_factory=list)

    def add(self, kind: str, name: str) -> None:
        (self.credentials if kind == CREDENTIAL else self.tasks).append(name)

    def count(self) -> int:
        return len(self.credentials) + len(self.tasks)

    def to_dict(self) -> Dict[str, List[str]]:
        return {"credentials": sorted(self.credentials), "tasks": sorted(self.tasks)}

    def __str__(self) -> str:
        return list_objects(self.credentials, self.tasks)


@dataclass
class Restoration:
    """The result. ``restored`` was written, ``kept`` differs from the backup, ``unreadable`` cannot be decrypted."""

    before: Dict[str, Any] = field(default_factory=lambda: {"seed": {}, "credentials": {}, "tasks": {}})
    after: Dict[str, Any] = field(default_factory=lambda: {"seed": {}, "credentials": {}, "tasks": {}})
    seed: Dict[str, Any] = field(default_factory=dict)
    restored: Names = field(default_factory=Names)
    kept: Names = field(default_factory=Names)
    unreadable: Names = field(default_factory=Names)
    warnings: List[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.before != self.after


def restore_backup(
    layout: Layout, text: str, passphrase: str, existing: str, bound: Optional[str], check_mode: bool
) -> Restoration:
    """Restore the backup ``text``. ``existing`` is KEEP or REPLACE, for objects that differ from the backup.

    Without ``passphrase``, the host's seed is not changed. ``bound`` is that of converge_seed().
    """
    backup = parse_backup(text)
    work = _Work(layout, backup, existing)
    ring = work.open_ring(passphrase, check_mode)
    with ExitStack() as stack:
        if not check_mode:
            stack.enter_context(store_lock(layout))
        work.plan(ring, bound)
        if work.outcome.changed and not check_mode:
            work.write()
    work.add_warnings()
    return work.outcome


@dataclass(frozen=True)
class _Write:
    """One file to write. ``keep_former``: the existing file cannot be read, so keep it under another name."""

    kind: str
    name: str
    stored: Stored
    keep_former: bool


class _Work:
    """One call: everything is read first, then written in an order that allows a retry after a kill."""

    def __init__(self, layout: Layout, backup: Backup, existing: str) -> None:
        self.outcome = Restoration()
        self._layout = layout
        self._backup = backup
        self._existing = existing
        self._ring = NO_SEED
        self._can_tell = True
        self._authentic = True
        self._seed_change: Optional[SeedChange] = None
        self._writes: List[_Write] = []
        self._units: List[UnitChange] = []
        self._former: List[FormerHost] = []

    def open_ring(self, passphrase: str, check_mode: bool) -> Optional[Seed]:
        """Return the seed in the backup, None if the backup contains no seed or no passphrase is set."""
        if not passphrase or not self._backup.wrapped:
            return None
        if check_mode:
            try:
                load_aes_gcm(bytes(32))
            except CloudsyncError as error:
                # In a real run, the role runner may install the library first.
                self._can_tell = False
                self.outcome.warnings.append("The seed in the backup was not checked. " + error.message)
                return None
        return unwrap_seed(self._backup.wrapped, passphrase)

    def plan(self, ring: Optional[Seed], bound: Optional[str]) -> None:
        """Read the host and decide what to write. Write nothing."""
        before, after = self.outcome.before, self.outcome.after
        if ring is not None:
            self._seed_change = plan_seed(self._layout, RESTORED, bound, ring)
            before["seed"], after["seed"] = self._seed_change.view_before(), self._seed_change.view_after()
            self._ring = self._seed_change.after
        else:
            self._ring = self._read_own_ring()
            before["seed"] = after["seed"] = build_seed_view(self._ring) if self._ring.keys else {}
        self.outcome.seed = build_seed_view(self._ring) if self._ring.keys else {}
        self._check_backup()
        self._plan_former()
        for name, stored in sorted(self._backup.credentials.items()):
            self._plan_object(CREDENTIAL, name, stored)
        for name, stored in sorted(self._backup.tasks.items()):
            final = self._plan_object(TASK, name, stored)
            self._plan_units(name, final)

    def _check_backup(self) -> None:
        """Raise an error if the backup was edited, as far as the seed can tell."""
        if self._backup.schema < SCHEMA:
            raise usage_error(
                "An older version of cloudsync wrote the backup without an authentication code, so it may have been "
                "edited. Nothing was changed. Restore it with that version of the collection, then upgrade."
            )
        self._authentic = check_code(self._backup, self._ring)

    def _plan_former(self) -> None:
        """Plan to replace the hosts of the backup. Nobody but the seed's owner may say which ones these are."""
        this = identify(self._layout)
        known = {(this.id, this.name), *(former[:2] for former in this.former)}
        new = [FormerHost(*host, format_now()) for host in self._backup.hosts if tuple(host) not in known]
        if new and self._authentic:
            self._former = [*this.former, *new]
            self.outcome.before["replaced_hosts"] = [former.name for former in this.former]
            self.outcome.after["replaced_hosts"] = [former.name for former in self._former]

    def _read_own_ring(self) -> Seed:
        try:
            return read_seed(self._layout) or NO_SEED
        except Damaged as error:
            self.outcome.warnings.append(error.message)
            return NO_SEED

    def _plan_object(self, kind: str, name: str, theirs: Stored) -> Any:
        """Decide about one object. Return the resulting Credential or Task, None if it cannot be decrypted."""
        ours, damaged = self._read_on_host(kind, name)
        if damaged and self._existing == KEEP:
            self.outcome.kept.add(kind, name)
            return None
        final = self._decide(kind, name, ours, theirs)
        if final is not ours:
            lost = damaged or (ours is not None and self._open_own(kind, ours) is None)
            self._writes.append(_Write(kind, name, final, keep_former=lost))
            self.outcome.restored.add(kind, name)
        group = _name_group(kind)
        self.outcome.before[group][name] = build_object_view(kind, ours) if ours is not None else {}
        self.outcome.after[group][name] = build_object_view(kind, final)
        opened = self._open_own(kind, final) if final is ours else self._open(kind, final)
        if opened is None and self._can_tell:
            self.outcome.unreadable.add(kind, name)
        return opened

    def _decide(self, kind: str, name: str, ours: Optional[Stored], theirs: Stored) -> Stored:
        """Return the stored form to have on the host: ``ours``, ``theirs``, or theirs with the tokens of ours."""
        other = self._open(kind, theirs)
        if ours is None:
            return theirs
        mine = self._open_own(kind, ours)
        if ours == theirs or _is_same(mine, other):
            return ours
        if self._existing == KEEP or other is None:
            self.outcome.kept.add(kind, name)
            return ours
        merged = _merge(mine, other) if mine is not None else other
        if merged == other:
            return theirs
        return seal(self._layout, self._ring, merged)

    def _open(self, kind: str, theirs: Stored) -> Any:
        """Return the decrypted object of the backup, None without its key. Raise an error if it was edited."""
        try:
            return try_open(self._layout, replace(self._ring, has_codes=True), kind, theirs)
        except Edited:
            raise build_damaged_error(USE_ANOTHER) from None

    def _open_own(self, kind: str, ours: Stored) -> Any:
        try:
            return try_open(self._layout, self._ring, kind, ours)
        except Edited:
            return None

    def _read_on_host(self, kind: str, name: str) -> Tuple[Optional[Stored], bool]:
        """Return the stored form, and whether its file is damaged."""
        try:
            return (read_credential if kind == CREDENTIAL else read_task)(self._layout, name), False
        except Damaged:
            return None, True

    def _plan_units(self, name: str, task: Optional[Task]) -> None:
        """Plan timers and drop-ins, the same as in host_config."""
        if task is None:
            return
        written = [each.stored for each in self._writes if (each.kind, each.name) == (CREDENTIAL, task.credential)]
        credential = written[0] if written else self._read_on_host(CREDENTIAL, task.credential)[0] or NO_CREDENTIAL
        wanted = render_all_units(self._layout, task, credential["provider"], credential["attributes"])
        changes = plan_units(self._layout, name, wanted)
        for unit in {*wanted, *(change.task for change in changes)}:
            key = "units" if unit == name else "drill_units"
            self.outcome.before["tasks"][name][key] = read_units(self._layout, unit)
            self.outcome.after["tasks"][name][key] = wanted.get(unit, {"timer": None, "drop_in": None})
        self._units += changes

    def write(self) -> None:
        """Write the keys first, then the objects. Another call completes a restore that was killed."""
        if self._seed_change is not None:
            write_seed(self._layout, self._seed_change)
        for each in self._writes:
            self._write_object(each)
        if self._former:
            save_former(self._layout, self._former)
        apply_units(self._layout, self._units)

    def _write_object(self, each: _Write) -> None:
        layout = self._layout
        credential = each.kind == CREDENTIAL
        path = layout.credential(each.name) if credential else layout.task(each.name)
        make_directory(layout.config_dir)
        make_directory(layout.credentials_dir if credential else layout.tasks_dir)
        if each.keep_former:
            keep_damaged(path)
        write_json(path, each.stored)

    def add_warnings(self) -> None:
        """Add warnings about objects that were kept or cannot be decrypted."""
        if str(self.outcome.kept):
            self.outcome.warnings.append(
                f"These objects differ from the backup and were not changed: {self.outcome.kept}. To replace them by "
                "the objects of the backup that can be decrypted, restore with existing=replace."
            )
        if str(self.outcome.unreadable):
            self.outcome.warnings.append(
                f"The seed of this host cannot decrypt these objects: {self.outcome.unreadable}. Nothing was deleted. "
                "A task that cannot be decrypted has no timer. Restore a backup that contains their seed, with its "
                "passphrase."
            )
        objects = len(self._backup.credentials) + len(self._backup.tasks)
        if not self._authentic and self._can_tell and self.outcome.unreadable.count() < objects:
            self.outcome.warnings.append(NOT_AUTHENTICATED)


def _name_group(kind: str) -> str:
    return "credentials" if kind == CREDENTIAL else "tasks"


def _is_same(ours: Any, theirs: Any) -> bool:
    """Return whether both declare the same. Refreshed tokens are ignored: those of the host are newer."""
    if ours is None or theirs is None:
        return False
    if isinstance(ours, Credential):
        return bool(replace(ours, refreshed={}) == replace(theirs, refreshed={}))
    return bool(ours == theirs)


def _merge(ours: Any, theirs: Any) -> Any:
    """Return ``theirs`` with the refreshed tokens of the host that still belong to its login."""
    if not isinstance(ours, Credential):
        return theirs
    kept: Mapping[str, str] = declare(ours, theirs).refreshed
    return replace(theirs, refreshed={**theirs.refreshed, **kept})
