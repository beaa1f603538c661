# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Make the archived objects of a task readable: count them, ask for them, and wait for them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Callable, List, NamedTuple, Sequence

from ..common.errors import CloudsyncError
from ..common.stop_signal import StopFlag
from ..common.text import format_count
from ..config.credential_store import load_credential
from ..config.task_store import load_task
from ..host import Host
from ..rclone.providers.flags import build_path_patterns
from ..remote.open import open_task_session
from ..restores.thaw import Archived, ask, check_thaw, list_archived
from ..runs.log import hide_secrets
from ..runs.records import make_run_id

POLL_SECONDS = 60.0
Say = Callable[[str], None]


class Thaw(NamedTuple):
    """The archived objects. ``asked`` are those that the provider restores already, ``new`` the others.

    Before it is asked, Azure does not tell which of them it restores already.
    """

    asked: List[Archived]
    new: List[Archived]


class Wish(NamedTuple):
    """Which files of ``task`` to restore (all without ``paths``), how fast (``tier``), and for how many ``days``."""

    task: str
    paths: Sequence[str] = ()
    tier: str = "standard"
    days: int = 7


def thaw(host: Host, wish: Wish, dry_run: bool, stop: StopFlag, tell: Callable[[Thaw], None]) -> Thaw:
    """Ask the provider for the archived objects of a task, after ``tell`` has got them. A dry run asks for nothing."""
    task = load_task(host.layout, host.seed, wish.task)
    if wish.paths:
        task = replace(task, include=tuple(build_path_patterns(wish.paths)))
    credential = load_credential(host.layout, host.seed, task.credential)
    check_thaw(credential.provider, wish.tier, wish.days)
    try:
        session = open_task_session(host, task, credential, make_run_id(), stop, lambda _text: None)
        with session.live:
            objects = list_archived(session, task, credential.provider, bool(wish.paths))
            found = Thaw([each for each in objects if each.asked], [each for each in objects if not each.asked])
            tell(found)
            if found.new and not dry_run:
                already = ask(session, task, credential.provider, found.new, wish.tier, wish.days)
                found = Thaw(found.asked + already, sorted(set(found.new) - set(already)))
            return found
    except CloudsyncError as error:
        hide_secrets(error, credential, task.encryption)
        raise


def wait_until_readable(host: Host, wish: Wish, stop: StopFlag, say: Say, poll: float = POLL_SECONDS) -> None:
    """Wait until no object of the wish is archived any more. Raise an error if a stop is requested."""
    while True:
        found = thaw(host, wish, True, stop, lambda _found: None)
        left = len(found.asked) + len(found.new)
        if not left:
            return
        say(f"{format_count(left, 'file')} cannot be read yet")
        deadline = time.monotonic() + poll
        while time.monotonic() < deadline:
            if stop.requested:
                raise CloudsyncError("stopped", "Stopped while waiting. The provider continues the restore.")
            time.sleep(0.2)
