# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Check the names of time zones, and load the clock of a zone.

A name is valid if the time zone database of this machine lists it as a place. Old names (``US/Eastern``) and
abbreviations (``CET``) are refused although their files may exist: Debian 13 has moved old names to another package,
and systemd uses an abbreviation as a fixed offset.
"""

from __future__ import annotations

import contextlib
import datetime
import difflib
import functools
import importlib.util
import os
import time
from typing import ContextManager, Dict, FrozenSet, Iterator, List, Optional, Tuple

from ..common.errors import usage_error

try:
    from zoneinfo import ZoneInfo
except ImportError:  # Python 3.8
    ZoneInfo = None  # type: ignore[assignment,misc]

_DIRECTORIES = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
_TABLES = ("zone.tab", "zone1970.tab")
_NO_PLACE = frozenset(("UTC", "Etc/UTC"))


def check(name: str) -> str:
    """Return the name (``UTC`` for ``Etc/UTC``) if it is canonical, else raise a usage error."""
    places, links = _read_database()
    if name in _NO_PLACE:
        return "UTC"
    if name in places:
        return name
    canonical = name
    while canonical in links:
        canonical = links[canonical]
    if canonical in places:
        why = f'is an old name or an abbreviation. Use "{canonical}"'
    else:
        by_lower = {place.lower(): place for place in places}
        near = difflib.get_close_matches(name.lower(), by_lower, 1, 0.75)
        known = f'"{by_lower[near[0]]}"' if near else 'a name of the form "Europe/Berlin", or "UTC"'
        why = f"is not a canonical name of the time zone database. Use {known}"
    raise usage_error(f'timezone is "{name}", which {why}.')


def list_names() -> FrozenSet[str]:
    """Return all names that ``check`` accepts, ``Etc/UTC`` included."""
    return _read_database()[0] | _NO_PLACE


def load(name: Optional[str]) -> datetime.tzinfo:
    """Return the clock of a zone that ``check`` has accepted. None is this machine's own zone."""
    if name is None or ZoneInfo is None:
        return SystemZone(name)
    return ZoneInfo(name)


class SystemZone(datetime.tzinfo):
    """A time zone of the C library. It is this machine's own if ``name`` is None.

    For a named zone, each method sets TZ for the whole process while it runs. It is only used with Python 3.8.
    """

    def __init__(self, name: Optional[str] = None) -> None:
        self._file = None if name is None else ":" + os.path.join(_find_directory(), name)

    def utcoffset(self, dt: Optional[datetime.datetime]) -> Optional[datetime.timedelta]:
        """Return the offset at a wall time. ``fold`` selects the pass of a repeated or the side of a skipped time."""
        if dt is None:
            return None
        naive = dt.replace(tzinfo=None)
        with self._in_force():
            utc = datetime.datetime.fromtimestamp(naive.timestamp(), datetime.timezone.utc)
        return naive.replace(fold=0) - utc.replace(tzinfo=None)

    def dst(self, dt: Optional[datetime.datetime]) -> Optional[datetime.timedelta]:
        """Return one hour if the database marks the wall time as daylight saving time, else zero."""
        if dt is None:
            return None
        with self._in_force():
            return datetime.timedelta(hours=time.localtime(dt.replace(tzinfo=None).timestamp()).tm_isdst)

    def tzname(self, dt: Optional[datetime.datetime]) -> Optional[str]:
        """Return the abbreviation that is used at a wall time."""
        if dt is None:
            return None
        with self._in_force():
            return dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime.datetime) -> datetime.datetime:
        """Return the wall time, ``fold`` included, of a moment in UTC."""
        with self._in_force():
            local = datetime.datetime.fromtimestamp(dt.replace(tzinfo=datetime.timezone.utc).timestamp())
        return local.replace(tzinfo=self)

    def _in_force(self) -> ContextManager[None]:
        # Not a generator for the usual case: the search for one start asks ten times.
        return contextlib.nullcontext() if self._file is None else self._hold_zone(self._file)

    @contextlib.contextmanager
    def _hold_zone(self, file: str) -> Iterator[None]:
        before = os.environ.get("TZ")
        os.environ["TZ"] = file
        time.tzset()
        try:
            yield
        finally:
            if before is None:
                del os.environ["TZ"]
            else:
                os.environ["TZ"] = before
            time.tzset()


def _find_directory() -> str:
    package = importlib.util.find_spec("tzdata")
    packages = package.submodule_search_locations or () if package else ()
    for directory in (*_DIRECTORIES, *(os.path.join(path, "zoneinfo") for path in packages)):
        if any(os.path.exists(os.path.join(directory, table)) for table in _TABLES):
            return directory
    raise usage_error(
        "Cannot check timezone: this machine has no time zone database. Install the package tzdata. systemd needs it, "
        "too."
    )


@functools.lru_cache(maxsize=1)
def _read_database() -> Tuple[FrozenSet[str], Dict[str, str]]:
    directory = _find_directory()
    places = {row.split("\t")[2] for table in _TABLES for row in _read_rows(directory, table) if "\t" in row}
    links = {}
    for row in _read_rows(directory, "tzdata.zi"):
        words = row.split()
        if words[0] == "L":
            links[words[2]] = words[1]
        elif words[0] == "Z" and words[1].startswith("Etc/"):
            places.add(words[1])
    return frozenset(places), links


def _read_rows(directory: str, table: str) -> List[str]:
    try:
        with open(os.path.join(directory, table), encoding="utf-8") as stream:
            return [row.rstrip("\n") for row in stream if row.strip() and not row.startswith("#")]
    except FileNotFoundError:
        return []
