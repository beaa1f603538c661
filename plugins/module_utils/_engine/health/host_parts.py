# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Check what a run reads and writes on this host: the seed, credentials, tasks, rclone and its directories."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from typing import Callable, Collection, Dict, Iterator, List, Mapping, Optional, Sequence, TypeVar

from ..common.errors import CloudsyncError
from ..common.layout import Layout
from ..common.text import name_some
from ..config.credential_store import list_credentials, load_credential
from ..config.credentials import Credential
from ..config.stored_tasks import list_tasks
from ..config.task_store import load_task
from ..config.tasks import Task, build_drill
from ..host import Host
from .problem import Problem, attempt

T = TypeVar("T")
TEST_BYTES = 4096


def load_tasks(host: Host, problems: List[Problem], omit: Collection[str] = ()) -> Dict[str, Task]:
    """Return the stored tasks but ``omit``, and their drills, by name. Add a problem for each that cannot be read."""
    found: Dict[str, Task] = {}
    names: List[str] = attempt(problems, "task", "", lambda: list_tasks(host.layout), [])
    for name in names:
        if name not in omit:
            loaded = _read_stored(problems, "task", name, host.layout.task(name), partial(_load_task, host, name))
            found.update({name: loaded} if loaded is not None else {})
            if loaded is not None and loaded.drill is not None:
                drill = build_drill(host.layout, loaded)
                found[drill.name] = drill
    return found


def _load_task(host: Host, name: str) -> Task:
    return load_task(host.layout, host.seed, name)


def _read_stored(problems: List[Problem], kind: str, task: str, path: str, read: Callable[[], T]) -> Optional[T]:
    """Return ``read()``, which reads ``path``. If it fails, add a problem that names the file, and return None."""
    failed: List[Problem] = []
    found = attempt(failed, kind, task, read, None)
    problems += [problem._replace(message=_name_file(path, problem.message)) for problem in failed]
    return found


def _name_file(path: str, text: str) -> str:
    return text if path in text else f"{path}: {text}"


def check_seed(host: Host) -> List[Problem]:
    """Check that the seed can be read if something is encrypted with it."""
    found: List[Problem] = []
    if host.has_seed or os.path.lexists(host.layout.tasks_dir) or os.path.lexists(host.layout.credentials_dir):
        _read_stored(found, "seed", "", host.layout.seed, lambda: host.seed)
    return found


def check_credentials(host: Host, tasks: Mapping[str, Task]) -> List[Problem]:
    """Check that each credential that is stored or used can be read."""
    users: Dict[str, List[str]] = {name: [] for name in list_credentials(host.layout)}
    for task in tasks.values():
        users.setdefault(task.credential, []).append(task.name)
    found: List[Problem] = []
    for name, tasks_of in sorted(users.items()):
        failed: List[Problem] = []
        path = f"{host.layout.credentials_dir}/{name}.json"
        _read_stored(failed, "credential", "", path, partial(_load_credential, host, name))
        effect = f" Runs of {name_some('task', sorted(tasks_of))} fail." if tasks_of else ""
        found += [problem._replace(message=problem.message + effect) for problem in failed]
    return found


def _load_credential(host: Host, name: str) -> Credential:
    return load_credential(host.layout, host.seed, name)


def check_rclone(host: Host) -> Iterator[Problem]:
    """Check that this host has a usable rclone."""
    try:
        bool(host.rclone)
    except CloudsyncError as error:
        yield Problem("rclone", "", error.message)


def check_directories(layout: Layout, tasks: Sequence[str]) -> Iterator[Problem]:
    """Check that a run can write its records, its log, its locks and a refreshed token.

    A run creates directories that do not exist. A directory inside one that cannot be written is not checked.
    """
    shared = (layout.config_dir, layout.state_dir, layout.log_dir, layout.run_dir)
    own = [place(task) for task in tasks for place in (layout.task_state_dir, layout.task_log_dir)]
    runs = [layout.task_state_dir(task) + "/runs" for task in tasks]
    found: List[str] = []
    for path in (*shared, *own, *runs):
        why = "" if path.startswith(tuple(found)) else find_write_problem(path)
        if why:
            found.append(path + "/")
            yield Problem("directory", "", why)


def find_write_problem(path: str) -> str:
    """Return why no file can be written in the directory ``path``, "" if one can. A missing directory is no problem."""
    if not os.path.lexists(path):
        return ""
    if not os.path.isdir(path):
        kind = "a link to a directory that does not exist" if os.path.islink(path) else "not a directory"
        return f"{path} is {kind}, so nothing can be written there. Remove it, or restore the directory."
    try:
        # Data, because a full disk may still have room for an empty file.
        with tempfile.TemporaryFile(dir=path, buffering=0) as stream:
            stream.write(b"\0" * TEST_BYTES)
    except OSError as error:
        return f"Cannot write in {path}: {error.strerror}. Check the file system and its free space."
    return ""
