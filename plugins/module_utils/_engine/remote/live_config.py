# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Keep the live configuration: a decrypted credential in a 0600 file on tmpfs, for the time of one use.

rclone writes a refreshed token into its configuration. The token is saved to the encrypted store while rclone runs,
when it ends, and after a kill by the next use. If it cannot be saved, it stays in its file, and the next use begins
with it. If a refresh token can be used only once, the uses of a credential take turns.

Each use has a directory that belongs to root, with the lock and what is known about the use. In it is a directory that
belongs to the user of rclone. That user can put anything there at any moment. Root reads only the configuration from
it, through read_foreign_text(), and writes nothing into it after the user owns it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from typing import Callable, Iterable, List, Mapping, Optional, Tuple

from ..common.accounts import find_account
from ..common.errors import CloudsyncError
from ..common.files import atomic_write, make_directory, read_foreign_text
from ..common.flock import Lock, queue_for_lock, try_lock
from ..common.layout import Layout
from ..common.stop_signal import StopFlag
from ..config.credential_store import load_credential
from ..config.credentials import Credential
from ..config.seed import load_seed
from ..rclone.conf_file import parse, render
from ..rclone.providers.traits import refresh_token_is_single_use
from . import live_uses, refreshed
from .live_uses import Pending
from .login_problems import clear_doubt, mark_doubt
from .refreshed import CONFIG, MOST_BYTES, REMOTE, USERS, Known

CRYPT = "crypt"
FILTERS = "filters"
# The seconds between two attempts to save a token that could not be saved.
RETRY_SECONDS = 5.0
Sections = Mapping[str, Mapping[str, str]]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Content:
    """The input of rclone: its configuration, public ``files`` (name to text) in the same folder, global flags.

    ``filters`` are the lines of the file for ``--filter-from``.
    """

    sections: Sections
    files: Mapping[str, str] = field(default_factory=dict)
    arguments: Tuple[str, ...] = ()
    filters: Tuple[str, ...] = ()


Build = Callable[[Credential], Content]


class LiveConfig:
    """One use of a credential. Call save_back() often, and close() at the end.

    ``path`` is for rclone's ``--config``, ``filters`` for its ``--filter-from``. Every command needs ``arguments``.
    ``problem`` says why a refreshed token is not saved, or is empty. Neither save_back() nor close() raises an error
    for that, because the token is not lost.
    """

    def __init__(self, layout: Layout, known: Known, use: str, lock: Lock, turn: Optional[Lock]) -> None:
        self.arguments: Tuple[str, ...] = ()
        self.problem = ""
        self._layout = layout
        self._credential = known.credential
        self._lock = lock
        self._turn = turn
        self._use = use
        self._was_killed = False
        self._retry_at = 0.0
        self._filters: List[int] = []
        self.directory = f"{use}/{USERS}"
        self._seen: Optional[Tuple[int, int, int]] = None

    @property
    def path(self) -> str:
        return self.directory + "/" + CONFIG

    @property
    def descriptors(self) -> Tuple[int, ...]:
        """The files of filters, and the locks. With them, the use lasts until rclone ends, even without its runner."""
        locks = tuple(lock.descriptor for lock in (self._lock, self._turn) if lock is not None)
        return (*self._filters, *locks)

    @property
    def filters(self) -> str:
        """The path of the first file of filters for a child that inherits the descriptors."""
        return f"/proc/self/fd/{self._filters[0]}"

    def add_filters(self, lines: Iterable[str]) -> str:
        """Write one more file of filters, and return its path for a child that inherits the descriptors."""
        # The file belongs to root. Its path is closed to the user of rclone, but its inherited descriptor is not.
        path = f"{self._use}/{FILTERS}{len(self._filters)}"
        atomic_write(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"), 0o644)
        self._filters.append(os.open(path, os.O_PATH))
        return f"/proc/self/fd/{self._filters[-1]}"

    def write(self, content: Content, user: str) -> None:
        """Write the configuration for ``user``."""
        self.arguments = content.arguments
        self.add_filters(content.filters)
        make_directory(self.directory)
        atomic_write(self.path, render(content.sections).encode())
        for name, public in content.files.items():
            atomic_write(f"{self.directory}/{name}", public.encode(), 0o644)
        _give_to(user, self.directory)
        self._seen = _read_signature(self.path)

    def list_values(self, options: Iterable[str]) -> List[str]:
        """Return the values of these options in rclone's configuration now, obscured or refreshed by rclone."""
        try:
            text = read_foreign_text(self.path, os.lstat(self.directory).st_uid, MOST_BYTES)
            sections = parse(text or "", expand=False)
        except (CloudsyncError, OSError):
            return []
        return [section[name] for section in sections.values() for name in options if name in section]

    def save_back(self) -> bool:
        """Store what rclone refreshed since the last call. Return whether that was anything.

        Without a change, this costs one stat.
        """
        now = _read_signature(self.path)
        if self.problem:
            return time.monotonic() >= self._retry_at and self._save(now)
        return now is not None and now != self._seen and self._save(now)

    def _save(self, now: Optional[Tuple[int, int, int]]) -> bool:
        try:
            saved = refreshed.store_refreshed(self._layout, self._use)
            if saved:
                clear_doubt(self._layout, self._credential)
        except (CloudsyncError, OSError) as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            if not self.problem:
                self.problem = live_uses.keep_unsaved(self._use, self._credential, error)
            return False
        if self.problem:
            live_uses.forget_unsaved(self._use)
            self.problem = ""
        self._seen = now
        return saved

    def note_end(self, exit_code: int, reached_provider: bool) -> None:
        """Take note of the end of a command of rclone. ``exit_code`` is negative after a signal."""
        if exit_code < 0:
            self._was_killed = True
            refreshed.settle_half_saved(self._use)
            self.save_back()
        elif exit_code == 0 and reached_provider and self._credential:
            clear_doubt(self._layout, self._credential)
            self._was_killed = False

    def adopt(self, pending: Pending) -> None:
        """Take over the values of an ended use that could not save them. This use began with them."""
        self.problem = live_uses.keep_unsaved(self._use, self._credential, pending.error)
        live_uses.remove_adopted(self._layout, pending)

    def close(self) -> None:
        """Save back and remove. A token that cannot be saved stays for the next use."""
        try:
            self._save(None)
            if not self.problem:
                if self._was_killed and refreshed.may_have_lost(self._use):
                    mark_doubt(self._layout, self._credential)
                live_uses.remove_use(self._layout, self._use)
        except (CloudsyncError, OSError) as error:
            self.problem = live_uses.describe_stuck(self._use, error)
        finally:
            for descriptor in self._filters:
                os.close(descriptor)
            self._lock.release()
            if self._turn is not None:
                self._turn.release()

    def __enter__(self) -> LiveConfig:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def takes_turns(credential: Credential) -> bool:
    """Return whether only one use of the credential at a time is safe."""
    return refresh_token_is_single_use(
        credential.provider, credential.attributes, "token" in credential.merge_secrets()
    )


def open_live(
    layout: Layout,
    credential: Credential,
    saved: bool,
    use_id: str,
    build: Build,
    user: str = "root",
    stop: Optional[StopFlag] = None,
    say: Optional[Say] = None,
) -> LiveConfig:
    """Write the live configuration of ``credential`` into the directory ``use_id``.

    Of a ``saved`` credential only the name counts. It is read after its turn has come and all ended uses were swept,
    because the previous use may have left a newer token, or the seed may have been rotated. ``say`` gets a
    sentence about what the use waits for. An unsaved credential is used as it is.
    """
    turn = _take_turn(layout, credential.name, stop, say) if saved and takes_turns(credential) else None
    try:
        pending = live_uses.sweep_live(layout).find_pending(credential.name) if saved else None
        if saved:
            credential = _overlay(load_credential(layout, load_seed(layout), credential.name), pending)
        content = build(credential)
        section = content.sections[REMOTE]
        known = Known(credential.name if saved else "", section["type"], turn is not None, [])
        known.values.extend(pending.known.values if pending else [])
        known.values.append(refreshed.pick_state(known.provider, section))
        live = _create(layout, use_id, known, turn, content, user)
    except BaseException:
        if turn is not None:
            turn.release()
        raise
    if pending is not None:
        live.adopt(pending)
    return live


def _overlay(credential: Credential, pending: Optional[Pending]) -> Credential:
    """Return the credential with the values that a use could not save, unless a newer declaration has replaced them."""
    if pending is None:
        return credential
    current, values = {**credential.attributes, **credential.merge_secrets()}, pending.known.values
    newest = {key: value for key, value in values[-1].items() if current.get(key) in [past.get(key) for past in values]}
    return replace(credential, refreshed={**credential.refreshed, **newest})


def _create(layout: Layout, use_id: str, known: Known, turn: Optional[Lock], content: Content, user: str) -> LiveConfig:
    use = live_uses.locate_use(layout, use_id)
    lock = live_uses.create_use(layout, use_id)
    try:
        refreshed.write_known(use, known)
        live = LiveConfig(layout, known, use, lock, turn)
        live.write(content, user)
        return live
    except BaseException:
        live_uses.remove_use(layout, use)
        lock.release()
        raise


def locate_turn(layout: Layout, credential: str) -> str:
    """Return the lock on which the uses of a credential with a single-use refresh token take turns."""
    return f"{layout.run_dir}/locks/turns/{credential}"


def _take_turn(layout: Layout, name: str, stop: Optional[StopFlag], say: Optional[Say]) -> Lock:
    """Wait for the credential's turn, without a time limit, until ``stop`` is requested."""
    path = locate_turn(layout, name)
    busy = f"waiting: credential {name} is in use, and its refresh token allows only one use at a time"
    return queue_for_lock(
        lambda: try_lock(path) or busy,
        say or (lambda _text: None),
        lambda: stop is not None and stop.requested,
        f"credential {name}",
    )


def _give_to(user: str, directory: str) -> None:
    """Give the directory to ``user``, because rclone saves by renaming. Its parents stay closed to other users."""
    if user == "root" or os.geteuid() != 0:
        return
    account = find_account(user)
    os.chown(directory + "/" + CONFIG, account.uid, account.gid)
    os.chown(directory, account.uid, account.gid)


def _read_signature(path: str) -> Optional[Tuple[int, int, int]]:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
