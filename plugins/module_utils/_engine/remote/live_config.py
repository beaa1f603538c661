# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Keep the live configuration: a decrypted credential in a 0600 file on tmpfs, for the time of one use.

rclone writes a refreshed token into its configuration. The token is saved back to the encrypted store while rclone
runs, when it ends, and after a kill by the next use. rclone inherits the lock of the directory, so a directory whose
lock is free has no reader and no writer. If a refresh token can be used only once, the uses of a credential take turns.
Each then begins with the token of the previous one.

Each use has a directory that belongs to root, with the lock and the baseline. In it is a directory that belongs to the
user of rclone. That user can put anything there at any moment. Root reads only the configuration from it, through
read_foreign_text(), and writes nothing into it after the user owns it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from ..common.accounts import find_account
from ..common.errors import CloudsyncError
from ..common.files import atomic_write, make_directory, read_foreign_text, read_text
from ..common.flock import Lock, try_lock, wait_lock
from ..common.layout import Layout
from ..config.credential_store import save_refreshed
from ..rclone.conf_file import parse, render
from ..rclone.providers.traits import list_state_options

REMOTE = "remote"
CRYPT = "crypt"
CONFIG = "rclone.conf"
BASELINE = "baseline.conf"
LOCK = "lock"
# The directory that belongs to the user of rclone, and the most bytes that root reads from a file in it.
USERS = "rclone"
MOST_BYTES = 1 << 20
Sections = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Content:
    """The input of rclone: its configuration, public ``files`` (name to text) in the same folder, global flags."""

    sections: Sections
    files: Mapping[str, str] = field(default_factory=dict)
    arguments: Tuple[str, ...] = ()


class LiveConfig:
    """One use of a credential. Call save_back() often, and close() at the end.

    ``path`` is for rclone's ``--config``. Every command needs ``arguments``.
    """

    def __init__(
        self,
        layout: Layout,
        saved: bool,
        use: str,
        lock: Lock,
        turn: Optional[Lock],
        arguments: Tuple[str, ...],
    ) -> None:
        self.arguments = arguments
        self._layout = layout
        self._saved = saved
        self._lock = lock
        self._turn = turn
        self._use = use
        self.directory = f"{use}/{USERS}"
        self._seen = _read_signature(self.path)

    @property
    def path(self) -> str:
        return self.directory + "/" + CONFIG

    @property
    def descriptors(self) -> Tuple[int, ...]:
        """The locks that rclone must inherit, so that the use lasts until rclone ends, even without its runner."""
        return tuple(lock.descriptor for lock in (self._lock, self._turn) if lock is not None)

    def save_back(self) -> bool:
        """Store what rclone refreshed since the last call. Return whether that was anything.

        Without a change, this costs one stat.
        """
        now = _read_signature(self.path)
        if not self._saved or now is None or now == self._seen:
            return False
        saved = _store_refreshed(self._layout, self._use)
        self._seen = now
        return saved

    def close(self) -> None:
        """Save back and remove. A configuration that cannot be saved is left for sweep_live()."""
        try:
            self.save_back()
            shutil.rmtree(self._use)
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
    """Write the live configuration ``build()`` into the directory ``use_id``. It owns ``turn`` from now on.

    Refreshed tokens are saved back to ``credential``. With ``saved`` False it is in no store, and nothing is saved.
    """
    parent = layout.run_dir + "/live"
    make_directory(layout.run_dir)
    make_directory(parent)
    directory = f"{parent}/{use_id}"
    with wait_lock(_locate_mutex(layout)):
        lock = wait_lock(directory + "/" + LOCK)
    try:
        lock.write(credential if saved else "")
        content = build()
        text = render(content.sections).encode()
        atomic_write(directory + "/" + BASELINE, text)
        users = f"{directory}/{USERS}"
        make_directory(users)
        atomic_write(users + "/" + CONFIG, text)
        for name, public in content.files.items():
            atomic_write(f"{users}/{name}", public.encode(), 0o644)
        _give_to(user, users)
        return LiveConfig(layout, saved, directory, lock, turn, content.arguments)
    except BaseException:
        shutil.rmtree(directory)
        lock.release()
        if turn is not None:
            turn.release()
        raise


def _locate_mutex(layout: Layout) -> str:
    """Return the mutex that is held while a directory has no lock yet, so that it is not swept meanwhile."""
    return layout.run_dir + "/locks/live.mutex"


def _give_to(user: str, directory: str) -> None:
    """Give the directory to ``user``, because rclone saves by renaming. Its parents stay closed to other users."""
    if user == "root" or os.geteuid() != 0:
        return
    account = find_account(user)
    os.chown(directory + "/" + CONFIG, account.uid, account.gid)
    os.chown(directory, account.uid, account.gid)


def locate_turn(layout: Layout, credential: str) -> str:
    """Return the lock on which the uses of a credential with a single-use refresh token take turns."""
    return f"{layout.run_dir}/locks/turns/{credential}"


def sweep_live(layout: Layout) -> List[str]:
    """Save back and remove the live configurations of killed runs. Return a sentence for each that stays.

    A refreshed token that cannot be saved, for example without the seed, exists nowhere else. It stays in its file on
    tmpfs, which only its user can read.
    """
    parent = layout.run_dir + "/live"
    problems = []
    for use_id in os.listdir(parent) if os.path.isdir(parent) else []:
        directory = f"{parent}/{use_id}"
        with wait_lock(_locate_mutex(layout)):
            lock = try_lock(directory + "/" + LOCK)
        if lock is None:
            continue
        with lock:
            try:
                _store_refreshed(layout, directory)
                shutil.rmtree(directory)
            except (CloudsyncError, OSError) as error:
                problems.append(
                    f"Cannot save the token that the killed run {use_id} refreshed. It is kept in {directory}, and the "
                    f"next run tries again: {error}"
                )
    return problems


def _store_refreshed(layout: Layout, directory: str) -> bool:
    credential, baseline = read_text(f"{directory}/{LOCK}"), read_text(f"{directory}/{BASELINE}")
    before, after = _parse_remote(baseline), _read_refreshed(f"{directory}/{USERS}")
    if not credential or before is None or after is None:
        return False
    changed = [
        key for key in list_state_options(before.get("type", "")) if key in after and after[key] != before.get(key)
    ]
    if not changed:
        return False
    refreshed = {key: after[key] for key in changed}
    try:
        text = render({REMOTE: {**before, **refreshed}})
    except CloudsyncError:
        return False  # rclone did not write it: no later configuration could hold it either
    saved = save_refreshed(layout, credential, before, refreshed)
    atomic_write(directory + "/" + BASELINE, text.encode())
    return saved


def _read_refreshed(directory: str) -> Optional[Dict[str, str]]:
    """Return the section of the remote, also from a half-saved configuration.

    rclone's save renames twice. Between the two, the new text is in another file of the same folder.
    """
    try:
        owner = os.lstat(directory).st_uid
    except FileNotFoundError:
        return None
    for candidate in [CONFIG, *_list_half_saved(directory)]:
        section = _parse_remote(read_foreign_text(f"{directory}/{candidate}", owner, MOST_BYTES))
        if section:
            return section
    return None


def _parse_remote(text: Optional[str]) -> Optional[Dict[str, str]]:
    try:
        return parse(text or "", expand=False).get(REMOTE)
    except CloudsyncError:
        return None  # rclone did not write it, or was killed while it did


def _list_half_saved(directory: str) -> List[str]:
    with os.scandir(directory) as entries:
        found = [entry for entry in entries if entry.name.startswith(CONFIG) and entry.name != CONFIG]
        found.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns, reverse=True)
    return [entry.name for entry in found]


def _read_signature(path: str) -> Optional[Tuple[int, int, int]]:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
