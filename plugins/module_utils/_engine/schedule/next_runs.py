# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Compute the next starts of a schedule exactly as systemd does.

systemd follows the wall clock of the time zone. A skipped time does not start a run. A repeated time starts one run,
in its first pass, but a search that begins in the second pass stays there. See ``_is_reached`` for other omissions.
"""

from __future__ import annotations

import datetime
from typing import Callable, Dict, FrozenSet, Iterator, List, Tuple

from . import timezones as zones
from .cron import Cron, iterate_dates
from .schedule import Schedule, split_time_boxes

Box = Tuple[FrozenSet[int], FrozenSet[int]]
WallTimes = Callable[[Cron, datetime.datetime], Iterator[datetime.datetime]]


def iterate_wall_times(cron: Cron, after: datetime.datetime) -> Iterator[datetime.datetime]:
    """Yield the naive wall clock times that match, in order, later than ``after``. They end with the year 2199."""
    times = [datetime.time(hour, minute) for hour in cron.hours for minute in cron.minutes]
    for date in iterate_dates(cron, after.date()):
        for time in times:
            wall = datetime.datetime.combine(date, time)
            if wall > after:
                yield wall


def find_next_runs(
    schedule: Schedule, after: datetime.datetime, count: int, wall_times: WallTimes = iterate_wall_times
) -> List[datetime.datetime]:
    """Return the next ``count`` starts later than ``after`` (aware), each with its UTC offset. None after 2199.

    A schedule without a time zone uses that of this machine. ``wall_times`` may be another iterator of these times.
    """
    base = after.astimezone(zones.load(schedule.timezone))
    boxes = [(frozenset(hours), frozenset(minutes)) for hours, minutes in split_time_boxes(schedule)]
    hours, minutes = (tuple(sorted(frozenset().union(*half))) for half in zip(*boxes))
    windowed = schedule.cron._replace(hours=hours, minutes=minutes)
    # For the times of a box on a date: when the search comes back to them, after it has left the date or jumped.
    returns: Dict[Tuple[datetime.date, Box], datetime.datetime] = {}
    found: List[datetime.datetime] = []
    for wall in wall_times(windowed, base.replace(tzinfo=None)):
        if len(found) >= count:
            break
        at = [(wall.date(), box) for box in boxes if wall.hour in box[0] and wall.minute in box[1]]
        at = [key for key in at if wall >= returns.get(key, wall)]
        if not at:
            continue
        moment = _resolve_wall_time(wall, base)
        if not _is_reached(wall, moment, base):
            if moment.replace(tzinfo=None, fold=0) < wall:
                returns.update((key, datetime.datetime.max) for key in at if wall.hour - 1 not in key[1][0])
            else:
                returns.update((key, _find_jump(wall, base, key[1])) for key in at)
        elif moment.timestamp() > base.timestamp():
            found.append(moment.astimezone(datetime.timezone(moment.utcoffset() or datetime.timedelta())))
            base = moment
            returns.clear()
    return found


def _find_jump(wall: datetime.datetime, base: datetime.datetime, box: Box) -> datetime.datetime:
    """Return the wall time at which systemd continues after a skipped hour, that of ``wall``.

    It is later than the end of the gap if the gap is longer than an hour (Troll, 01:00 to 03:00). A search that skips
    to 02:00 continues at 04:00. A search that has found no match in the hour 00 asks for 01:00 next, and continues at
    03:00.
    """
    start, hour = base.replace(tzinfo=None, fold=0), wall.replace(minute=0)
    leaves = start.date() == wall.date() and start.hour < wall.hour and start.hour in box[0]
    tried = start.replace(minute=0, second=0, microsecond=0) + datetime.timedelta(hours=1) if leaves else hour
    landing = _resolve_wall_time(tried, base).replace(tzinfo=None, fold=0)
    return landing if landing > hour else _resolve_wall_time(hour, base).replace(tzinfo=None, fold=0)


def _is_reached(wall: datetime.datetime, moment: datetime.datetime, base: datetime.datetime) -> bool:
    """Return whether systemd, searching from ``base``, reaches a wall time, which resolves to ``moment``.

    systemd asks the C library for minute 0 of an hour first, and then for the minute. If minute 0 is skipped and the
    answer is in a later hour (Chatham, 02:45 to 03:45), it continues there, and omits the rest of the hour. If the
    answer is earlier, it continues with the next day, provided that it skipped to that hour: see
    ``_resolve_wall_time``.
    """
    hour = wall.replace(minute=0)
    if hour > base.replace(tzinfo=None, fold=0):
        answer = (moment if hour == wall else _resolve_wall_time(hour, base)).replace(tzinfo=None, fold=0)
        if answer < hour or answer.replace(minute=0) != hour:
            return False
    return moment.replace(tzinfo=None, fold=0) == wall


def _resolve_wall_time(wall: datetime.datetime, base: datetime.datetime) -> datetime.datetime:
    """Return the moment that the C library computes for a wall time in the zone of ``base``.

    A skipped time uses the offset before the change, so the result is after the change. In zones whose database has
    daylight saving time in winter (Dublin, Casablanca), it uses the offset after the change, so the result is before
    it. A repeated time uses the offset of the previous request: that of the first pass, unless the search begins in
    the second, or skips from winter to a month that begins with a repeated hour (Havana, November).
    """
    zone = base.tzinfo
    early, late = (
        wall.replace(tzinfo=zone, fold=fold).astimezone(datetime.timezone.utc).astimezone(zone) for fold in (0, 1)
    )
    if early.replace(tzinfo=None, fold=0) == wall:
        within = base.fold and early.timestamp() <= base.timestamp()
        leapt = (wall.day, wall.hour) == (1, 0) and base.utcoffset() == late.utcoffset()
        return late if within or leapt else early
    return late if late.dst() and not early.dst() else early
