# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run a child process as another user, and end it together with the runner."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
from dataclasses import dataclass
from typing import Callable, Optional, Tuple

from .errors import CloudsyncError, usage_error

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Account:
    """A user of this host. ``groups`` are all group ids, the primary one included."""

    name: str
    uid: int
    gid: int
    home: str
    groups: Tuple[int, ...]


def find_own_account() -> Account:
    """Return the account of this process, which need not be in the password database."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, os.getegid(), "/", tuple(os.getgroups()))
    return Account(entry.pw_name, uid, os.getegid(), entry.pw_dir, tuple(os.getgroups()))


def find_account(user: Optional[str]) -> Account:
    """Return the account that a child process for ``user`` runs as.

    None and ``root`` mean the runner's own account, so that a task with the default user also runs where cloudsync
    was started without root. Another user needs root. Raise a usage error if cloudsync does not run as root.
    """
    own = find_own_account()
    if user is None or user in ("root", own.name):
        return own
    try:
        entry = pwd.getpwnam(user)
    except (KeyError, ValueError):
        raise usage_error(
            f"User {user!r} does not exist on this host. Create the user, or change the task's user."
        ) from None
    if own.uid not in (0, entry.pw_uid):
        raise usage_error(
            f"The task's user is {user}, but cloudsync runs as {own.name}. Run cloudsync as root, or change the user."
        )
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, groups)


def make_drop(user: Optional[str]) -> Callable[[], None]:
    """Return a ``preexec_fn`` that makes the child run as ``user``. Raise the errors of find_account()."""
    account = find_account(user)
    own_uid = os.geteuid()

    def drop() -> None:
        if account.uid == own_uid:
            return
        os.setgroups(account.groups)
        os.setgid(account.gid)
        os.setuid(account.uid)

    return drop


def make_child_setup(user: Optional[str], death_signal: int = signal.SIGKILL) -> Callable[[], None]:
    """Return a ``preexec_fn`` for Popen: run as ``user``, and get ``death_signal`` when the runner dies.

    The signal is sent when the thread that forked ends, so start the child from a thread that outlives it.
    Everything that may lock or allocate memory is done here, before the fork.
    """
    drop = make_drop(user)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    runner = os.getpid()

    def setup() -> None:
        drop()
        # After the change of user, which clears the death signal.
        if prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0 or os.getppid() != runner:
            os.kill(os.getpid(), signal.SIGKILL)

    return setup


def build_start_error(user: Optional[str]) -> CloudsyncError:
    """Return the error for a failed function of make_child_setup(), which Popen reports as a SubprocessError."""
    return CloudsyncError(
        "other",
        f"Cannot change to user {find_account(user).name}. Allow the capabilities CAP_SETUID and CAP_SETGID in the "
        "unit or container that cloudsync runs in.",
    )
