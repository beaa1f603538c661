# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The live configuration: a credential in clear, in a 0600 file on tmpfs, only while one use of it lasts.

rclone writes a refreshed token into its configuration. It is saved back to the encrypted store while rclone runs,
when it ends, and, after a kill, by whoever comes next: the lock that says "in use" is inherited by rclone, so a
directory whose lock is free has no reader and no writer any more. Where a refresh token can be used only once, the
uses of a credential take turns; each then begins with the token that the last one left.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from ..common.accounts import find_account
from ..common.errors import CloudsyncError
from ..common.files import atomic_write, make_directory, read_text
from ..common.flock import Lock, try_lock, wait_lock
from ..common.layout import Layout
from ..config.credential_store import save_refreshed
from ..rclone.conf_file import parse, render

REMOTE = "remote"
CRYPT = "crypt"
CONFIG = "rclone.conf"
BASELINE = "baseline.conf"
LOCK = "lock"
Sections = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Content:
    """What rclone is to work with: its configuration; public ``files``, name to text, beside it; global flags."""

    sections: Sections
    files: Mapping[str, str] = field(default_factory=dict)
    arguments: Tuple[str, ...] = ()


class LiveConfig:
    """One use of a credential. ``path`` is for rclone's ``--config``; save_back() often, close() at the end.

    ``arguments`` go with every command.
    """

    def __init__(
        self,
        layout: Layout,
        saved: bool,
        directory: str,
        lock: Lock,
        turn: Optional[Lock],
        arguments: Tuple[str, ...],
    ) -> None:
        self.arguments = arguments
        self._layout = layout
        self._saved = saved
        self._lock = lock
        self._turn = turn
        self.directory = directory
        self._seen = _signature(self.path)

    @property
    def path(self) -> str:
        return self.directory + "/" + CONFIG

    @property
    def descriptors(self) -> Tuple[int, ...]:
        """To be inherited by rclone, which then counts as in use until it ends, even without its runner."""
        return tuple(lock.descriptor for lock in (self._lock, self._turn) if lock is not None)

    def save_back(self) -> bool:
        """Store what rclone refreshed since the last call, if anything; one stat when nothing changed."""
        now = _signature(self.path)
        if not self._saved or now is None or now == self._seen:
            return False
        saved = _store_refreshed(self._layout, self.directory)
        self._seen = now
        return saved

    def close(self) -> None:
        """Save back and remove. What can't be saved stays, for sweep_live()."""
        try:
            self.save_back()
            shutil.rmtree(self.directory)
        finally:
            self._lock.release()
            if self._turn is not None:
                self._turn.release()

    def __enter__(self) -> LiveConfig:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def open_live(
    layout: Layout,
    credential: str,
    saved: bool,
    use_id: str,
    build: Callable[[], Content],
    turn: Optional[Lock] = None,
    user: str = "root",
) -> LiveConfig:
    """The live configuration ``build()`` for ``use_id``, which names its directory; it owns ``turn`` from now on.

    ``credential`` names the one to save back to; with ``saved`` False it is in no store, and nothing is saved back.
    """
    parent = layout.run_dir + "/live"
    make_directory(layout.run_dir)
    make_directory(parent)
    directory = f"{parent}/{use_id}"
    with wait_lock(_mutex(layout)):
        lock = wait_lock(directory + "/" + LOCK)
    try:
        lock.write(credential if saved else "")
        content = build()
        text = render(content.sections).encode()
        atomic_write(directory + "/" + BASELINE, text)
        atomic_write(directory + "/" + CONFIG, text)
        for name, public in content.files.items():
            atomic_write(f"{directory}/{name}", public.encode(), 0o644)
        _give_to(user, directory)
        return LiveConfig(layout, saved, directory, lock, turn, content.arguments)
    except BaseException:
        shutil.rmtree(directory)
        lock.release()
        if turn is not None:
            turn.release()
        raise


def _mutex(layout: Layout) -> str:
    """Held while a directory is there, but not its lock, so that nobody sweeps it in between."""
    return layout.run_dir + "/locks/live.mutex"


def _give_to(user: str, directory: str) -> None:
    """rclone saves by renaming, so its user must own the directory; the way there stays closed to everybody."""
    if user == "root" or os.geteuid() != 0:
        return
    account = find_account(user)
    os.chown(directory + "/" + CONFIG, account.uid, account.gid)
    os.chown(directory, account.uid, account.gid)


def locate_turn(layout: Layout, credential: str) -> str:
    """The lock that the users of a credential with a single-use refresh token take turns on."""
    return f"{layout.run_dir}/locks/turns/{credential}"


def sweep_live(layout: Layout) -> List[str]:
    """Save back and remove what killed runs left.

    A refreshed token that can't be saved (the seed is missing, say) is the only copy there is: it stays where it is,
    on tmpfs, closed to everybody, and a sentence says so.
    """
    parent = layout.run_dir + "/live"
    problems = []
    for use_id in os.listdir(parent) if os.path.isdir(parent) else []:
        directory = f"{parent}/{use_id}"
        with wait_lock(_mutex(layout)):
            lock = try_lock(directory + "/" + LOCK)
        if lock is None:
            continue
        with lock:
            try:
                _store_refreshed(layout, directory)
                shutil.rmtree(directory)
            except (CloudsyncError, OSError) as error:
                problems.append(
                    f"The token that the killed run {use_id} refreshed is kept in {directory} until it can be saved. "
                    f"{error}"
                )
    return problems


def _store_refreshed(layout: Layout, directory: str) -> bool:
    credential = read_text(directory + "/" + LOCK)
    before, after = _remote_section(directory, BASELINE), _remote_section(directory, CONFIG)
    if not credential or before is None or after is None:
        return False
    refreshed = {key: value for key, value in after.items() if before.get(key) != value}
    if not refreshed:
        return False
    saved = save_refreshed(layout, credential, before, refreshed)
    atomic_write(directory + "/" + BASELINE, render({REMOTE: after}).encode())
    return saved


def _remote_section(directory: str, name: str) -> Optional[Dict[str, str]]:
    """rclone's save renames twice: between the two, the new text is in a file beside the configuration."""
    for candidate in [name] + (_half_saved(directory) if name == CONFIG else []):
        text = read_text(f"{directory}/{candidate}")
        section = parse(text).get(REMOTE) if text else None
        if section:
            return section
    return None


def _half_saved(directory: str) -> List[str]:
    names = [name for name in os.listdir(directory) if name.startswith(CONFIG) and name != CONFIG]
    return sorted(names, key=lambda name: os.stat(f"{directory}/{name}").st_mtime_ns, reverse=True)


def _signature(path: str) -> Optional[Tuple[int, int, int]]:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
