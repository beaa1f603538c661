# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Apply all credentials and tasks of one call to the host.

First everything is read, parsed and checked. An error ends the call before anything is written. ``before`` and
``after`` are dicts of the same shape. They are the diff, and ``changed`` is their difference.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..common.errors import Damaged, usage_error
from ..common.files import keep_damaged
from ..common.layout import DRILL, check_name
from ..common.text import list_objects, name_some
from ..config.credential_store import KIND as CREDENTIAL
from ..config.credential_store import (
    list_credentials,
    load_former,
    open_readable,
    read_credential,
    remove_credential,
    save_credential,
    store_lock,
)
from ..config.credentials import (
    Credential,
    build_diff_view,
    build_public_view,
    build_stored_view,
    declare,
    parse_credential,
)
from ..config.declaration import Outcome, Wanted, sort_originals_first
from ..config.seed import Seed, make_seed
from ..config.stored_tasks import build_stored_task_view, list_tasks, read_task
from ..config.task_parser import parse_task
from ..config.task_store import KIND as TASK
from ..config.task_store import (
    build_diff_task_view,
    build_public_task_view,
    load_former_task,
    remove_task,
    save_task,
    unseal_task,
)
from ..config.tasks import Task
from ..config.upgrade import upgrade_objects
from ..host import Host
from ..safekeeping.purged import describe_purge, keep_purged
from ..systemd.install import UnitChange, apply_units, plan_units, read_units
from ..systemd.unit_files import render_all_units
from . import validate
from .stop import finish_removal, read_removed


def converge(host: Host, wanted: Wanted, check_mode: bool) -> Outcome:
    """Make the host as ``wanted``. In check mode, only return what would change."""
    with ExitStack() as stack:
        if not check_mode:
            stack.enter_context(store_lock(host.layout))
        work = _Convergence(host, wanted, check_mode)
        work.read()
        outcome = work.build_outcome()
        if outcome.changed and not check_mode:
            work.write()
    if not check_mode:
        # After the lock of the store is released, because a run that ends may save a token.
        work.finish_removal()
    return outcome


class _Convergence:
    """One call: the existing objects, the declared ones, and the changes between them."""

    def __init__(self, host: Host, wanted: Wanted, check_mode: bool) -> None:
        self._host = host
        self._layout = host.layout
        self._check_mode = check_mode
        self._seed = self._find_seed(bool(wanted.credentials or wanted.tasks))
        self._wanted = wanted
        self._warnings: List[str] = []
        self._old_credentials: Dict[str, Optional[Credential]] = {}
        self._new_credentials: Dict[str, Credential] = {}
        self._stored_credentials: Dict[str, Optional[Credential]] = {}
        self._old_tasks: Dict[str, Optional[Task]] = {}
        self._new_tasks: Dict[str, Task] = {}
        self._unread_tasks: Dict[str, Dict[str, str]] = {}
        self._edited: List[str] = []
        self._gone_credentials: List[str] = []
        self._gone_tasks: List[str] = []
        self._removed: List[Task] = []
        self._purged: Tuple[List[str], List[str]] = ([], [])

    def _find_seed(self, needed: bool) -> Optional[Seed]:
        """Return the seed. In check mode on a new host, return a temporary one: there is nothing to decrypt."""
        if not needed:
            return None
        empty = not list_credentials(self._layout) and not list_tasks(self._layout)
        if self._check_mode and empty and not self._host.has_seed:
            return make_seed()
        return self._host.seed if self._check_mode else upgrade_objects(self._layout, self._host.seed)

    def read(self) -> None:
        """Parse and check everything. Write nothing."""
        for declared in self._wanted.credentials:
            self._read_credential(declared)
        for declared in sort_originals_first(self._wanted.tasks):
            self._read_task(declared)
        self._gone_tasks = self._find_gone("task", self._wanted.absent_tasks, list_tasks(self._layout), self._new_tasks)
        self._gone_credentials = self._find_gone(
            "credential", self._wanted.absent_credentials, list_credentials(self._layout), self._new_credentials
        )
        self._check_uses()
        self._wanted.check_purge(list_objects(self._gone_credentials, self._gone_tasks))
        self._purged = self._wanted.select_purged(self._gone_credentials, self._gone_tasks)
        if any(self._purged):
            self._warn(describe_purge(*self._purged))
        self._check_new_providers()
        self._check_drills()
        validate.try_tasks(
            self._host, [task for name, task in self._new_tasks.items() if task != self._old_tasks[name]]
        )
        if self._new_tasks or self._new_credentials != self._old_credentials:
            places = (self._new_tasks, self._gone_tasks, self._find_credential, self._old_credentials)
            self._warn(*validate.vet_places(self._layout, *places))

    def _find_gone(self, kind: str, named: Sequence[str], present: List[str], new: Mapping[str, Any]) -> List[str]:
        for name in named:
            check_name(kind, name)
        return [name for name in present if name in named or (self._wanted.purge and name not in new)]

    def _read_credential(self, declared: Mapping[str, Any]) -> None:
        wanted = parse_credential(declared)
        if self._check_mode and not self._host.has_rclone:
            self._warn("rclone is not installed yet, so provider options were not checked.")
        else:
            self._warn(*validate.vet_credential(self._host, wanted))
        if wanted.name in self._new_credentials:
            raise usage_error(f"Credential {wanted.name} is declared twice. Declare it once. Nothing was changed.")
        before, edited = load_former(self._layout, self._require_seed(), wanted)
        if edited:
            self._replace_edited(CREDENTIAL, wanted.name, self._layout.credential(wanted.name))
        self._old_credentials[wanted.name] = None if edited else before
        self._new_credentials[wanted.name] = declare(before, wanted)

    def _replace_edited(self, kind: str, name: str, path: str) -> None:
        self._edited.append(path)
        self._warn(
            f"The file of {kind} {name} was edited, or cloudsync did not write it. It is replaced, and kept as "
            f"{path}.damaged-TIME."
        )

    def _warn(self, *texts: str) -> None:
        self._warnings += [text for text in texts if text not in self._warnings]

    def _require_seed(self) -> Seed:
        return self._seed if self._seed is not None else self._host.seed

    def _read_task(self, declared: Mapping[str, Any]) -> None:
        original = declared.get("reverse_of")
        if original and self._check_mode and not self._wanted.purge and self._find_task(original) is None:
            # In a real run, an earlier task of the play may declare it.
            self._warn(
                f"Task {declared.get('name')} has reverse_of {original!r}, but this task does not exist on this host. "
                "Declare it first, or the real run fails."
            )
            self._unread_tasks[check_name("task", declared.get("name") or "")] = {"reverse_of": original}
            return
        task = parse_task(declared, self._find_task)
        if task.name in self._new_tasks:
            raise usage_error(f"Task {task.name} is declared twice. Declare it once. Nothing was changed.")
        provider = self._find_provider(task)
        if provider:
            validate.vet_task(task, provider, validate.list_needed_providers(self._host, task, self._check_mode))
        self._old_tasks[task.name], edited = load_former_task(self._layout, self._require_seed(), task.name)
        if edited:
            self._replace_edited(TASK, task.name, self._layout.task(task.name))
        self._new_tasks[task.name] = task
        self._warn(*validate.list_doubts(self._host, task, provider))

    def _find_task(self, name: str) -> Optional[Task]:
        if name in self._new_tasks:
            return self._new_tasks[name]
        if name in self._wanted.absent_tasks or self._wanted.purge:
            return None
        stored = read_task(self._layout, name)
        return unseal_task(self._layout, self._require_seed(), stored) if stored else None

    def _find_provider(self, task: Task) -> str:
        """Return the provider of the task's credential. Raise a usage error if the credential does not exist."""
        credential = self._find_credential(task.credential)
        if credential is not None:
            return credential.provider
        known = sorted({*list_credentials(self._layout), *self._new_credentials})
        message = (
            f"Task {task.name} uses credential {task.credential}, which does not exist on this host. Existing "
            f"credentials: {', '.join(known) or 'none'}."
        )
        if not self._check_mode:
            raise usage_error(message)
        # In a real run, an earlier task of the play may declare it.
        self._warn(message + " Declare it first, or the real run fails.")
        return ""

    def _find_credential(self, name: str) -> Optional[Credential]:
        """Return the declared or the stored credential. Read a stored one once."""
        if name in self._new_credentials:
            return self._new_credentials[name]
        if name not in self._stored_credentials:
            stored = read_credential(self._layout, name)
            self._stored_credentials[name] = open_readable(self._layout, self._require_seed(), stored)
        return self._stored_credentials[name]

    def _check_uses(self) -> None:
        for name in self._gone_credentials:
            users = [task for task in self._list_task_names_afterwards() if self._find_credential_name(task) == name]
            if users:
                raise usage_error(
                    f"Credential {name} is used by {name_some('task', users)}. Remove the tasks, or change their "
                    "credential, before you remove it. Nothing was changed."
                )

    def _check_new_providers(self) -> None:
        """Refuse a new provider of a credential that one of its other tasks cannot use."""
        others = [name for name in self._list_task_names_afterwards() if name not in self._new_tasks]
        for name, credential in self._new_credentials.items():
            if validate.has_other_provider(self._old_credentials[name], credential):
                users = [task for task in map(self._find_task, others) if task is not None and task.credential == name]
                validate.vet_new_provider(self._host, users, credential, self._check_mode)

    def _check_drills(self) -> None:
        """Refuse a task that has the name of another task's drill."""
        names = self._list_task_names_afterwards()
        for name in names:
            original = name[len(DRILL) :]
            task = self._find_task(original) if name.startswith(DRILL) and original in names else None
            if task is not None and task.drill is not None:
                raise usage_error(f"Task {name} has the name of the drill of task {original}. Rename it, or the other.")

    def _list_task_names_afterwards(self) -> List[str]:
        return sorted({*list_tasks(self._layout), *self._new_tasks} - set(self._gone_tasks))

    def _find_credential_name(self, task: str) -> str:
        if task in self._new_tasks:
            return self._new_tasks[task].credential
        stored = read_task(self._layout, task)
        return str(stored["credential"]) if stored else ""

    def build_outcome(self) -> Outcome:
        """Return the diff and the new public views."""
        result = Outcome(warnings=self._warnings)
        before, after = result.before, result.after
        for name, credential in self._new_credentials.items():
            before["credentials"][name] = build_diff_view(self._old_credentials[name], None)
            after["credentials"][name] = build_diff_view(credential, self._old_credentials[name])
            result.credentials[name] = build_public_view(credential)
        for name, task in self._new_tasks.items():
            old, wanted = self._old_tasks[name], self._render_units(task)
            changes = {change.task: change for change in plan_units(self._layout, name, wanted)}
            before["tasks"][name] = build_diff_task_view(old, None)
            after["tasks"][name] = build_diff_task_view(task, old)
            for key, unit in (("units", name), ("drill_units", DRILL + name)):
                if unit in wanted or unit in changes:
                    if old is not None:
                        before["tasks"][name][key] = read_units(self._layout, unit)
                    after["tasks"][name][key] = wanted.get(unit, {"timer": None, "drop_in": None})
            result.tasks[name] = build_public_task_view(task)
        for name, known in self._unread_tasks.items():
            before["tasks"][name], after["tasks"][name], result.tasks[name] = {}, known, known
        for name in self._gone_credentials:
            before["credentials"][name] = build_stored_view(read_credential(self._layout, name) or {})
            after["credentials"][name] = {}
        for name in self._gone_tasks:
            before["tasks"][name] = build_stored_task_view(read_task(self._layout, name) or {})
            after["tasks"][name] = {}
        return result

    def write(self) -> None:
        """Write new and changed objects, then units, then remove objects, so that each task always has a credential."""
        for path in self._edited:
            keep_damaged(path)
        for name, credential in self._new_credentials.items():
            if credential != self._old_credentials[name]:
                save_credential(self._layout, self._require_seed(), credential)
        for name, task in self._new_tasks.items():
            if task != self._old_tasks[name]:
                save_task(self._layout, self._require_seed(), task)
        apply_units(self._layout, self._list_unit_changes())
        keep_purged(self._layout, *self._purged)
        for name in self._gone_tasks:
            self._removed += read_removed(self._host, name)
            remove_task(self._layout, name)
        for name in self._gone_credentials:
            remove_credential(self._layout, name)

    def finish_removal(self) -> None:
        """Stop the runs of the removed tasks, and close their alerts."""
        self._warn(*finish_removal(self._layout, self._gone_tasks, self._removed))

    def _list_unit_changes(self) -> List[UnitChange]:
        tasks = [*self._new_tasks.values(), *self._list_users_of_changed_credentials()]
        changes = [change for task in tasks for change in plan_units(self._layout, task.name, self._render_units(task))]
        for name in self._gone_tasks:
            changes += [UnitChange(name), *plan_units(self._layout, name, {})]
        return changes

    def _list_users_of_changed_credentials(self) -> Iterator[Task]:
        """Yield the other tasks of changed credentials. Their files may be on this host, and the tasks write there."""
        old = self._old_credentials
        changed = [name for name, new in self._new_credentials.items() if old[name] not in (None, new)]
        others = set(self._list_task_names_afterwards()) - set(self._new_tasks) if changed else ()
        for name in others:
            with suppress(Damaged):  # its runs fail, and name the file
                task = self._find_task(name)
                if task is not None and task.credential in changed:
                    yield task

    def _render_units(self, task: Task) -> Dict[str, Any]:
        credential = self._find_credential(task.credential)
        login = (credential.provider, credential.attributes) if credential else ()
        return render_all_units(self._layout, task, *login)
