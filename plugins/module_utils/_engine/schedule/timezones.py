# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Time zones: which names are good on every host, and the clock of one zone.

A name is good when the time zone database of this machine lists it as a place. Old names (``US/Eastern``) and
abbreviations (``CET``) are refused although their files may be here: Debian 13 has moved the former to another package,
and systemd takes the latter for a fixed season.
"""

from __future__ import annotations

import contextlib
import datetime
import difflib
import functools
import importlib.util
import os
import time
from typing import Dict, FrozenSet, Iterator, List, Optional, Tuple

from ..common.errors import usage_error

try:
    from zoneinfo import ZoneInfo
except ImportError:  # Python 3.8
    ZoneInfo = None  # type: ignore[assignment,misc]

_DIRECTORIES = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
_TABLES = ("zone.tab", "zone1970.tab")
_NO_PLACE = frozenset(("UTC", "Etc/UTC"))


def check(name: str) -> str:
    """The name itself (``UTC`` for ``Etc/UTC``) when it is canonical, else CloudsyncError ``usage``."""
    places, links = _read_database()
    if name in _NO_PLACE:
        return "UTC"
    if name in places:
        return name
    canonical = name
    while canonical in links:
        canonical = links[canonical]
    if canonical in places:
        why = f'is an old name or an abbreviation: write "{canonical}"'
    else:
        by_lower = {place.lower(): place for place in places}
        near = difflib.get_close_matches(name.lower(), by_lower, 1, 0.75)
        why = "is no canonical name of the time zone database: write {0}".format(
            f'"{by_lower[near[0]]}"' if near else 'a name of the form "Europe/Berlin", or "UTC"'
        )
    raise usage_error(f'timezone is "{name}", which {why}.')


def list_names() -> FrozenSet[str]:
    """Every name that ``check`` passes, ``Etc/UTC`` included."""
    return _read_database()[0] | _NO_PLACE


def load(name: Optional[str]) -> datetime.tzinfo:
    """The clock of a zone that ``check`` has passed; None is this machine's own."""
    if name is None or ZoneInfo is None:
        return SystemZone(name)
    return ZoneInfo(name)


class SystemZone(datetime.tzinfo):
    """A zone as the C library knows it: this machine's own when ``name`` is None.

    For a named zone TZ is changed for the length of each question, which the whole process sees: it serves Python 3.8.
    """

    def __init__(self, name: Optional[str] = None) -> None:
        self._file = None if name is None else ":" + os.path.join(_find_directory(), name)

    def utcoffset(self, dt: Optional[datetime.datetime]) -> Optional[datetime.timedelta]:
        """The offset at a wall time, whose ``fold`` tells its two passes apart, or the two sides of a skipped one."""
        if dt is None:
            return None
        naive = dt.replace(tzinfo=None)
        with self._in_force():
            utc = datetime.datetime.fromtimestamp(naive.timestamp(), datetime.timezone.utc)
        return naive.replace(fold=0) - utc.replace(tzinfo=None)

    def dst(self, dt: Optional[datetime.datetime]) -> Optional[datetime.timedelta]:
        """Not zero where the database marks the wall time as daylight saving time; the amount is nominal."""
        if dt is None:
            return None
        with self._in_force():
            return datetime.timedelta(hours=time.localtime(dt.replace(tzinfo=None).timestamp()).tm_isdst)

    def tzname(self, dt: Optional[datetime.datetime]) -> Optional[str]:
        """The abbreviation in force at a wall time."""
        if dt is None:
            return None
        with self._in_force():
            return dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime.datetime) -> datetime.datetime:
        """The wall time, ``fold`` included, of a moment in UTC."""
        with self._in_force():
            local = datetime.datetime.fromtimestamp(dt.replace(tzinfo=datetime.timezone.utc).timestamp())
        return local.replace(tzinfo=self)

    @contextlib.contextmanager
    def _in_force(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        before = os.environ.get("TZ")
        os.environ["TZ"] = self._file
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
        "timezone cannot be checked, since this machine has no time zone database: install the package tzdata,"
        " which systemd needs for it too."
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
