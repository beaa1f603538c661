# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the values that rclone refreshed in one use of a credential, and save them to the encrypted store.

The directory of a use contains a list of the values that the use has seen, oldest first: those that it began with, then
each refreshed one. A value is added to the list before it is saved to the store. Therefore every value that this use
can have saved is in the list, and a kill between two steps loses nothing. A value in the store that is not in the list
is a newer declaration, and is kept.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ..common.errors import CloudsyncError
from ..common.files import read_foreign_text, read_json, write_json
from ..common.layout import Layout
from ..common.text import parse_time
from ..config.credential_store import save_refreshed
from ..rclone.conf_file import parse, render
from ..rclone.providers.traits import list_state_options

REMOTE = "remote"
CONFIG = "rclone.conf"
KNOWN = "known.json"
# The directory that belongs to the user of rclone, and the most bytes that root reads from a file in it.
USERS = "rclone"
MOST_BYTES = 1 << 20
# rclone fetches a new access token this long before the old one expires.
EARLY = timedelta(seconds=12)


class Known(NamedTuple):
    """What root keeps about a use. ``credential`` is empty if it is not stored. ``values`` are not empty."""

    credential: str
    provider: str
    single_use: bool
    values: List[Dict[str, str]]


def write_known(use: str, known: Known) -> None:
    """Write what is known about the use in the directory ``use``."""
    write_json(f"{use}/{KNOWN}", known._asdict())


def read_known(use: str) -> Optional[Known]:
    """Return what is known about the use, None if it was killed at its start."""
    content = read_json(f"{use}/{KNOWN}")
    return Known(**content) if content else None


def pick_state(provider: str, section: Mapping[str, str]) -> Dict[str, str]:
    """Return the options of the section that rclone refreshes and that a later login needs."""
    return {key: section[key] for key in sorted(list_state_options(provider)) if key in section}


def store_refreshed(layout: Layout, use: str) -> bool:
    """Save the newest values of the use to the store. Return whether anything was written."""
    known = read_known(use)
    if known is None or not known.credential:
        return False
    newest = find_newest(use, known)
    if newest != known.values[-1]:
        known = known._replace(values=[*known.values, newest])
        with suppress(OSError):  # /run is full, which must not keep the values out of the store
            write_known(use, known)
    if len(known.values) == 1:
        return False
    return save_refreshed(layout, known.credential, known.values[:-1], known.values[-1])


def find_newest(use: str, known: Known) -> Dict[str, str]:
    """Return the newest values of the use: those of rclone, else the newest in the list."""
    for _name, values in _read_candidates(f"{use}/{USERS}", known):
        return values
    return known.values[-1]


def settle_half_saved(use: str) -> None:
    """Make the newest complete file the configuration, if rclone was killed while it saved one.

    rclone must not be running. All names are in one directory, so its user can do nothing with this that he could not
    do by himself.
    """
    known = read_known(use)
    directory = f"{use}/{USERS}"
    newest = next((name for name, _values in _read_candidates(directory, known)), CONFIG) if known else CONFIG
    if newest != CONFIG:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            with suppress(FileNotFoundError):
                os.rename(newest, CONFIG, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        finally:
            os.close(descriptor)


def _read_candidates(directory: str, known: Known) -> Iterator[Tuple[str, Dict[str, str]]]:
    """Return the name and the values of each complete configuration, newest first.

    rclone writes a new file, renames the old one, then renames the new one, and removes the old one. It never changes
    a file. Therefore the time of a file is the time of its save, whatever its name is.
    """
    try:
        owner = os.lstat(directory).st_uid
        names = _list_by_time(directory)
    except FileNotFoundError:
        return
    for name in names:
        values = _read_values(read_foreign_text(f"{directory}/{name}", owner, MOST_BYTES), known)
        if values is not None:
            yield name, values


def _list_by_time(directory: str) -> List[str]:
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(CONFIG):
                with suppress(FileNotFoundError):  # rclone renames and removes files meanwhile
                    found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name == CONFIG, entry.name))
    return [name for _time, _is_config, name in sorted(found, reverse=True)]


def _read_values(text: Optional[str], known: Known) -> Optional[Dict[str, str]]:
    """Return the values in a configuration. Return None if it is incomplete, or if rclone did not write it."""
    complete = (text or "").rpartition("\n")[0]  # the last line of a half-written file may be half a value
    try:
        section = parse(complete, expand=False).get(REMOTE, {})
        values = {**known.values[-1], **pick_state(known.provider, section)}
        render({REMOTE: {"type": known.provider, **values}})
    except CloudsyncError:
        return None
    has_all = all(key in section for key, value in known.values[-1].items() if value)
    return values if section and has_all else None


def may_have_lost(use: str) -> bool:
    """Return whether a killed rclone may have fetched a token that it could not save.

    It may if its refresh token can be used only once, and its newest access token has expired.
    """
    known = read_known(use)
    if known is None or not known.credential or not known.single_use:
        return False
    token = find_newest(use, known).get("token", "")
    expiry = read_expiry(token)
    if expiry is None:
        return False  # rclone does not fetch another one
    return bool(json.loads(token).get("refresh_token")) and expiry <= datetime.now(timezone.utc) + EARLY


def read_expiry(token: str) -> Optional[datetime]:
    """Return when the access token in ``token``, the JSON of rclone, expires. None if it never expires."""
    try:
        expiry = parse_time(re.sub(r"\.\d+", "", json.loads(token)["expiry"]))
    except (ValueError, TypeError, KeyError):
        return None
    return expiry if expiry.year > 1 and expiry.tzinfo is not None else None
